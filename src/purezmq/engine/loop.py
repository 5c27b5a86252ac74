"""One I/O thread: the back-stop of the engine. It serves what no application thread is waiting for.

It accepts, connects, runs timers, reads and writes for sockets whose application is busy elsewhere, and flushes
what a burst left over. Whatever a callback raises ends at the fence; the loop goes on.
"""

from __future__ import annotations

from collections import deque
from sys import is_finalizing
from time import monotonic

from purezmq.engine.fence import report
from purezmq.engine.selector import READ, EpollSelector, is_nestable
from purezmq.engine.timers import Timers
from purezmq.engine.wakeup import Wakeup
from purezmq.native import RLock, allocate_lock, get_ident, sleep, start_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from purezmq.engine.portable_selector import PortableSelector
    from purezmq.engine.timers import Timer

    class Flushable(Protocol):
        """A socket's engine, as the back-stop sees it."""

        def flush_left_over(self, now: float) -> bool:
            """Write what a burst left over; whether the back-stop must look again."""


__all__ = ["Loop"]

#: What a burst left unwritten leaves at the latest this long after it (seconds).
BACK_STOP_S = 0.001
#: A thread that the system doesn't let wait for its descriptors looks so often (seconds).
SHORTAGE_PAUSE_S = 0.1
#: After this many turns of an idle back-stop it is let go.
MAX_WAIT_S = 3600.0


class Loop:
    """An I/O thread with its selector and timers. It starts with the first thing it is asked to do."""

    def __init__(self, name: str, prepare: Callable[[], None] | None = None) -> None:
        self.name = name
        #: What the thread does first.
        self._prepare = prepare
        self.wakeup = Wakeup()
        self.selector = _make_selector(self.wakeup.set)
        self.timers = Timers()
        self.handlers: dict[int, Callable[[int], None]] = {self.wakeup.fd: self._handle_wakeup}
        self.selector.register(self.wakeup.fd, READ)
        self._posted: deque[Callable[[], None]] = deque()
        #: What is watched for on each; see `_forget`.
        self._masks: dict[int, int] = {}
        #: The identifier of the thread, once it runs.
        self._thread: int | None = None
        self._started = False
        #: Held from the start of the thread to its end.
        self._running = allocate_lock()
        # Re-entrant: a collected socket is closed by a call to its loop, wherever this thread is just then.
        self._start_lock = RLock()
        self._stopping = False
        self._left_over: set[Flushable] = set()
        self._back_stop: Timer | None = None
        #: How many descriptors and sockets it serves, for choosing the least loaded.
        self.load = 0

    # -- from any thread -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread if it does not run yet. What follows a failure to do so, in the methods below, is nothing.

        Raises:
            RuntimeError: the system has no thread left, or the process ends.
        """
        if self._started:
            return
        with self._start_lock:
            if not self._started and not self._stopping:
                self._running.acquire(False)  # held already where an earlier start failed, or a signal handler ended it
                start_thread(self._run, self.name)
                self._started = True

    def call(self, callback: Callable[[], None]) -> None:
        """Run `callback` on the loop's thread soon."""
        self.start()
        self._posted.append(callback)
        self.wakeup.set()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the loop's thread at monotonic time `when`."""
        self.start()
        timer, must_wake = self.timers.add(when, callback)
        if must_wake:
            self.wakeup.set()
        return timer

    def watch(self, fd: int, mask: int, handler: Callable[[int], None]) -> None:
        """Call ``handler(events)`` on the loop's thread whenever the descriptor is ready.

        Raises:
            OSError: the system has no memory left for that; nothing has changed.
        """
        self.start()
        former = self.handlers.get(fd)
        self._masks[fd] = mask
        self.handlers[fd] = handler
        try:
            try:
                self.selector.register(fd, mask)
            except (FileExistsError, KeyError):  # whoever unwatched it was interrupted in the midst
                self.selector.modify(fd, mask)
        except OSError:
            if former is None:
                del self.handlers[fd]
            else:
                self.handlers[fd] = former
            raise

    def rewatch(self, fd: int, mask: int) -> None:
        """Wait for something else on a descriptor that is watched already."""
        self._masks[fd] = mask
        self.selector.modify(fd, mask)

    def unwatch(self, fd: int) -> None:
        """Stop that. An event that was reported already is dropped."""
        if self.handlers.pop(fd, None) is not None:
            self.selector.unregister(fd)

    def note_left_over(self, engine: Flushable) -> None:
        """A burst began on this engine: whatever its thread leaves unwritten is written within `BACK_STOP_S`."""
        self._left_over.add(engine)
        now, timer = monotonic(), self._back_stop
        # One whose time has come may have run before it was noted here.
        if timer is None or timer.when <= now:
            self._back_stop = self.call_at(now + BACK_STOP_S, self._run_back_stop)

    def is_current(self) -> bool:
        """Whether the caller runs on this loop's thread."""
        return get_ident() == self._thread

    def stop(self) -> None:
        """End the thread and wait for it; free the descriptors."""
        with self._start_lock:
            self._stopping = True
        self.wakeup.set()
        # While the interpreter ends its threads are gone, without a word.
        if self._started and not self.is_current() and not is_finalizing():
            with self._running:  # entered and left in C: a signal handler that raises leaves it free
                pass
        self.abandon()

    def abandon(self) -> None:
        """Free the descriptors without waiting for the thread (after fork, in the child, it doesn't exist)."""
        self._stopping = True
        self.handlers.clear()
        self.selector.close()

    # -- on the loop's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        with self._start_lock:
            if self._thread is not None:
                return  # a signal handler ended a start that had begun a thread, so there was another start
            self._thread = get_ident()
            self._started = True
        try:
            if self._prepare is not None:
                self._guard(self._prepare)
            self._serve()
        finally:
            self._running.release()

    def _serve(self) -> None:
        while not self._stopping:
            wait = self.timers.next_deadline() - monotonic()
            if self._posted:
                wait = 0.0
            try:
                events = self.selector.poll(min(wait, MAX_WAIT_S) if wait > 0 else 0)
            except OSError as error:
                events = []
                if not self._stopping:  # else it was closed
                    report(f"waiting in {self.name}", error)
                    sleep(SHORTAGE_PAUSE_S)
            for fd, mask in events:
                handler = self.handlers.get(fd)
                if handler is not None:
                    self._guard(handler, mask)
                else:
                    self._guard(self._forget, fd)
            while self._posted:
                self._guard(self._posted.popleft())
            for timer in self.timers.take_due(monotonic()):
                callback = timer.callback
                if callback is not None:
                    self._guard(callback)

    def _forget(self, fd: int) -> None:
        """Nobody handles it any more: whoever unwatched it was interrupted in the midst, or has yet to say it here."""
        self.selector.unregister(fd)
        # Who watches a descriptor notes its handler first: we see it here, or have come before it.
        if fd in self.handlers:
            self.selector.modify(fd, self._masks[fd])

    def _guard(self, callback: Callable[..., None], *arguments: int) -> None:
        try:
            callback(*arguments)
        except BaseException as error:  # noqa: BLE001 - the fence: an application's function may raise SystemExit here
            report(f"a callback of {self.name}", error)

    def _handle_wakeup(self, _mask: int) -> None:
        self.wakeup.clear()

    def _run_back_stop(self) -> None:
        # Forget the timer before looking: whoever notes an engine from here on makes a new one.
        self._back_stop = None
        now = monotonic()
        for engine in list(self._left_over):
            self._left_over.discard(engine)
            try:
                again = engine.flush_left_over(now)
            except Exception as error:  # noqa: BLE001 - the fence: one socket's trouble is not the others'
                report(f"the back-stop of {self.name}", error)
                self._note_later(engine, now)
                continue
            if again:
                self.note_left_over(engine)

    def _note_later(self, engine: Flushable, now: float) -> None:
        self.call_at(now + SHORTAGE_PAUSE_S, lambda: self.note_left_over(engine))


def _make_selector(wake: Callable[[], None]) -> EpollSelector | PortableSelector:
    """The best selector of this system for an I/O thread."""
    if is_nestable():
        return EpollSelector()
    from purezmq.engine.portable_selector import PortableSelector  # it needs `selectors`, epoll doesn't

    return PortableSelector(wake)
