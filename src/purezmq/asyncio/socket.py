"""Socket: the methods that wait return futures; everything else is the synchronous socket's.

What is ready costs what it costs there, and no turn of the event loop: `recv` pops a message, `send` appends one. Who
must wait does so in the binding of the running loop (`binding`), and the loop's own thread does the reading and writing.
"""

from __future__ import annotations

import warnings
from asyncio import get_event_loop, get_running_loop
from typing import TYPE_CHECKING, Any, overload

from purezmq.asyncio.binding import LoopBinding
from purezmq.asyncio.ready import Ready, make_failed, make_ready
from purezmq.asyncio.taking import ManyRequest, MessageRequest, PartRequest
from purezmq.asyncio.turn import flush_soon
from purezmq.asyncio.waiter import PollFuture, ReceiveFuture, SendFuture
from purezmq.constants import DONTWAIT as _DONTWAIT_FLAG
from purezmq.constants import EAGAIN, EFSM, ENOTSUP
from purezmq.constants import POLLIN as _POLLIN_FLAG
from purezmq.constants import POLLOUT as _POLLOUT_FLAG
from purezmq.engine.burst import thread_state
from purezmq.error import Again, ZMQError, make_error
from purezmq.native import allocate_lock
from purezmq.sockets.socket import Socket as SyncSocket
from purezmq.sockets.socket_recv import writable_view
from purezmq.sockets.socket_state import NO_TARGET

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Literal, Self, TypeVar

    from typing_extensions import Buffer

    from purezmq.asyncio.taking import Request
    from purezmq.message import Frame, MessageTracker
    from purezmq.sockets.context import Context

    _T = TypeVar("_T")
    _R = TypeVar("_R")

__all__ = ["Socket"]

#: Plain numbers: arithmetic with the enumeration itself costs a microsecond.
_DONTWAIT = int(_DONTWAIT_FLAG)
_POLLIN = int(_POLLIN_FLAG)
_POLLOUT = int(_POLLOUT_FLAG)
#: Stands in for the receivers of the only loop while there is none, or several: `recv` must take a closer look.
_LOOK_CLOSER: Any = (None,)
_bind_lock = allocate_lock()


class Socket(SyncSocket):
    """A 0MQ socket for tasks: ``await socket.recv()``. Any thread may call any method, each within its own event loop.

    Args:
        context: the context; or a socket, synchronous or not, of which this is a second handle.
        socket_type: a SocketType.
        io_loop: deprecated and ignored; the running loop is used.
        kwargs: options to set, by lower-case name.

    Raises:
        ZMQError: EINVAL (no such type), EMFILE (MAX_SOCKETS of the context), ETERM (it is terminated).
    """

    __slots__ = ("_binding", "_bindings", "_receivers")

    def __init__(
        self,
        context: Context[Any] | SyncSocket | None = None,
        socket_type: int = -1,
        io_loop: Any = None,
        _from_socket: SyncSocket | None = None,
        **kwargs: Any,
    ) -> None:
        #: The binding of the loop that used the socket last, and of all loops that used it.
        self._binding: LoopBinding | None = None
        self._bindings: list[LoopBinding] = []
        self._receivers: Any = _LOOK_CLOSER
        if io_loop is not None:
            text = f"{type(self).__name__}(io_loop) is deprecated: the running loop is used"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        source = context if _from_socket is None else _from_socket
        if source is None:
            text = "a socket needs a context, or a socket of which it is a second handle"
            raise TypeError(text)
        super().__init__(source, socket_type, **kwargs)

    @classmethod
    def from_socket(cls, other_socket: SyncSocket, io_loop: Any = None) -> Self:
        """An asynchronous handle of a synchronous socket; each may be used, and closing one closes both."""
        return cls(_from_socket=other_socket, io_loop=io_loop)

    # -- the running loop ----------------------------------------------------------------------------------------

    def _here(self) -> LoopBinding:
        """What this socket is in the running loop."""
        try:
            loop = get_running_loop()
        except RuntimeError:
            text = "No running event loop. purezmq.asyncio should be used from within an asyncio loop."
            warnings.warn(text, RuntimeWarning, stacklevel=4)
            loop = get_event_loop()
        binding = self._binding
        return binding if binding is not None and binding.loop is loop else self._bind(loop)

    def _bind(self, loop: AbstractEventLoop) -> LoopBinding:
        with _bind_lock:
            alive = [binding for binding in self._bindings if not binding.loop.is_closed()]
            for binding in self._bindings:
                if binding not in alive:
                    binding.drop()
            found = next((binding for binding in alive if binding.loop is loop), None)
            if found is None:
                found = LoopBinding(self, loop)
                alive.append(found)
            self._bindings = alive
            self._binding = found
            self._receivers = found.receivers if len(alive) == 1 else _LOOK_CLOSER
        return found

    def _handle_closed(self) -> None:
        """Cancel what waits, in every loop."""
        for binding in self._bindings:
            binding.end_from_any_thread()

    def _refresh_send_path(self) -> None:
        """As every socket's (lease held); closed, too, while somebody waits for room: first come, first served."""
        super()._refresh_send_path()
        if any(binding.senders for binding in self._bindings):
            self._target = NO_TARGET

    # -- receiving -----------------------------------------------------------------------------------------------

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

    def recv(self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None) -> Any:
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

        @overload  # type: ignore[override]  # see recv
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
        self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None
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

    def recv_many(  # type: ignore[override]  # see recv
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

    def recv_into(  # type: ignore[override]  # see recv
        self, buffer: Buffer, /, *, nbytes: int = 0, flags: int = 0
    ) -> Future[int]:
        """Receive one part into a writable buffer, which nobody else may use until the future is done.

        Args:
            buffer: where to.
            nbytes: at most this many bytes; 0 for the size of the buffer.
            flags: as `recv`.

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

        return self._receive(PartRequest(load=fill), flags, None)

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
                return make_ready(message)  # type: ignore[no-any-return]  # a future of any type
            if message is not None and not isinstance(message, list):
                message.wake()  # a RoomMarker
            elif message is not None:
                return make_ready(self._normalise(message))  # type: ignore[no-any-return]  # as above
        if self.closed:
            raise StopAsyncIteration
        return self._receive(MessageRequest(plain=True), 0, None, ends_iteration=True)

    def _receive(
        self, request: Request, flags: int, timeout: float | None, *, ends_iteration: bool = False
    ) -> Any:
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
                return self._try_receive(request, True) or make_failed(
                    binding.loop, make_error(EAGAIN, "no message arrived in time")
                )
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

    def _try_receive(self, request: Request, is_now: bool) -> Any:
        """A future that is done, or None when nothing is there.

        Raises:
            ZMQError: ENOTSUP, ETERM; EFSM if it `is_now`, else the next send may change that.
            Exception: what `request.load` raises.
        """
        with self._engine.lease:
            self._check_open()
            try:
                taken = request.take(self)
            except ZMQError as error:
                if error.errno != EFSM or is_now:
                    raise
                return None
            if taken is None:
                if not self._pattern.can_receive:
                    self._pattern.check_recv()
                elif is_now:
                    self._pattern.check_recv()
                return None
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

    # -- sending -------------------------------------------------------------------------------------------------

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # see recv
        def send(
            self,
            data: Buffer | Frame,
            flags: int = ...,
            copy: bool = ...,
            *,
            track: Literal[True],
            routing_id: int | None = ...,
            group: str | None = ...,
            timeout: float | None = ...,
        ) -> Future[MessageTracker]: ...
        @overload
        def send(
            self,
            data: Buffer | Frame,
            flags: int = ...,
            copy: bool = ...,
            track: bool = ...,
            routing_id: int | None = ...,
            group: str | None = ...,
            *,
            timeout: float | None = ...,
        ) -> Future[MessageTracker | None]: ...

    def send(
        self,
        data: Any,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        routing_id: int | None = None,
        group: str | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Send one message part.

        Args:
            data: bytes, anything with the buffer protocol, or a Frame.
            flags: DONTWAIT to fail with Again at once when it can't be queued; SNDMORE when more parts follow.
            copy: False to refer to a large buffer instead of copying it.
            track: True to get a MessageTracker that tells when the buffer is free again (with copy=False).
            routing_id: the peer, for SERVER and PEER sockets.
            group: the group, for RADIO sockets.
            timeout: seconds to wait, instead of SNDTIMEO.

        Returns:
            A future: of a MessageTracker if asked for, else of None. It is done when the message is queued, and fails
            with what the synchronous `send` raises. Cancelling it while it waits for room withdraws the message.

        Raises:
            ZMQError: ENOTSOCK: the socket is closed.
        """
        target = self._target
        if type(data) is bytes and not flags and not track and len(target.outbound) < target.room:
            target.outbound.append(data)
            if target.quiet:
                self._tell_carrier(target)
            return _SENT
        return self._submit(super()._send_part, data, flags, copy, track, routing_id, group, timeout)

    def send_multipart(  # type: ignore[override]  # see recv
        self,
        msg_parts: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        *,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Future[MessageTracker | None]:
        """Send a whole message; all parts or nothing, never mixed with another task's.

        Arguments, returns: see `send`; the parts are at least one.
        """
        return self._submit(  # type: ignore[no-any-return]  # a future of whatever send_multipart returns
            lambda: SyncSocket.send_multipart(self, msg_parts, flags, copy, track, timeout=timeout, **kwargs)
        )

    def _submit(self, send: Callable[..., Any], *arguments: Any) -> Any:
        """Send by the synchronous socket's ways; where those would wait, the message waits in the binding."""
        self._check_open()
        binding = self._here()
        try:
            tracker = send(*arguments)
        except Exception as error:  # noqa: BLE001 - a future that failed, whatever happened
            return make_failed(binding.loop, error)
        blocked, binding.blocked = binding.blocked, None
        if blocked is not None:
            blocked.tracker = tracker
            if blocked.done() and not blocked.cancelled() and blocked.exception() is None:
                return make_ready(tracker)
            return blocked
        return _SENT if tracker is None else make_ready(tracker)

    def _send_message(self, message: Any, flags: int, timeout: float | None) -> None:
        """Give a whole message to the pattern, or let it wait for room in the binding."""
        binding = self._here()
        engine, pattern = self._engine, self._pattern
        if not binding.senders:
            with engine.lease:
                self._check_open()
                if not pattern.try_send(message):
                    engine.flush_all()
                    is_sent = pattern.try_send(message)
                else:
                    is_sent = True
            if is_sent:
                self._note_sent(binding)
                return
        if timeout is None and self._options.sndtimeo >= 0:
            timeout = self._options.sndtimeo / 1000
        if (flags and flags & _DONTWAIT) or timeout == 0.0:
            raise make_error(EAGAIN, f"the message can't be sent now: {pattern.why_blocked()}")
        future = binding.blocked = SendFuture(binding, message)
        binding.wait(future, binding.senders, timeout)
        with engine.lease:
            self._refresh_send_path()
        # Announced first, looked second, as in `_receive`.
        binding.serve()

    def _note_sent(self, binding: LoopBinding) -> None:
        if thread_state.engines:
            flush_soon()
        if binding.receivers and not self._pattern.fast_recv:
            binding.loop.call_soon(binding.serve)  # REQ, REP: now it may receive

    def _tell_carrier(self, target: Any) -> None:
        """The queue was quiet: have it written now, or when the loop gets its turn."""
        super()._tell_carrier(target)
        if thread_state.engines:
            flush_soon()

    async def send_many(  # type: ignore[override]  # see recv
        self, messages: Iterable[Any], flags: int = 0, *, timeout: float | None = None
    ) -> int:
        """Send a batch of messages.

        Args:
            messages: each is bytes (one part) or a sequence of parts.
            flags: DONTWAIT to stop when the next one can't be queued.
            timeout: seconds that each may wait, instead of SNDTIMEO.

        Returns:
            How many were sent: fewer than given only with DONTWAIT or a timeout.

        Raises:
            Again: not even the first could be queued.
            TypeError, ContextTerminated, ZMQError: as the synchronous `send`; those before it were sent.
        """
        count = 0
        for message in messages:
            try:
                if isinstance(message, (list, tuple)):
                    await self.send_multipart(message, flags, timeout=timeout)
                else:
                    await self.send(message, flags, timeout=timeout)
            except Again:
                if not count:
                    raise
                return count
            count += 1
        return count

    # -- readiness -----------------------------------------------------------------------------------------------

    def poll(  # type: ignore[override]  # see recv
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
            return make_failed(binding.loop, error)  # type: ignore[no-any-return]  # a future of any type
        if events or timeout == 0:
            return make_ready(events)  # type: ignore[no-any-return]  # a future of any type
        future = PollFuture(binding, lambda: self._look_for_events(flags), 0)
        binding.wait(future, binding.pollers, None if timeout is None or timeout < 0 else timeout / 1000)
        # Announced first, looked second, as in `_receive`.
        binding.serve()
        return future

    def _look_for_events(self, flags: int) -> int:
        """Which of the flags are true now; if it's none, this loop is told of what changes that."""
        if flags & _POLLOUT:
            with self._engine.lease:
                self._engine.mark_room()
        return self._events(flags)

    # -- life ----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """The socket; it's closed at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


#: What `send` returns when the message was queued at once. A future that is done may be awaited any number of times.
_SENT = make_ready(None)
