"""Sending: the hot room. One message costs one append below the high-water mark, and nothing else.

What the lock-free path of `send` does per message: a look at the type of the data, at the flags, at the length of the
queue, one append, and one look whether anybody must be told. Encoding, writing and the clock come once per batch.

The signatures of the hot methods have no keyword-only arguments, though type checkers are told so of `timeout`: with
one, CPython fills in each default by a look into a dictionary, and a call costs a tenth more.
"""

from __future__ import annotations

from time import monotonic

from purezmq.constants import EAGAIN, EINVAL
from purezmq.constants import SNDMORE as _SNDMORE_FLAG
from purezmq.engine.burst import flush_thread
from purezmq.error import Again, ZMQError, make_error
from purezmq.message import FINISHED_TRACKER, Frame, MessageTracker, SendEvent, check_group, check_routing_id
from purezmq.sockets.reason import why_blocked
from purezmq.sockets.socket_state import RoomHint, SocketState, deadline_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Literal, overload

    from typing_extensions import Buffer

    from purezmq.message import Message

#: A plain number: arithmetic with the enumeration itself costs a microsecond.
SNDMORE = int(_SNDMORE_FLAG)

__all__ = ["SocketSend", "TrackedMessage"]


class TrackedMessage(list[bytes]):
    """A message with parts that are not copied: it tells when the library has let go of it.

    Whoever queues, encodes or keeps a message keeps this list; when the last of them drops it, the memory of the
    parts is free again.
    """

    __slots__ = ("event",)

    event: SendEvent | None

    def __init__(self, parts: Iterable[Any], event: SendEvent | None) -> None:
        super().__init__(parts)
        self.event = event

    def __del__(self) -> None:
        """The library has let go."""
        if self.event is not None:
            self.event.set()


class SocketSend(SocketState):
    """The sending methods of a socket."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def send(
            self,
            data: Buffer | Frame,
            flags: int = ...,
            copy: bool = ...,
            *,
            track: Literal[True],
            routing_id: int | None = ...,
            group: str | bytes | None = ...,
            timeout: float | None = ...,
        ) -> MessageTracker: ...
        @overload
        def send(
            self,
            data: Buffer | Frame,
            flags: int = ...,
            copy: bool = ...,
            track: bool = ...,
            routing_id: int | None = ...,
            group: str | bytes | None = ...,
            *,
            timeout: float | None = ...,
        ) -> MessageTracker | None: ...

    def send(
        self,
        data: Any,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        routing_id: int | None = None,
        group: str | bytes | None = None,
        timeout: float | None = None,
    ) -> MessageTracker | None:
        """Send one message part.

        Args:
            data: bytes, anything with the buffer protocol, or a Frame.
            flags: DONTWAIT to raise Again at once when it can't be queued; SNDMORE when more parts follow.
            copy: False to refer to a large buffer instead of copying it.
            track: True to get a MessageTracker that tells when the buffer is free again (with copy=False).
            routing_id: the peer, for SERVER and PEER sockets.
            group: the group, for RADIO sockets.
            timeout: seconds to wait, instead of SNDTIMEO.

        Returns:
            A MessageTracker if asked for, else None.

        Raises:
            Again: it could not be queued in time; the text says why.
            TypeError: the data is no buffer (a str must be encoded: see `send_string`).
            ContextTerminated: the context was terminated.
            ZMQError: ENOTSOCK (closed), ENOTSUP (the type can't send), EFSM (not now), EHOSTUNREACH (ROUTER, SERVER,
                PEER), EINVAL (SNDMORE on a type with single parts; group or routing_id out of range).
        """
        target = self._target
        outbound = target.outbound
        if type(data) is bytes and not flags and not track and len(outbound) < target.room:
            outbound.append(data)
            if target.tickets is not None:  # inproc
                next(target.tickets)
            if target.quiet:
                self._tell_carrier(target)
            return None
        return self._send_part(data, flags, copy, track, routing_id, group, timeout)

    def _tell_carrier(self, target: Any) -> None:
        """The queue was quiet: have it written now, or soon."""
        lease = self._engine.lease
        try:
            with lease.guard:
                if target.quiet and target.outbound:
                    target.carrier.handle_write(target)
        finally:
            if lease.mailbox:
                lease.run_mailbox()

    def _send_part(
        self, data: Any, flags: int, copy: bool, track: bool,
        routing_id: int | None, group: str | bytes | None, timeout: float | None,
    ) -> MessageTracker | None:  # fmt: skip
        if self._pattern.single_part:
            return self._send_single(data, flags, copy, track, routing_id, group, timeout)
        part = data if type(data) is bytes else self._as_part(data, copy)
        if self._shared.parts is not None or (flags and flags & SNDMORE):
            return self._collect_part(part, flags, copy, track, timeout)
        if type(part) is bytes and not track:
            self._send_message(part, flags, timeout)
            return None
        return self._send_tracked([part], flags, copy, track, timeout)

    def _send_single(
        self, data: Any, flags: int, copy: bool, track: bool,
        routing_id: int | None, group: str | bytes | None, timeout: float | None,
    ) -> MessageTracker | None:  # fmt: skip
        """Send on a type whose messages have one part, and on some an address besides."""
        pattern = self._pattern
        pattern.check_send()
        if flags & SNDMORE:
            raise make_error(EINVAL, f"a {pattern.type_name} socket sends messages of one part only, without SNDMORE")
        part = data if type(data) is bytes else self._as_part(data, copy)
        if not pattern.addressing:
            return self._send_tracked([part], flags, copy, track, timeout)
        address: Any
        if pattern.addressing == "group":
            address = check_group(group if group is not None else data.group if isinstance(data, Frame) else "")
        elif routing_id is not None:
            address = check_routing_id(routing_id)
        else:
            address = data.routing_id if isinstance(data, Frame) else 0
        message = [address, part]
        if type(part) is bytes and not (track and self._is_uncopied([part], copy)):
            self._send_message(message, flags, timeout)
            return FINISHED_TRACKER if track else None
        event = SendEvent() if track else None
        self._send_message(TrackedMessage(message, event), flags, timeout)
        return MessageTracker(event) if event is not None else None

    def _check_single(self, count: int) -> None:
        """Refuse a message of several parts where there is only one."""
        if self._pattern.single_part and count > 1:
            self._pattern.check_send()
            name = self._pattern.type_name
            raise make_error(EINVAL, f"a {name} socket sends messages of one part only, this one has {count}")

    def _collect_part(
        self, part: Any, flags: int, copy: bool, track: bool, timeout: float | None
    ) -> MessageTracker | None:
        """A part of a message whose end has not come, or the end: the whole leaves as one."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            parts = self._shared.parts
            if parts is None:
                self._pattern.check_send()
                self._check_single(2)
                parts = self._shared.parts = []
                self._shared.refresh_send_paths()
            parts.append(part)
            if flags & SNDMORE:
                return FINISHED_TRACKER if track else None
            self._shared.parts = None
            self._shared.refresh_send_paths()
        try:
            return self._send_tracked(parts, flags, copy, track, timeout)
        except ZMQError as error:
            if isinstance(error, Again):
                self._keep_parts(parts)
            raise
        except BaseException:  # Ctrl-C while waiting for room
            self._keep_parts(parts)
            raise

    def _keep_parts(self, parts: list[Any]) -> None:
        """As in libzmq the last part, which could not be sent now, may be sent again; those before it are held."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            if self._shared.parts is None and len(parts) > 1:
                self._shared.parts = parts[:-1]
                self._shared.refresh_send_paths()

    def _send_tracked(
        self, parts: Sequence[Any], flags: int, copy: bool, track: bool, timeout: float | None
    ) -> MessageTracker | None:
        is_tracked = track and self._is_uncopied(parts, copy)
        if not is_tracked and all(type(part) is bytes for part in parts):
            self._send_message(self._as_message(list(parts)), flags, timeout)
            return FINISHED_TRACKER if track else None
        event = SendEvent() if track else None
        self._send_message(TrackedMessage(parts, event), flags, timeout)
        return MessageTracker(event) if event is not None else None

    def _is_uncopied(self, parts: Sequence[Any], copy: bool) -> bool:
        """Whether the memory of any part is the application's still, which a tracker has to watch."""
        threshold = self.copy_threshold or 0
        return not copy and any(len(part) >= threshold for part in parts)

    def _as_part(self, data: Any, copy: bool) -> Any:
        """What is queued for a part: bytes, or the memory of a large buffer that must not be copied."""
        if type(data) is bytes:
            return data
        if isinstance(data, Frame):
            if copy:
                return data.bytes
            # What is tracked stays referred to, until the library has let go of it.
            data = data.buffer if data.tracker_event is None else memoryview(data)
        if isinstance(data, str):
            text = "a message is bytes, not str: encode it, or use send_string"
            raise TypeError(text)
        view = memoryview(data)
        if copy or view.nbytes < (self.copy_threshold or 0):
            return view.tobytes()
        return view.cast("B") if view.contiguous else memoryview(view.tobytes())

    def _send_message(self, message: Message, flags: int, timeout: float | None) -> None:
        """Give a whole message to the pattern; waits for room as long as the caller may."""
        engine, pattern = self._engine, self._pattern
        lease = engine.lease
        try:
            with lease.guard:
                if not self._shared.usable:
                    self._check_open()
                try:
                    is_sent = pattern.try_send(message)  # which checks its state by itself
                except Again:
                    if not self._send_after_all(message, engine.room_token):
                        raise
                    is_sent = True
        finally:
            if lease.mailbox:
                lease.run_mailbox()
        if is_sent:
            if pattern.is_unheard and engine.is_time_to_look():
                # Subscriptions that have arrived count, whether or not the I/O thread had its turn to read them.
                engine.leadership.pump()
                with lease.afterwards, lease.guard:
                    pattern.try_send(message)
            return
        given = deadline_of(flags, timeout, self._options.sndtimeo)
        deadline = float("inf") if given is None else given
        while True:
            with lease.afterwards, lease.guard:
                self._check_open()
                engine.flush_all()
                # First the token and the markers, then the last try: room that comes after it changes the token.
                token = engine.room_token
                left = deadline if deadline in {0.0, float("inf")} else deadline - monotonic()
                if left > 0:
                    engine.mark_room()
                if pattern.try_send(message):
                    return
                if left <= 0:
                    if self._send_after_all(message, token):
                        return
                    raise make_error(EAGAIN, why_blocked(pattern, message))
            flush_thread()
            self._wait(
                None if left == float("inf") else left,
                RoomHint(self, token, self._send_hint),
            )

    def _send_after_all(self, message: Message, token: object) -> bool:
        """Nobody takes this message now (lease held): whether somebody does after all.

        Where only its size doesn't fit, `can_send` is true still. Until there is news the socket shall not be writable:
        else a loop of poll and send would spin.

        Args:
            message: what was refused.
            token: the engine's `room_token` of before that.
        """
        pattern = self._pattern
        if not pattern.picks_peer or not pattern.can_send():
            return False
        self._engine.mark_room()  # and a last try: room that comes after it is news
        try:
            if pattern.try_send(message):
                return True
        except Again:
            pass
        self._shared.stuck_at = token
        return False

    if TYPE_CHECKING:

        @overload
        def send_multipart(
            self,
            msg_parts: Sequence[Any],
            flags: int = ...,
            copy: bool = ...,
            *,
            track: Literal[True],
            routing_id: int | None = ...,
            group: str | bytes | None = ...,
            timeout: float | None = ...,
        ) -> MessageTracker: ...
        @overload
        def send_multipart(
            self,
            msg_parts: Sequence[Any],
            flags: int = ...,
            copy: bool = ...,
            track: bool = ...,
            *,
            routing_id: int | None = ...,
            group: str | bytes | None = ...,
            timeout: float | None = ...,
        ) -> MessageTracker | None: ...

    def send_multipart(
        self,
        msg_parts: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        routing_id: int | None = None,
        group: str | bytes | None = None,
        timeout: float | None = None,
    ) -> MessageTracker | None:
        """Send a whole message; all parts or nothing, never mixed with another thread's.

        Args:
            msg_parts: its parts, at least one.
            flags: see `send`.
            copy: see `send`.
            track: see `send`.
            routing_id: see `send`; the types that take it send messages of one part only, and so with `group`.
            group: see `send`.
            timeout: see `send`.

        Raises:
            TypeError: a part is no buffer; nothing was sent.
            ValueError: there is no part.
            Again, ContextTerminated, ZMQError: see `send`.
        """
        parts = [part if type(part) is bytes else self._check_part(part, index, copy)
                 for index, part in enumerate(msg_parts)]  # fmt: skip
        if self._shared.parts is not None or (flags and flags & SNDMORE):
            tracker = None
            for index, part in enumerate(parts):
                last = index == len(parts) - 1
                tracker = self._collect_part(part, flags if last else flags | SNDMORE, copy, track, timeout)
            return tracker
        target = self._parts_target
        if len(parts) > 1 and not flags and not track and copy and len(target.outbound) < target.room:
            target.outbound.append(parts)
            if target.tickets is not None:
                next(target.tickets)
            if target.quiet:
                self._tell_carrier(target)
            return None
        if not parts:
            text = "a message has at least one part"
            raise ValueError(text)
        if self._pattern.single_part:
            self._check_single(len(parts))
            return self._send_single(msg_parts[0], flags, copy, track, routing_id, group, timeout)
        return self._send_tracked(parts, flags, copy, track, timeout)

    def _check_part(self, part: Any, index: int, copy: bool) -> Any:
        try:
            return self._as_part(part, copy)
        except TypeError:
            shown = repr(part)
            shown = shown if len(shown) < 32 else shown[:32] + "..."
            text = f"Frame {index} ({shown}) does not support the buffer interface."
            raise TypeError(text) from None

    def _give_many(self, messages: list[Any]) -> int:
        """Send what can be sent now, in order; how many. For proxies."""
        engine, pattern = self._engine, self._pattern
        with engine.lease.afterwards, engine.lease.guard:
            self._check_open()
            self._shared.stuck_at = None
            count = pattern.try_send_many(messages)
            while count < len(messages):
                engine.flush_all()
                # As in `_send_message`: the token and the markers before the last try.
                token = engine.room_token
                engine.mark_room()
                sent = pattern.try_send_many(messages[count:])
                if not sent:
                    if pattern.fast_target() is None:  # else `can_send` is exact, and others send without the lease
                        self._shared.stuck_at = token
                    break
                count += sent
        return count

    def send_many(self, messages: Iterable[Any], flags: int = 0, *, timeout: float | None = None) -> int:
        """Send a batch of messages; faster than a loop of `send`.

        Args:
            messages: each is bytes (one part) or a sequence of parts.
            flags: DONTWAIT to stop when the next one can't be queued.
            timeout: seconds that each may wait, instead of SNDTIMEO.

        Returns:
            How many were sent: fewer than given only with DONTWAIT or a timeout.

        Raises:
            Again: not even the first could be queued.
            TypeError, ContextTerminated, ZMQError: see `send`; those before it were sent.
        """
        count = 0
        for message in messages:
            target = self._target
            if type(message) is bytes and len(target.outbound) < target.room and not flags:
                target.outbound.append(message)
                if target.tickets is not None:
                    next(target.tickets)
                if target.quiet:
                    self._tell_carrier(target)
            else:
                try:
                    self._send_one_of_many(message, flags, timeout)
                except Again:
                    if not count:
                        raise
                    return count
            count += 1
        return count

    def _send_one_of_many(self, message: Any, flags: int, timeout: float | None) -> None:
        if isinstance(message, (list, tuple)):
            self.send_multipart(message, flags, timeout=timeout)
        else:
            self._send_part(message, flags, True, False, None, None, timeout)
