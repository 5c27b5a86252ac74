"""The event stream of an asynchronous socket: ``async for event in socket.events()``. Any event loop may read it."""

from __future__ import annotations

from asyncio import get_running_loop
from time import monotonic
from typing import TYPE_CHECKING

from purezmq.constants import EAGAIN
from purezmq.error import make_error
from purezmq.sockets.event_stream import EventStreamState, seconds_left

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from types import TracebackType
    from typing import Self

    from purezmq.engine.socket_event import SocketEvent

__all__ = ["EventStream"]


class EventStream(EventStreamState):
    """The events of a socket, from the call of `Socket.events` on. Any task may read; each event goes to one.

    ``async for event in stream`` waits for each event for `timeout` seconds and ends, quietly, when none comes, when
    the stream or the socket was closed, or the context terminated. After a pause it can be iterated again.
    """

    __slots__ = ()

    async def get(self, timeout: float | None = None) -> SocketEvent:  # noqa: ASYNC109 - as all of this library's
        """Wait for the next event. A cancelled task loses none.

        Args:
            timeout: seconds to wait, 0 not to wait; None for the stream's own `timeout`.

        Raises:
            Again: no event came in time.
            ContextTerminated: the context was terminated, and every event read.
            ZMQError: ENOTSOCK: the stream or the socket was closed, and every event read.
        """
        event = await self._next(self._timeout if timeout is None else timeout)
        if event is None:
            if self._queue.exhausted:
                self._queue.check_open()
            raise make_error(EAGAIN, "no event came in time")
        return event

    async def _next(self, timeout: float | None) -> SocketEvent | None:  # noqa: ASYNC109 - as above
        """The next event; None when there is none in time, or there will be none."""
        deadline = None if timeout is None else monotonic() + timeout
        queue = self._queue
        while True:
            event = queue.take()
            left = seconds_left(deadline)
            if event is not None or queue.exhausted or (left is not None and left <= 0):
                return event
            pause = _TaskPause(get_running_loop())
            event = queue.take(pause.wake)
            if event is not None:
                return event
            try:
                if not queue.ended:
                    await pause.sleep(left)
            finally:
                queue.forget(pause.wake)

    def __aiter__(self) -> Self:
        """The stream."""
        return self

    async def __anext__(self) -> SocketEvent:
        """The next event; the end when none comes in time, or none will follow."""
        event = await self._next(self._timeout)
        if event is None:
            raise StopAsyncIteration
        return event

    def __enter__(self) -> Self:
        """The stream; it's closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    async def __aenter__(self) -> Self:
        """The stream; it's closed at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


class _TaskPause:
    """A task sleeps, until any thread wakes it."""

    __slots__ = ("_future", "_loop")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._future: Future[None] = loop.create_future()

    def wake(self) -> None:
        """End the sleep (any thread)."""
        try:
            self._loop.call_soon_threadsafe(self._finish)
        except RuntimeError:  # the loop is closed, nobody sleeps
            return

    def _finish(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def sleep(self, timeout: float | None) -> None:  # noqa: ASYNC109 - as above
        """Sleep until `wake`, at most `timeout` seconds."""
        timer = None if timeout is None else self._loop.call_later(timeout, self._finish)
        try:
            await self._future
        finally:
            if timer is not None:
                timer.cancel()
