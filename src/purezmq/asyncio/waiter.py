"""The futures of those who wait: for a message, for room to send, or for either (poll).

A message is lost by nobody: asyncio may cancel a task in the very turn in which the message was handed to its future.
Such a future is done, so cancelling it has no effect; the task is woken with CancelledError instead of the message. The
future sees that in its `__await__` and gives the message back, before any other task of the loop runs.
"""

from __future__ import annotations

from asyncio import Future
from typing import TYPE_CHECKING, Any

from purezmq.constants import EAGAIN
from purezmq.error import make_error
from purezmq.sockets.reason import why_blocked, why_nothing_arrived

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Callable, Generator

    from purezmq.asyncio.binding import LoopBinding
    from purezmq.asyncio.taking import Request, Taken

__all__ = ["PollFuture", "ReceiveFuture", "SendFuture", "Waiter"]


class Waiter(Future[Any]):
    """What waits in one event loop for one socket.

    Args:
        binding: where it waits.
    """

    def __init__(self, binding: LoopBinding) -> None:
        super().__init__(loop=binding.loop)
        self.binding = binding
        self.timer: TimerHandle | None = None

    def start_timer(self, timeout: float) -> None:
        """Wait no longer than `timeout` seconds."""
        self.timer = self.binding.loop.call_later(timeout, self._end_time)

    def _end_time(self) -> None:
        self.timer = None
        if not self.done():
            self.binding.look()
        if not self.done():
            socket = self.binding.socket  # kept alive until it has said why
            self.binding.forget(self)
            self.expire()
            del socket

    def expire(self) -> None:
        """The time is over."""
        socket = self.binding.socket
        with socket._engine.lease.afterwards, socket._engine.lease.guard:
            error = make_error(EAGAIN, why_nothing_arrived(socket._engine))
        self.set_exception(error)

    def finish(self, value: Any) -> None:
        """It waits no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.set_result(value)

    def fail(self, error: BaseException) -> None:
        """It waits in vain."""
        if self.done():
            return
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.set_exception(error)

    def cancel(self, msg: Any = None) -> bool:
        """Wait no more: nothing was received for it, nothing is sent."""
        if not super().cancel(msg):
            return False
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.binding.forget(self)
        return True


class ReceiveFuture(Waiter):
    """Somebody waits for a message.

    Args:
        binding: where.
        request: what it wants.
        ends_iteration: when the socket is closed, this is the end of an ``async for``, not a cancellation.
    """

    def __init__(self, binding: LoopBinding, request: Request, *, ends_iteration: bool = False) -> None:
        super().__init__(binding)
        self.request = request
        self.ends_iteration = ends_iteration
        #: What it was given, until a task went on with it.
        self.taken: Taken | None = None
        self._raw: Any = None
        self._value: Any = None
        self._failure: Exception | None = None

    def give(self, taken: Taken) -> None:
        """Hand over what was taken for it (lease held); again to replace that by something else. `load` follows."""
        self.taken = taken
        self._raw = self.request.convert(self.binding.socket, taken)

    def load(self) -> None:
        """Make the result of what it was given, by the application's own function perhaps (no lease)."""
        if self.taken is None:
            return
        self._value, self._failure = self._raw, None
        if self.request.load is not None:
            try:
                self._value = self.request.load(self._raw)
            except Exception as error:  # noqa: BLE001 - what the application's function raises is the result
                self._failure = error

    def publish(self) -> None:
        """Wake who waits for it."""
        self.load()
        if self.done():  # cancelled by the function that made its result, or that of another one
            return
        if self._failure is not None:
            self.taken = None
            self.fail(self._failure)
        else:
            self.finish(self._value)

    def cancel(self, msg: Any = None) -> bool:
        """See `Waiter`."""
        if not super().cancel(msg):
            return False
        if self.taken is not None:
            self.binding.give_back(self)
        return True

    def result(self) -> Any:
        """The message.

        Raises:
            CancelledError, InvalidStateError: as any future.
            ZMQError: receiving failed.
        """
        super().result()
        if self._failure is not None:
            raise self._failure
        return self._value

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait for the message, and give it back when the waiting task is cancelled after all."""
        if not self.done():
            self._asyncio_future_blocking = True
            try:
                yield self
            except BaseException as error:
                if self.taken is not None:
                    self.binding.give_back(self, collected=isinstance(error, GeneratorExit))
                raise
            if not self.done():
                text = "await wasn't used with future"
                raise RuntimeError(text)
        if self.taken is not None:
            self.taken = None
            self.binding.note_consumed(self)
        return self.result()

    __iter__ = __await__


class SendFuture(Waiter):
    """Somebody waits for room.

    Args:
        binding: where.
        message: what is to be sent, whole.
    """

    def __init__(self, binding: LoopBinding, message: Any) -> None:
        super().__init__(binding)
        self.message = message
        #: The MessageTracker, if one was asked for.
        self.tracker: Any = None

    def expire(self) -> None:
        """The time is over."""
        socket = self.binding.socket
        with socket._engine.lease.afterwards, socket._engine.lease.guard:
            error = make_error(EAGAIN, why_blocked(socket._pattern, self.message))
        self.set_exception(error)


class PollFuture(Waiter):
    """Somebody waits for events, and takes nothing.

    Args:
        binding: where.
        look: returns what is ready, something false when nothing is.
        nothing: the result when the time is over.
        wants_room: it waits for POLLOUT, too.
    """

    def __init__(
        self, binding: LoopBinding, look: Callable[[], Any], nothing: Any, *, wants_room: bool = False
    ) -> None:
        super().__init__(binding)
        self.look = look
        self.nothing = nothing
        self.wants_room = wants_room

    def expire(self) -> None:
        """The time is over."""
        self.set_result(self.nothing)
