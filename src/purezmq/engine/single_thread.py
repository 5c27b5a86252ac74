"""A thread of which there is at most one at a time, whatever a signal handler interrupts.

A handler that raises may end a start before the thread has begun, or behind that: the caller doesn't know. So who needs
the thread starts it once more until it is known to run, and a thread that finds another one running ends at once.
"""

from __future__ import annotations

from purezmq.native import RLock, allocate_lock, get_ident, start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SingleThread"]


class SingleThread:
    """See the module's text.

    Args:
        work: what the thread does.
        name: of the thread, for debuggers.
        has_work: whether the thread shall do it again, asked when it's done; without this there is one thread ever.

    Attributes:
        ident: the identifier of the thread that runs, or ran last; 0 before.
    """

    __slots__ = ("_has_work", "_is_over", "_lock", "_name", "_running", "_runs", "_started", "_work", "ident")

    def __init__(self, work: Callable[[], None], name: str, has_work: Callable[[], object] | None = None) -> None:
        self._work = work
        self._name = name
        self._has_work = has_work
        self.ident = 0
        self._is_over = False
        #: A thread has been started since the last one ended, as far as is known; with one thread ever it remains.
        self._started = False
        #: A thread is at work; with one thread ever it remains.
        self._runs = False
        #: Held from the start of the thread to its end.
        self._running = allocate_lock()
        # Re-entrant: what a handler or a destructor does may need the thread, wherever this one is just then.
        self._lock = RLock()

    def start(self) -> None:
        """See that there is a thread; work that exists by now is done by it.

        Raises:
            RuntimeError: the system has no thread left, or the process ends.
        """
        with self._lock:
            if self._started or self._runs or self._is_over:
                return
            self._running.acquire(False)  # held already where a handler ended an earlier start
            try:
                start_thread(self._run, self._name)
            except BaseException:
                self._running.release()  # one that has begun all the same waits for us, and takes it
                raise
            self._started = True

    def is_running(self) -> bool:
        """Whether a thread runs, or begins to."""
        return self._running.locked()

    def wait(self, timeout: float) -> bool:
        """Wait until no thread runs, at most `timeout` seconds; whether none does."""
        if not self._started:
            return True
        if not self._running.acquire(True, timeout):
            return False
        self._running.release()
        return True

    def close(self, timeout: float) -> None:
        """Wait as `wait` does; no other thread is started."""
        self._is_over = True
        self.wait(timeout)

    def _run(self) -> None:
        with self._lock:
            if self._runs:
                return
            self._runs = self._started = True
            self._running.acquire(False)
            self.ident = get_ident()
        try:
            self._work()
            while self._goes_on():
                self._work()
        except BaseException:
            self._end()
            raise

    def _goes_on(self) -> bool:
        """Whether there is more work; else the thread has ended, and who brings some starts another."""
        with self._lock:
            if self._has_work is not None and self._has_work():
                return True
            self._end()
            return False

    def _end(self) -> None:
        with self._lock:
            if self._has_work is not None:
                self._runs = self._started = False
            self._running.release()
