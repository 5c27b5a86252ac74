"""Bytes in a queue, and in all queues of a context: only sockets with a limit in bytes pay for counting them.

A queue is appended to at its end and taken from at its front, by whoever it may be. So a meter need not be told what
was taken: it notes the size of each message that was appended, and from the queue's length it knows which are gone.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Budget", "Meter"]


class Budget:
    """The bytes that all queues of a context may hold together (``Context.max_bytes``). Any thread.

    Args:
        limit: bytes.
        lock: a lock of the threads that use it.

    Attributes:
        used: bytes that are queued now.
    """

    __slots__ = ("_lock", "_waiters", "limit", "used")

    def __init__(self, limit: int, lock: Any) -> None:
        self.limit = limit
        self.used = 0
        #: What to call, once, when some of it is free again.
        self._waiters: set[Callable[[], None]] = set()
        self._lock = lock

    def add(self, size: int) -> None:
        """So many bytes were queued (fewer, when negative); who waits for room is told."""
        waiters: set[Callable[[], None]] = set()
        with self._lock:
            self.used += size
            if size < 0 and self._waiters and self.used < self.limit:
                waiters, self._waiters = self._waiters, waiters
        for wake in waiters:  # without the lock: it may look at the budget
            wake()

    def await_room(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, once, when there is room again; who waits looks once more after this."""
        with self._lock:
            self._waiters.add(wake)

    def fits(self, size: int) -> bool:
        """Whether so many bytes more stay within the limit."""
        return not self.limit or self.used + size <= self.limit


class Meter:
    """The bytes of one queue (lease held).

    Args:
        limit: most bytes, 0 for none.
        budget: what the queue shares with all others of its context, or None.

    Attributes:
        total: bytes of the messages that are queued, as of the last `settle`.
    """

    __slots__ = ("_sizes", "budget", "limit", "total")

    def __init__(self, limit: int, budget: Budget | None) -> None:
        self.limit = limit
        self.budget = budget
        self.total = 0
        self._sizes: deque[int] = deque()

    def note(self, size: int) -> None:
        """A message of so many bytes was appended."""
        self._sizes.append(size)
        self.total += size
        if self.budget is not None:
            self.budget.add(size)

    def settle(self, length: int) -> None:
        """The queue has so many messages now: forget those that are gone."""
        sizes = self._sizes
        gone = 0
        while len(sizes) > length:
            gone += sizes.popleft()
        if gone:
            self.total -= gone
            if self.budget is not None:
                self.budget.add(-gone)

    def fits(self, size: int, length: int) -> bool:
        """Whether a message of so many bytes may be appended to the queue, which has `length` messages now.

        An empty queue takes one message of any size: else a message larger than the limit could never pass.
        """
        self.settle(length)
        if not length:
            return True
        if self.limit and self.total + size > self.limit:
            return False
        return self.budget is None or self.budget.fits(size)

    def is_full(self, length: int) -> bool:
        """Whether not even a message of one byte fits."""
        return not self.fits(1, length)

    def close(self) -> None:
        """The queue is no more."""
        self.settle(0)
