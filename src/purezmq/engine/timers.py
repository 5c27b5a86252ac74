"""Deadlines of one loop: a heap of callbacks, cancelled lazily. Any thread may add; the loop's thread runs them."""

from __future__ import annotations

import heapq
from itertools import count

from purezmq.native import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Timer", "Timers"]

#: Timers from which on the cancelled ones among them are looked for.
_MIN_SWEEP = 64


class Timer:
    """One pending callback."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None] | None) -> None:
        self.when = when
        self.callback = callback

    def cancel(self) -> None:
        """Never call it. Idempotent; what it refers to is released at once."""
        self.callback = None


class Timers:
    """The heap. Its lock is re-entrant because a collected socket may close, and so add a timer, inside `add`."""

    __slots__ = ("_heap", "_lock", "_order", "_sweep_size", "sleeping_until")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        #: A peer's PINGs may move its timer again and again: cancelled ones must not pile up until their time.
        self._sweep_size = _MIN_SWEEP
        self._lock = RLock()
        #: Until when the loop's thread sleeps; an earlier timer must wake it.
        self.sleeping_until = 0.0

    def add(self, when: float, callback: Callable[[], None]) -> tuple[Timer, bool]:
        """Add a callback at monotonic time `when`; also whether the loop must be woken for it."""
        timer = Timer(when, callback)
        with self._lock:
            heapq.heappush(self._heap, (when, next(self._order), timer))
            if len(self._heap) >= self._sweep_size:
                self._heap = [entry for entry in self._heap if entry[2].callback is not None]
                heapq.heapify(self._heap)
                self._sweep_size = max(_MIN_SWEEP, 2 * len(self._heap))
            return timer, when < self.sleeping_until

    def next_deadline(self) -> float:
        """When the loop must wake up at the latest (infinity for never), noted as its time of sleep."""
        with self._lock:
            while self._heap and self._heap[0][2].callback is None:
                heapq.heappop(self._heap)
            self.sleeping_until = self._heap[0][0] if self._heap else float("inf")
            return self.sleeping_until

    def take_due(self, now: float) -> list[Timer]:
        """Remove and return the timers whose time has come, earliest first."""
        due = []
        with self._lock:
            self.sleeping_until = 0.0
            while self._heap and self._heap[0][0] <= now:
                due.append(heapq.heappop(self._heap)[2])
        return due
