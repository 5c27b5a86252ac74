"""Receiving: the hot room. One message costs one `popleft`, a look at its type and nothing else.

What the lock-free path of `recv` does per message: one attribute, one method call, one type look-up. Everything that
needs more (several parts, waiting, metadata, states) is in the slow path, which takes the lease.
"""

from __future__ import annotations

from time import monotonic

from purezmq.constants import EAGAIN, ENOTSUP
from purezmq.constants import POLLIN as _POLLIN_FLAG
from purezmq.constants import POLLOUT as _POLLOUT_FLAG
from purezmq.engine.burst import flush_thread, thread_state
from purezmq.engine.fence import is_interruption
from purezmq.error import make_error
from purezmq.message import Frame
from purezmq.sockets.reason import why_nothing_arrived
from purezmq.sockets.socket_state import RoomHint, SocketState, deadline_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, overload

    from typing_extensions import Buffer

    from purezmq.message import Message
    from purezmq.pipe import Pipe

#: Plain numbers: arithmetic with the enumeration itself costs a microsecond.
POLLIN = int(_POLLIN_FLAG)
POLLOUT = int(_POLLOUT_FLAG)

__all__ = ["SocketRecv", "writable_view"]

_PLAIN_TYPES = {bytes, list}


class SocketRecv(SocketState):
    """The receiving methods of a socket."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def recv(
            self, flags: int = ..., copy: Literal[True] = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> bytes: ...
        @overload
        def recv(
            self, flags: int = ..., *, copy: Literal[False], track: bool = ..., timeout: float | None = ...
        ) -> Frame: ...
        @overload
        def recv(
            self, flags: int = ..., copy: bool = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> Any: ...

    def recv(self, flags: int = 0, copy: bool = True, track: bool = False, timeout: float | None = None) -> Any:
        """Receive one message part.

        Args:
            flags: DONTWAIT to raise Again at once when nothing is there.
            copy: True for bytes, False for a Frame (which also tells metadata).
            track: accepted for pyzmq's sake; a received message needs no tracking.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            bytes, or a Frame. When the message has more parts, RCVMORE is true and the next recv gives the next part.

        Raises:
            Again: nothing came in time.
            ContextTerminated: the context was terminated.
            ZMQError: ENOTSOCK (closed), ENOTSUP (the type can't receive), EFSM (not now).
        """
        ready = self._ready
        if ready and copy:
            try:
                message = ready.popleft()
            except IndexError:  # another thread was quicker
                message = None
            if type(message) is bytes:
                return message
        else:
            message = None
        return self._recv_part(message, flags, copy, track, timeout)

    def _recv_part(self, message: Any, flags: int, copy: bool, track: bool, timeout: float | None) -> Any:
        del track
        engine = self._engine
        pipe: Pipe | None = None
        if message is None or not isinstance(message, (bytes, list)):
            if message is not None:
                message.wake()  # a RoomMarker
            if not copy and not self._pattern.take_origin:
                self._take_origins()
            rest = self._shared.rest
            if rest is not None:
                with engine.lease.afterwards, engine.lease.guard:
                    part = self._next_part()
                if part is not None:
                    return part if copy else self._as_frame(part, more=self._shared.rest is not None)
            message, pipe = self._recv_message(flags, timeout)
        if isinstance(message, list):
            if self._pattern.addressing:
                return self._open_addressed(message, pipe, copy=copy)
            with engine.lease.afterwards, engine.lease.guard:
                if self._shared.rest is not None:
                    # Another thread is in the middle of a message: that one goes on, ours comes after it.
                    self._pattern.inbox.put_back(None, message)
                    message = self._shared.rest
                    self._shared.rest = None
                part = _to_bytes(message[0])
                if len(message) > 1:
                    self._shared.rest = message[1:]
                self._shared.refresh_recv_paths()
            return part if copy else _make_frame(part, pipe, more=len(message) > 1)
        return message if copy else _make_frame(message, pipe, more=False)

    def _open_addressed(self, message: Any, pipe: Pipe | None, *, copy: bool) -> Any:
        """The body of [address, body]; a Frame tells the address, too (see `Pattern.addressing`)."""
        address, body = message
        if copy:
            return body
        frame = _make_frame(body, pipe, more=False)
        frame.set(self._pattern.addressing, address)
        return frame

    def _next_part(self) -> Any:
        rest = self._shared.rest
        if rest is None:
            return None
        part = rest.pop(0)
        if not rest:
            self._shared.rest = None
            self._shared.refresh_recv_paths()
        return _to_bytes(part)

    def _recv_message(self, flags: int, timeout: float | None) -> tuple[Message, Pipe | None]:
        """The next whole message and its pipe, where it is known; waits for it as long as the caller may."""
        engine, pattern = self._engine, self._pattern
        lease = engine.lease
        deadline: float | None = -1.0
        while True:
            # Over wires nothing is there before we look at the descriptors; over inproc this tells the peer to wake us.
            if (deadline != -1.0 or pattern.inbox.ready or engine.stalled or engine.links or self._recv_hint()
                    or not (pattern.fast_recv or (pattern.takes_turns and pattern.may_receive()))):  # fmt: skip
                try:
                    with lease.guard:
                        if not self._shared.usable:
                            self._check_open()
                        message = pattern.try_recv()
                        pipe = pattern.last_pipe  # without the lease it would be another thread's
                        if message is None and deadline == -1.0:
                            pattern.check_recv()
                finally:
                    if lease.mailbox:
                        lease.run_mailbox()
                if message is not None:
                    if engine.queues.counts_bytes:
                        self._note_taken()
                    return message, pipe
            if deadline == -1.0:
                option_ms = self._options.rcvtimeo
                waits = option_ms < 0 and timeout is None and not flags  # the usual case, without a call
                deadline = None if waits else deadline_of(flags, timeout, option_ms)
            if thread_state.engines:
                flush_thread()
            if deadline is None:
                self._wait(None, self._recv_hint)
            else:
                left = deadline - monotonic() if deadline else 0.0
                if left <= 0:
                    engine.leadership.try_pump()
                    return self._recv_last_try()
                self._wait(left, self._recv_hint)
            ready = self._ready
            if ready:  # as in `recv`: what came needs no lease
                try:
                    message = ready.popleft()
                except IndexError:  # another thread was quicker
                    continue
                if isinstance(message, (bytes, list)):
                    if type(message) is not bytes:
                        pattern.last_pipe = pattern.inbox.short_cut  # where the parts that follow came from
                    return message, None
                message.wake()  # a RoomMarker

    def _note_taken(self) -> None:
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._engine.queues.note_taken()

    def _recv_last_try(self) -> tuple[Message, Pipe | None]:
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            message = self._pattern.try_recv()
            pipe = self._pattern.last_pipe
            if message is None:
                raise make_error(EAGAIN, why_nothing_arrived(self._engine))
            self._engine.queues.note_taken()
        return message, pipe

    def _take_origins(self) -> None:
        """From now on each message is taken with its pipe, because the application reads metadata."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._pattern.take_origin = True
            self._shared.refresh_recv_paths()

    def _as_frame(self, part: bytes, *, more: bool) -> Frame:
        return _make_frame(part, self._pattern.last_pipe, more=more)

    if TYPE_CHECKING:

        @overload
        def recv_multipart(
            self, flags: int = ..., copy: Literal[True] = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> list[bytes]: ...
        @overload
        def recv_multipart(
            self, flags: int = ..., *, copy: Literal[False], track: bool = ..., timeout: float | None = ...
        ) -> list[Frame]: ...
        @overload
        def recv_multipart(
            self, flags: int = ..., copy: bool = ..., track: bool = ..., *, timeout: float | None = ...
        ) -> Any: ...

    def recv_multipart(
        self, flags: int = 0, copy: bool = True, track: bool = False, timeout: float | None = None
    ) -> Any:
        """Receive a whole message as a list of its parts (the remaining ones, after recv() gave some).

        Arguments, errors: see `recv`.
        """
        message = None
        if copy and self._ready:
            try:
                message = self._ready.popleft()
            except IndexError:  # another thread was quicker
                message = None
            if type(message) is list:
                return message
            if type(message) is bytes:
                return [message]
        return self._recv_parts(message, flags, copy, track, timeout)

    def _recv_parts(self, message: Any, flags: int, copy: bool, track: bool, timeout: float | None) -> Any:
        del track
        pipe: Pipe | None = None
        if message is None or not isinstance(message, (bytes, list)):
            if message is not None:
                message.wake()  # a RoomMarker
                message = None
            if not copy and not self._pattern.take_origin:
                self._take_origins()
            if self._shared.rest is not None:
                with self._engine.lease.afterwards, self._engine.lease.guard:
                    message, self._shared.rest = self._shared.rest, None
                    pipe = self._pattern.last_pipe
                    self._shared.refresh_recv_paths()
            if message is None:
                message, pipe = self._recv_message(flags, timeout)
        if self._pattern.addressing:
            return [self._open_addressed(message, pipe, copy=copy)]
        parts = list(map(_to_bytes, message)) if isinstance(message, list) else [message]
        if copy:
            return parts
        last = len(parts) - 1
        return [_make_frame(part, pipe, more=index < last) for index, part in enumerate(parts)]

    def recv_many(
        self, max_messages: int = 1000, flags: int = 0, *, timeout: float | None = None
    ) -> list[bytes | list[bytes]]:
        """Receive a batch: everything that is there, at least one message.

        Args:
            max_messages: at most this many.
            flags: DONTWAIT to raise Again at once when nothing is there.
            timeout: seconds to wait for the first message, instead of RCVTIMEO.

        Returns:
            A list of messages in order: bytes for one of a single part, a list of bytes for a multipart.

        Raises:
            ValueError: max_messages is less than 1.
            Again, ContextTerminated, ZMQError: as `recv`.
        """
        if max_messages < 1:
            text = f"max_messages must be at least 1, not {max_messages}"
            raise ValueError(text)
        messages: list[Any] = []
        append = messages.append
        first = self.recv_multipart(flags, timeout=timeout)
        append(first if len(first) > 1 else first[0])
        while len(messages) < max_messages:
            popleft = self._ready.popleft
            try:
                while len(messages) < max_messages:
                    message = popleft()
                    if type(message) is bytes or type(message) is list:
                        append(message)
                    elif isinstance(message, list):
                        append(self._normalise(message))
                    else:
                        message.wake()  # a RoomMarker
            except IndexError:
                pass
            if len(messages) >= max_messages:
                break
            with self._engine.lease.afterwards, self._engine.lease.guard:
                try:
                    message = None if self._shared.closed else self._pattern.try_recv()
                except Exception as error:  # a state error belongs to the next call; this one has messages
                    if is_interruption(error):
                        raise
                    message = None
                self._engine.queues.note_taken()
            if message is None:
                break
            append(self._normalise(message))
        return messages

    def _take_many(self, max_messages: int) -> list[Any]:
        """What is there now, perhaps nothing; for proxies, which have nothing to do with states and exceptions."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            messages = self._pattern.try_recv_many(max_messages)
            self._engine.queues.note_taken()
        if not set(map(type, messages)) <= _PLAIN_TYPES:
            messages = list(map(self._normalise, messages))
        return messages

    def _normalise(self, message: Any) -> Any:
        """A message in its public form, whatever lay in the queue."""
        if type(message) is bytes:
            return message
        if self._pattern.addressing:
            return message[1]
        parts = list(map(_to_bytes, message))
        return parts if len(parts) > 1 else parts[0]

    def recv_into(self, buffer: Buffer, /, *, nbytes: int = 0, flags: int = 0, timeout: float | None = None) -> int:
        """Receive one part into a writable buffer.

        Args:
            buffer: where to.
            nbytes: at most this many bytes; 0 for the size of the buffer.
            flags: as `recv`.
            timeout: seconds to wait, instead of RCVTIMEO.

        Returns:
            The size of the whole part, which may exceed what fitted: then the rest is lost (as in pyzmq).

        Raises:
            ValueError: nbytes exceeds the buffer.
            TypeError, BufferError: it's no buffer, not writable or not contiguous.
            Again, ContextTerminated, ZMQError: as `recv`.
        """
        view = writable_view(buffer, nbytes)
        part: bytes = self.recv(flags) if timeout is None else self.recv(flags, timeout=timeout)
        fits = part[: len(view)]
        view[: len(fits)] = fits
        return len(part)

    # -- readiness -------------------------------------------------------------------------------------------------

    def poll(self, timeout: float | None = None, flags: int = POLLIN) -> int:
        """Wait until a message may be received (POLLIN) or sent (POLLOUT).

        Args:
            timeout: milliseconds; None or negative to wait for ever.
            flags: POLLIN, POLLOUT or both.

        Returns:
            The flags that are true, 0 when the time is over.

        Raises:
            ContextTerminated: the context was terminated.
            ZMQError: ENOTSUP when the socket is closed (as pyzmq).
        """
        if self._shared.closed:
            raise make_error(ENOTSUP, "the socket is closed and can't be polled")
        events = self._events(flags)
        if events:
            return events
        flush_thread()
        leadership = self._engine.leadership
        if timeout == 0:
            leadership.try_pump()
            return self._events(flags)
        deadline = None if timeout is None or timeout < 0 else monotonic() + timeout / 1000
        hint = self._recv_hint if flags & POLLIN else self._send_hint
        while True:
            # First the token and the markers, then a look: room that comes after it changes the token.
            with self._engine.lease.afterwards, self._engine.lease.guard:
                token = self._engine.room_token
                if flags & POLLOUT:
                    self._engine.mark_room()
            events = self._events(flags)
            left = None if deadline is None else deadline - monotonic()
            if events or (left is not None and left <= 0):
                return events
            self._wait(left, RoomHint(self, token, hint))

    def _events(self, flags: int) -> int:
        """Which of the flags are true now."""
        flags = int(flags)
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            events = 0
            if flags & POLLIN and (self._shared.rest is not None or self._pattern.can_recv()):
                events |= POLLIN
            if flags & POLLOUT and self._pattern.can_transmit and self._shared.stuck_at is not self._engine.room_token:
                if not self._pattern.can_send():
                    self._engine.flush_all()
                if self._pattern.can_send():
                    events |= POLLOUT
        return events

    def _current_events(self) -> int:
        """EVENTS: handle what arrived, then look."""
        flush_thread()
        if self._shared.wake_fd is not None:
            self._shared.wake_fd.clear()
        self._engine.leadership.try_pump()
        events = self._events(POLLIN | POLLOUT)
        if not events & POLLOUT and self._pattern.can_transmit and self._engine.links:
            # An event loop that sees no room waits for the descriptor: full inproc queues shall signal it.
            with self._engine.lease.afterwards, self._engine.lease.guard:
                self._engine.mark_room()
            events = self._events(POLLIN | POLLOUT)
        return events


def _to_bytes(part: Any) -> bytes:
    return part if type(part) is bytes else bytes(part)


def writable_view(buffer: Buffer, nbytes: int) -> memoryview:
    """The bytes that `recv_into` fills: `nbytes` of the buffer, or all of it for 0.

    Raises:
        ValueError: nbytes exceeds the buffer.
        BufferError: the buffer is not writable, or not contiguous.
        TypeError: it's no buffer.
    """
    view = memoryview(buffer)
    if view.readonly or not view.contiguous:
        text = "recv_into needs a writable and contiguous buffer"
        raise BufferError(text)
    view = view.cast("B")
    if nbytes < 0 or nbytes > len(view):
        text = f"nbytes must be 0..{len(view)} (the size of the buffer), not {nbytes}"
        raise ValueError(text)
    return view[: nbytes or len(view)]


def _make_frame(part: bytes, pipe: Pipe | None, *, more: bool) -> Frame:
    return Frame._from_received(part, more, _metadata_of(pipe))


def _metadata_of(pipe: Pipe | None) -> Mapping[str, str | bytes] | None:
    """The properties of the peer that a message came from, as `Frame.get` tells them."""
    if pipe is None or pipe.peer is None:
        return None
    peer = pipe.peer
    metadata: dict[str, str | bytes] = {**peer.properties}  # first: what we know ourselves it can't gainsay
    metadata["Socket-Type"] = peer.socket_type
    metadata["Routing-Id"] = metadata["Identity"] = peer.routing_id
    if peer.address is not None:
        metadata["Peer-Address"] = peer.address
    return metadata
