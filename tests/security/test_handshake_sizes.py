"""Sizes that lie in the handshake: nothing is opened, kept or delivered because of them (V05, V36, V38)."""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, link, purezmq_only, try_recv, zmq
from tests.support.security import security_options
from tests.unit.wire.curve_pair import client_config, make_client, make_server, server_config

from purezmq.wire import Connection, ConnectionConfig, ConnectionFailed, FailureReason
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.framing import COMMAND, LONG, encode_frame
from purezmq.wire.mechanisms import curve_server, sodium
from purezmq.wire.mechanisms.curve_server import CurveServer

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("the wire under test is ours")

INITIATE_SIZE = 277
SIZES = [*range(1025), 8 * 1024, 15 * 1024]
MALFORMED = int(os.environ.get("PUREZMQ_TEST_INITIATES", "2000"))  # 100000 for the full measure of V38
PROPERTY = b"\x0bSocket-Type\x00\x00\x00\x04PUSH"


def server_after_hello() -> tuple[CurveServer, bytes]:
    """A server that waits for INITIATE, and the right one."""
    client, server = make_client(), make_server()
    (welcome,) = server.receive_command(*client.start())
    return server, client.receive_command(welcome)[0]


def seal_initiate(right: bytes, metadata: bytes) -> bytes:
    """The INITIATE of `server_after_hello` with other metadata, sealed as its client would."""
    server, _ = server_after_hello()
    key = sodium.shared_key(server._client, server._secret)
    assert key is not None
    nonce = b"CurveZMQINITIATE" + right[105:113]
    plain = sodium.open_box(right[113:], nonce, key)
    assert plain is not None
    return right[:113] + sodium.seal_box(plain[:128] + metadata, nonce, key)


def test_v05_initiate_of_every_size_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the smallest size no box is opened, at any other than its own none succeeds; all are violations."""
    opened = []
    real = curve_server.open_box

    def count(box: bytes, nonce: bytes, key: bytes) -> bytes | None:
        opened.append(len(box))
        return real(box, nonce, key)

    _, right = server_after_hello()
    for size in SIZES:
        if size == INITIATE_SIZE:
            continue
        server, _ = server_after_hello()
        body = (right + bytes(16 * 1024))[:size]
        monkeypatch.setattr(curve_server, "open_box", count)
        opened.clear()
        with pytest.raises(RemoteProtocolError):
            server.receive_command(body)
        monkeypatch.setattr(curve_server, "open_box", real)
        assert [] == opened or size >= 257
        assert (None, None, False) == (server.cipher, server.credentials, server.done)


@pytest.mark.parametrize("size", [16 * 1024 + 1, 64 * 1024, 2**31, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("flags", [COMMAND, 0])
def test_v05_declared_size_is_refused_by_its_header(size: int, flags: int) -> None:
    """A command of a handshake is at most 16 KiB: more ends the connection before a byte of it is kept."""
    connection = Connection(server_config(), bound=True)
    connection.start(0.0)
    client = Connection(client_config(), bound=False)
    client.start(0.0)
    for _ in range(3):
        connection.receive_data(b"".join(client.data_to_send()), 0.0)
        client.receive_data(b"".join(connection.data_to_send()), 0.0)
        if connection._mechanism is not None and connection._mechanism._awaited == b"INITIATE":  # type: ignore[attr-defined]
            break
    tracemalloc.start()
    try:
        assert [] == connection.receive_data(bytes((flags | LONG,)) + size.to_bytes(8, "big") + bytes(100), 0.0)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()
    assert connection.closed
    failure = connection.next_event()
    assert isinstance(failure, ConnectionFailed)


METADATA = {
    "name over the end": b"\xff" + PROPERTY[1:],
    "value over the end": PROPERTY[:12] + b"\x00\x00\x00\x05PUSH",
    "value of 4 GiB": PROPERTY[:12] + b"\xff\xff\xff\xffPUSH",
    "cut in the value's size": PROPERTY[:14],
    "no name": b"\0" + PROPERTY,
    "not ASCII": b"\x02\xff\xff\0\0\0\0" + PROPERTY,
    "one byte": b"\x01",
    "metadata in metadata": b"\x01x\x00\x00\x00\x20" + PROPERTY,
}


@pytest.mark.parametrize("name", METADATA)
def test_v05_metadata_that_lies_is_refused(name: str) -> None:
    """Sealed by a client that knows the keys: lengths that overrun or nest are violations, not reads."""
    server, right = server_after_hello()
    with pytest.raises(RemoteProtocolError):
        server.receive_command(seal_initiate(right, METADATA[name]))
    assert server.cipher is None


def test_v05_control_right_metadata_is_taken() -> None:
    """The way in which those were sealed is right."""
    server, right = server_after_hello()
    assert right == seal_initiate(right, PROPERTY)
    server.receive_command(seal_initiate(right, PROPERTY * 2))
    assert [("Socket-Type", b"PUSH")] * 2 == server.properties


def config(mechanism: str, side: str, **options: Any) -> ConnectionConfig:
    """Settings of one side of a mechanism in which nobody is asked."""
    types = {"client": ("DEALER", "ROUTER"), "server": ("ROUTER", "DEALER")}[side]
    more: dict[str, Any] = {"mechanism": mechanism, "as_server": side == "server"}
    if mechanism == "PLAIN" and side == "client":
        more["credentials"] = (b"me", b"secret")
    elif mechanism == "CURVE":
        more["credentials"] = (client_config() if side == "client" else server_config()).credentials
    return ConnectionConfig(types[0], frozenset({types[1]}), **{**more, **options})


def shake_hands(client: Connection, server: Connection) -> None:
    """Exchange bytes until silence."""
    client.start(0.0)
    server.start(0.0)
    moving = True
    while moving:
        moving = False
        for sender, receiver in ((client, server), (server, client)):
            if data := b"".join(sender.data_to_send()):
                moving = True
                receiver.receive_data(data, 0.0)


@pytest.mark.parametrize("large", ["client", "server"])
@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN", "CURVE"])
def test_v36_largest_routing_id_and_metadata_up_to_the_limit(mechanism: str, large: str) -> None:
    """255 bytes of routing id and 15,000 of metadata arrive unchanged, from either side, under every mechanism."""
    options = {"routing_id": b"i" * 255, "metadata": (("X-large", b"v" * 15_000),)}
    sides = {
        side: Connection(config(mechanism, side, **(options if side == large else {})), bound=side == "server")
        for side in ("client", "server")
    }
    shake_hands(sides["client"], sides["server"])
    other = sides["server" if large == "client" else "client"]
    assert other.ready
    assert other.peer is not None
    assert (b"i" * 255, b"v" * 15_000) == (other.peer.routing_id, other.peer.properties["X-large"])


@pytest.mark.parametrize("large", ["client", "server"])
@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN", "CURVE"])
def test_v36_metadata_over_the_limit_closes(mechanism: str, large: str) -> None:
    """64 KiB of it: the receiving side ends the connection as a violation, and is never ready."""
    options = {"routing_id": b"i" * 255, "metadata": (("X-large", b"v" * 65_536),)}
    sides = {
        side: Connection(config(mechanism, side, **(options if side == large else {})), bound=side == "server")
        for side in ("client", "server")
    }
    shake_hands(sides["client"], sides["server"])
    other = sides["server" if large == "client" else "client"]
    assert other.closed
    failure = list(iter(other.next_event, None))[-1]
    assert isinstance(failure, ConnectionFailed)
    assert FailureReason.TOO_BIG is failure.reason


@pytest.mark.parametrize("we_are_server", [True, False], ids=["we-are-server", "we-are-client"])
def test_v36_largest_routing_id_with_libzmq(make_socket: MakeSocket, libzmq: Any, we_are_server: bool) -> None:
    """255 bytes of routing id under CURVE, both ways."""
    router = make_socket(zmq.ROUTER, routing_id=b"r" * 255, **security_options("CURVE", server=we_are_server))
    options = security_options("CURVE", server=not we_are_server)
    libzmq.open("s", "DEALER", routing_id=b"d" * 255, **options)
    libzmq.connect("s", bind(router, "tcp"))
    libzmq.send("s", [b"hello"])
    assert [b"d" * 255, b"hello"] == router.recv_multipart()
    router.send_multipart([b"d" * 255, b"back"])
    assert [b"back"] == libzmq.recv("s")


def test_v38_malformed_initiates_leave_nothing() -> None:
    """Thousands of clients whose INITIATE is wrong in every way: memory is what it was."""
    bodies = [b"\x08INITIATE", right := server_after_hello()[1], right[:-1], right + b"\0", right[:105] + bytes(172)]

    def attack(count: int) -> None:
        for number in range(count):
            server, _ = server_after_hello()
            body = bodies[number % len(bodies)]
            if body is right:
                body = right[:40] + bytes((right[40] ^ 1,)) + right[41:]
            with pytest.raises(RemoteProtocolError):
                server.receive_command(body)

    attack(50)
    gc.collect()
    tracemalloc.start()
    try:
        attack(20)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        attack(MALFORMED)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 64 * 1024
    finally:
        tracemalloc.stop()


def test_v38_socket_serves_a_good_client_after_bad_ones(make_socket: MakeSocket) -> None:
    """A listening server refuses malformed handshakes on the wire, and then does what it is there for."""
    from tests.support.raw_peer import RawPeer, greeting

    pull = make_socket(zmq.PULL, **security_options("CURVE", server=True))
    endpoint = bind(pull, "tcp")
    hello = make_client().start()[0]  # sealed for another server
    with EventWatch(pull) as events:
        for body in (hello, hello[:-1], b"\x08INITIATE" + bytes(248), b"\x07MESSAGE" + bytes(40), b""):
            with RawPeer.connect(endpoint) as peer:
                peer.send(greeting(mechanism=b"CURVE") + encode_frame(COMMAND, body))
                events.wait_for(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
                peer.wait_until_closed()
    push = make_socket(zmq.PUSH, **security_options("CURVE", server=False))
    link(pull, push, endpoint=endpoint)
    push.send(b"good")
    assert b"good" == pull.recv()
    assert try_recv(pull) is None
