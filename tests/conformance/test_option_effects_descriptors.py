"""Options that are set on the system's sockets: asked of the very descriptors of connections and listeners."""

from __future__ import annotations

import os
import socket as stdlib_socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support import EventWatch, bind, ipc_path, purezmq_only, try_recv, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="names and options of Linux")
DRAFT = purezmq_only("a draft option, which its wheels don't have")

SOCKET, TCP, IP = stdlib_socket.SOL_SOCKET, stdlib_socket.IPPROTO_TCP, stdlib_socket.IPPROTO_IP
SO_BINDTODEVICE, SO_PRIORITY, SO_BUSY_POLL = 25, 12, 46
TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_INFO, TCP_USER_TIMEOUT = 4, 5, 6, 11, 18


@contextmanager
def system_socket(descriptor: int) -> Iterator[stdlib_socket.socket]:
    """A second handle of a socket of the library, as the monitor named it."""
    with stdlib_socket.socket(fileno=os.dup(descriptor)) as sock:
        yield sock


def connection_of(
    make_socket: MakeSocket, bound: bool, ask: Callable[[stdlib_socket.socket], Any], transport: str = "tcp",
    **options: Any,
) -> Any:  # fmt: skip
    """What a connection's descriptor answers, on the accepting or on the connecting side."""
    pull = make_socket(zmq.PULL, **(options if bound else {}))
    push = make_socket(zmq.PUSH, **({} if bound else options))
    endpoint = bind(pull, transport)
    with EventWatch(pull if bound else push) as events:
        push.connect(endpoint)
        event = events.wait_for(zmq.EVENT_ACCEPTED if bound else zmq.EVENT_CONNECTED)
        # Accepted sockets get their options before the handshake ends.
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        with system_socket(event["value"]) as sock:
            return ask(sock)


KEEPALIVE = {"tcp_keepalive": 1}


@LINUX
@effect_of("SNDBUF", "RCVBUF", "TCP_KEEPALIVE", "TCP_KEEPALIVE_CNT", "TCP_KEEPALIVE_IDLE", "TCP_KEEPALIVE_INTVL")
@effect_of("TCP_MAXRT", "TOS")
@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize(
    ("options", "level", "name", "expected"),
    [
        ({"sndbuf": 20000}, SOCKET, stdlib_socket.SO_SNDBUF, 40000),  # Linux doubles it
        ({"rcvbuf": 20000}, SOCKET, stdlib_socket.SO_RCVBUF, 40000),
        ({"tcp_keepalive": 1}, SOCKET, stdlib_socket.SO_KEEPALIVE, 1),
        ({"tcp_keepalive": 0}, SOCKET, stdlib_socket.SO_KEEPALIVE, 0),
        (KEEPALIVE | {"tcp_keepalive_cnt": 7}, TCP, TCP_KEEPCNT, 7),
        (KEEPALIVE | {"tcp_keepalive_idle": 77}, TCP, TCP_KEEPIDLE, 77),
        (KEEPALIVE | {"tcp_keepalive_intvl": 17}, TCP, TCP_KEEPINTVL, 17),
        ({"tcp_maxrt": 12345}, TCP, TCP_USER_TIMEOUT, 12345),
        ({"tos": 0x28}, IP, stdlib_socket.IP_TOS, 0x28),
    ],
)
def test_socket_option_reaches_the_descriptor(
    make_socket: MakeSocket, bound: bool, options: dict[str, int], level: int, name: int, expected: int
) -> None:
    """What was set is what the system says of the connection, on either side."""
    assert expected == connection_of(make_socket, bound, lambda sock: sock.getsockopt(level, name), **options)


@LINUX
@DRAFT
@effect_of("PRIORITY")
@pytest.mark.parametrize("bound", [True, False])
def test_priority_reaches_the_descriptor(make_socket: MakeSocket, bound: bool) -> None:
    """SO_PRIORITY; up to 6 needs no privilege."""
    assert 5 == connection_of(make_socket, bound, lambda sock: sock.getsockopt(SOCKET, SO_PRIORITY), priority=5)


@LINUX
@DRAFT
@effect_of("BUSY_POLL")
@pytest.mark.parametrize("bound", [True, False])
def test_busy_poll_is_asked_of_the_system(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, bound: bool
) -> None:
    """SO_BUSY_POLL; whether the system grants it is a matter of privilege and kernel."""
    from purezmq.transports.native_socket import NativeSocket

    asked: list[tuple[Any, ...]] = []
    original = NativeSocket.setsockopt

    def setsockopt(self: Any, *args: Any) -> None:
        asked.append(args)
        original(self, *args)

    monkeypatch.setattr(NativeSocket, "setsockopt", setsockopt)
    connection_of(make_socket, bound, lambda sock: None, busy_poll=50)
    assert (SOCKET, SO_BUSY_POLL, 50) in asked


@purezmq_only("on Windows only")
@effect_of("LOOPBACK_FASTPATH")
@pytest.mark.parametrize(("option", "expected"), [(1, 2), (0, 0)])
def test_loopback_fastpath_is_asked_of_windows(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, option: int, expected: int
) -> None:
    """Where the system has the control code, listener and connection are told; elsewhere the option does nothing."""
    from purezmq.transports.native_socket import NativeSocket

    code, asked = 0x98000010, []
    monkeypatch.setattr(stdlib_socket, "SIO_LOOPBACK_FAST_PATH", code, raising=False)
    monkeypatch.setattr(NativeSocket, "ioctl", lambda self, *args: asked.append(args), raising=False)
    pull, push = (make_socket(kind, loopback_fastpath=option) for kind in (zmq.PULL, zmq.PUSH))
    push.connect(bind(pull, "tcp"))
    push.send(b"x")
    assert b"x" == pull.recv()
    assert [(code, True)] * expected == asked


@LINUX
@effect_of("BINDTODEVICE")
@pytest.mark.parametrize("bound", [True, False])
def test_bindtodevice_reaches_the_descriptor(make_socket: MakeSocket, bound: bool) -> None:
    """SO_BINDTODEVICE names the device."""
    device = connection_of(
        make_socket, bound, lambda sock: sock.getsockopt(SOCKET, SO_BINDTODEVICE, 16), bindtodevice=b"lo"
    )
    assert b"lo" == device.rstrip(b"\0")


@LINUX
@purezmq_only("sets no buffers of ipc connections")
@effect_of("SNDBUF", "RCVBUF")
@pytest.mark.parametrize("name", ["SNDBUF", "RCVBUF"])
def test_buffer_of_an_ipc_connection_is_as_asked(make_socket: MakeSocket, name: str) -> None:
    """Unix sockets have buffers, too."""
    number = getattr(stdlib_socket, f"SO_{name}")
    ask = lambda sock: sock.getsockopt(SOCKET, number)  # noqa: E731 - the question, short enough to read here
    assert 40000 == connection_of(make_socket, False, ask, "ipc", **{name.lower(): 20000})


@LINUX
@effect_of("BACKLOG")
def test_backlog_reaches_the_listener(make_socket: MakeSocket) -> None:
    """The system tells the backlog of a listening socket where it counts a connection's selective acknowledgements."""
    pull = make_socket(zmq.PULL, backlog=7)
    with EventWatch(pull) as events:
        bind(pull, "tcp")
        event = events.wait_for(zmq.EVENT_LISTENING)
        with system_socket(event["value"]) as sock:
            info = sock.getsockopt(TCP, TCP_INFO, 104)
    assert 7 == struct.unpack_from("=I", info, 28)[0]


@effect_of("USE_FD")
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_use_fd_takes_an_inherited_listener_over(make_socket: MakeSocket, transport: str) -> None:
    """Binding with USE_FD accepts on the descriptor that somebody else bound (socket activation)."""
    if transport == "tcp":
        inherited = stdlib_socket.create_server(("127.0.0.1", 0))
        endpoint = f"tcp://127.0.0.1:{inherited.getsockname()[1]}"
    else:
        path = ipc_path()
        inherited = stdlib_socket.socket(stdlib_socket.AF_UNIX)
        inherited.bind(path)
        inherited.listen()
        endpoint = f"ipc://{path}"
    descriptor = inherited.detach()
    pull, push = make_socket(zmq.PULL, use_fd=descriptor), make_socket(zmq.PUSH)
    with EventWatch(pull) as events:
        pull.bind(endpoint)
        assert descriptor == events.wait_for(zmq.EVENT_LISTENING)["value"]
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()


@LINUX
@effect_of("TCP_ACCEPT_FILTER")
def test_tcp_accept_filter_lets_named_networks_in(make_socket: MakeSocket) -> None:
    """Who comes from elsewhere is closed before the handshake; several filters add up."""
    pull = make_socket(zmq.PULL)
    pull.setsockopt(zmq.TCP_ACCEPT_FILTER, b"127.0.0.2")
    pull.setsockopt(zmq.TCP_ACCEPT_FILTER, b"127.0.1.0/24")
    port = bind(pull, "tcp").rpartition(":")[2]
    for source in ("127.0.0.1", "127.0.0.2", "127.0.1.9"):
        push = make_socket(zmq.PUSH, reconnect_ivl=-1)
        push.connect(f"tcp://{source}:0;127.0.0.1:{port}")
        push.send(source.encode())
    assert {b"127.0.0.2", b"127.0.1.9"} == {pull.recv(), pull.recv()}
    assert try_recv(pull, 30) is None


@LINUX
@effect_of("IPC_FILTER_PID", "IPC_FILTER_UID", "IPC_FILTER_GID")
@pytest.mark.parametrize(("name", "own"), [("pid", os.getpid()), ("uid", os.getuid()), ("gid", os.getgid())])
@pytest.mark.parametrize("admitted", [True, False])
def test_ipc_filter_lets_named_processes_in(make_socket: MakeSocket, name: str, own: int, admitted: bool) -> None:
    """Process, user or group; anybody else is closed before the handshake."""
    pull, push = make_socket(zmq.PULL, **{f"ipc_filter_{name}": own if admitted else own + 1}), make_socket(zmq.PUSH)
    push.connect(bind(pull, "ipc"))
    push.send(b"x")
    assert ([b"x"] if admitted else None) == try_recv(pull, 2000 if admitted else 50)


@effect_of("IPV6", "IPV4ONLY")
@pytest.mark.parametrize(
    ("options", "family"),
    [
        ({}, stdlib_socket.AF_INET),
        ({"ipv6": 1}, stdlib_socket.AF_INET6),
        ({"ipv4only": 0}, stdlib_socket.AF_INET6),
        ({"ipv6": 1, "ipv4only": 1}, stdlib_socket.AF_INET),
    ],
)
def test_ipv6_decides_the_family_of_a_wildcard(make_socket: MakeSocket, options: dict[str, int], family: int) -> None:
    """With IPV6 a listener on every interface is a dual-stack one: IPv4 peers reach it as well."""
    if not stdlib_socket.has_dualstack_ipv6():
        family = stdlib_socket.AF_INET
    pull, push = make_socket(zmq.PULL, **options), make_socket(zmq.PUSH)
    with EventWatch(pull) as events:
        pull.bind("tcp://*:*")
        with system_socket(events.wait_for(zmq.EVENT_LISTENING)["value"]) as sock:
            assert family == sock.family
    port = pull.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").rpartition(b":")[2].decode()
    push.connect(f"tcp://127.0.0.1:{port}")
    push.send(b"x")
    assert b"x" == pull.recv()
