"""Our servers and authenticators with libzmq's clients, and its with ours; what each side is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import bind, eventually, library_module, purezmq_only, zmq
from tests.support.peer_process import PeerProcess
from tests.support.zap import (
    CLIENT_PUBLIC,
    CLIENT_SECRET,
    MECHANISMS,
    SERVER_PUBLIC,
    SERVER_SECRET,
    good_reply,
    next_of,
    secure,
    zap_handler,
)

__all__ = ["zap_handler"]

MakeSocket = Callable[..., Any]
AUTH, NO_DETAIL, PROTOCOL = 0x4000, 0x0800, 0x2000
UNEXPECTED_COMMAND = 0x10000001
#: Denials in a row, each of which must reach the peer.
DENIALS = 100
USERS = {"NULL": "anonymous", "PLAIN": "joe", "CURVE": CLIENT_PUBLIC.decode()}

pytestmark = purezmq_only("it is the other side")


def client_options(mechanism: str) -> dict[str, Any]:
    """Options of a client, as `secure` sets them."""
    return {
        "NULL": {},
        "PLAIN": {"plain_username": b"joe", "plain_password": b"secret"},
        "CURVE": {
            "curve_serverkey": SERVER_PUBLIC,
            "curve_publickey": CLIENT_PUBLIC,
            "curve_secretkey": CLIENT_SECRET,
        },
    }[mechanism]


def server_options(mechanism: str) -> dict[str, Any]:
    """Options of a server, as `secure` sets them."""
    return {
        "NULL": {"zap_domain": b"test"},
        "PLAIN": {"plain_server": 1},
        "CURVE": {"curve_server": 1, "curve_secretkey": SERVER_SECRET},
    }[mechanism]


@pytest.fixture
def make_client(make_socket: MakeSocket, make_context: Callable[[], Any]) -> MakeSocket:
    """Make sockets that live in a context without a handler, and try once."""
    context = make_context()
    return lambda kind: make_socket(kind, within=context, reconnect_ivl=-1)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_libzmqs_clients_come_in_by_our_authenticator(
    make_socket: MakeSocket, context: Any, libzmq: PeerProcess, mechanism: str, tmp_path: Path
) -> None:
    """And are told from each other."""
    authenticator = library_module("auth.thread").ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_plain("*", {"joe": "secret"})
    (tmp_path / "client.key").write_bytes(b'public-key = "%b"' % CLIENT_PUBLIC)
    authenticator.configure_curve("*", tmp_path)
    server = make_socket(zmq.REP)
    secure(mechanism, server, make_socket(zmq.REQ))
    libzmq.open("c", "REQ", **client_options(mechanism))
    libzmq.connect("c", bind(server, "tcp"))
    libzmq.send("c", [b"x"])
    assert USERS[mechanism] == server.recv(copy=False)["User-Id"]
    server.send(b"y")
    assert [b"y"] == libzmq.recv("c")
    authenticator.stop()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_our_clients_come_in_by_pyzmqs_authenticator(
    make_client: MakeSocket, libzmq: PeerProcess, mechanism: str, tmp_path: Path
) -> None:
    """With the same credentials."""
    (tmp_path / "client.key").write_bytes(b'public-key = "%b"' % CLIENT_PUBLIC)
    libzmq.authenticate({"joe": "secret"}, str(tmp_path))
    libzmq.open("s", "REP", **server_options(mechanism))
    endpoint = libzmq.bind("s", "tcp://127.0.0.1:*")
    client = make_client(zmq.REQ)
    for name, value in client_options(mechanism).items():
        setattr(client, name, value)
    client.connect(endpoint)
    client.send(b"x")
    assert USERS[mechanism] == libzmq.recv_user("s")
    libzmq.send("s", [b"y"])
    assert b"y" == client.recv()


@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
def test_pyzmqs_authenticator_denies_us_and_we_are_told(
    make_client: MakeSocket, libzmq: PeerProcess, mechanism: str, tmp_path: Path
) -> None:
    """Monitor and typed event: HANDSHAKE_FAILED_AUTH with the status 400."""
    libzmq.authenticate({"joe": "other"}, str(tmp_path))
    libzmq.open("s", "REP", **server_options(mechanism))
    libzmq.watch("s")
    endpoint = libzmq.bind("s", "tcp://127.0.0.1:*")
    client = make_client(zmq.REQ)
    for name, value in client_options(mechanism).items():
        setattr(client, name, value)
    events = client.events()
    client.connect(endpoint)
    assert 400 == next_of(events, "handshake_failed_auth").value
    assert "400" in next_of(events, "peer_refused").error
    assert [AUTH, 400] == libzmq.next_event("s", AUTH | NO_DETAIL | PROTOCOL)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("status", [400, 500])
def test_v16_denied_libzmq_client_is_always_told(
    make_socket: MakeSocket, libzmq: PeerProcess, zap_handler: Any, mechanism: str, status: int
) -> None:
    """HANDSHAKE_FAILED_AUTH with the status on both sides, every time: no reset overtakes the ERROR.

    (By PLAIN libzmq takes a right ERROR for an unexpected command: it spells its own one differently.)
    """
    told = [PROTOCOL, UNEXPECTED_COMMAND] if mechanism == "PLAIN" else [AUTH, status]
    zap_handler(lambda request: [*good_reply(request)[:2], b"%d" % status, b"no", b"", b""])
    server = make_socket(zmq.PULL)
    secure(mechanism, server, make_socket(zmq.PUSH))
    events, endpoint = server.events(max_events=10 * DENIALS), bind(server, "tcp")
    for _ in range(DENIALS):
        libzmq.open("c", "PUSH", reconnect_ivl=-1, **client_options(mechanism))
        libzmq.watch("c")
        libzmq.connect("c", endpoint)
        assert told == libzmq.next_event("c", AUTH | NO_DETAIL | PROTOCOL)
        assert status == next_of(events, "handshake_failed_auth").value
        libzmq.close("c")
    assert 0 == server.poll(0)
    assert DENIALS == server.stats().handshake_failures


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_libzmq_client_tries_again_after_300(
    make_socket: MakeSocket, libzmq: PeerProcess, zap_handler: Any, mechanism: str
) -> None:
    """The first two times it's sent away, the third time it comes in."""
    statuses = iter([b"300", b"300", b"200"])
    zap_handler(lambda request: [*good_reply(request)[:2], next(statuses), b"", b"joe", b""])
    server = make_socket(zmq.PULL)
    secure(mechanism, server, make_socket(zmq.PUSH))
    libzmq.open("c", "PUSH", reconnect_ivl=10, **client_options(mechanism))
    libzmq.connect("c", bind(server, "tcp"))
    libzmq.send("c", [b"x"])
    assert "joe" == server.recv(copy=False)["User-Id"]
    assert 2 == server.stats().handshake_failures


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("kind", ["tcp", "ipc"])
def test_our_client_tries_again_after_300(
    make_socket: MakeSocket, make_context: Callable[[], Any], zap_handler: Any, mechanism: str, kind: str
) -> None:
    """As libzmq's does; nothing that was sent is lost."""
    statuses = iter([b"300", b"300", b"200"])
    zap_handler(lambda request: [*good_reply(request)[:2], next(statuses), b"", b"joe", b""])
    server, client = make_socket(zmq.PULL), make_socket(zmq.PUSH, within=make_context(), reconnect_ivl=10)
    secure(mechanism, server, client)
    client.connect(bind(server, kind))
    for number in range(10):
        client.send(b"%d" % number)
    assert [b"%d" % number for number in range(10)] == [server.recv() for _ in range(10)]


def test_one_line_server_serves_libzmqs_clients(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """A list of keys needs nothing of the clients."""
    server = make_socket(zmq.PULL)
    server.curve(SERVER_SECRET, allow={CLIENT_PUBLIC: "joe"})
    endpoint = bind(server, "tcp")
    libzmq.open("c", "PUSH", **client_options("CURVE"))
    libzmq.connect("c", endpoint)
    libzmq.send("c", [b"x"])
    assert "joe" == server.recv(copy=False)["User-Id"]
    public, secret = zmq.curve_keypair()
    libzmq.open("d", "PUSH", curve_serverkey=SERVER_PUBLIC, curve_publickey=public, curve_secretkey=secret)
    libzmq.watch("d")
    libzmq.connect("d", endpoint)
    assert [AUTH, 400] == libzmq.next_event("d", AUTH | NO_DETAIL | PROTOCOL)


def test_one_line_client_is_served_by_libzmq(make_client: MakeSocket, libzmq: PeerProcess, tmp_path: Path) -> None:
    """With keys of its own, and with fresh ones where the server lets anybody in."""
    (tmp_path / "client.key").write_bytes(b'public-key = "%b"' % CLIENT_PUBLIC)
    libzmq.authenticate({}, str(tmp_path))
    libzmq.open("s", "PULL", **server_options("CURVE"))
    endpoint = libzmq.bind("s", "tcp://127.0.0.1:*")
    client, stranger = make_client(zmq.PUSH), make_client(zmq.PUSH)
    client.curve(SERVER_PUBLIC, keys=(CLIENT_PUBLIC, CLIENT_SECRET))
    client.connect(endpoint)
    client.send(b"x")
    assert CLIENT_PUBLIC.decode() == libzmq.recv_user("s")
    stranger.curve(SERVER_PUBLIC)
    events = stranger.events()
    stranger.connect(endpoint)
    assert 400 == next_of(events, "handshake_failed_auth").value
    eventually(lambda: stranger.peers() == [])
