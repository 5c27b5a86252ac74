"""V14: PING, PONG, TTL, traffic and closing in any order, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support import bind, zmq
from tests.support.raw_peer import RawPeer, greeting, ready_command

from purezmq.wire import Connection, ConnectionConfig, ConnectionFailed, FailureReason
from purezmq.wire.commands import encode_ping, encode_pong
from purezmq.wire.framing import encode_frame

COMMAND = 4
PING = encode_frame(COMMAND, encode_ping(0))[:7]


class HeartbeatsAgainstHistory(RuleBasedStateMachine):
    """The model keeps when what happened, and judges by that: it knows no timer."""

    @initialize(
        interval=st.sampled_from([None, 1.0, 2.5]),
        timeout=st.sampled_from([0.0, 0.5, 3.0]),
        chunk=st.sampled_from([1, 1000]),
    )
    def start(self, interval: float | None, timeout: float, chunk: int) -> None:
        config = ConnectionConfig(
            "PULL", frozenset({"PUSH"}), heartbeat_interval=interval, heartbeat_timeout=timeout, heartbeat_ttl=7.0
        )
        self.interval, self.timeout, self.chunk = interval, timeout, chunk
        self.now = 100.0
        self.connection = Connection(config, bound=True)
        self.connection.start(self.now)
        self.connection.receive_data(greeting() + ready_command("PUSH"), self.now)
        assert self.connection.ready
        self.connection.next_event()
        self.connection.data_to_send()
        self.pings: list[float] = []
        self.last_byte = self.now
        self.ttl = 0.0
        self.ended = False
        self.steps = 0

    def receive(self, data: bytes) -> None:
        for at in range(0, len(data), self.chunk):
            self.connection.receive_data(data[at : at + self.chunk], self.now)
        if data and not self.ended:
            self.last_byte = self.now

    def sent(self) -> bytes:
        return b"".join(map(bytes, self.connection.data_to_send()))

    @precondition(lambda self: not self.ended)
    @rule(ttl=st.sampled_from([0, 0.1, 1.0, 4.0, 65.6, 6553.5]), context=st.binary(max_size=16))
    def ping(self, ttl: float, context: bytes) -> None:
        """The peer asks for a sign of life, and may say how long it can be silent itself."""
        self.receive(encode_frame(COMMAND, encode_ping(ttl, context)))
        self.ttl = ttl
        assert encode_frame(COMMAND, encode_pong(context)) == self.sent()

    @precondition(lambda self: not self.ended)
    @rule(context=st.binary(max_size=20))
    def pong(self, context: bytes) -> None:
        """A PONG is a byte like any other, asked for or not."""
        self.receive(encode_frame(COMMAND, b"\x04PONG" + context))
        assert b"" == self.sent()

    @precondition(lambda self: not self.ended)
    @rule(body=st.binary(max_size=300))
    def message(self, body: bytes) -> None:
        """Traffic is life."""
        self.receive(encode_frame(0, body))

    @precondition(lambda self: not self.ended)
    @rule(byte=st.sampled_from([b"\x00"]))
    def unfinished(self, byte: bytes) -> None:
        """So is half a frame, and its rest."""
        self.receive(byte)
        self.receive(b"\x00")

    @precondition(lambda self: not self.ended)
    @rule()
    def own_ping(self) -> None:
        """A PING for another purpose doesn't count as a heartbeat."""
        self.connection.send_ping(b"mine")
        assert self.sent().endswith(b"mine")

    @rule(seconds=st.sampled_from([0.0, 0.05, 0.3, 1.0, 2.0, 20.0]), at_due=st.booleans())
    def wait(self, seconds: float, at_due: bool) -> None:
        """Time passes; the owner calls when something is due, or only when it gets round to it."""
        end = self.now + seconds
        turns = 0
        self.steps += 1
        while at_due and not self.ended:
            due = self.connection.next_timer()
            if due is None or due > end:
                break
            assert due >= self.now - 1e-9, "a timer in the past was not handled"
            self.now = max(self.now, due)
            self.tick()
            turns += 1
            assert turns < 1000, "the clock stands still"
        self.now = end
        self.tick()

    def tick(self) -> None:
        was_ended = self.ended
        self.connection.handle_timer(self.now)
        data = self.sent()
        count = data.count(PING)
        assert count <= 1, "two PINGs at once"
        if count:
            assert self.interval is not None
            previous = self.pings[-1] if self.pings else 100.0
            assert self.now >= previous + self.interval - 1e-9, "a PING too early"
            self.pings.append(self.now)
        is_expired = self.ttl > 0 and self.now >= self.last_byte + self.ttl
        if not was_ended:
            # A byte of the very moment of a PING came before it or after it: then either is right.
            if self.is_silent(count, besides=False) or is_expired:
                assert self.connection.closed
            elif not self.is_silent(count, besides=True):
                assert not self.connection.closed
            if self.connection.closed:
                event = self.connection.next_event()
                assert isinstance(event, ConnectionFailed)
                assert FailureReason.HEARTBEAT is event.reason
                self.ended = True
                assert 0 == count

    def is_silent(self, count: int, *, besides: bool) -> bool:
        """Whether a PING went unanswered for too long; `besides`: one of the moment of the last byte counts."""
        unanswered = [
            when for when in self.pings
            if (when > self.last_byte or (besides and when == self.last_byte)) and (when, count) != (self.now, 1)
        ]  # fmt: skip
        return bool(unanswered) and self.timeout > 0 and self.now >= unanswered[0] + self.timeout

    @precondition(lambda self: not self.ended)
    @rule()
    def silence(self) -> None:
        """Nothing comes for long, and the owner is in time."""
        self.wait(20.0, at_due=True)

    @precondition(lambda self: self.steps > 5)
    @rule()
    def close(self) -> None:
        """By the owner, at any time and any number of times."""
        self.connection.close()
        self.ended = True

    @invariant()
    def a_dead_connection_is_quiet(self) -> None:
        if getattr(self, "ended", False):
            assert self.connection.next_timer() is None
            assert [] == self.connection.receive_data(b"\x00\x00" + PING, self.now)
            assert b"" == self.sent()
            assert self.connection.next_event() is None

    @invariant()
    def next_timer_is_the_earliest_of_what_is_due(self) -> None:
        if not getattr(self, "ended", True) and self.interval is None:
            expected = self.last_byte + self.ttl if self.ttl else None
            assert expected == self.connection.next_timer()


TestV14Heartbeats = HeartbeatsAgainstHistory.TestCase
TestV14Heartbeats.settings = settings(stateful_step_count=40)


def live_timers(socket: Any) -> tuple[list[Any], int]:
    """The timers of the connections of a socket, and how many entries the loop keeps in all."""
    engine = socket._engine
    entries = list(engine.loop.timers._heap)
    sessions = list(engine.sessions.values())
    callbacks = [timer.callback for _, _, timer in entries if timer.callback is not None]
    return [callback for callback in callbacks if getattr(callback, "__self__", None) in sessions], len(entries)


@pytest.mark.parametrize("heartbeat_ivl", [0, 50_000])
def test_v14_one_timer_per_connection_whatever_the_peer_wants(
    make_socket: Callable[..., Any], heartbeat_ivl: int
) -> None:
    """Five hundred PINGs with ever shorter TTLs, each taken by itself: one timer, and no trace of the others."""
    pull = make_socket(zmq.PULL, heartbeat_ivl=heartbeat_ivl)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        for number in range(500):
            raw.send_frame(b"\x04PING" + (60_000 - number).to_bytes(2, "big") + b"%d" % number, COMMAND)
            assert (COMMAND, b"\x04PONG%d" % number) == raw.receive_frame()
        raw.send_frame(b"still here")
        assert b"still here" == pull.recv()
        timers, entries = live_timers(pull)
        assert 1 == len(timers)
        assert entries <= 100
