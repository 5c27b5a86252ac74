"""PING with a context: the echo tells that the peer has handled what stood before it."""

from __future__ import annotations

import pytest

from purezmq.wire import Connection, ConnectionConfig, Ponged, Subscribed
from purezmq.wire.limits import MAX_OUTSTANDING_PINGS

PONG = b"\x04PONG"


@pytest.fixture
def pair():
    """A SUB and a PUB, shaken hands."""
    sub = Connection(ConnectionConfig("SUB", frozenset({"PUB"})), bound=False)
    pub = Connection(ConnectionConfig("PUB", frozenset({"SUB"})), bound=True)
    sub.start(0.0)
    pub.start(0.0)
    while not (sub.ready and pub.ready):
        carry(sub, pub)
        carry(pub, sub)
    sub.next_event()
    pub.next_event()
    return sub, pub


def carry(sender, receiver):
    """Give one machine what the other wants sent."""
    receiver.receive_data(b"".join(map(bytes, sender.data_to_send())), 0.0)


def send_pong(connection, context):
    """Give a machine a PONG command."""
    body = PONG + context
    connection.receive_data(bytes([4, len(body)]) + body, 0.0)


def test_ping_is_echoed_behind_subscription(pair):
    """The publisher sees the subscription, the subscriber its context."""
    sub, pub = pair
    pub.receive_data(sub.encode_subscription(b"topic", True), 0.0)
    sub.send_ping(b"context")
    carry(sub, pub)
    assert pub.next_event() == Subscribed(b"topic")
    carry(pub, sub)
    assert sub.next_event() == Ponged(b"context")
    assert sub.next_event() is None


@pytest.mark.parametrize("context", [b"", b"other", b"contextx", b"contex"])
def test_pong_unsolicited_is_ignored(pair, context):
    """Only what was sent counts; a heartbeat's PONG is empty."""
    sub, _ = pair
    sub.send_ping(b"context")
    send_pong(sub, context)
    assert sub.next_event() is None
    assert not sub.closed


def test_pong_without_ping_is_ignored(pair):
    """A peer can't make events."""
    sub, _ = pair
    send_pong(sub, b"context")
    assert sub.next_event() is None


def test_pong_answers_for_earlier_pings_and_only_once(pair):
    """Commands are handled in order, so the later echo is enough; repeating it tells nothing."""
    sub, _ = pair
    for context in (b"1", b"2", b"3"):
        sub.send_ping(context)
    send_pong(sub, b"2")
    assert sub.next_event() == Ponged(b"2")
    send_pong(sub, b"1")
    send_pong(sub, b"2")
    assert sub.next_event() is None
    send_pong(sub, b"3")
    assert sub.next_event() == Ponged(b"3")


def test_pings_never_answered_are_bounded(pair):
    """The newest contexts are remembered, however many are sent."""
    sub, _ = pair
    for number in range(10 * MAX_OUTSTANDING_PINGS):
        sub.send_ping(b"%d" % number)
    assert len(sub._pings) == MAX_OUTSTANDING_PINGS
    send_pong(sub, b"%d" % (number - MAX_OUTSTANDING_PINGS))
    assert sub.next_event() is None
    send_pong(sub, b"%d" % number)
    assert sub.next_event() == Ponged(b"%d" % number)


@pytest.mark.parametrize("context", [b"", b"x" * 17])
def test_context_of_wrong_size_is_refused(pair, context):
    """One to sixteen bytes are echoed (RFC 37)."""
    sub, _ = pair
    with pytest.raises(ValueError, match="1 to 16 bytes"):
        sub.send_ping(context)


def test_ping_before_handshake_is_refused():
    """Nobody is there to echo it."""
    sub = Connection(ConnectionConfig("SUB", frozenset({"PUB"})), bound=False)
    with pytest.raises(RuntimeError, match="not ready"):
        sub.send_ping(b"x")
