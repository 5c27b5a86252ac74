"""The incoming half of a session: reads, decodes, and puts messages into the pipe as far as its limits allow.

At the limit (RCVHWM, or bytes) the usual policy is `block`: reading pauses, and TCP tells the peer. The others read on:
`drop-oldest` and `drop-newest` count what they drop, `spill` puts what comes to disk, behind what is there already.

Everything here needs the lease.
"""

from __future__ import annotations

from time import monotonic

from purezmq.engine.fence import is_of_system
from purezmq.engine.selector import READ
from purezmq.pipe import BLOCK, DROP_NEWEST, DROP_OLDEST, DropReason, KeyedQueue, message_size
from purezmq.transports.base import SHORTAGES
from purezmq.wire.events import ConnectionFailed
from purezmq.wire.limits import READ_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.pipe import Pipe
    from purezmq.transports.base import SocketStream
    from purezmq.wire.connection import Connection

__all__ = ["Inbox"]

#: Reads of one connection per turn, while they complete no message, or each a large sealed one.
READS_PER_TURN = 12
#: Reads of a connection that broke, for what arrived before it did.
READS_AT_END = 64
#: While the system is short of memory a connection is looked at so often (seconds).
SHORTAGE_PAUSE_S = 0.01
_NO_LIMIT = 1 << 62


class Inbox:
    """See the module's text. What the session has is declared here for the type checker."""

    __slots__ = ()

    if TYPE_CHECKING:
        connection: Connection | None
        engine: Any
        frame_overhead: int
        mask: int
        pipe: Pipe | None
        read_batch: int
        stream: SocketStream | None

        def _after_input(self, now: float, messages: list[Any] | None = None) -> None: ...
        def _set_interest(self, mask: int) -> None: ...
        def close_stream(self, error: BaseException | None, *, why: str = "", reads_rest: bool = False) -> None:
            """Session's."""

    def _read(self, now: float) -> None:
        stream, connection, pipe = self.stream, self.connection, self.pipe
        if stream is None or connection is None:
            return
        limit = _NO_LIMIT
        if pipe is not None and pipe.receive_limit and pipe.inbound.maxlen != 0:
            limit = pipe.receive_limit - len(pipe.inbound)
        if pipe is not None and (limit <= 0 or connection.has_buffered or pipe.receive_policy != BLOCK
                                 or pipe.receive_meter is not None):  # fmt: skip
            limit = self._find_room(pipe, limit)
            if limit <= 0 or connection.has_buffered:
                self._set_interest(self.mask & ~READ)
                self.engine.stalled.add(self)
                return
        for _ in range(READS_PER_TURN):
            wanted = connection.read_size
            size = wanted if wanted < self.read_batch else self.read_batch
            try:
                data = stream.try_read(size)
            except OSError as error:
                if not is_of_system(error):
                    raise
                if error.errno in SHORTAGES:
                    self._rest(stream)
                else:
                    self.close_stream(error, reads_rest=True)
                return
            if not data:
                if data is not None:
                    self.close_stream(None, why="the peer closed the connection")
                return
            messages = connection.receive_data(data, now, limit)
            if messages and pipe is not None:
                self._deliver(pipe, messages)
                has_control = connection.has_control
                if has_control:
                    self._after_input(now)
                if connection.has_buffered:
                    self.engine.stalled.add(self)
                    return
                limit -= len(messages)
                if not self.frame_overhead or len(messages) > 1 or len(data) < size or limit <= 0 or has_control:
                    return
                if pipe.receive_policy != BLOCK or pipe.receive_meter is not None:
                    return
                # A large sealed message, and perhaps more: after each the processor's caches are full of it, and the
                # way through the interpreter to the application and back costs a fifth of the time to open it.
                continue
            self._after_input(now, messages)
            if len(data) < size or self.stream is None or pipe is None:
                if wanted != READ_SIZE:
                    # In the middle of a large body: sleep until more of it is there, rather than take it in crumbs.
                    self.engine.leadership.sleep_once()
                return
            # The header of a large body: read on at once, straight into a buffer of its own.

    def _rest(self, stream: SocketStream) -> None:
        """The system is short of memory: what arrived stays there, and its readiness is looked at after a pause."""
        self._set_interest(self.mask & ~READ)

        def go_on() -> None:
            with self.engine.lease:
                if self.stream is stream and self not in self.engine.stalled:
                    self._set_interest(self.mask | READ)

        self.engine.loop.call_at(monotonic() + SHORTAGE_PAUSE_S, go_on)

    def _find_room(self, pipe: Pipe, limit: int) -> int:
        """How many messages may be read now, where a look at the length of the queue doesn't tell."""
        if pipe.receive_policy != BLOCK:
            swap = pipe.receive_swap
            return _NO_LIMIT if swap is None or swap.can_append else 0  # else the peer waits
        meter = pipe.receive_meter
        return 0 if meter is not None and meter.is_full(len(pipe.inbound)) else limit

    def _deliver(self, pipe: Pipe, messages: list[Any]) -> None:
        pipe.received += len(messages)
        if pipe.receive_policy == BLOCK:
            pipe.inbound.extend(messages)
            if pipe.receive_meter is not None:
                note_all(pipe, messages)
        else:
            deliver_by_policy(pipe, messages)
            if pipe.receive_swap is not None:
                self.engine.stalled.add(self)  # the next reader asks for what is on disk
        if not pipe.active:
            self.engine.inbox.activate(pipe)
        self.engine.leadership.wake()

    def handle_drained(self, pipe: Pipe) -> None:
        """The application took everything: decode what a limit held back, read on where reading was paused."""
        if pipe.receive_swap is not None and not refill_inbound(pipe):
            return  # what comes next is on its way from disk
        if pipe.receive_meter is not None:
            pipe.receive_meter.settle(len(pipe.inbound))
        connection = self.connection
        if connection is None or self.stream is None:
            if pipe.receive_swap is None:
                self.engine.stalled.discard(self)  # an ended connection whose last messages came from disk
            return
        is_buffered = connection.has_buffered
        if is_buffered:
            try:
                self._decode_on(pipe, connection)
            except BaseException as error:  # as in `handle_event`: it may have come in the midst of a decode
                self.close_stream(error)
                raise
            is_buffered = connection.has_buffered
        if not self.mask & READ and self.stream is not None:
            self._set_interest(self.mask | READ)
        if not is_buffered and pipe.receive_swap is None:
            self.engine.stalled.discard(self)

    def _decode_on(self, pipe: Pipe, connection: Connection) -> None:
        messages = connection.receive_data(b"", monotonic(), pipe.receive_limit or _NO_LIMIT)
        pipe.received += len(messages)
        pipe.inbound.extend(messages)
        if pipe.receive_meter is not None:
            note_all(pipe, messages)
        if connection.has_control:
            self._after_input(monotonic())

    def handle_swapped_in(self, pipe: Pipe) -> None:
        """The disk brought messages back, or took some: let the application have them, and read on."""
        if not pipe.inbound and refill_inbound(pipe):
            if not pipe.active:
                self.engine.inbox.activate(pipe)
            self.engine.leadership.wake()
        swap = pipe.receive_swap
        if self.stream is not None and not self.mask & READ and (swap is None or swap.can_append):
            if swap is None:
                self.engine.stalled.discard(self)
            self._set_interest(self.mask | READ)

    def _read_rest(self, stream: SocketStream, connection: Connection, pipe: Pipe) -> ConnectionFailed | None:
        """The system ended it: what the peer sent before it went away is still there, and is delivered.

        Returns:
            The peer's own last words, if it had any.
        """
        data: bytes | None = b""
        for _ in range(READS_AT_END):
            messages = connection.receive_data(data or b"", monotonic())
            if messages:
                self._deliver(pipe, messages)
            try:
                data = stream.try_read(connection.read_size)
            except OSError as error:
                if not is_of_system(error):
                    raise
                break
            if not data or connection.closed:
                break
        event = connection.next_event()
        while event is not None:
            if type(event) is ConnectionFailed:
                return event
            event = connection.next_event()
        return None


def note_all(pipe: Pipe, messages: list[Any]) -> None:
    """Count the bytes of messages that were appended to the inbound queue."""
    meter = pipe.receive_meter
    assert meter is not None
    for message in messages:
        meter.note(message_size(message))
    meter.settle(len(pipe.inbound))


def deliver_by_policy(pipe: Pipe, messages: list[Any]) -> None:
    """Put what arrived into a queue that need not have room for it."""
    policy = pipe.receive_policy
    if policy == DROP_OLDEST:
        pipe.inbound.extend(messages)
        if pipe.receive_meter is not None:
            note_all(pipe, messages)
        _drop_oldest(pipe)
        return
    for message in messages:
        if _can_receive(pipe, message):
            pipe.inbound.append(message)
            if pipe.receive_meter is not None:
                pipe.receive_meter.note(message_size(message))
        elif policy == DROP_NEWEST:
            pipe.drop(1, DropReason.NEWEST, inbound=True)
        else:
            _spill_inbound(pipe, message)


def _can_receive(pipe: Pipe, message: Any) -> bool:
    if pipe.receive_swap is not None:
        return False  # behind what is on disk
    length = len(pipe.inbound)
    if pipe.receive_limit and length >= pipe.receive_limit:
        return type(pipe.inbound) is KeyedQueue and pipe.inbound.has_key_of(message)
    return pipe.receive_meter is None or pipe.receive_meter.fits(message_size(message), length)


def _drop_oldest(pipe: Pipe) -> None:
    """Take from the front of the inbound queue until it is within its limits; the application may be taking, too."""
    inbound, limit, meter = pipe.inbound, pipe.receive_limit, pipe.receive_meter
    count = 0
    while (limit and len(inbound) > limit) or (
        meter is not None and len(inbound) > 1 and meter.limit and meter.total > meter.limit
    ):
        try:
            inbound.popleft()
        except IndexError:
            break
        count += 1
        if meter is not None:
            meter.settle(len(inbound))
    if count:
        pipe.drop(count, DropReason.OLDEST, inbound=True)


def _spill_inbound(pipe: Pipe, message: Any) -> None:
    """Put a message behind the others on disk. Reading pauses when there is no room; what was read already gets in."""
    if pipe.receive_swap is None:
        pipe.receive_swap = pipe.carrier.open_swap(pipe)
    if pipe.receive_swap is None or not pipe.receive_swap.append(message, is_pledged=True):
        pipe.receive_policy = BLOCK  # there is no swap (any more): let the peer wait
        pipe.inbound.append(message)
        if pipe.receive_meter is not None:
            pipe.receive_meter.note(message_size(message))


def refill_inbound(pipe: Pipe) -> bool:
    """Take back from disk what fits; False when nothing is there, and something is on its way."""
    swap = pipe.receive_swap
    limit = pipe.receive_limit
    wanted = max(1, limit - len(pipe.inbound)) if limit else 1000
    messages = swap.move(pipe.inbound, wanted)
    if pipe.receive_meter is not None:
        note_all(pipe, messages)
    if not len(swap):  # a swap has a length, and is no container
        pipe.spilled += swap.spilled
        pipe.spilled_bytes += swap.spilled_bytes
        swap.close()
        pipe.receive_swap = None
        carrier = pipe.carrier
        if not getattr(carrier, "is_direct", False):
            carrier.engine.queues.configure(pipe)  # the policy may have been changed meanwhile
        return True
    return bool(messages)
