"""The carrier of a publisher's shared queues: a batch is encoded once and handed to every member.

Everything here needs the lease.
"""

from __future__ import annotations

from time import monotonic

from purezmq.engine.fence import report
from purezmq.engine.outbox import BATCH_BYTES, IDLE_S, TAKE_BYTES, choose_batch, take_batch
from purezmq.pipe import message_size
from purezmq.wire.encoding_fast import encode_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine

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
            queue.quiet = False
            self.queues.add(queue)
            self.engine.note_dirty(self)

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
            queue.quiet = False
            self.queues.add(queue)
            self.engine.note_dirty(self)
            raise
        finally:
            self._flushing.discard(queue)

    def _flush_queue(self, queue: Any, now: float) -> None:
        limit = self.engine.options.out_batch
        while True:
            batch = take_batch(queue.outbound, limit or TAKE_BYTES)
            if not batch:
                queue.quiet = True
                if not queue.outbound:
                    self.last_flush = monotonic()
                    return
                continue
            chunks: list[Any] | None = None
            size = 0
            interruption: BaseException | None = None
            for pipe in list(queue.members):
                carrier = pipe.carrier
                try:
                    connection = carrier.connection
                    if pipe.special or connection is None or not connection.shares_encoding:
                        # Its limits need a look at each message, or its encoding is its own.
                        carrier.queue_each(batch, now)
                        continue
                    if chunks is None:
                        encoded: list[Any] = encode_batch(batch)
                        chunks, size = encoded, sum(map(len, encoded))
                        self._adapt(queue, choose_batch(size, len(batch), limit or BATCH_BYTES))
                    carrier.flush_shared(chunks, batch, size, now)
                except Exception as error:  # noqa: BLE001 - the fence: one member's trouble is not the others'
                    report(f"a write to {carrier!r}", error)
                except BaseException as error:  # noqa: BLE001 - raised below: the others get their copy first
                    interruption = interruption or error
            if interruption is not None:
                raise interruption
            if chunks is None and batch:
                size = sum(map(message_size, batch))
                self._adapt(queue, choose_batch(size, len(batch), limit or BATCH_BYTES))

    def _adapt(self, queue: Any, fitting: int) -> None:
        """Let batches have about the size that fits the last one's messages."""
        if fitting != queue.batch:
            queue.batch = fitting
            queue.limits_changed()
            self.engine.refresh_fast_path()

    def has_output(self) -> bool:
        """Whether anything waits to be handed out."""
        return bool(self.queues)
