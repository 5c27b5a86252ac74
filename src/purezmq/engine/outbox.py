"""The outgoing half of a session: takes messages out of the pipe, encodes them in batches, writes chunks.

When it writes:

* A connection that was idle for `IDLE_S` writes at once, in the sending thread: lowest latency.
* In a burst messages are only appended. They leave when a batch is full, before the sending thread blocks in any
  call, or by the back-stop within a millisecond; one system call takes a whole batch.
* What the system doesn't take stays as chunks, each with the messages that it was made of, so that whole messages
  which never left can be given back to the pipe when the connection is lost.

Everything here needs the lease.
"""

from __future__ import annotations

from collections import deque
from time import monotonic

from purezmq.engine.chunks import cut, skip
from purezmq.engine.fence import is_of_system
from purezmq.engine.selector import WRITE
from purezmq.pipe import BATCH_MESSAGES, DROP_NEWEST, NO_BATCH, WRITE_BATCH_MESSAGES, DropReason, message_size
from purezmq.transports.base import SHORTAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.pipe import Pipe
    from purezmq.transports.base import SocketStream
    from purezmq.wire.connection import Connection

__all__ = ["Outbox", "choose_batch", "take_batch"]

#: A connection is idle when nothing was written for this long (seconds).
IDLE_S = 0.000_050
#: A batch of larger messages ends at about this many bytes.
BATCH_BYTES = 126 * 1024
#: One turn of writing takes about this many bytes, when more than a batch waits.
TAKE_BYTES = 512 * 1024


class _Unsent:
    """Chunks that the system did not take yet, and the messages that are in them, wholly or in part."""

    __slots__ = ("chunks", "messages", "started")

    def __init__(self, chunks: list[Any], messages: list[Any], *, started: bool) -> None:
        self.chunks = chunks
        self.messages = messages
        self.started = started


class Outbox:
    """See the module's text. The attributes that the session adds are declared here for the type checker."""

    __slots__ = ("batch_bytes", "fd", "frame_overhead", "last_flush", "pipe", "stream", "take_bytes", "unsent")

    if TYPE_CHECKING:
        connection: Connection | None
        engine: Any
        mask: int
        ending: bool

        def _set_interest(self, mask: int) -> None: ...
        def close_stream(self, error: BaseException | None, *, reads_rest: bool = False) -> None:
            """Session's."""

    def __init__(self) -> None:
        self.pipe: Pipe | None = None
        self.stream: SocketStream | None = None
        self.fd = -1
        #: By how much a mechanism makes the body of each frame larger.
        self.frame_overhead = 0
        self.last_flush = 0.0
        self.unsent: deque[_Unsent] | None = None
        self.limit_batches(0)

    def limit_batches(self, size: int) -> None:
        """Let one write take about so many bytes (OUT_BATCH_SIZE); 0: as many as is quick."""
        self.batch_bytes = size or BATCH_BYTES
        self.take_bytes = size or TAKE_BYTES

    def handle_write(self, pipe: Pipe) -> None:
        """A message was appended to the quiet pipe, or its batch is full."""
        now = monotonic()
        if self.unsent is None and (now - self.last_flush > IDLE_S or len(pipe.outbound) >= pipe.write_batch):
            if len(pipe.outbound) == 1:
                try:
                    self._write_one(pipe, now)
                except BaseException as error:
                    self._handle_interrupt(error)
                    raise
            else:
                self.flush(now)
        else:
            self.engine.note_dirty(self)
            pipe.quiet = False  # last: were it the first, and a signal handler raised behind it, nobody would be told

    def _handle_interrupt(self, error: BaseException) -> None:
        """An exception came out of the midst of a write: a signal handler raised it (Ctrl-C), or it's a fault of ours.

        How much of it has left nobody knows. So the connection ends, rather than go on with a gap in it, and the batch
        counts as handed to the system: it isn't sent twice.
        """
        unsent, pipe = self.unsent, self.pipe
        if unsent and pipe is not None:
            pipe.in_flight -= len(unsent[0].messages)
            unsent[0].messages = []
        self.close_stream(error)

    def _write_one(self, pipe: Pipe, now: float) -> None:
        """A single message on an idle connection, the round-trip case: the shortest way to the system."""
        connection, stream = self.connection, self.stream
        if connection is None or stream is None or not connection.ready:
            pipe.quiet = False
            return
        outbound = pipe.outbound
        if type(outbound) is list:  # with one message, or more that were appended meanwhile
            batch = outbound[:1]
            pipe.sent += 1  # as in `take_batch`: no handler runs from here to the next line's end
            del outbound[:1]
        else:
            batch = take_batch(outbound, self.take_bytes, pipe)
        chunks: list[Any] = connection.encode(batch)
        if len(chunks) != 1 or len(chunks[0]) > BATCH_BYTES:
            self._write(chunks, batch, pipe)
            self.last_flush = monotonic()
        else:
            self.last_flush = now
            try:
                taken = stream.try_write(chunks)
            except OSError as error:
                self._keep_all(error, chunks, batch, pipe)
                return
            if taken != len(chunks[0]):
                self._keep_rest(chunks, batch, taken, pipe)
        if pipe.outbound or pipe.special:
            self.flush(now)
        elif self.engine.closing or self.ending:
            self.engine.handle_flushed(self)

    def flush(self, now: float) -> None:
        """Write everything that the system takes now."""
        del now
        try:
            connection, pipe = self.connection, self.pipe
            if self.unsent is not None and not self._write_unsent():
                return
            if pipe is None or connection is None or not connection.ready:
                if pipe is not None:
                    pipe.quiet = False  # nobody needs to tell us again: the end of the handshake flushes
                return
            while True:
                batch = take_batch(pipe.outbound, self.take_bytes, pipe)
                if not batch:
                    # Quiet first, then look again: who appends looks at `quiet` after its append.
                    pipe.quiet = True
                    if pipe.swapping and pipe.refill():
                        if not len(pipe.swap):  # a swap has a length, and is no container
                            self.engine.handle_room()
                        continue
                    if pipe.meter is not None:
                        pipe.meter.settle(len(pipe.outbound) + pipe.in_flight)
                    if not pipe.outbound:
                        # The clock again: a write of a full batch takes longer than the idle time, and isn't idleness.
                        self.last_flush = monotonic()
                        if self.mask & WRITE:
                            self._set_interest(self.mask & ~WRITE)
                        if (self.engine.closing or self.ending) and not pipe.swapping:
                            self.engine.handle_flushed(self)
                        return
                    continue
                if not self._write(connection.encode(batch), batch, pipe):
                    self.last_flush = monotonic()
                    return
        except BaseException as error:
            self._handle_interrupt(error)
            raise

    def flush_shared(self, chunks: list[Any], batch: list[Any], size: int, now: float) -> None:
        """Write chunks that were encoded once for many peers; those a full pipe has no room for are dropped."""
        pipe = self.pipe
        if pipe is None:
            return
        self.last_flush = now
        try:
            if pipe.outbound:  # what is queued here (a welcome message) leaves first
                self.flush(now)
                if pipe.carrier is not self:  # the connection broke, and the durable subscriber's pipe is parked
                    pipe.carrier.queue_each(batch, now)
                    return
                if pipe.outbound:
                    self.queue_each(batch, now)
                    return
            if self.unsent is None:
                # As `_write`, without its calls: this runs once for each subscriber, and their queue chooses the batch.
                pipe.sent += len(batch)
                stream = self.stream
                if stream is None:
                    return
                try:
                    taken = stream.try_write(chunks)
                except OSError as error:
                    self._keep_all(error, chunks, batch, pipe)
                    return
                if taken != size:
                    self._keep_rest(chunks, batch, taken, pipe)
                return
            limit = pipe.send_limit
            if not pipe.eligible and pipe.in_flight <= limit // 2:
                pipe.eligible = True
            if limit and (not pipe.eligible or pipe.in_flight + len(batch) > limit):
                if pipe.policy != DROP_NEWEST:
                    self.queue_each(batch, now)
                    return
                room = max(limit - pipe.in_flight, 0) if pipe.eligible else 0
                pipe.eligible = False
                pipe.drop(len(batch) - room, DropReason.NEWEST)
                if not room or self.connection is None:
                    return
                batch = batch[:room]
                chunks = self.connection.encode(batch)
            pipe.sent += len(batch)
            pipe.in_flight += len(batch)
            self.unsent.append(_Unsent(list(chunks), batch, started=False))
        except BaseException as error:
            self._handle_interrupt(error)
            raise

    def queue_each(self, batch: list[Any], now: float) -> None:
        """Queue messages one by one, each by the pipe's overflow policy: for a peer that is full, away or special."""
        pipe = self.pipe
        if pipe is None:
            return
        if self.unsent is not None and not pipe.swapping:
            self.flush(now)  # before anything is dropped for want of room
            if pipe.carrier is not self:
                pipe.carrier.queue_each(batch, now)
                return
        for message in batch:
            if pipe.can_take(message):
                pipe.outbound.append(message)
                if pipe.meter is not None:
                    pipe.meter.note(message_size(message))
            elif not pipe.overflow(message, is_pledged=True):
                pipe.drop(1, DropReason.NEWEST)  # it was admitted when it was published, and now there is no way back
        if self.unsent is None:
            self.flush(now)
        else:
            pipe.quiet = False

    def flush_pipe(self, pipe: Pipe) -> None:
        """See `Carrier`."""
        self.flush(monotonic())

    def free_unsent(self, pipe: Pipe) -> None:
        """See `Carrier`: what is encoded and not begun goes back; only the rest of a message on its way stays."""
        unsent = self.unsent
        if unsent is None or not pipe.in_flight or (pipe.in_flight == 1 and unsent[0].started):
            return
        kept: deque[_Unsent] = deque()
        back: list[Any] = []
        flying = 0
        exact = self.connection is not None and self.connection.shares_encoding
        for entry in unsent:
            if entry.started:
                begun, whole = _split_started(entry, exact=exact)
                back.extend(whole)
                flying += len(begun.messages)
                if begun.chunks:
                    kept.append(begun)
            elif entry.messages:
                back.extend(entry.messages)
            else:
                kept.append(entry)  # control frames
        self._give_back(pipe, back, kept or None, flying)
        if not kept:  # the descriptor is watched still: the event begins anew
            pipe.batch, pipe.write_batch = BATCH_MESSAGES, WRITE_BATCH_MESSAGES
        self.engine.refresh_fast_path()

    def _write(self, chunks: list[Any], batch: list[Any], pipe: Pipe) -> bool:
        """Write chunks while nothing is unsent; False when something stays."""
        size = sum(map(len, chunks))
        stream = self.stream
        if stream is None:
            return False
        try:
            taken = stream.try_write(chunks)
        except OSError as error:
            self._keep_all(error, chunks, batch, pipe)
            return False
        if batch:
            self._adapt(pipe, size, len(batch))
        return taken == size or self._keep_rest(chunks, batch, taken, pipe)

    def _keep_rest(self, chunks: list[Any], batch: list[Any], taken: int, pipe: Pipe) -> bool:
        """The system took a part; False when something stays after all."""
        self._keep(chunks, batch, taken, pipe)
        if taken and len(chunks) > 1:
            # More chunks than one system call takes, or a system that is nearly full: ask once more.
            return self._write_unsent()
        self._wait_for_room()
        return False

    def _keep_all(self, error: OSError, chunks: list[Any], batch: list[Any], pipe: Pipe) -> None:
        """A write failed, so all of it is unsent; what the system didn't raise travels on."""
        if not is_of_system(error):
            raise error
        self._keep(chunks, batch, 0, pipe)
        self._handle_write_error(error)

    def _adapt(self, pipe: Pipe, size: int, count: int) -> None:
        """Choose how many messages make a batch by the size of the last ones."""
        batch = choose_batch(size, count, self.batch_bytes)
        if batch != pipe.batch:
            pipe.batch = batch
            pipe.write_batch = min(batch, WRITE_BATCH_MESSAGES)
            self.engine.refresh_fast_path()

    def _keep(self, chunks: list[Any], batch: list[Any], taken: int, pipe: Pipe) -> None:
        if self.unsent is None:
            self.unsent = deque()
        entry = _Unsent(skip(chunks, taken), batch, started=taken > 0)
        if taken:
            _drop_sent(entry, self.frame_overhead)
        self.unsent.append(entry)
        pipe.in_flight += len(entry.messages)
        # The system is full: no batch needs to be announced until it has room again, only the mark counts.
        pipe.batch = pipe.write_batch = NO_BATCH
        self.engine.refresh_fast_path()

    def _write_unsent(self) -> bool:
        """Write what is unsent; True when nothing is left."""
        unsent, stream, pipe = self.unsent, self.stream, self.pipe
        if unsent is None or stream is None:
            return unsent is None
        while unsent:
            entry = unsent[0]
            try:
                taken = stream.try_write(entry.chunks)
            except OSError as error:
                if not is_of_system(error):
                    raise
                self._handle_write_error(error)
                return False
            if not taken:
                self._wait_for_room()
                return False
            entry.started = True
            entry.chunks = skip(entry.chunks, taken)
            gone = len(entry.messages)
            if entry.chunks:
                gone = _drop_sent(entry, self.frame_overhead)
            else:
                unsent.popleft()
            if pipe is not None and gone:
                pipe.in_flight -= gone
                if pipe.meter is not None:
                    pipe.meter.settle(len(pipe.outbound) + pipe.in_flight)
                self.engine.handle_room()
        self.unsent = None
        if pipe is not None:
            pipe.batch = BATCH_MESSAGES
            pipe.write_batch = WRITE_BATCH_MESSAGES
            self.engine.refresh_fast_path()
        self.flush_control(monotonic())
        if self.unsent is not None or self.stream is None:
            return False
        if pipe is None or not connection_ready(self.connection):
            self._set_interest(self.mask & ~WRITE)
        if (self.engine.closing or self.ending) and (pipe is None or not (pipe.outbound or pipe.swapping)):
            self.engine.handle_flushed(self)
        return True

    def _wait_for_room(self) -> None:
        """The system is full: go on when the descriptor is writable."""
        if self.pipe is not None:
            self.pipe.quiet = False
        if not self.mask & WRITE:
            self._set_interest(self.mask | WRITE)
            self.engine.note_dirty(self)

    def _handle_write_error(self, error: OSError) -> None:
        """A write failed, what it was to take is unsent: the connection is broken, or the system short of memory."""
        if error.errno not in SHORTAGES:
            self.close_stream(error, reads_rest=True)
            return
        # The descriptor may be writable all the time: not that, but the back-stop tells when to try again.
        if self.pipe is not None:
            self.pipe.quiet = False
        if self.mask & WRITE:
            self._set_interest(self.mask & ~WRITE)
        self.engine.note_dirty(self)

    def flush_control(self, now: float, *, keeps_pong: bool = False) -> None:
        """Write what the connection says by itself (greeting, READY, PING, PONG).

        While the system is full a PONG stays there: those of a peer that doesn't read them must not pile up here.
        """
        connection = self.connection
        if connection is not None:
            chunks = connection.data_to_send(keeps_pong=keeps_pong or self.unsent is not None)
            if chunks:
                self.write_control(chunks, now)

    def write_control(self, chunks: list[Any], now: float) -> None:
        """Write control frames after what is unsent and before what is queued; outside every limit."""
        try:
            if self.unsent is not None:
                self.unsent.append(_Unsent(list(chunks), [], started=False))
                return
            size = sum(map(len, chunks))
            stream = self.stream
            if stream is None:
                return
            try:
                taken = stream.try_write(chunks)
            except OSError as error:
                if not is_of_system(error):
                    raise
                if error.errno in SHORTAGES:
                    self.unsent = deque([_Unsent(list(chunks), [], started=False)])
                self._handle_write_error(error)
                return
            if taken < size:
                self.unsent = deque([_Unsent(skip(chunks, taken), [], started=taken > 0)])
                self._wait_for_room()
        except BaseException as error:
            self._handle_interrupt(error)
            raise

    def take_back_unsent(self) -> None:
        """The connection is lost: give whole messages that never left back to the pipe (if it lives on)."""
        unsent, pipe = self.unsent, self.pipe
        if unsent is None or pipe is None:
            self.unsent = None
            return
        back: list[Any] = []
        lost = 0
        for entry in unsent:
            if entry.started:
                _drop_sent(entry, self.frame_overhead, exact=True)
                size = sum([_encoded_size(message, self.frame_overhead) for message in entry.messages])
                if size != sum(map(len, entry.chunks)) and entry.messages:
                    lost += 1  # of the first one a part has left
                    back.extend(entry.messages[1:])
                    continue
            back.extend(entry.messages)
        self._give_back(pipe, back, None, 0, lost)
        if lost:
            pipe.carrier.note_drop(pipe, lost, DropReason.DISCONNECTED)

    def _give_back(self, pipe: Pipe, back: list[Any], kept: deque[_Unsent] | None, flying: int, lost: int = 0) -> None:
        """Queue again, in front, what did not leave after all: all at once, whatever signal handler raises.

        Args:
            pipe: whose messages they are.
            back: the messages.
            kept: what stays unsent.
            flying: how many messages are in that.
            lost: how many left in part and are lost with the connection.
        """
        outbound, count = pipe.outbound, len(back)
        if type(outbound) is not list:
            for message in reversed(back):
                outbound.put_back(message)
        if lost:
            pipe.count_drop(lost, DropReason.DISCONNECTED)
        # Handlers run behind calls of C and at jumps back: not from here to the end.
        self.unsent = kept
        pipe.in_flight = flying
        pipe.sent -= count + lost
        if type(outbound) is list:
            outbound[:0] = back

    def unsent_bytes(self) -> int:
        """Bytes of the messages that the system has not taken whole."""
        return sum([message_size(message) for entry in self.unsent or () for message in entry.messages])

    def has_output(self) -> bool:
        """Whether anything waits to be written."""
        pipe = self.pipe
        return self.unsent is not None or (pipe is not None and (bool(pipe.outbound) or pipe.swapping))


def choose_batch(size: int, count: int, limit: int = BATCH_BYTES) -> int:
    """How many messages make a batch of about `limit` bytes, when the last `count` took `size` bytes."""
    average = size // count
    batch = limit // average if average else BATCH_MESSAGES
    return BATCH_MESSAGES if batch > BATCH_MESSAGES else batch or 1


def connection_ready(connection: Connection | None) -> bool:
    """Whether a flush goes on with the data plane (and clears the interest in writing itself)."""
    return connection is not None and connection.ready


def take_batch(queue: Any, limit: int = TAKE_BYTES, pipe: Pipe | None = None, shared: Any = None) -> list[Any]:
    """Take a batch of about `limit` bytes from the front of an outbound queue; others may append meanwhile.

    Args:
        queue: to take from.
        limit: bytes.
        pipe: which counts them as sent. Here and not by the caller, so that no signal handler can raise in between.
        shared: the `SharedQueue` that notes the batch as `taken`, if there is one; here for the same reason.
    """
    if type(queue) is not list:
        if not queue:
            return []
        if pipe is not None:
            pipe.sent += 1
        return [queue.popleft()]
    if not queue:
        return queue[:0]
    head = queue[0]
    count = BATCH_MESSAGES
    if len(head) > limit // BATCH_MESSAGES or isinstance(head, list):
        size = sum(map(len, head)) if isinstance(head, list) else len(head)
        count = min(BATCH_MESSAGES, max(1, limit // (size or 1)))
    batch = queue[:count]
    taken = len(batch)
    # Handlers run behind calls and at jumps back: not from here to the return.
    if pipe is not None:
        pipe.sent += taken
    elif shared is not None:
        shared.taken = batch
    # Exactly what was taken: others may have appended since.
    del queue[:taken]
    return batch


def _split_started(entry: _Unsent, *, exact: bool) -> tuple[_Unsent, list[Any]]:
    """Cut an entry that is written in part behind the message that is on its way.

    Args:
        entry: it stays as it is.
        exact: the size of a message on this wire is known; otherwise nothing is cut.

    Returns:
        An entry with the rest of the message on its way, or with nothing; and the whole messages that follow it.
    """
    if not exact or not entry.messages:
        return entry, []
    begun = _Unsent(entry.chunks, entry.messages, started=True)
    _drop_sent(begun, 0, exact=True)
    left = sum(map(len, begun.chunks))
    whole = sum(map(_encoded_size, begun.messages[1:]))
    if left == whole + _encoded_size(begun.messages[0]):  # the last write ended exactly between two messages
        return _Unsent([], [], started=True), begun.messages
    messages, begun.messages = begun.messages[1:], begun.messages[:1]
    begun.chunks = cut(begun.chunks, left - whole)
    return begun, messages


def _encoded_size(message: Any, overhead: int = 0) -> int:
    """Bytes of a message on the wire, where the body of each frame grows by `overhead`."""
    parts = message if isinstance(message, list) else [message]
    return sum([(size := len(part) + overhead) + (2 if size < 256 else 9) for part in parts])


#: Entries of more messages than this are counted as a whole: walking them at each write costs too much.
WALK_MESSAGES = 64


def _drop_sent(entry: _Unsent, overhead: int, *, exact: bool = False) -> int:
    """Forget the messages of a partly written entry that have left as a whole; how many they were."""
    messages = entry.messages
    if not exact and len(messages) > WALK_MESSAGES:
        return 0
    left = sum(map(len, entry.chunks))
    kept = 0
    # From the end: as many messages as the bytes that are left make up, the first of them perhaps in part.
    while kept < len(messages) and left > 0:
        left -= _encoded_size(messages[-1 - kept], overhead)
        kept += 1
    gone = len(messages) - kept
    if gone:
        entry.messages = messages[gone:]
    return gone
