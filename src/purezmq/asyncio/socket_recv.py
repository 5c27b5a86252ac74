"""Receiving for tasks: the hot room. A message that is there costs a `popleft` and a future that is done already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from purezmq.asyncio.ready import Ready, make_failed, make_ready
from purezmq.asyncio.socket_state import AsyncSocketState
from purezmq.asyncio.taking import ManyRequest, MessageRequest, PartRequest
from purezmq.asyncio.waiter import ReceiveFuture
from purezmq.constants import DONTWAIT as _DONTWAIT_FLAG
from purezmq.constants import EAGAIN, EFSM
from purezmq.error import ZMQError, make_error
from purezmq.sockets.reason import why_nothing_arrived
from purezmq.sockets.socket_recv import writable_view

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable
    from typing import Literal, Self

    from typing_extensions import Buffer

    from purezmq.asyncio.taking import Request
    from purezmq.message import Frame

__all__ = ["AsyncSocketRecv"]

#: A plain number: arithmetic with the enumeration itself costs a microsecond.
_DONTWAIT = int(_DONTWAIT_FLAG)


class AsyncSocketRecv(AsyncSocketState):
    """The receiving methods of an asynchronous socket."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # pyzmq's asynchronous socket derives from the synchronous one
        def recv(
            self, flags: int = ..., copy: Literal[True] = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> Future[bytes]: ...
        @overload
        def recv(
            self, flags: int = ..., *, copy: Literal[False], track: bool = ..., timeout: float | None = ...
        ) -> Future[Frame]: ...
        @overload
        def recv(
            self, flags: int = ..., copy: bool = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> Future[Any]: ...

    def recv(self, flags: int = 0, copy: bool = True, track: bool = False, timeout: float | None = None) -> Any:
        """Receive one message part.

        Args:
            flags: DONTWAIT to fail with Again at once when nothing is there.
            copy: True for bytes, False for a Frame (which also tells metadata).
            track: accepted for pyzmq's sake; a received message needs no tracking.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            A future of bytes, or of a Frame. It fails with Again when nothing came in time, with ContextTerminated when
            the context was terminated, with ENOTSUP when the type can't receive; closing the socket cancels it.

        Raises:
            ZMQError: ENOTSOCK: the socket is closed.
        """
        ready = self._ready
        if ready and copy and not self._receivers:
            try:
                message = ready.popleft()
            except IndexError:  # another thread was quicker
                message = None
            if type(message) is bytes:
                future = Ready()
                future.value = message
                return future
            if isinstance(message, list):
                return make_ready(self._recv_part(message, 0, True, False, None))
            if message is not None:
                message.wake()  # a RoomMarker
        return self._receive(PartRequest(copy=copy), flags, timeout)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # pyzmq derives it from the synchronous one
        def recv_multipart(
            self, flags: int = ..., copy: Literal[True] = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> Future[list[bytes]]: ...
        @overload
        def recv_multipart(
            self, flags: int = ..., *, copy: Literal[False], track: bool = ..., timeout: float | None = ...
        ) -> Future[list[Frame]]: ...
        @overload
        def recv_multipart(
            self, flags: int = ..., copy: bool = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> Future[Any]: ...

    def recv_multipart(
        self, flags: int = 0, copy: bool = True, track: bool = False, timeout: float | None = None
    ) -> Any:
        """Receive a whole message as a list of its parts (the remaining ones, after recv() gave some).

        Arguments, the future's errors: see `recv`.
        """
        ready = self._ready
        if ready and copy and not self._receivers:
            try:
                message = ready.popleft()
            except IndexError:  # another thread was quicker
                message = None
            if type(message) is list or type(message) is bytes:
                future = Ready()
                future.value = message if type(message) is list else [message]
                return future
            if isinstance(message, list):
                return make_ready(self._recv_parts(message, 0, True, False, None))
            if message is not None:
                message.wake()  # a RoomMarker
        return self._receive(MessageRequest(copy=copy), flags, timeout)

    def recv_many(  # type: ignore[override]  # pyzmq derives it from the synchronous one
        self, max_messages: int = 1000, flags: int = 0, *, timeout: float | None = None
    ) -> Future[list[Any]]:
        """Receive a batch: everything that is there, at least one message.

        Args:
            max_messages: at most this many.
            flags: see `recv`.
            timeout: seconds to wait for the first message, instead of RCVTIMEO.

        Returns:
            A future of a list of messages in order: bytes for one of a single part, a list of bytes for a multipart.
            Its errors: see `recv`.

        Raises:
            ValueError: max_messages is less than 1.
            ZMQError: ENOTSOCK: the socket is closed.
        """
        if max_messages < 1:
            text = f"max_messages must be at least 1, not {max_messages}"
            raise ValueError(text)
        return self._receive(ManyRequest(max_messages), flags, timeout)

    def recv_into(  # type: ignore[override]  # pyzmq derives it from the synchronous one
        self, buffer: Buffer, /, *, nbytes: int = 0, flags: int = 0, timeout: float | None = None
    ) -> Future[int]:
        """Receive one part into a writable buffer, which nobody else may use until the future is done.

        Args:
            buffer: where to.
            nbytes: at most this many bytes; 0 for the size of the buffer.
            flags: as `recv`.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            A future of the size of the whole part, which may exceed what fitted: then the rest is lost (as in pyzmq).

        Raises:
            ValueError, TypeError, BufferError: the buffer is not writable, or too small for nbytes.
            ZMQError: ENOTSOCK: the socket is closed.
        """
        view = writable_view(buffer, nbytes)

        def fill(part: bytes) -> int:
            fits = part[: len(view)]
            view[: len(fits)] = fits
            return len(part)

        return self._receive(PartRequest(load=fill), flags, timeout)

    def __aiter__(self) -> Self:
        """Messages until the socket is closed: bytes for one of a single part, a list of bytes for a multipart."""
        return self

    def __anext__(self) -> Future[bytes | list[bytes]]:
        """The next message.

        Raises:
            StopAsyncIteration: the socket is closed.
        """
        ready = self._ready
        if ready and not self._receivers:
            try:
                message = ready.popleft()
            except IndexError:  # another thread was quicker
                message = None
            if type(message) is list or type(message) is bytes:
                return make_ready(message)
            if message is not None and not isinstance(message, list):
                message.wake()  # a RoomMarker
            elif message is not None:
                return make_ready(self._normalise(message))
        if self.closed:
            raise StopAsyncIteration
        return self._receive(MessageRequest(plain=True), 0, None, ends_iteration=True)

    def _receive(
        self, request: Request, flags: int, timeout: float | None, *, ends_iteration: bool = False
    ) -> Future[Any]:
        """What needs a closer look: not plain bytes, or not there yet."""
        self._check_open()
        if not request.copy and not self._pattern.take_origin:
            self._take_origins()
        binding = self._here()
        if timeout is None and self._options.rcvtimeo >= 0:
            timeout = self._options.rcvtimeo / 1000
        is_now = bool(flags & _DONTWAIT) or timeout == 0.0
        try:
            if not binding.receivers:
                found = self._try_receive(request, is_now)
                if found is not None:
                    return found
            if is_now:
                binding.look()
                return self._try_receive(request, True) or make_failed(binding.loop, self._make_again())
        except Exception as error:  # noqa: BLE001 - a future that failed, whatever happened
            return make_failed(binding.loop, error)
        future = ReceiveFuture(binding, request, ends_iteration=ends_iteration)
        if binding.receivers:
            binding.settle_soon()
        binding.wait(future, binding.receivers, timeout)
        # Announced first, looked second: what came in between is seen here, what comes later rings.
        if self._recv_hint():
            binding.loop.call_soon(binding.serve)
        return future

    def _make_again(self) -> ZMQError:
        """The error of a receive whose time is over."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            return make_error(EAGAIN, why_nothing_arrived(self._engine))

    def _try_receive(self, request: Request, is_now: bool) -> Future[Any] | None:
        """A future that is done, or None when nothing is there.

        Raises:
            ZMQError: ENOTSUP, ETERM; EFSM if it `is_now`, else the next send may change that.
            Exception: what `request.load` raises.
        """
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            try:
                taken = request.take(self)
            except ZMQError as error:
                if error.errno != EFSM or is_now:
                    raise
                return None
            if taken is None:
                if is_now or not self._pattern.can_receive:
                    self._pattern.check_recv()
                return None
            self._engine.queues.note_taken()
            value = request.convert(self, taken)
        return make_ready(value if request.load is None else request.load(value))

    def _deserialize(self, recvd: Any, load: Callable[[Any], Any]) -> Any:
        """Apply a function to what a future will have."""
        if type(recvd) is ReceiveFuture:
            inner = recvd.request.load
            recvd.request.load = load if inner is None else lambda value: load(inner(value))
        elif type(recvd) is Ready:
            try:
                recvd.value = load(recvd.value)
            except Exception as error:  # noqa: BLE001 - a future that failed, whatever happened
                return make_failed(self._here().loop, error)
        return recvd
