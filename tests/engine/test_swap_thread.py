"""The disk thread: its start, and its sleep, where what wakes it at the last moment isn't left for later."""

from __future__ import annotations

import _thread
import threading
from typing import Any

import pytest
from tests.support import TIMEOUT_S
from tests.support.interrupting import interrupted_at

from purezmq.engine import single_thread
from purezmq.engine.swap_thread import SwapThread


class LateLock:
    """A lock whose wait ends just before somebody releases it: the one moment that no test can hit by chance."""

    def __init__(self, thread: SwapThread) -> None:
        self.thread = thread
        self.lock = thread._wake
        self.release = self.lock.release

    def acquire(self, *wait: Any) -> bool:
        if wait:
            with self.thread._lock:
                self.thread._wake_up()
            return False
        return self.lock.acquire(blocking=False)


def test_wake_up_at_the_end_of_a_sleep_is_used_up() -> None:
    """The lock is held again afterwards, so the next sleep sleeps, and the next wake-up may release it."""
    thread = SwapThread()
    wake = thread._wake
    thread._sleeping = True
    thread._wake = LateLock(thread)  # type: ignore[assignment]
    thread._sleep(0.0)
    assert wake.locked()
    assert not thread._sleeping


def test_sleep_that_nobody_ends_is_over_after_its_time() -> None:
    """A later wake-up doesn't release a lock that nobody waits for."""
    thread = SwapThread()
    thread._sleeping = True
    thread._sleep(0.0)
    assert not thread._sleeping
    thread._wake_up()
    assert thread._wake.locked()


class IdleSwap:
    """A swap that has no work."""

    def __init__(self) -> None:
        self.stops: list[int] = []

    def work(self) -> None:
        """Nothing."""

    def retry_now(self) -> None:
        """Nothing failed."""

    def handle_stop(self) -> None:
        """Note which thread says so."""
        self.stops.append(threading.get_ident())


def test_p18_interrupted_start_of_the_disk_thread_leaves_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler raises at moment after moment of it: the next swap starts it, and one thread ends with the context."""
    # Threads of `threading` can break themselves where their start is interrupted.
    monkeypatch.setattr(single_thread, "start_thread", lambda run, _name: _thread.start_new_thread(run, ()))
    reached, moment = ["the first one"], 0
    while reached:
        thread, swap = SwapThread(), IdleSwap()
        with interrupted_at(moment) as reached:
            thread.add(swap)
        thread.add(swap)
        thread.stop(TIMEOUT_S)
        assert [thread._thread.ident] == swap.stops
        moment += 1
    assert moment > 5
