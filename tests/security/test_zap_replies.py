"""Whatever a ZAP handler replies: only a well-formed 200 in time lets a peer in (V16, V37)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from errno import EFAULT
from typing import Any

import pytest
from tests.support import bind, purezmq_only, zmq
from tests.support.zap import ENDPOINT, HANDLERS, MECHANISMS, Parts, good_reply, next_of, secure, zap_handler

from purezmq.engine import zap

__all__ = ["zap_handler"]

pytestmark = purezmq_only("its GSSAPI lets denied peers in, and it has no typed events")

PROPERTY = b"\x05X-abc\0\0\0\x02hi"
BAD_METADATA = (
    b"x",
    b"\0",
    bytes(5),
    PROPERTY[:-1],
    PROPERTY + b"\x05",
    b"\x01a" + b"\xff" * 4,
    b"\x01\xff" + bytes(4),
)


def changed(index: int, part: bytes) -> Callable[[Parts], Parts]:
    """A reply that is good but for one part."""

    def reply(request: Parts) -> Parts:
        parts = good_reply(request)
        parts[index] = part
        return parts

    return reply


def of_parts(count: int) -> Callable[[Parts], Parts]:
    """A reply that is good but for its number of parts."""
    return lambda request: list(itertools.islice(itertools.chain(good_reply(request), itertools.repeat(b"")), count))


# What is wrong with the reply -> the reply, the monitor's event and its value, our reason.
AUTH, PROTOCOL = "handshake_failed_auth", "handshake_failed_protocol"
WRONG: dict[str, tuple[Callable[[Parts], Parts], str, int, str]] = {
    **{f"status {code}": (changed(2, b"%d" % code), AUTH, code, "denied") for code in (300, 400, 500)},
    **{
        f"status {code!r}": (changed(2, code), PROTOCOL, 0x20000004, "malformed-reply")
        for code in (b"", b"junk", b"20", b"0200", b"200 ", b"201", b"600", b"2\xff0")
    },
    **{
        f"version {version!r}": (changed(0, version), PROTOCOL, 0x20000003, "malformed-reply")
        for version in (b"", b"1.1", b"1", b"1.0 ")
    },
    **{
        f"request id {number!r}": (changed(1, number), PROTOCOL, 0x20000002, "malformed-reply")
        for number in (b"", b"2", b"11")
    },
    **{
        f"metadata {data!r}": (changed(5, data), PROTOCOL, 0x20000005, "malformed-reply")
        for data in BAD_METADATA
    },
    "user id that is no UTF-8": (changed(4, b"\xff"), PROTOCOL, 0x20000001, "malformed-reply"),
    **{
        f"{count} parts": (of_parts(count), PROTOCOL, 0x20000001, "malformed-reply")
        for count in range(1, 21)
        if count != 6
    },
}  # fmt: skip


@pytest.fixture
def pair(make_socket: Callable[..., Any], make_context: Callable[[], Any]) -> Any:
    """A server, and a client in another context that tries once."""
    server = make_socket(zmq.PULL)
    client = make_socket(zmq.PUSH, within=make_context())
    client.reconnect_ivl = -1
    return server, client


def knock(mechanism: str, pair: Any) -> Any:
    """Let the client connect and send; the stream of the server's events."""
    server, client = pair
    secure(mechanism, server, client)
    events = server.events()
    client.connect(bind(server, "tcp"))
    client.send(b"let me in")
    return events


def check_outside(server: Any, events: Any) -> None:
    """The connection is over, and nothing of it was delivered."""
    next_of(events, "disconnected")
    assert ([], 0, 1) == (server.peers(), server.poll(0), server.stats().handshake_failures)
    assert not server._engine.questions


@pytest.mark.parametrize("kind", HANDLERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_v16_well_formed_200_lets_the_peer_in(pair: Any, zap_handler: Any, mechanism: str, kind: str) -> None:
    """The message arrives, with the user's id and the properties that the handler told."""
    handler = zap_handler(lambda request: [*good_reply(request)[:5], PROPERTY], kind)
    knock(mechanism, pair)
    frame = pair[0].recv(copy=False)
    assert (b"let me in", "joe", "hi") == (bytes(frame), frame["User-Id"], frame["X-abc"])
    assert [mechanism.encode()] == [request[5] for request in handler.requests]


@pytest.mark.parametrize("kind", HANDLERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("wrong", WRONG)
def test_v16_anything_else_refuses_the_peer(pair: Any, zap_handler: Any, wrong: str, mechanism: str, kind: str) -> None:
    """Nothing is delivered, and the events say why, with libzmq's numbers."""
    reply, event, value, reason = WRONG[wrong]
    zap_handler(reply, kind)
    events = knock(mechanism, pair)
    assert value == next_of(events, event).value
    assert reason == next_of(events, "peer_denied").reason
    check_outside(pair[0], events)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("reply", [[b""], [b"x"], [b"x", b"1.0", b"1", b"200", b"OK", b"joe", b""]])
def test_v16_reply_without_delimiter_refuses_the_peer(
    pair: Any, make_socket: Any, reply: Parts, mechanism: str
) -> None:
    """A ROUTER can send what a REP can't."""
    handler = make_socket(zmq.ROUTER)
    handler.bind(ENDPOINT)
    events = knock(mechanism, pair)
    routing_id = handler.recv_multipart()[0]
    handler.send_multipart([routing_id, *reply])
    assert "malformed-reply" == next_of(events, "peer_denied").reason
    check_outside(pair[0], events)


@pytest.mark.parametrize("kind", HANDLERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_v37_silent_handler_refuses_the_peer_in_time(
    pair: Any, zap_handler: Any, mechanism: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reply within the handler's time is a refusal."""
    monkeypatch.setattr(zap, "HANDLER_TIMEOUT_S", 0.05)
    handler = zap_handler(lambda request: None, kind)
    events = knock(mechanism, pair)
    assert "handler-timeout" == next_of(events, "peer_denied").reason
    check_outside(pair[0], events)
    assert 1 == len(handler.requests)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_v37_handshake_interval_ends_the_question(pair: Any, make_socket: Any, mechanism: str) -> None:
    """HANDSHAKE_IVL is the outer bound; an answer that comes later harms nobody."""
    pair[0].handshake_ivl = 100
    handler = make_socket(zmq.REP)
    handler.bind(ENDPOINT)
    events = knock(mechanism, pair)
    request = handler.recv_multipart()
    next_of(events, "handshake_failed_no_detail")
    check_outside(pair[0], events)
    handler.send_multipart(good_reply(request))
    assert ([], 0) == (pair[0].peers(), handler.poll(0))


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("kind", [zmq.REP, zmq.ROUTER])
def test_v37_handler_that_is_closed_while_asked_refuses_the_peer_at_once(
    pair: Any, make_socket: Any, mechanism: str, kind: int
) -> None:
    """Nobody waits for the end of a time limit."""
    handler = make_socket(kind)
    handler.bind(ENDPOINT)
    events = knock(mechanism, pair)
    handler.recv_multipart()
    handler.close(0)
    assert "no-handler" == next_of(events, "peer_denied").reason
    check_outside(pair[0], events)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_v37_peer_that_leaves_while_asked_about_is_forgotten(pair: Any, make_socket: Any, mechanism: str) -> None:
    """The question ends with its peer; the answer goes nowhere, and the handler can go on."""
    handler = make_socket(zmq.REP)
    handler.bind(ENDPOINT)
    events = knock(mechanism, pair)
    request = handler.recv_multipart()
    pair[1].close(0)
    next_of(events, "disconnected")
    assert not pair[0]._engine.questions
    handler.send_multipart(good_reply(request))
    assert ([], 0) == (pair[0].peers(), handler.poll(0))


@pytest.mark.parametrize(
    ("mechanism", "enforce", "had_one"),
    [
        ("PLAIN", 0, False),
        ("NULL", 1, False),
        ("CURVE", 1, False),
        ("NULL", 0, True),
        ("PLAIN", 0, True),
        ("CURVE", 0, True),
    ],
)
def test_v37_without_a_handler_the_peer_is_refused(
    pair: Any, make_socket: Any, mechanism: str, enforce: int, had_one: bool
) -> None:
    """PLAIN, as libzmq; all with ZAP_ENFORCE_DOMAIN; all when there was a handler, which went away (EFAULT)."""
    pair[0].zap_enforce_domain = enforce
    pair[0].zap_domain = b"test"
    if had_one:
        handler = make_socket(zmq.REP)
        handler.bind(ENDPOINT)
        handler.close()
    events = knock(mechanism, pair)
    assert EFAULT == next_of(events, "handshake_failed_no_detail").value
    assert "no-handler" == next_of(events, "peer_denied").reason
    check_outside(pair[0], events)


@pytest.mark.parametrize("mechanism", ["NULL", "CURVE"])
def test_context_that_never_had_a_handler_lets_null_and_curve_in(pair: Any, mechanism: str) -> None:
    """As libzmq does (by CURVE whoever knows the server's key); the message has no User-Id."""
    knock(mechanism, pair)
    frame = pair[0].recv(copy=False)
    assert b"let me in" == bytes(frame)
    with pytest.raises(zmq.ZMQError):
        frame.get("User-Id")


@pytest.mark.parametrize("kind", [zmq.PULL, zmq.PUB, zmq.DEALER, zmq.SERVER])
def test_v37_socket_of_another_type_is_no_handler(pair: Any, make_socket: Any, kind: int) -> None:
    """What can't reply is not asked."""
    make_socket(kind).bind(ENDPOINT)
    events = knock("PLAIN", pair)
    assert "is a REP or ROUTER" in next_of(events, "peer_denied").error
    check_outside(pair[0], events)
