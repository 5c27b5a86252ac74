"""Event streams: what happens to a socket, as typed events to wait for and to iterate over.

`EventStreamState` is what the streams of all fronts share; `EventStream` blocks the thread that waits. A stream holds
the socket's engine and never the socket: a forgotten socket is closed although somebody listens, and a forgotten
stream stops listening.
"""

from __future__ import annotations

from sys import is_finalizing
from time import monotonic

from purezmq.constants import EAGAIN, ENOTSOCK
from purezmq.error import make_error
from purezmq.native import allocate_lock
from purezmq.sockets.event_queue import MAX_EVENTS, EventQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Protocol, Self, TypeVar

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.engine.socket_event import SocketEvent
    from purezmq.sockets.socket_state import SocketState

    _StreamT = TypeVar("_StreamT", bound="EventStreamState")

    class Pause(Protocol):
        """How a reader sleeps until the first `wake`; used once."""

        def wake(self) -> None:
            """End the sleep, or the one to come (any thread)."""

        def sleep(self, timeout: float | None) -> None:
            """Sleep until `wake`, at most `timeout` seconds."""

        def close(self) -> None:
            """Free what it holds."""


__all__ = ["EventStream", "EventStreamState", "ThreadPause", "open_event_stream", "seconds_left"]

#: The longest sleep that every system can do (seconds; 46 days). Who waits longer sleeps again.
_MAX_SLEEP_S = 4_000_000.0


class EventStreamState:
    """What all streams share.

    Args:
        source: the engine of the socket.
        queue: where its events are collected.
        timeout: seconds to wait for each event; None for ever.
    """

    __slots__ = ("__weakref__", "_queue", "_source", "_timeout")

    def __init__(self, source: SocketEngine, queue: EventQueue, timeout: float | None) -> None:
        self._source = source
        self._queue = queue
        self._timeout = timeout

    @property
    def dropped(self) -> int:
        """How many events were pushed out unread, because more than `max_events` waited."""
        return self._queue.dropped

    @property
    def closed(self) -> bool:
        """Whether no event will follow; those that wait can still be read."""
        return self._queue.ended

    def close(self) -> None:
        """Listen no more; what was collected can still be read, then iteration ends. Idempotent, from any thread."""
        source, queue = self._source, self._queue
        source.post(lambda: source.remove_observer(queue))
        queue.end(ENOTSOCK)

    def __repr__(self) -> str:
        """Tell what waits."""
        closed = " closed" if self.closed else ""
        return f"<{type(self).__name__} {len(self._queue)} waiting, {self.dropped} dropped{closed}>"

    def __del__(self) -> None:
        """Nobody can read it any more. The collector may run anywhere, so another thread takes the lease."""
        source, queue = getattr(self, "_source", None), getattr(self, "_queue", None)
        if source is None or queue not in source.observers or is_finalizing():
            return

        def remove() -> None:
            with source.lease.afterwards, source.lease.guard:
                source.remove_observer(queue)

        try:
            source.loop.call(remove)
        except RuntimeError:  # no thread can be started any more: the process ends
            return


class EventStream(EventStreamState):
    """The events of a socket, from the call of `Socket.events` on. Any thread may read; each event goes to one.

    ``for event in stream`` waits for each event for `timeout` seconds and ends, quietly, when none comes, when the
    stream or the socket was closed, or the context terminated. After a pause it can be iterated again.
    """

    __slots__ = ("_make_pause",)

    def __init__(
        self, source: SocketEngine, queue: EventQueue, timeout: float | None, make_pause: Callable[[], Pause]
    ) -> None:
        super().__init__(source, queue, timeout)
        self._make_pause = make_pause

    def get(self, timeout: float | None = None) -> SocketEvent:
        """Wait for the next event. Ctrl-C interrupts the wait, and the event stays for the next one.

        Args:
            timeout: seconds to wait, 0 not to wait; None for the stream's own `timeout`.

        Raises:
            Again: no event came in time.
            ContextTerminated: the context was terminated, and every event read.
            ZMQError: ENOTSOCK: the stream or the socket was closed, and every event read.
        """
        event = self._next(self._timeout if timeout is None else timeout)
        if event is None:
            if self._queue.exhausted:
                self._queue.check_open()
            raise make_error(EAGAIN, "no event came in time")
        return event

    def _next(self, timeout: float | None) -> SocketEvent | None:
        """The next event; None when there is none in time, or there will be none."""
        deadline = None if timeout is None else monotonic() + timeout
        queue = self._queue
        while True:
            event = queue.take()
            left = seconds_left(deadline)
            if event is not None or queue.exhausted or (left is not None and left <= 0):
                return event
            pause = self._make_pause()
            try:
                event = queue.take(pause.wake)
                if event is not None:
                    return event
                if not queue.ended:
                    pause.sleep(left)
            finally:
                queue.forget(pause.wake)
                pause.close()

    def __iter__(self) -> Self:
        """The stream."""
        return self

    def __next__(self) -> SocketEvent:
        """The next event; the end when none comes in time, or none will follow."""
        event = self._next(self._timeout)
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> Self:
        """The stream; it's closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


class ThreadPause:
    """A thread sleeps. A lock that is taken twice: the second time by who sleeps."""

    __slots__ = ("_lock", "wake")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()
        #: Called once at most: the queue takes a waker off its list before it calls it.
        self.wake = self._lock.release

    def sleep(self, timeout: float | None) -> None:
        """Sleep until `wake`, at most `timeout` seconds; Ctrl-C interrupts."""
        if timeout is None:
            self._lock.acquire()
        else:
            self._lock.acquire(True, min(timeout, _MAX_SLEEP_S))

    def close(self) -> None:
        """It holds nothing."""


def seconds_left(deadline: float | None) -> float | None:
    """How long to wait until a monotonic time; None for ever."""
    return None if deadline is None else deadline - monotonic()


def open_event_stream(
    socket: SocketState, max_events: int | None, make: Callable[[SocketEngine, EventQueue], _StreamT]
) -> _StreamT:
    """Begin to collect a socket's events.

    Args:
        socket: any handle of it.
        max_events: how many unread ones are held; None for `MAX_EVENTS`.
        make: makes the stream.

    Raises:
        ValueError: max_events is less than 1.
        ZMQError: ENOTSOCK, ETERM.
    """
    limit = MAX_EVENTS if max_events is None else int(max_events)
    if limit < 1:
        text = f"max_events must be at least 1, not {limit}"
        raise ValueError(text)
    queue = EventQueue(limit)
    engine = socket._engine
    stream = make(engine, queue)
    with engine.lease.afterwards, engine.lease.guard:
        socket._check_open()
        engine.observers = (*engine.observers, queue)
    return stream
