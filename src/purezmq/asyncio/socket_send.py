"""Sending for tasks: the hot room. What is queued at once costs an append; it leaves when the loop gets its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from purezmq.asyncio.ready import make_failed, make_ready
from purezmq.asyncio.socket_state import AsyncSocketState
from purezmq.asyncio.turn import flush_soon
from purezmq.asyncio.waiter import SendFuture
from purezmq.constants import DONTWAIT as _DONTWAIT_FLAG
from purezmq.constants import EAGAIN
from purezmq.engine.burst import thread_state
from purezmq.error import Again, make_error
from purezmq.sockets.reason import why_blocked
from purezmq.sockets.socket import Socket as SyncSocket

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal

    from typing_extensions import Buffer

    from purezmq.asyncio.binding import LoopBinding
    from purezmq.message import Frame, MessageTracker

__all__ = ["AsyncSocketSend"]

#: A plain number: arithmetic with the enumeration itself costs a microsecond.
_DONTWAIT = int(_DONTWAIT_FLAG)
#: What `send` returns when the message was queued at once. A future that is done may be awaited any number of times.
_SENT = make_ready(None)


class AsyncSocketSend(AsyncSocketState):
    """The sending methods of an asynchronous socket."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # pyzmq derives it from the synchronous one
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
        outbound = target.outbound
        if type(data) is bytes and not flags and not track and len(outbound) < target.room:
            outbound.append(data)
            if target.tickets is not None:  # inproc
                next(target.tickets)
            if target.quiet:
                self._tell_carrier(target)
            return _SENT
        return self._submit(super()._send_part, data, flags, copy, track, routing_id, group, timeout)

    def send_multipart(  # type: ignore[override]  # pyzmq derives it from the synchronous one
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
        return self._submit(
            lambda: SyncSocket.send_multipart(self, msg_parts, flags, copy, track, timeout=timeout, **kwargs)
        )

    def _submit(self, send: Callable[..., Any], *arguments: Any) -> Future[Any]:
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
            with engine.lease.afterwards, engine.lease.guard:
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
            with engine.lease.afterwards, engine.lease.guard:
                why = why_blocked(pattern, message)
                if self._send_after_all(message, engine.room_token):
                    self._note_sent(binding)
                    return
            raise make_error(EAGAIN, why)
        future = binding.blocked = SendFuture(binding, message)
        binding.wait(future, binding.senders, timeout)
        with engine.lease.afterwards, engine.lease.guard:
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

    async def send_many(  # type: ignore[override]  # pyzmq derives it from the synchronous one
        self,
        messages: Iterable[Any],
        flags: int = 0,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as all methods have
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
