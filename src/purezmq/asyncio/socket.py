"""Socket: the methods that wait return futures; everything else is the synchronous socket's.

What is ready costs what it costs there, and no turn of the event loop: `recv` pops a message, `send` appends one. Who
must wait does so in the binding of the running loop (`binding`), and the loop's own thread does the reading and
writing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purezmq.asyncio.readiness import AsyncReadiness
from purezmq.asyncio.ready import make_failed, make_ready
from purezmq.asyncio.socket_recv import AsyncSocketRecv
from purezmq.asyncio.socket_send import AsyncSocketSend
from purezmq.asyncio.waiter import PollFuture
from purezmq.constants import ENOTSUP
from purezmq.constants import POLLIN as _POLLIN_FLAG
from purezmq.constants import POLLOUT as _POLLOUT_FLAG
from purezmq.error import ZMQError, make_error

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self, TypeVar

    from purezmq.asyncio.event_stream import EventStream
    from purezmq.message import MessageTracker

    class AsyncReadyEvents(int):
        """What ``socket.events`` is: see `ReadyEvents`; the stream is one for tasks."""

        def __call__(self, timeout: float | None = None, *, max_events: int | None = None) -> EventStream:
            """See `ReadyEvents`."""

    _T = TypeVar("_T")
    _R = TypeVar("_R")

__all__ = ["Socket"]

#: Plain numbers: arithmetic with the enumeration itself costs a microsecond.
_POLLIN = int(_POLLIN_FLAG)
_POLLOUT = int(_POLLOUT_FLAG)


class Socket(AsyncSocketSend, AsyncSocketRecv, AsyncReadiness):
    """A 0MQ socket for tasks: ``await socket.recv()``. Any thread may call any method, each within its own event loop.

    Args:
        context: the context; or a socket, synchronous or not, of which this is a second handle.
        socket_type: a SocketType.
        io_loop: deprecated and ignored; the running loop is used.
        kwargs: options to set, by lower-case name.

    Raises:
        ZMQError: EINVAL (no such type), EMFILE (MAX_SOCKETS of the context), ETERM (it is terminated).
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Made at run time by `_deserialize`, and by `send`; here are their types.

        def send_string(  # type: ignore[override]  # a future of what the synchronous one returns
            self,
            u: str,
            flags: int = ...,
            copy: bool = ...,
            encoding: str = ...,
            *,
            timeout: float | None = ...,
            **kwargs: Any,
        ) -> Future[MessageTracker | None]:
            """See `send_string` of the synchronous socket."""

        def recv_string(  # type: ignore[override]  # a future of what the synchronous one returns
            self, flags: int = ..., encoding: str = ..., *, timeout: float | None = ...
        ) -> Future[str]:
            """See `recv_string` of the synchronous socket."""

        def send_json(  # type: ignore[override]  # a future of what the synchronous one returns
            self, obj: object, flags: int = ..., *, timeout: float | None = ..., **kwargs: Any
        ) -> Future[None]:
            """See `send_json` of the synchronous socket."""

        def recv_json(self, flags: int = ..., *, timeout: float | None = ..., **kwargs: Any) -> Future[Any]:
            """See `recv_json` of the synchronous socket."""

        def send_pyobj(  # type: ignore[override]  # a future of what the synchronous one returns
            self, obj: object, flags: int = ..., protocol: int = ..., *, timeout: float | None = ..., **kwargs: Any
        ) -> Future[MessageTracker | None]:
            """See `send_pyobj` of the synchronous socket."""

        def recv_pyobj(self, flags: int = ..., *, timeout: float | None = ...) -> Future[Any]:
            """See `recv_pyobj` of the synchronous socket."""

        def send_serialized(  # type: ignore[override]  # a future of what the synchronous one returns
            self,
            msg: _T,
            serialize: Callable[[_T], Sequence[Any]],
            flags: int = ...,
            copy: bool = ...,
            *,
            timeout: float | None = ...,
            **kwargs: Any,
        ) -> Future[MessageTracker | None]:
            """See `send_serialized` of the synchronous socket."""

        def recv_serialized(  # type: ignore[override]  # a future of what the synchronous one returns
            self,
            deserialize: Callable[[list[Any]], _R],
            flags: int = ...,
            copy: bool = ...,
            *,
            timeout: float | None = ...,
        ) -> Future[_R]:
            """See `recv_serialized` of the synchronous socket."""

        @property
        def events(self) -> AsyncReadyEvents:  # type: ignore[override]  # an option as an attribute, as the others
            """See `events` of the synchronous socket."""

        send_unicode = send_string  # type: ignore[assignment]  # as above
        recv_unicode = recv_string  # type: ignore[assignment]  # as above

    # -- readiness -----------------------------------------------------------------------------------------------

    def poll(  # type: ignore[override]  # pyzmq derives it from the synchronous one
        self, timeout: float | None = None, flags: int = _POLLIN
    ) -> Future[int]:
        """Wait until a message may be received (POLLIN) or sent (POLLOUT).

        Args:
            timeout: milliseconds; None or negative to wait for ever.
            flags: POLLIN, POLLOUT or both.

        Returns:
            A future of the flags that are true, 0 when the time is over.

        Raises:
            ZMQError: ENOTSUP when the socket is closed (as pyzmq).
        """
        if self._shared.closed:
            raise make_error(ENOTSUP, "the socket is closed and can't be polled")
        binding = self._here()
        flags = int(flags)
        try:
            events = self._events(flags)
            if not events and timeout == 0:
                binding.look()
                events = self._events(flags)
        except ZMQError as error:
            return make_failed(binding.loop, error)
        if events or timeout == 0:
            return make_ready(events)
        future = PollFuture(binding, lambda: self._look_for_events(flags), 0)
        binding.wait(future, binding.pollers, None if timeout is None or timeout < 0 else timeout / 1000)
        # Announced first, looked second, as in `_receive`.
        binding.serve()
        return future

    def _look_for_events(self, flags: int) -> int:
        """Which of the flags are true now; if it's none, this loop is told of what changes that."""
        if flags & _POLLOUT:
            with self._engine.lease.afterwards, self._engine.lease.guard:
                self._engine.mark_room()
        return self._events(flags)

    def _open_events(self, timeout: float | None, max_events: int | None) -> EventStream:  # type: ignore[override]
        """See `Socket._open_events`."""
        from purezmq.asyncio.event_stream import EventStream
        from purezmq.sockets.event_stream import open_event_stream

        return open_event_stream(self, max_events, lambda engine, queue: EventStream(engine, queue, timeout))

    # -- life ----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """The socket; it's closed at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()
