"""The thread that does the disk work of all swaps of a context, one block of each in turn.

Rules of this room: a swap is scheduled from any thread, at most once at a time, and asked for one piece of work per
turn; what a swap does with its turn is its own matter. The thread sleeps on a lock that whoever schedules releases.
`_lock` guards the queue and is held for a few operations; nobody calls out, or takes another lock, while holding it.

A forked child has no such thread and no use for this object: each swap closes its own descriptors (`Swap.abandon`), and
`SwapThread.abandon` those that were to be closed.
"""

from __future__ import annotations

from collections import deque
from sys import is_finalizing
from time import monotonic

from purezmq.engine.fence import report
from purezmq.engine.single_thread import SingleThread
from purezmq.engine.swap_closer import SwapCloser
from purezmq.native import allocate_lock, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class DiskWork(Protocol):
        """A swap, as its thread sees it."""

        def work(self) -> float | None:
            """Do one piece of work; return seconds until the next one, or None when there is none."""

        def retry_now(self) -> None:
            """Space was given back: what failed for want of it may be tried again."""

        def handle_stop(self) -> None:
            """The thread ends: free the files."""


__all__ = ["RETRY_S", "STOP_S", "SwapThread"]

#: After a failure the disk is tried again after this time, if nothing gave space back before (seconds).
RETRY_S = 1.0
#: How long `stop` waits for a disk that doesn't answer (seconds); the thread is a daemon, and ends when it does.
STOP_S = 5.0


class SwapThread:
    """The disk thread of one context. It starts with its first swap.

    Args:
        name: of the thread, for debuggers.

    Attributes:
        closer: closes their files.
    """

    __slots__ = (
        "_has_space",
        "_lock",
        "_queue",
        "_retries",
        "_scheduled",
        "_sleeping",
        "_start_lock",
        "_stopping",
        "_swaps",
        "_thread",
        "_wake",
        "closer",
    )

    def __init__(self, name: str = "purezmq-swap") -> None:
        self.closer = SwapCloser(self.handle_space)
        self._lock = allocate_lock()
        self._queue: deque[DiskWork] = deque()
        #: What is in the queue.
        self._scheduled: set[DiskWork] = set()
        self._swaps: set[DiskWork] = set()
        #: When to ask a swap again (monotonic seconds); of the disk thread alone.
        self._retries: dict[DiskWork, float] = {}
        #: A file is gone, so whoever failed may try again.
        self._has_space = False
        #: Released to wake the thread, if and only if `_sleeping` was set, which this clears.
        self._wake = allocate_lock()
        self._wake.acquire()
        self._sleeping = False
        #: Guards the start, which waits for the new thread; taken before `_lock`, never by the disk thread.
        self._start_lock = allocate_lock()
        self._stopping = False
        self._thread = SingleThread(self._run, name)

    # -- from any thread -----------------------------------------------------------------------------------------

    def add(self, swap: DiskWork) -> None:
        """Serve a swap from now on.

        Raises:
            RuntimeError: the thread can't be started: the process ends, or has too many.
        """
        with self._start_lock:
            if self._stopping:
                raise RuntimeError("the context of this swap has ended")
            self._thread.start()
            with self._lock:
                self._swaps.add(swap)

    def schedule(self, swap: DiskWork) -> None:
        """Give a swap a turn soon. Never blocks.

        A signal handler may raise behind each step: at worst the swap has two turns, or waits for the next call.
        """
        with self._lock:
            if self._stopping:
                return
            if swap not in self._scheduled:
                self._queue.append(swap)
                self._scheduled.add(swap)
            self._wake_up()

    def handle_space(self) -> None:
        """A file is gone: whoever failed for want of space tries again now."""
        with self._lock:
            self._has_space = True
            self._wake_up()

    def stop(self, timeout: float = STOP_S) -> None:
        """Drop the work of all swaps, free their files, and end the thread.

        Args:
            timeout: how long to wait for a write or read under way (seconds).
        """
        with self._start_lock, self._lock:
            self._stopping = True
            self._wake_up()
        # While the interpreter ends its threads are gone, without a word.
        if get_ident() != self._thread.ident and not is_finalizing() and self._thread.wait(timeout):
            self.closer.wait(timeout)

    def abandon(self) -> None:
        """Close descriptors in a forked child, where the thread doesn't exist; each swap closes its own."""
        self.closer.abandon()

    def _wake_up(self) -> None:
        """Let the thread look at its queue (lock held)."""
        if self._sleeping:
            self._sleeping = False
            self._wake.release()

    # -- on the disk thread --------------------------------------------------------------------------------------

    def forget(self, swap: DiskWork) -> None:
        """A swap has no work any more and never will."""
        self._retries.pop(swap, None)
        with self._lock:
            self._swaps.discard(swap)

    def _run(self) -> None:
        while (swap := self._next_swap()) is not None:
            self._serve(swap)
        with self._lock:
            swaps = list(self._swaps)
        for swap in swaps:
            swap.handle_stop()

    def _serve(self, swap: DiskWork) -> None:
        try:
            delay = swap.work()
            while delay == 0 and not (self._queue or self._retries or self._stopping):  # nobody else has a turn
                delay = swap.work()
        except Exception as error:  # noqa: BLE001 - the fence: one swap must not end the thread of all
            report("a swap", error)
            delay = RETRY_S
        self._retries.pop(swap, None)
        if delay:
            self._retries[swap] = monotonic() + delay
        elif delay is not None:
            self.schedule(swap)

    def _next_swap(self) -> DiskWork | None:
        """Wait for the next swap that has work; None when the thread shall end."""
        while True:
            wait = self._schedule_due()
            with self._lock:
                if self._stopping:
                    return None
                if self._queue:
                    swap = self._queue.popleft()
                    self._scheduled.discard(swap)
                    return swap
                is_due = self._has_space and bool(self._retries)
                self._sleeping = not is_due
            if not is_due:
                self._sleep(wait)

    def _sleep(self, wait: float) -> None:
        if self._wake.acquire(True, wait):
            return
        with self._lock:
            if self._sleeping:
                self._sleeping = False
                return
        self._wake.acquire()  # released between the end of the wait and the check

    def _schedule_due(self) -> float:
        """Schedule what is due; return seconds until something else is, or -1 for never."""
        if not self._retries:
            return -1
        now = monotonic()
        with self._lock:
            has_space, self._has_space = self._has_space, False
        if has_space:
            for swap in self._retries:
                swap.retry_now()
                self._retries[swap] = now
        for swap, when in list(self._retries.items()):
            if when <= now:
                del self._retries[swap]
                self.schedule(swap)
        return max(min(self._retries.values()) - now, 0.0) if self._retries else -1
