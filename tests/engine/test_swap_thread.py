"""The disk thread's sleep: what wakes it at the last moment isn't left for later."""

from __future__ import annotations

from typing import Any

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
