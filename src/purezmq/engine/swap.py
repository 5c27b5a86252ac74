"""A swap: a bounded queue of whole messages in memory and on disk, behind a pipe whose overflow policy is "spill".

::

    append -> open -> tail ---> stored ---> head -> hand -> take
              (< 1 block) |    (on disk)     ^
                          +------------------+    while nothing is stored

Messages are collected into blocks of about `BLOCK_SIZE`, and blocks go through three queues in the order of arrival.
What lies within the first `READ_AHEAD_SIZE` of the queue (`MAX_READ_AHEAD_SIZE` for a reader who waits) stays in memory
(head), so a reader that keeps up, or a trickle, never meets the disk. What lies beyond waits in memory to be written
(tail, bounded by `WRITE_BUFFER_SIZE`), then lies on disk (stored), then is read ahead into the head. Each block is
written at most once, and read at most once.

Who may do what:

* The caller's side (append, take, close, the counters) needs the lease of the socket. It never touches the disk, never
  waits for it, and pays the lock once per block, not per message: the open block and the one in hand are the caller's
  alone.
* The disk thread does everything with files, encoding and checksums included, and holds no lock meanwhile.
* `_lock` guards the three queues and what is derived from them. It is held for a few operations, never while calling
  out or taking another lock; so it can't deadlock, and who waits for it doesn't wait for a disk.
* A sealed block's list of messages is never changed, so the disk thread may read it while the caller takes the same
  block out of the tail; what was written then is released at once.
* `_lost` and `_lost_bytes` are written by the disk thread only, every other counter by the caller only, so each is a
  number that is old or new, never torn. `_blocked` is written under the lock, and may be read as a hint without it:
  who is refused looks again under the lock before he waits, so no wake-up is lost.

What bounds it: bytes by `max_bytes`; memory by the sizes below and one message; blocks in the index by `max_bytes`,
because a queue takes at most as many messages as bytes (empty ones take room, too).

How files look is `swap_file`'s matter, whose turn it is `swap_thread`'s.
"""

from __future__ import annotations

from collections import deque
from errno import ENOMEM
from itertools import compress
from time import monotonic

from purezmq.engine.swap_block import PART_OVERHEAD, Block, measure, message_bytes
from purezmq.engine.swap_failure import CORRUPT, FAILED, FULL, reason_of, tell
from purezmq.engine.swap_file import SwapFile
from purezmq.engine.swap_thread import RETRY_S
from purezmq.native import allocate_lock
from purezmq.pipe import KeyedQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from purezmq.engine.swap_thread import SwapThread
    from purezmq.message import Message

__all__ = [
    "BLOCK_SIZE",
    "CORRUPT",
    "FAILED",
    "FULL",
    "MAX_READ_AHEAD_SIZE",
    "READ_AHEAD_SIZE",
    "WRITE_BUFFER_SIZE",
    "Swap",
]

#: Messages are written and read in blocks of at least this cost (bytes, see `PART_OVERHEAD`).
BLOCK_SIZE = 1 << 20
#: What is ready for the reader, the block in its hand not counted, has at most this cost, or is one block.
READ_AHEAD_SIZE = 4 << 20
#: The same while a reader waits for the disk: so that the disk doesn't wait for the reader.
MAX_READ_AHEAD_SIZE = 8 << 20
#: A reader that waits is told when so many eighths of that are there, or all: while he takes them the rest is read.
_TELL_EIGHTHS = 3
#: What waits to be written has at most this cost, but for one message.
WRITE_BUFFER_SIZE = 8 << 20
#: Sealed blocks that may wait: the open one gets what is left of the buffer.
_SEALED_LIMIT = WRITE_BUFFER_SIZE - BLOCK_SIZE
#: A writer that waits is told when no more than this waits to be written: not for each block, for each is a wake-up.
_RESUME_LIMIT = _SEALED_LIMIT // 2
#: So many messages are always taken, however small `max_bytes` is.
_MIN_MESSAGES = 1 << 14


class Swap:
    """A bounded FIFO of messages; needs the lease unless stated otherwise.

    Args:
        thread: does the disk work.
        directory: where files are made when it comes to that; created if missing. Empty: the system's directory for
            temporary files.
        max_bytes: bound of the bytes of all parts inside.
        handle_change: called on the disk thread, without any lock, when messages have come that `take` didn't have,
            or there is room that `append` or `can_append` denied for want of the disk. Room that `take` makes is known
            to who took.
        handle_failure: called likewise with a reason, the error and how many messages are lost: `FULL` or `FAILED`
            once until a write succeeds again (none is lost), `CORRUPT` once per block that can't be read.

    Attributes:
        max_bytes: as given.
        spilled_bytes: bytes of the parts of all messages ever appended.
        discarded: how many messages were inside when it was closed.

    Raises:
        RuntimeError: the disk thread can't be started, or has ended.
    """

    __slots__ = (
        "__weakref__", "_blocked", "_ceiling", "_cleared", "_closed", "_dropped", "_failed", "_file", "_hand",
        "_hand_bytes", "_hand_plain", "_handle_change", "_handle_failure", "_head", "_head_cost", "_lock",
        "_lost", "_lost_bytes", "_max_messages", "_must_tell", "_open", "_open_plain", "_read_ahead", "_reader_waits",
        "_retry_at", "_seal_at", "_sealed", "_sealed_bytes", "_stored", "_tail", "_tail_cost", "_taken",
        "_thread", "_told", "_wanted", "_write_next", "_writer_waits", "discarded", "max_bytes", "spilled_bytes",
    )  # fmt: skip

    def __init__(
        self,
        thread: SwapThread,
        directory: str,
        max_bytes: int,
        *,
        handle_change: Callable[[], None],
        handle_failure: Callable[[str, BaseException | None, int], None],
    ) -> None:
        self._thread = thread
        self._file = SwapFile(directory, thread.closer.close)
        self.max_bytes = max_bytes
        self._max_messages = max(max_bytes, _MIN_MESSAGES)
        self._handle_change = handle_change
        self._handle_failure = handle_failure
        # -- the caller's
        self.spilled_bytes = 0
        #: What of it was before the open block, in messages and in bytes.
        self._sealed = 0
        self._sealed_bytes = 0
        #: The open block is sealed when `spilled_bytes` and the overhead of its messages are this much.
        self._seal_at = BLOCK_SIZE
        self._taken = 0
        #: What `spilled_bytes` may grow to: `max_bytes` and what was taken. What was lost comes on top; `append` looks
        #: for that when it meets the ceiling.
        self._ceiling = max_bytes
        #: The size that was refused last, for `is_full`.
        self._wanted = 1
        self._open: list[Any] = []
        self._open_plain = True
        #: The block that is being taken, last message first: what was taken is let go of at once, and at little cost.
        self._hand: list[Any] = []
        self._hand_bytes = 0
        self._hand_plain = True
        # -- the disk thread's
        self._lost = 0
        self._lost_bytes = 0
        self._retry_at = 0.0
        self._told = False
        self._write_next = False
        self._must_tell = False
        # -- under the lock
        self._lock = allocate_lock()
        self._head: deque[Block] = deque()
        self._stored: deque[Block] = deque()
        self._tail: deque[Block] = deque()
        self._head_cost = 0
        self._tail_cost = 0
        self._read_ahead = READ_AHEAD_SIZE
        #: The last write failed, and what it should have written still waits.
        self._failed = False
        self._blocked = False
        self._reader_waits = False
        self._writer_waits = False
        #: The caller closed it, or forked.
        self._closed = self._cleared = False
        self.discarded = 0
        #: What `close` left to be freed.
        self._dropped: list[Any] = []
        thread.add(self)

    def __repr__(self) -> str:
        """Say what is inside, and where."""
        places = f"{len(self._head)}+{len(self._stored)}+{len(self._tail)} blocks"
        return f"<Swap {len(self)} messages, {self.bytes} of {self.max_bytes} bytes, {places}>"

    # -- the caller's side ---------------------------------------------------------------------------------------

    def append(self, message: Any, *, is_pledged: bool = False) -> bool:
        """Put a message at the end.

        Args:
            message: a bytes-like object or a list of at least one. Its memory must not change until it's taken or
                discarded, because it is not copied.
            is_pledged: take it whatever the limits say, unless it's closed: there is no way back for this message, and
                its owner asked `can_append` before it let it come.

        Returns:
            False if it was not taken: there is no room below `max_bytes` or the disk is full (`is_full`), or the disk
            is slower than the writer (wait for `handle_change`). A message larger than `max_bytes` is always refused,
            which changes nothing: it isn't worth waiting.

        Raises:
            TypeError: a part isn't bytes-like.
            ValueError: a part isn't contiguous, or there is none.
        """
        if type(message) is not bytes:
            return self._append_parts(message, is_pledged=is_pledged)
        total = self.spilled_bytes + len(message)
        if (total > self._ceiling or self._blocked) and not self._has_room(len(message)) and not is_pledged:
            return False
        messages = self._open
        self.spilled_bytes = total  # no handler runs before the message is there: they run behind calls of C
        messages.append(message)
        if total + PART_OVERHEAD * len(messages) >= self._seal_at:
            self._seal()
        return True

    def _append_parts(self, message: Any, *, is_pledged: bool) -> bool:
        """`append` for all that isn't bytes."""
        size, parts = measure(message)
        total = self.spilled_bytes + size
        if (total > self._ceiling or self._blocked) and not self._has_room(size) and not is_pledged:
            return False
        messages = self._open
        self._open_plain = False
        self.spilled_bytes = total
        self._seal_at -= PART_OVERHEAD * (parts - 1)
        messages.append(message)
        if total + PART_OVERHEAD * len(self._open) >= self._seal_at:
            self._seal()
        return True

    def take(self, limit: int) -> list[Message]:
        """Take messages from the front.

        Args:
            limit: most messages to return, at least 1.

        Returns:
            What is in memory, parts of any bytes-like type as bytes; nothing when the swap is empty, or its front is
            still on the way from the disk (`len` tells, wait for `handle_change`). A list of one part comes out as
            bytes; an instance of a subclass of list that never left the memory comes out as it is.
        """
        messages: list[Message] = []
        self.move(messages, limit)
        return messages

    def move(self, queue: Any, limit: int, tickets: Iterator[Any] | None = None) -> list[Message]:
        """As `take`, to the end of a queue: whatever a signal handler interrupts, each message is here or there.

        Args:
            queue: a list or deque; of a `KeyedQueue` the messages may come once more, and replace themselves.
            limit: most messages, at least 1.
            tickets: of which one is taken for each.

        Returns:
            What was moved.
        """
        messages = self._move_from_hand(queue, limit, tickets)
        while len(messages) < limit and self._take_up_block():
            messages += self._move_from_hand(queue, limit - len(messages), tickets)
        return messages

    def _move_from_hand(self, queue: Any, limit: int, tickets: Iterator[Any] | None) -> list[Message]:
        hand = self._hand
        messages = hand[-limit:]
        count = len(messages)
        if count == len(hand):
            size = self._hand_bytes
        else:
            size = sum(map(len, messages)) if self._hand_plain else sum(map(message_bytes, messages))
        messages.reverse()
        placed = messages if tickets is None else compress(messages, tickets)
        extend = queue.extend
        is_keyed = type(queue) is KeyedQueue
        if is_keyed:
            extend(placed)  # in Python: a handler may run in it
        # No handler runs from here to the end of the last line.
        self._hand_bytes -= size
        self._ceiling += size
        self._taken += count
        self._wanted = 1
        del hand[-limit:]
        if not is_keyed:
            extend(placed)
        return messages

    def __len__(self) -> int:
        """How many messages are inside, in memory and on disk."""
        return self.spilled - self._taken - self._lost

    @property
    def spilled(self) -> int:
        """How many messages were ever appended."""
        return self._sealed + len(self._open)

    @property
    def bytes(self) -> int:
        """Bytes of the parts of the messages inside."""
        return self.max_bytes - self._ceiling + self.spilled_bytes - self._lost_bytes

    @property
    def is_full(self) -> bool:
        """Whether a message of the size that was refused last (or of one byte) will be refused until some are taken.

        Also while the disk is full or fails, until it has taken a block or isn't needed any more.
        """
        return self._failed or self.bytes + self._wanted > self.max_bytes or len(self) >= self._max_messages

    @property
    def can_append(self) -> bool:
        """Whether `append` is worth a try; if not `handle_change` tells when the disk has made room."""
        wanted = self._wanted
        return (not self._blocked and self.spilled_bytes + wanted <= self._ceiling) or self._has_room(wanted)

    def hand_over(self, handle_change: Callable[[], None], handle_failure: Any = None) -> None:
        """From now on tell somebody else of changes, and of failures where that is given: it has another owner."""
        self._handle_change = handle_change
        self._handle_failure = handle_failure or self._handle_failure

    def resize(self, max_bytes: int) -> None:
        """Another bound from now on; what is inside stays."""
        self._ceiling += max_bytes - self.max_bytes
        self.max_bytes = max_bytes
        self._max_messages = max(max_bytes, _MIN_MESSAGES)

    def close(self) -> int:
        """Discard everything; the disk thread frees files and memory. Once more it does what an interruption left.

        Returns:
            How many messages were discarded; 0 when that was done before, and `discarded` tells.
        """
        self._clear()
        if self._cleared:
            return 0
        self._thread.schedule(self)
        self._cleared = True
        return self.discarded

    def abandon(self) -> None:
        """Close the descriptors in a forked child, where the disk thread doesn't exist; nothing else is of use then."""
        self._lock = allocate_lock()  # the other thread may have held it
        self._clear()
        self._cleared = True
        self._file.abandon()

    def _clear(self) -> None:
        """Let go of all messages; what was done before does no harm."""
        self._drop_blocks()
        self._go_on_behind(self._make_block())
        discarded = len(self)
        self._hand = []
        # Handlers run behind calls and at jumps back: not in these two lines.
        self._taken += discarded
        self.discarded += discarded
        self._ceiling += self.bytes

    def _drop_blocks(self) -> None:
        """Take and give nothing any more. Freeing a long queue takes its time, so that's left to the disk thread."""
        with self._lock:
            self._closed = self._blocked = True
            self._reader_waits = self._writer_waits = False
            self._dropped += (self._head, self._stored, self._tail)
            self._head, self._stored, self._tail = deque(), deque(), deque()
            self._head_cost = self._tail_cost = 0

    def _has_room(self, size: int) -> bool:
        """Whether a message of this size may be appended; notes that somebody wants to."""
        if size > self.max_bytes:
            return False  # it never may
        self._wanted = size
        with self._lock:
            self._refresh()
            if not self._blocked:
                return self.bytes + size <= self.max_bytes
            self._writer_waits = True
        self._thread.schedule(self)  # who put the last block there may have been interrupted before this
        return False

    def _seal(self) -> None:
        """Make a block of the open messages."""
        block = self._make_block()
        self._wanted = 1
        with self._lock:
            tail = self._tail
            self._go_on_behind(block)
            self._tail_cost += block.cost
            tail.append(block)
            self._refresh()
            must_write = bool(tail)
        if must_write:
            self._thread.schedule(self)

    def _make_block(self) -> Block:
        """Make a block of the open messages, which are in it and here."""
        messages, size = self._open, self.spilled_bytes - self._sealed_bytes
        cost = size + PART_OVERHEAD * len(messages) + self._sealed_bytes + BLOCK_SIZE - self._seal_at
        return Block(messages, size, cost, self._open_plain)

    def _go_on_behind(self, block: Block) -> None:
        """The open messages are in a block: start with the next ones. No handler runs from here to the next call."""
        self._open, self._open_plain = [], True
        self._sealed += block.count
        self._sealed_bytes += block.bytes
        self._seal_at = self._sealed_bytes + BLOCK_SIZE

    def _take_up_block(self) -> bool:
        """Take the first block in hand, if it's in memory; whether there is something in it."""
        with self._lock:
            if source := self._head:
                self._take_in_hand(source[0])
                self._head_cost -= source[0].cost
                del source[0]
            elif self._stored or self._closed:
                self._reader_waits = not self._closed
                if self._stored:
                    self._read_ahead = MAX_READ_AHEAD_SIZE  # he is faster than the disk
                return False
            elif self._tail:
                # It never fitted into the head, or wasn't moved there yet.
                source = self._tail
                self._take_in_hand(source[0])
                self._tail_cost -= source[0].cost
                del source[0]
            else:
                self._take_in_hand(self._make_block(), is_open=True)
            self._refresh()
            must_read = bool(self._stored)
        if must_read:
            self._thread.schedule(self)
        return bool(self._hand)

    def _take_in_hand(self, block: Block, *, is_open: bool = False) -> None:
        """A block is the hand from now on. No handler runs from its last lines to the next call."""
        hand = block.to_hand()  # a list of its own: the disk thread may be writing the block's
        if is_open:
            self._go_on_behind(block)
        self._hand = hand
        self._hand_bytes, self._hand_plain = block.bytes, block.plain

    def _refresh(self) -> None:
        """Bring what is derived from the queues up to date (lock held)."""
        tail = self._tail
        if not self._stored and self._read_ahead != READ_AHEAD_SIZE:
            self._read_ahead = READ_AHEAD_SIZE
        while tail and not self._stored and self._fits_head(tail[0]):
            block, head = tail[0], self._head
            self._tail_cost -= block.cost
            self._head_cost += block.cost
            del tail[0]  # no call: no handler runs before it's in the head
            head.append(block)
        if not tail:
            self._failed = False  # nothing needs the disk
        self._blocked = (
            self._closed or self._failed or self._tail_cost > _SEALED_LIMIT or len(self) >= self._max_messages
        )

    def _fits_head(self, block: Block) -> bool:
        return self._head_cost + block.cost <= self._read_ahead

    # -- on the disk thread --------------------------------------------------------------------------------------

    def work(self) -> float | None:
        """Read or write one block, or free everything once it is closed (on the disk thread).

        Returns:
            Seconds until there is more to do, 0 for at once; None when there is nothing.
        """
        with self._lock:
            closed = self._closed
            if not closed:
                self._refresh()
            reading, writing = self._choose()
        if closed:
            self._dropped.clear()
            self._file.close()
            self._thread.forget(self)
            return None
        delay: float | None
        if reading is not None:
            delay = self._read(reading)
            if delay:
                with self._lock:
                    must_tell = self._take_notice(is_stuck=True)
                if must_tell:
                    tell(self._handle_change)
                return delay
        elif writing is not None:
            self._write(writing)
        with self._lock:
            self._refresh()
            must_tell = self._take_notice()
            reading, writing = self._choose()
            if reading is not None or writing is not None or self._closed:
                delay = 0.0
            else:
                delay = max(self._retry_at - monotonic(), 0.001) if self._failed else None
        if must_tell:
            tell(self._handle_change)
        if reading is None:
            self._file.give_back()
        return delay

    def retry_now(self) -> None:
        """Space was given back: a failed write is tried again (on the disk thread)."""
        self._retry_at = 0.0

    def handle_stop(self) -> None:
        """The disk thread ends, and with it the queue: what is inside is discarded by `close` (on the disk thread)."""
        self._drop_blocks()
        self._file.close()

    def _take_notice(self, *, is_stuck: bool = False) -> bool:
        """Whether there is news for somebody who waits, or of a loss; it's told once (lock held).

        Args:
            is_stuck: nothing comes behind what is there for a while.
        """
        is_enough = self._head_cost * 8 >= self._read_ahead * _TELL_EIGHTHS or (is_stuck and self._head)
        if self._reader_waits and (is_enough or not self._is_readable()):
            self._reader_waits = False
            self._must_tell = True
        if self._writer_waits and not self._blocked and self._tail_cost <= _RESUME_LIMIT:
            self._writer_waits = False
            self._must_tell = True
        must_tell, self._must_tell = self._must_tell, False
        return must_tell

    def _is_readable(self) -> bool:
        """Whether a block is to be read ahead (lock held)."""
        return bool(self._stored) and (not self._head or self._fits_head(self._stored[0]))

    def _choose(self) -> tuple[Block | None, Block | None]:
        """The block to read or the block to write, in turns when there are both (lock held)."""
        reading = self._stored[0] if self._is_readable() else None
        writing = None
        if self._tail and not (self._failed and monotonic() < self._retry_at):
            writing = self._tail[0]
        if reading is not None and writing is not None:
            return (None, writing) if self._write_next else (reading, None)
        return reading, writing

    def _write(self, block: Block) -> None:
        self._write_next = False
        messages = block.messages
        assert messages is not None  # it's in the tail
        try:
            address = self._file.write(messages)
        except Exception as error:  # noqa: BLE001 - whatever it was, the messages are still there
            self._handle_write_failure(block, error)
            return
        self._told = False
        with self._lock:
            wanted = bool(self._tail) and self._tail[0] is block
            if wanted:
                self._tail.popleft()
                self._tail_cost -= block.cost
                block.address = address
                block.messages = None
                self._stored.append(block)
                self._failed = False
        if not wanted:
            self._file.release(address)

    def _handle_write_failure(self, block: Block, error: Exception) -> None:
        with self._lock:
            if self._closed or not self._tail or self._tail[0] is not block:
                return  # it was taken meanwhile
            self._failed = self._blocked = True
            self._retry_at = monotonic() + RETRY_S
        if not self._told:
            self._told = True
            tell(self._handle_failure, reason_of(error), error, 0)

    def _read(self, block: Block) -> float:
        """Read a block into the head, or lose it; return seconds to wait when it can't be said which."""
        self._write_next = True
        address = block.address
        assert address is not None  # it's stored
        messages: list[Message] | None = None
        failure: Exception | None = None
        try:
            messages = self._file.read(address)
        except Exception as error:  # noqa: BLE001 - whatever it was, what comes behind the block must not wait for it
            if isinstance(error, MemoryError) or getattr(error, "errno", 0) == ENOMEM:
                return RETRY_S
            failure = error
        with self._lock:
            if self._closed:
                return 0.0
            self._stored.popleft()
            if messages is None:
                self._lost += block.count
                self._lost_bytes += block.bytes
                self._must_tell = True
            else:
                block.messages = messages
                self._head.append(block)
                self._head_cost += block.cost
        self._file.release(address)
        if failure is not None:
            tell(self._handle_failure, CORRUPT, failure, block.count)
        return 0.0
