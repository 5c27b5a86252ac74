from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from tests.support import TIMEOUT_S, eventually

from purezmq.engine.event_log import LOG_IVL_S, MAX_ENDPOINTS
from purezmq.engine.event_source import EventSource
from purezmq.engine.timers import Timer


class ScriptedLoop:
    """Timers that run when the test says so."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []

    def call_at(self, when: float, callback: Any) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def run_out(self) -> None:
        """The time of each timer has come."""
        timers, self.timers = self.timers, []
        for timer in timers:
            if timer.callback is not None:
                timer.callback()


class ScriptedEngine(EventSource):
    """As much of an engine as the log needs."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False
        self.loop = ScriptedLoop()
        self.lease = nullcontext()

    def drop(self, count: int, reason: str = "newest", endpoint: str = "tcp://a:1", error: str = "") -> None:
        self.tell("message_dropped", endpoint=endpoint, count=count, reason=reason, error=error)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Wait for so many lines, and give all there are."""

    def wait_for(count: int) -> list[str]:
        eventually(lambda: len(caplog.records) >= count)
        return [record.getMessage() for record in caplog.records]

    with caplog.at_level(logging.WARNING, "purezmq"):
        yield wait_for


def test_first_drop_is_logged_at_once(lines: Any) -> None:
    """With peer, reason and where to learn more."""
    ScriptedEngine().drop(1, error="high-water mark 1000 reached")
    assert [
        "dropped 1 message for tcp://a:1: newest 1 (high-water mark 1000 reached); see socket.stats()"
    ] == lines(1)  # fmt: skip


def test_later_drops_are_one_line_with_every_message(lines: Any) -> None:
    """Whatever their number: nothing until the time is over, then the counts by reason."""
    engine = ScriptedEngine()
    engine.drop(1)
    for _ in range(100):
        engine.drop(3)
        engine.drop(2, "expired", "tcp://b:1")
    assert 1 == len(lines(1))
    assert 1 == len(engine.loop.timers)
    engine.loop.run_out()
    assert "dropped 500 messages for tcp://a:1, tcp://b:1: newest 300, expired 200; see socket.stats()" == lines(2)[1]
    engine.drop(7)
    assert 2 == len(lines(2))
    engine.loop.run_out()
    assert "dropped 7 messages" in lines(3)[2]


def test_line_after_a_pause_comes_at_once(lines: Any) -> None:
    """When nothing happened for a while, the next event is a first one again."""
    engine = ScriptedEngine()
    engine.drop(1)
    engine.loop.run_out()
    assert [] == engine.loop.timers
    engine.drop(2)
    assert "dropped 2 messages" in lines(2)[1]


def test_interval_is_ten_seconds(lines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As documented."""
    monkeypatch.setattr("purezmq.engine.event_log.monotonic", lambda: 100.0)
    engine = ScriptedEngine()
    engine.drop(1)
    (timer,) = engine.loop.timers
    assert (110.0, 10.0) == (timer.when, LOG_IVL_S)
    assert 1 == len(lines(1))


def test_many_endpoints_are_not_all_named(lines: Any) -> None:
    """A line stays a line."""
    engine = ScriptedEngine()
    engine.drop(1)
    for number in range(100):
        engine.drop(1, endpoint=f"tcp://peer-{number}:1")
    engine.loop.run_out()
    named = [f"tcp://peer-{number}:1" for number in range(MAX_ENDPOINTS)]
    assert f"dropped 100 messages for {', '.join(named)}, others: newest 100" in lines(2)[1]


def test_end_of_engine_tells_the_rest(lines: Any) -> None:
    """And no timer runs any more."""
    engine = ScriptedEngine()
    engine.drop(1)
    engine.drop(5)
    engine.closed = True
    engine.end_log()
    assert "dropped 5 messages" in lines(2)[1]
    engine.loop.run_out()
    engine.drop(2)
    assert "dropped 2 messages" in lines(3)[2]
    assert [] == engine.loop.timers


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        ("swap_full", {"reason": "full", "error": "64 MB"}, "queue on disk for E took no more, 1 time: full 1 (64 MB)"),
        ("swap_corrupt", {"count": 12}, "lost 12 messages of the damaged queue on disk for E"),
        ("duplicate_routing_id", {"reason": "refused"}, "1 peer of E came with the routing id of another: refused 1"),
        ("peer_denied", {"reason": "denied", "error": "no"}, "kept 1 peer out of E: denied 1 (no)"),
        ("peer_refused", {"error": "the peer refused us: 'no'"}, "refused 1 time by E: the peer refused us: 'no'"),
    ],
)
def test_each_kind_has_its_line(lines: Any, kind: str, details: dict[str, Any], expected: str) -> None:
    """Cause and count."""
    engine = ScriptedEngine()
    engine.tell(kind, endpoint="E", **details)
    assert expected in lines(1)[0]


def test_kinds_have_intervals_of_their_own(lines: Any) -> None:
    """A flood of drops hides no refusal; kinds without a line are not logged."""
    engine = ScriptedEngine()
    engine.drop(1)
    engine.drop(1)
    engine.tell("durable_expired", count=1)
    engine.tell("peer_refused", endpoint="E", error="no")
    assert 2 == len(lines(2))


def test_slow_handler_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    """Lines are written by another thread, in order."""
    go_on, texts = threading.Event(), []

    class SlowHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            go_on.wait(TIMEOUT_S)
            texts.append((record.getMessage(), threading.current_thread() is threading.main_thread()))

    handler = SlowHandler()
    logger = logging.getLogger("purezmq")
    logger.addHandler(handler)
    try:
        for number in range(3):
            ScriptedEngine().drop(number + 1)
        assert [] == texts
        go_on.set()
        eventually(lambda: len(texts) == 3)
    finally:
        go_on.set()
        logger.removeHandler(handler)
    assert [f"dropped {number} message" for number in (1, 2, 3)] == [text[:17] for text, _ in texts]
    assert not any(is_main for _, is_main in texts)


def test_filter_that_raises_harms_nobody(lines: Any) -> None:
    """The line is lost, the next one is not."""

    def fail(_record: Any) -> bool:
        raise ValueError

    logger = logging.getLogger("purezmq")
    logger.addFilter(fail)
    failing = ScriptedEngine()
    try:
        failing.drop(1)
        eventually(is_idle)
    finally:
        logger.removeFilter(fail)
    ScriptedEngine().drop(2)
    assert ["dropped 2 messages"] == [line[:18] for line in lines(1)]


def is_idle() -> bool:
    """Whether every line was written.

    A start that a test's signal handler interrupted stays in `threading.enumerate` for ever: that one isn't alive.
    """
    return not any(thread.name == "purezmq-log" and thread.is_alive() for thread in threading.enumerate())
