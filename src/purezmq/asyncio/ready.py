"""The future of something that is there already: what `recv` and `send` return when nobody has to wait.

An `asyncio.Future` costs more than receiving a message does: it asks its loop for the debug mode, and prepares for
callbacks that never come. A future that is done from the start needs none of it: awaiting it gives the value, a
callback is called soon, cancelling it is too late. That is all there is here; waiting is in `waiter`.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future, InvalidStateError, get_event_loop
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context

__all__ = ["Ready", "make_failed", "make_ready"]


class Ready:
    """A future that is done. For `isinstance` and for `asyncio` it is an `asyncio.Future`, with all of its methods.

    Attributes:
        value: the result. The hot paths set it themselves: a constructor would cost as much again.
    """

    __slots__ = ("__weakref__", "value")

    #: What `asyncio.isfuture` looks at: it is a future, and nobody is blocked on it.
    _asyncio_future_blocking = False
    _log_traceback = False
    _source_traceback = None
    _cancel_message = None
    _state = "FINISHED"
    _exception = None

    __class__ = property(lambda _self: Future)  # for isinstance

    value: Any

    def __await__(self) -> Generator[Any, None, Any]:
        """The value, at once."""
        return self.value
        yield  # type: ignore[unreachable]  # what makes this a generator

    __iter__ = __await__

    def __repr__(self) -> str:
        """As a future that is done."""
        return f"<Future finished result={self.value!r}>"

    @property
    def _result(self) -> Any:
        return self.value

    @property
    def _loop(self) -> AbstractEventLoop:
        return self.get_loop()

    def get_loop(self) -> AbstractEventLoop:
        """The running loop: what is done belongs to whoever asks."""
        return get_event_loop()

    def result(self) -> Any:
        """The value."""
        return self.value

    def exception(self) -> None:
        """None."""

    def done(self) -> bool:
        """True."""
        return True

    def cancelled(self) -> bool:
        """False."""
        return False

    def cancel(self, msg: Any = None) -> bool:
        """False: it is too late."""
        del msg
        return False

    def add_done_callback(self, fn: Callable[[Any], object], *, context: Context | None = None) -> None:
        """Have ``fn(self)`` called soon."""
        self.get_loop().call_soon(fn, self, context=context)

    def remove_done_callback(self, fn: Callable[[Any], object]) -> int:
        """0: no callback waits."""
        del fn
        return 0

    def set_result(self, result: Any) -> None:
        """It has one.

        Raises:
            InvalidStateError: always.
        """
        raise InvalidStateError(f"invalid state: the result is there already, {result!r} comes too late")

    def set_exception(self, exception: Any) -> None:
        """It has a result.

        Raises:
            InvalidStateError: always.
        """
        raise InvalidStateError(f"invalid state: the result is there already, {exception!r} comes too late")


def make_ready(value: Any) -> Future[Any]:
    """A future that is done."""
    ready = Ready()
    ready.value = value
    return ready  # type: ignore[return-value]  # it is one for all that ask


def make_failed(loop: AbstractEventLoop, error: BaseException) -> Future[Any]:
    """A future that failed."""
    future: Future[Any] = Future(loop=loop)
    future.set_exception(error)
    return future
