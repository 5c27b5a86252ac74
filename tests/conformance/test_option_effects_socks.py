"""SOCKS_PROXY, SOCKS_USERNAME and SOCKS_PASSWORD: connections through a SOCKS5 proxy that runs in the test."""

from __future__ import annotations

import errno
import select
import socket as stdlib_socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
from tests.support import TIMEOUT_S, EventWatch, bind, purezmq_only, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import tcp_address

MakeSocket = Callable[..., Any]
DRAFT = purezmq_only("a draft option, which its wheels don't have")


class SocksProxy:
    """A SOCKS5 server that notes what it's asked, answers as scripted, and carries bytes to `target`.

    Attributes:
        credentials: the (name, password) it wants; None when it wants none.
        replies: REP codes to give before the first success.
        asked: what came: the offered methods, credentials, and (kind of address, host, port).
        speaks: False to accept and say nothing.
    """

    def __init__(self) -> None:
        self.credentials: tuple[bytes, bytes] | None = None
        self.replies: list[int] = []
        self.asked: list[Any] = []
        self.speaks = True
        self.target: tuple[str, int] = ("127.0.0.1", 0)
        self._listener = stdlib_socket.create_server(("127.0.0.1", 0))
        self.address = b"127.0.0.1:%d" % self._listener.getsockname()[1]
        self._kept: list[stdlib_socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(stdlib_socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._kept:
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(TIMEOUT_S)
            self._kept.append(sock)
            if self.speaks:
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: stdlib_socket.socket) -> None:
        try:
            if self._negotiate(sock):
                self._carry(sock)
        except (OSError, ValueError, IndexError):  # the test has ended meanwhile
            pass
        finally:
            sock.close()

    def _negotiate(self, sock: stdlib_socket.socket) -> bool:
        methods = read(sock, read(sock, 2)[1])
        self.asked.append(methods)
        if self.credentials is None:
            sock.sendall(b"\x05\x00")
        elif 2 not in methods:
            sock.sendall(b"\x05\xff")
            return False
        else:
            sock.sendall(b"\x05\x02")
            name = read(sock, read(sock, 2)[1])
            given = (name, read(sock, read(sock, 1)[0]))
            self.asked.append(given)
            sock.sendall(b"\x01\x00" if given == self.credentials else b"\x01\x01")
            if given != self.credentials:
                return False
        kind = read(sock, 4)[3]
        host = read(sock, read(sock, 1)[0] if kind == 3 else {1: 4, 4: 16}[kind])
        self.asked.append((kind, host, int.from_bytes(read(sock, 2), "big")))
        reply = self.replies.pop(0) if self.replies else 0
        # The answer in crumbs, its address a name: neither may confuse the client.
        answer = bytes([5, reply, 0, 3, 4]) + b"name" + bytes(2)
        sock.sendall(answer[:4])
        sock.sendall(answer[4:])
        return not reply

    def _carry(self, sock: stdlib_socket.socket) -> None:
        with stdlib_socket.create_connection(self.target, TIMEOUT_S) as far:
            other = {sock: far, far: sock}
            while True:
                for source in select.select([sock, far], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    other[source].sendall(data)


def read(sock: stdlib_socket.socket, size: int) -> bytes:
    """Read exactly `size` bytes."""
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data


@pytest.fixture
def proxy() -> Iterator[SocksProxy]:
    """A proxy that wants no password."""
    with SocksProxy() as one:
        yield one


@effect_of("SOCKS_PROXY")
def test_socks_proxy_gets_the_name_unresolved(make_socket: MakeSocket, proxy: SocksProxy) -> None:
    """A host that only the proxy knows can be connected to; messages go both ways."""
    server, client = make_socket(zmq.PAIR), make_socket(zmq.PAIR, socks_proxy=proxy.address)
    proxy.target = tcp_address(bind(server, "tcp"))
    client.connect("tcp://hidden.invalid:1234")
    client.send(b"ping")
    assert b"ping" == server.recv()
    server.send_multipart([b"pong", b"x" * 100_000])
    assert [b"pong", b"x" * 100_000] == client.recv_multipart()
    assert [b"\x00", (3, b"hidden.invalid", 1234)] == proxy.asked


@effect_of("SOCKS_PROXY")
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("tcp://192.0.2.7:99", (1, b"\xc0\x00\x02\x07", 99)),
        ("tcp://[2001:db8::1]:99", (4, bytes.fromhex("20010db8") + bytes(11) + b"\x01", 99)),
    ],
)
def test_socks_proxy_gets_an_address_as_address(
    make_socket: MakeSocket, proxy: SocksProxy, endpoint: str, expected: tuple[int, bytes, int]
) -> None:
    """IPv4 and IPv6 addresses have kinds of their own."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, socks_proxy=proxy.address, ipv6=1)
    proxy.target = tcp_address(bind(pull, "tcp"))
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()
    assert expected == proxy.asked[-1]


@DRAFT
@effect_of("SOCKS_USERNAME", "SOCKS_PASSWORD")
def test_socks_username_and_password_are_given_to_a_proxy_that_wants_them(
    make_socket: MakeSocket, proxy: SocksProxy
) -> None:
    """RFC 1929."""
    proxy.credentials = (b"user", b"secret")
    options = {"socks_proxy": proxy.address, "socks_username": b"user", "socks_password": b"secret"}
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, **options)
    proxy.target = tcp_address(bind(pull, "tcp"))
    push.connect("tcp://hidden.invalid:1")
    push.send(b"x")
    assert b"x" == pull.recv()
    assert (b"user", b"secret") == proxy.asked[1]


@DRAFT
@effect_of("SOCKS_USERNAME", "SOCKS_PASSWORD")
@pytest.mark.parametrize("options", [{}, {"socks_username": b"user", "socks_password": b"wrong"}])
def test_socks_proxy_that_refuses_us_is_an_event_and_tried_again(
    make_socket: MakeSocket, proxy: SocksProxy, options: dict[str, bytes]
) -> None:
    """EACCES with the monitor's CLOSED; the next attempt follows."""
    proxy.credentials = (b"user", b"secret")
    push = make_socket(zmq.PUSH, socks_proxy=proxy.address, reconnect_ivl=10, **options)
    with EventWatch(push) as events:
        push.connect("tcp://hidden.invalid:1")
        assert errno.EACCES == events.wait_for(zmq.EVENT_CLOSED)["value"]
        events.wait_for(zmq.EVENT_CONNECT_RETRIED)
        events.wait_for(zmq.EVENT_CLOSED)


@purezmq_only("the monitor tells no error of a proxy")
@pytest.mark.parametrize(
    ("reply", "number"),
    [
        (1, errno.ECONNABORTED),
        (2, errno.EACCES),
        (3, errno.ENETUNREACH),
        (4, errno.EHOSTUNREACH),
        (5, errno.ECONNREFUSED),
        (6, errno.ETIMEDOUT),
        (7, errno.EOPNOTSUPP),
        (8, errno.EAFNOSUPPORT),
        (99, errno.EPROTO),
    ],
)
def test_socks_proxy_that_cannot_connect_is_tried_again(
    make_socket: MakeSocket, proxy: SocksProxy, reply: int, number: int
) -> None:
    """Its reason is the event's value; the attempt after it succeeds."""
    proxy.replies = [reply]
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, socks_proxy=proxy.address, reconnect_ivl=10)
    proxy.target = tcp_address(bind(pull, "tcp"))
    with EventWatch(push) as events:
        push.connect("tcp://hidden.invalid:1")
        push.send(b"x")
        assert number == events.wait_for(zmq.EVENT_CLOSED)["value"]
    assert b"x" == pull.recv()


@purezmq_only("nothing limits the wait for a proxy")
@pytest.mark.parametrize("option", ["connect_timeout", "handshake_ivl"])
def test_silent_socks_proxy_is_given_up(make_socket: MakeSocket, proxy: SocksProxy, option: str) -> None:
    """CONNECT_TIMEOUT or HANDSHAKE_IVL ends the wait for its answer."""
    proxy.speaks = False
    push = make_socket(zmq.PUSH, socks_proxy=proxy.address, reconnect_ivl=10, **{option: 50})
    with EventWatch(push) as events:
        push.connect("tcp://hidden.invalid:1")
        assert errno.ETIMEDOUT == events.wait_for(zmq.EVENT_CLOSED)["value"]
        events.wait_for(zmq.EVENT_CONNECT_RETRIED)


@purezmq_only("a wrong proxy is found out while connecting")
@pytest.mark.parametrize("proxy_text", [b"proxy", b"proxy:port", b"*:1080"])
def test_socks_proxy_without_port_gives_einval(make_socket: MakeSocket, proxy_text: bytes) -> None:
    """The text names the option and what it has to be."""
    push = make_socket(zmq.PUSH, socks_proxy=proxy_text)
    with pytest.raises(zmq.ZMQError, match="SOCKS_PROXY must be the proxy's host:port") as caught:
        push.connect("tcp://hidden.invalid:1")
    assert errno.EINVAL == caught.value.errno


def test_socks_proxy_leaves_other_transports_alone(make_socket: MakeSocket) -> None:
    """ipc goes its own way."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, socks_proxy=b"127.0.0.1:1")
    push.connect(bind(pull, "ipc"))
    push.send(b"x")
    assert b"x" == pull.recv()
