"""The carrier of a publisher's shared queues: a batch is encoded once and handed to every member.

Everything here needs the lease.
"""

from __future__ import annotations

from time import monotonic

from purezmq.engine.fence import is_interruption, report
from purezmq.engine.outbox import BATCH_BYTES, IDLE_S, TAKE_BYTES, choose_batch, take_batch
from purezmq.pipe import DropReason, message_size
from purezmq.wire.encoding_fast import encode_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.pipe import Pipe

__all__ = ["SharedOutbox"]


class SharedOutbox:
    """One per publishing socket; `SharedQueue` objects name it as their carrier."""

    __slots__ = ("_flushing", "engine", "last_flush", "queues")

    def __init__(self, engine: SocketEngine) -> None:
        self.engine = engine
        self.last_flush = 0.0
        #: Queues with messages that were not flushed yet.
        self.queues: set[Any] = set()
        self._flushing: set[Any] = set()

    def handle_write(self, queue: Any) -> None:
        """A message was appended to a quiet shared queue, or its batch is full."""
        now = monotonic()
        if len(queue.outbound) >= queue.write_room() or (not self.queues and now - self.last_flush > IDLE_S):
            self.flush_queue(queue, now)
        else:
            self._note_left(queue)

    def _note_left(self, queue: Any) -> None:
        """What is queued leaves later."""
        self.queues.add(queue)
        self.engine.note_dirty(self)
        queue.quiet = False  # last: were it the first, and a signal handler raised behind it, nobody would be told

    def flush_shared(self, queue: Any) -> None:
        """Write a queue out now, because its members are about to change."""
        self.flush_queue(queue, monotonic())

    def flush(self, now: float) -> None:
        """Write out every queue that has messages."""
        while self.queues:
            self.flush_queue(next(iter(self.queues)), now)

    def flush_queue(self, queue: Any, now: float) -> None:
        """Encode a queue's messages batch by batch, and hand the bytes to all members."""
        if queue in self._flushing:
            self.queues.discard(queue)
            return  # a member was lost in a write: the loop below goes on with what is queued
        try:
            self._flushing.add(queue)
            self.queues.discard(queue)
            self._flush_queue(queue, now)
        except BaseException:  # a signal handler's, as a rule: what is queued still is for the back-stop to write
            self._note_left(queue)
            raise
        finally:
            self._flushing.discard(queue)

    def _flush_queue(self, queue: Any, now: float) -> None:
        limit = self.engine.options.out_batch or TAKE_BYTES
        while True:
            if queue.taken is None:
                if queue.carrier is not self:  # its last member has left: what comes now is distributed anew
                    queue.carrier.flush_shared(queue)
                    return
                waiting = list(queue.members)
                waiting.reverse()
                queue.waiting = waiting
                take_batch(queue.outbound, limit, None, queue)
                if queue.taken is None:
                    queue.quiet = True
                    if not queue.outbound:
                        self.last_flush = monotonic()
                        return
                    continue
            interruption = self._hand_out(queue, now)
            if interruption is not None:
                raise interruption

    def _hand_out(self, queue: Any, now: float) -> BaseException | None:
        """Give what was taken to all members, whatever happens at one of them; what a signal handler raised.

        How far that is stands in the queue. So when a handler raises even here, the next flush goes on with it.
        """
        batch, waiting = queue.taken, queue.waiting
        count = len(batch)
        chunks: list[Any] | None = None
        size = 0
        interruption: BaseException | None = None
        while waiting:
            pipe = waiting[-1]
            try:
                if queue.target is not None:
                    _settle(pipe, batch, queue.target, now)
                else:
                    carrier = pipe.carrier
                    connection = carrier.connection
                    if pipe.special or connection is None or not connection.shares_encoding:
                        # Its limits need a look at each message, or its encoding is its own.
                        queue.target = _count_given(pipe) + count
                        carrier.queue_each(batch, now)
                    else:
                        # `_count_given`, without a call for each member.
                        queue.target = pipe.sent + len(pipe.outbound) + pipe.dropped - pipe.dropped_inbound + count
                        if chunks is None:
                            encoded: list[Any] = encode_batch(batch)
                            chunks, size = encoded, sum(map(len, encoded))
                            self._adapt_to(queue, size, count)
                        carrier.flush_shared(chunks, batch, size, now)
                # Handlers run behind calls of C and at jumps back: not between these two.
                del waiting[-1]
                queue.target = None
            except BaseException as error:  # noqa: BLE001 - the fence: one member's trouble is not the others'
                if is_interruption(error):  # the caller raises it: the others get their copy first
                    interruption = interruption or error
                else:
                    report(f"a write to {pipe.carrier!r}", error)
        queue.taken = None
        if chunks is None:
            self._adapt_to(queue, sum(map(message_size, batch)), count)
        return interruption

    def _adapt_to(self, queue: Any, size: int, count: int) -> None:
        self._adapt(queue, choose_batch(size, count, self.engine.options.out_batch or BATCH_BYTES))

    def _adapt(self, queue: Any, fitting: int) -> None:
        """Let batches have about the size that fits the last one's messages."""
        if fitting != queue.batch:
            queue.batch = fitting
            queue.limits_changed()
            self.engine.refresh_fast_path()

    def has_output(self) -> bool:
        """Whether anything waits to be handed out."""
        return bool(self.queues)


def _count_given(pipe: Pipe) -> int:
    """How many messages the pipe was ever given: whatever becomes of one, it stays in one of these numbers."""
    given = pipe.sent + len(pipe.outbound) + pipe.dropped - pipe.dropped_inbound
    if pipe.special:
        given += getattr(pipe.outbound, "replaced", 0) + (0 if pipe.swap is None else len(pipe.swap))
    return given


def _settle(pipe: Pipe, batch: list[Any], target: int, now: float) -> None:
    """An exception came out of a member's turn: give it what is missing, or count that as lost with its connection.

    Args:
        pipe: of the member.
        batch: what it was to get.
        target: what it will have been given by then.
        now: monotonic seconds.
    """
    missing = target - _count_given(pipe)
    if missing > 0 and not pipe.ended:
        try:
            pipe.carrier.queue_each(batch[-missing:], now)
        except Exception as error:  # the fence: it's this member's trouble
            if is_interruption(error):
                raise
            report(f"a write to {pipe.carrier!r}", error)
        missing = target - _count_given(pipe)
    if missing > 0:
        pipe.drop(missing, DropReason.DISCONNECTED)
