"""Peers that send garbage, stop in the middle, or say nothing: they are dropped, and good peers are served."""

from __future__ import annotations

import random
import select
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, eventually, purezmq_only, try_recv, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import RawPeer, greeting, ready_command

MakeSocket = Callable[..., Any]


def check_good_peer_is_served(make_socket: MakeSocket, pull: Any, endpoint: str) -> None:
    """A proper PUSH gets its message through, whatever a garbled ZMTP 1.0 peer may have been understood to say."""
    push = make_socket(zmq.PUSH)
    push.connect(endpoint)
    push.send_multipart([b"good", b"peer"])
    while [b"good", b"peer"] != pull.recv_multipart():
        pass
    push.close()


GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": bytes.fromhex("16030100a5010000a10303") + bytes(100),
    "zeros": bytes(300),
    "ones": b"\xff" * 300,
    "unknown mechanism": greeting(mechanism=b"MAGIC"),
    "lower case mechanism": greeting(mechanism=b"null"),
    "message before handshake": greeting() + b"\x00\x05hello",
    "unknown command in handshake": greeting() + b"\x04\x05\x04WHAT",
    "ready without type": greeting() + b"\x04\x06\x05READY",
    "ready with bad type": greeting() + ready_command("NOSUCH"),
    "ready with wrong type": greeting() + ready_command("SUB"),
    "ready cut in property": greeting() + b"\x04\x0d\x05READY\x0bSocket",
    "ready with huge property": greeting() + b"\x04\x16\x05READY\x0bSocket-Type\xff\xff\xff\xff",
    "huge ready": greeting() + b"\x06" + struct.pack(">Q", 1 << 60),
    "reserved flags": greeting() + ready_command("PUSH") + b"\xf8\x01x",
    "huge frame": greeting() + ready_command("PUSH") + b"\x02" + struct.pack(">Q", 1 << 62),
    "negative frame": greeting() + ready_command("PUSH") + b"\x02" + struct.pack(">Q", (1 << 64) - 1),
    "empty command": greeting() + ready_command("PUSH") + b"\x04\x00",
    "command cut in name": greeting() + ready_command("PUSH") + b"\x04\x02\x09S",
    "short ping": greeting() + ready_command("PUSH") + b"\x04\x05\x04PING",
    "error command": greeting() + b"\x04\x07\x05ERROR\x00",
    "error command cut": greeting() + b"\x04\x07\x05ERROR\x50",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_p26_garbage_costs_own_connection_only(make_socket: MakeSocket, name: str) -> None:
    """Whatever comes in: nothing is delivered, and the next peer is served."""
    pull = make_socket(zmq.PULL, maxmsgsize=1 << 20)
    endpoint = bind(pull, "tcp")
    with RawPeer.connect(endpoint) as raw:
        raw.send(GARBAGE[name])
        assert try_recv(pull, 20) is None
        check_good_peer_is_served(make_socket, pull, endpoint)
    check_good_peer_is_served(make_socket, pull, endpoint)


# What ends the connection at once; the others may wait for more bytes or be ignored.
FATAL = ["unknown mechanism", "message before handshake", "ready with bad type", "ready with wrong type",
         "ready cut in property", "huge frame",
         pytest.param("ready with huge property", marks=purezmq_only("libzmq takes it for the end of the metadata")),
         pytest.param("ready without type", marks=purezmq_only("libzmq takes a peer without a type")),
         ]  # fmt: skip


@pytest.mark.parametrize("name", FATAL)
def test_p26_violation_closes_connection(make_socket: MakeSocket, name: str) -> None:
    """The offender's connection is closed."""
    pull = make_socket(zmq.PULL, maxmsgsize=1 << 20)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.send(GARBAGE[name])
        raw.wait_until_closed()


@pytest.mark.parametrize("seed", range(20))
def test_p26_random_bytes_cost_own_connection_only(make_socket: MakeSocket, seed: int) -> None:
    """Random bytes, alone and after a good greeting or handshake; the seed is the test's parameter."""
    randomness = random.Random(seed)
    pull = make_socket(zmq.PULL, maxmsgsize=1 << 20)
    endpoint = bind(pull, "tcp")
    for prefix in (b"", greeting(), greeting() + b"\x04"):
        with RawPeer.connect(endpoint) as raw:
            raw.send(prefix + randomness.randbytes(randomness.randrange(1, 400)))
    check_good_peer_is_served(make_socket, pull, endpoint)


@pytest.mark.parametrize("size", [1, 9, 10, 11, 12, 33, 63, 64, 65, 80])
def test_peer_that_stops_in_handshake_harms_nobody(make_socket: MakeSocket, size: int) -> None:
    """A handshake that breaks off, with the connection left open and closed."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    with RawPeer.connect(endpoint) as raw:
        raw.send((greeting() + ready_command("PUSH"))[:size])
        check_good_peer_is_served(make_socket, pull, endpoint)
    check_good_peer_is_served(make_socket, pull, endpoint)


def test_handshake_byte_by_byte_succeeds(make_socket: MakeSocket) -> None:
    """Slow is not wrong."""
    pull = make_socket(zmq.PULL)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in greeting() + ready_command("PUSH"):
            raw.send(bytes([byte]))
        assert b"\xff" == raw.receive(64)[:1]
        raw.receive_frame()  # libzmq takes a message before its own READY for a violation
        for byte in b"\x01\x01a\x00\x02bc":
            raw.send(bytes([byte]))
        assert [b"a", b"bc"] == pull.recv_multipart()


def test_silent_connections_harm_nobody(make_socket: MakeSocket) -> None:
    """V06: A hundred connections that never say a word."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    silent = [RawPeer.connect(endpoint) for _ in range(100)]
    check_good_peer_is_served(make_socket, pull, endpoint)
    for raw in silent:
        raw.socket.close()
    check_good_peer_is_served(make_socket, pull, endpoint)


@effect_of("HANDSHAKE_IVL")
def test_handshake_has_time_limit(make_socket: MakeSocket) -> None:
    """HANDSHAKE_IVL: a silent peer is disconnected, on the bound and on the connecting side."""
    pull = make_socket(zmq.PULL, handshake_ivl=50)
    with EventWatch(pull) as events, RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.wait_until_closed()
        events.wait_for(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL)
    push = make_socket(zmq.PUSH, handshake_ivl=50, reconnect_ivl=10)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        push.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        for _ in range(2):
            with RawPeer(server.accept()[0]) as raw:
                raw.wait_until_closed()


def test_unfinished_message_of_lost_peer_is_not_delivered(make_socket: MakeSocket) -> None:
    """A connection that breaks in the middle of a message or a multipart leaves nothing behind."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    for tail in (b"\x01\x01a", b"\x01\x01a\x00\x05bc", b"\x00\x09half"):
        with RawPeer.connect(endpoint) as raw:
            raw.shake_hands("PUSH")
            raw.send_frame(b"whole")
            assert [b"whole"] == pull.recv_multipart()
            with EventWatch(pull) as events:
                raw.send(tail)
                raw.socket.close()
                events.wait_for(zmq.EVENT_DISCONNECTED)
    assert try_recv(pull, 20) is None
    check_good_peer_is_served(make_socket, pull, endpoint)


@effect_of("MAXMSGSIZE")
def test_too_big_message_closes_connection(make_socket: MakeSocket) -> None:
    """A frame over MAXMSGSIZE ends the connection as soon as its header is there; what came before is delivered."""
    pull = make_socket(zmq.PULL, maxmsgsize=100)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        raw.send_frame(b"x" * 100)
        raw.send(b"\x00\x65")
        raw.wait_until_closed()
    assert b"x" * 100 == pull.recv()
    assert try_recv(pull) is None


def test_reset_connection_harms_nobody(make_socket: MakeSocket) -> None:
    """RST instead of FIN, before and after the handshake."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    for shake in (False, True):
        raw = RawPeer.connect(endpoint)
        if shake:
            raw.shake_hands("PUSH")
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.socket.close()
    check_good_peer_is_served(make_socket, pull, endpoint)


@purezmq_only("libzmq terminates the connecting endpoint for ever after a protocol error (D.2)")
def test_connecting_socket_outlives_garbage_server(make_socket: MakeSocket) -> None:
    """A server that answers with garbage first and properly later is served in the end."""
    push = make_socket(zmq.PUSH, reconnect_ivl=10)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        push.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        push.send(b"patience")
        with RawPeer(server.accept()[0]) as raw:
            raw.send(greeting() + b"\x04\x05\x04WHAT")
            raw.wait_until_closed()
        with RawPeer(server.accept()[0]) as raw:
            raw.shake_hands("PULL")
            assert (0, b"patience") == raw.receive_frame()


def test_connecting_socket_tries_again_after_hangup(make_socket: MakeSocket) -> None:
    """A server that hangs up at once, several times, gets the message in the end."""
    push = make_socket(zmq.PUSH, reconnect_ivl=10)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        push.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        push.send(b"patience")
        for _ in range(5):
            server.accept()[0].close()
        with RawPeer(server.accept()[0]) as raw:
            raw.shake_hands("PULL")
            assert (0, b"patience") == raw.receive_frame()


def test_publisher_ignores_garbage_of_subscriber(make_socket: MakeSocket) -> None:
    """Messages from upstream that are no subscriptions don't disturb a PUB."""
    pub, sub = make_socket(zmq.PUB), make_socket(zmq.SUB, subscribe=b"")
    endpoint = bind(pub, "tcp")
    with RawPeer.connect(endpoint) as raw:
        raw.shake_hands("SUB")
        for body in (b"", b"\x02", b"junk", b"\x01", b"\x00never"):
            raw.send_frame(body)
        raw.send_frame(b"\x06CANCELnever", 4)
        sub.connect(endpoint)
        eventually(lambda: pub.send(b"tick") or sub.poll(10))
        eventually(lambda: pub.send(b"tick") or select.select([raw.socket], [], [], 0.01)[0])
        assert (0, b"tick") == raw.receive_frame()


@pytest.mark.parametrize("encoding", ["message", "command"])
def test_publisher_takes_both_encodings_of_subscriptions(make_socket: MakeSocket, encoding: str) -> None:
    """01/00 messages and SUBSCRIBE/CANCEL commands, at any version."""
    xpub = make_socket(zmq.XPUB)
    with RawPeer.connect(bind(xpub, "tcp")) as raw:
        raw.shake_hands("SUB")
        raw.send_frame(*((b"\x01t",) if encoding == "message" else (b"\x09SUBSCRIBEt", 4)))
        assert b"\x01t" == xpub.recv()
        xpub.send_multipart([b"t", b"x"])
        assert [(1, b"t"), (0, b"x")] == [raw.receive_frame(), raw.receive_frame()]
        raw.send_frame(*((b"\x00t",) if encoding == "message" else (b"\x06CANCELt", 4)))
        assert b"\x00t" == xpub.recv()


def test_ping_is_answered_with_its_context(make_socket: MakeSocket) -> None:
    """PONG echoes the context of PING (RFC 37)."""
    pull = make_socket(zmq.PULL)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        raw.send_frame(b"\x04PING\x00\x64context", 4)
        assert (4, b"\x04PONGcontext") == raw.receive_frame()


@effect_of("HEARTBEAT_IVL", "HEARTBEAT_TIMEOUT")
def test_peer_that_stops_answering_is_disconnected(make_socket: MakeSocket) -> None:
    """HEARTBEAT_IVL and HEARTBEAT_TIMEOUT: pings without an answer end the connection."""
    pull = make_socket(zmq.PULL, heartbeat_ivl=20, heartbeat_timeout=60)
    with EventWatch(pull) as events, RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        flags, body = raw.receive_frame()
        assert (4, b"\x04PING") == (flags, body[:5])
        raw.wait_until_closed()
        events.wait_for(zmq.EVENT_DISCONNECTED)


def test_any_byte_counts_as_life(make_socket: MakeSocket) -> None:
    """A peer that never answers a ping but sends messages stays connected."""
    pull = make_socket(zmq.PULL, heartbeat_ivl=20, heartbeat_timeout=500)
    with EventWatch(pull, zmq.EVENT_DISCONNECTED) as events, RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        for number in range(16):
            raw.send_frame(b"%d" % number)
            assert b"%d" % number == pull.recv()
            assert events.next(0.05) is None


def test_time_to_live_of_peer_is_kept(make_socket: MakeSocket) -> None:
    """A PING with a TTL: without another byte within it the receiver closes the connection."""
    pull = make_socket(zmq.PULL)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        raw.send_frame(b"\x04PING\x00\x01", 4)
        raw.wait_until_closed()
