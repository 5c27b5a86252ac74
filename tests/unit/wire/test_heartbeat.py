"""Heartbeat timers, with time as an argument."""

from __future__ import annotations

from purezmq.wire.heartbeat import Heartbeat


def test_next_timer_is_first_ping() -> None:
    """The first PING is due an interval after the start, and not before."""
    heartbeat = Heartbeat(10.0, 2.0, 5.0)
    assert 12.0 == heartbeat.next_timer()
    assert not heartbeat.is_ping_due(11.9)
    assert heartbeat.is_ping_due(12.0)
    assert 14.0 == heartbeat.next_timer()


def test_deadline_counts_from_first_unanswered_ping() -> None:
    """Later PINGs don't give a silent peer more time."""
    heartbeat = Heartbeat(0.0, 1.0, 2.5)
    assert heartbeat.deadline() is None
    for now in (1.0, 2.0, 3.0):
        assert heartbeat.is_ping_due(now)
    assert 3.5 == heartbeat.deadline()
    assert 3.5 == heartbeat.next_timer()


def test_deadline_any_byte_cancels() -> None:
    """A byte after the PING is life, and the next PING starts a new wait."""
    heartbeat = Heartbeat(0.0, 1.0, 2.0)
    assert heartbeat.is_ping_due(1.0)
    heartbeat.last_received = 1.5
    assert heartbeat.deadline() is None
    assert heartbeat.is_ping_due(2.0)
    assert 4.0 == heartbeat.deadline()


def test_deadline_timeout_zero_never() -> None:
    """Timeout 0 switches the check off."""
    heartbeat = Heartbeat(0.0, 1.0, 0.0)
    assert heartbeat.is_ping_due(1.0)
    assert heartbeat.deadline() is None


def test_peer_ttl_counts_from_last_byte() -> None:
    """The peer's TTL is a deadline of its own, also without PINGs of ours."""
    heartbeat = Heartbeat(0.0, None, 0.0)
    assert heartbeat.next_timer() is None
    assert not heartbeat.is_ping_due(1e9)
    heartbeat.peer_ttl = 3.0
    assert 3.0 == heartbeat.next_timer()
    heartbeat.last_received = 2.0
    assert 5.0 == heartbeat.next_timer()


def test_deadline_is_the_earlier_one() -> None:
    """Of the two deadlines the earlier counts."""
    heartbeat = Heartbeat(0.0, 1.0, 10.0)
    heartbeat.peer_ttl = 4.0
    assert heartbeat.is_ping_due(1.0)
    assert 4.0 == heartbeat.deadline()
    heartbeat.peer_ttl = 40.0
    assert 11.0 == heartbeat.deadline()
