"""A pipe: the bounded queues between one socket's pattern and one peer.

Rules of this room:

* sans-I/O: a pipe holds messages, decides whether there is room and what happens when there is none; whoever carries
  messages (a session over a wire, or the peer's pipe over inproc) is its ``carrier`` and does the rest.
* ``append``, ``popleft``, ``len`` and taking a slice from the front of a list are atomic on every supported Python,
  so one thread may append while another takes without a lock. Everything else on a pipe needs the lease.
* A queue counts whole messages (a multipart is one); bytes are counted where a limit in bytes is set (`Meter`).
* What is out of the ordinary (a limit in bytes, messages on disk, conflation) sets ``special``, so that the usual
  pipe pays one look for all of it.
"""

from __future__ import annotations

from collections import deque
from itertools import islice, repeat
from operator import length_hint

from purezmq.enums import Errno
from purezmq.error import make_error
from purezmq.pipe.keyed_queue import KeyedQueue, keep_last
from purezmq.pipe.overflow import BLOCK, DROP_OLDEST, DROPPING, ERROR, SPILL, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Protocol

    from purezmq.message import Message
    from purezmq.pipe.keyed_queue import KeyFunction
    from purezmq.pipe.meter import Meter

    class Carrier(Protocol):
        """Whoever takes messages out of a pipe's outbound queue."""

        def handle_write(self, pipe: Pipe) -> None:
            """A message was appended to the quiet `pipe` (lease held)."""

        def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
            """Carry a subscription or its cancellation upstream, outside the high-water mark (lease held)."""

        def handle_drained(self, pipe: Pipe) -> None:
            """The inbound queue was found empty: tell again when a message arrives (lease held)."""

        def end_pipe(self, pipe: Pipe) -> None:
            """The pattern refuses or drops this peer (lease held); what was sent to it still leaves."""

        def flush_pipe(self, pipe: Pipe) -> None:
            """The pipe is full: write what the system takes now, before that has consequences (lease held)."""

        def free_unsent(self, pipe: Pipe) -> None:
            """Give back to `outbound` what was taken from it and has not begun to leave (lease held)."""

        def open_swap(self, pipe: Pipe) -> Any:
            """A swap for the outbound queue, or None when the socket has none (lease held)."""

        def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
            """Messages of this pipe were dropped; they are counted already (lease held)."""


#: Where each message costs more than an append (replies, routed and forwarded ones), a batch is smaller: a window of
#: requests shall be on its way through all stages at once, not wait for the last of each batch.
WRITE_BATCH_MESSAGES = 32


__all__ = [
    "BATCH_MESSAGES",
    "NO_BATCH",
    "WRITE_BATCH_MESSAGES",
    "Pipe",
    "RoomMarker",
    "message_size",
    "queued_bytes",
]

#: No announcement per batch: only the high-water mark counts.
NO_BATCH = 1 << 60
#: More messages than ever pass a pipe.
_ALL_TICKETS = 1 << 62
#: A burst is handed to the carrier at the latest after this many messages.
BATCH_MESSAGES = 1000


class RoomMarker:
    """Lies in the middle of a full inproc queue: when the reader meets it, the blocked writer may go on.

    It gives the low-water mark of libzmq (half of the high-water mark) without a counter on the fast path.
    """

    __slots__ = ("wake",)

    def __init__(self, wake: Any) -> None:
        self.wake = wake


def message_size(message: Message) -> int:
    """Bytes of all parts of a message, without framing."""
    if isinstance(message, list):
        return sum(map(len, message))
    return len(message)


def queued_bytes(messages: Iterable[Any]) -> int:
    """Bytes of all messages of a queue, counted now."""
    queued: list[Any] = list(messages)
    return sum([message_size(message) for message in queued if type(message) is not RoomMarker])


class Pipe:
    """The two queues of one peer, their limits and their counters.

    Attributes:
        inbound: messages that arrived and were not read; the carrier appends, the pattern takes.
        outbound: messages that were sent and not yet taken by the carrier: a list, from whose front a session
            takes slices. Over inproc it *is* the `inbound` deque of the peer's pipe.
        quiet: nobody is scheduled to look at `outbound`; whoever appends then tells the carrier.
        send_limit: high-water mark of the outbound direction in messages, 0 for none.
        receive_limit: high-water mark of the inbound direction in messages, 0 for none.
        in_flight: messages that the carrier took out of `outbound` and has not handed to the system yet.
        room: the lock-free path of send may append while `outbound` is shorter than this; 0 closes that path.
        batch: how many outbound messages may wait before the carrier must be told again.
        write_batch: the same for messages that are given to `write`.
        routing_id: how a ROUTER or STREAM addresses this peer.
        peer: what the peer said about itself in the handshake (None before it, or over inproc).
        policy: what happens to a message when the outbound queue is full, see `overflow`.
        fallback: the policy of the type, for when the swap is full, too.
        has_own_policy: the application chose the policy.
        receive_policy: the same for the inbound queue.
        special: a look at `outbound` alone doesn't tell whether there is room.
        meter / receive_meter: count the bytes of either queue; None where nothing limits them.
        swap: messages behind `outbound` on disk, or None; while it holds any (`swapping`), all go there.
        receive_swap: the same behind `inbound`.
        attached: the pattern knows this pipe.
        ended: no message will ever arrive or leave any more; unread ones stay readable.
        active: a fair queue has the pipe on its list of pipes with messages.
        eligible: a distributor still sends to this pipe (it is cleared while the pipe is full).
        tickets: over inproc an iterator, of which whoever appends to `outbound` takes one for each message: counting in
            C, so exact without a lock. `written` is how many were taken. None over a wire, where batches are counted.
        sent: messages that were handed to the system.
        received: messages that arrived.
        spilled / spilled_bytes: what went to disk by swaps that are closed.
        connections: how many handshakes succeeded; `since` when the last one did, in seconds of the epoch.
        folded: it ended, and its numbers are in the socket's sums.
        dropped: messages that were lost in either direction; `drops` by reason.
        dropped_inbound: those of them that had arrived.
    """

    __slots__ = (
        "active",
        "attached",
        "batch",
        "carrier",
        "connections",
        "dropped",
        "dropped_inbound",
        "drops",
        "eligible",
        "ended",
        "fallback",
        "folded",
        "has_own_policy",
        "in_flight",
        "inbound",
        "meter",
        "outbound",
        "peer",
        "policy",
        "quiet",
        "receive_limit",
        "receive_meter",
        "receive_policy",
        "receive_swap",
        "received",
        "room",
        "routing_id",
        "send_limit",
        "sent",
        "share",
        "since",
        "special",
        "spilled",
        "spilled_bytes",
        "state",
        "swap",
        "swapping",
        "tickets",
        "write_batch",
    )

    def __init__(
        self, carrier: Carrier, send_limit: int, receive_limit: int, conflate: bool | KeyFunction = False
    ) -> None:
        find_key: Any = keep_last if conflate is True else conflate
        self.inbound: Any = KeyedQueue(find_key, has_sender=False) if find_key else deque()
        self.outbound: Any = KeyedQueue(find_key) if find_key else []
        self.quiet = True
        self.send_limit = 0 if conflate is True else send_limit
        self.receive_limit = 0 if conflate is True else receive_limit
        self.in_flight = 0
        self.batch = BATCH_MESSAGES
        self.write_batch = WRITE_BATCH_MESSAGES
        self.ended = False
        self.room = 0
        self.carrier: Any = carrier
        self.routing_id = b""
        self.peer: Any = None
        self.policy = self.fallback = self.receive_policy = BLOCK
        self.has_own_policy = False
        self.special = bool(find_key)
        self.meter: Meter | None = None
        self.receive_meter: Meter | None = None
        self.swap: Any = None
        self.swapping = False
        self.receive_swap: Any = None
        self.attached = False
        self.active = False
        self.eligible = True
        self.tickets: Iterator[bool] | None = None
        self.sent = 0
        self.received = 0
        self.dropped = 0
        self.dropped_inbound = 0
        self.drops: dict[str, int] | None = None
        self.spilled = self.spilled_bytes = 0
        self.connections = 0
        self.since = 0.0
        self.folded = False
        #: For a publisher: what this pipe subscribes to and the shared queue it reads (patterns/distributor.py).
        self.share: Any = None
        #: For a pattern's own use (for example REQ's pending request id).
        self.state: Any = None

    def __repr__(self) -> str:
        """Name the peer and what waits in both directions."""
        end = " ended" if self.ended else ""
        swap = f"+{len(self.swap)} on disk" if self.swapping else ""
        return f"<Pipe {self.routing_id!r} in={len(self.inbound)} out={len(self.outbound)}+{self.in_flight}{swap}{end}>"

    # -- room ------------------------------------------------------------------------------------------------------

    def can_write(self) -> bool:
        """Whether one more message fits below the high-water mark (lease held, or a hint)."""
        limit = self.send_limit
        if self.ended or (limit and len(self.outbound) + self.in_flight >= limit):
            return False
        return not self.special or not (
            self.swapping or (self.meter is not None and self.meter.is_full(len(self.outbound) + self.in_flight))
        )

    def can_take(self, message: Message) -> bool:
        """Whether just this message fits into memory: its size counts where bytes are limited."""
        limit = self.send_limit
        if self.ended or (limit and len(self.outbound) + self.in_flight >= limit):
            return self.special and not self.ended and self._replaces(message)
        return not self.special or self._fits(message)

    def _fits(self, message: Message) -> bool:
        if self.swapping:
            return False
        if self.meter is None or self._replaces(message):
            return True
        return self.meter.fits(message_size(message), len(self.outbound) + self.in_flight)

    def _replaces(self, message: Message) -> bool:
        """Whether an older message with the same key makes room for this one."""
        # Of what is on disk nothing is conflated, and what goes there must not be overtaken.
        return type(self.outbound) is KeyedQueue and not self.swapping and self.outbound.has_key_of(message)

    def is_open(self) -> bool:
        """Whether a sender need not wait: there is room, or the policy takes what comes."""
        if self.can_write():
            return True
        if self.ended:
            return False
        if self.policy != SPILL:
            return self.policy in DROPPING
        swap = self.swap
        return swap is None or swap.can_append or (self.fallback in DROPPING and swap.is_full)

    def free_room(self, wanted: int) -> int:
        """How many of `wanted` messages fit below the high-water mark now, whatever their size (lease held)."""
        limit = self.send_limit
        if self.ended or self.special:
            return 0
        if not limit:
            return wanted
        return max(0, min(wanted, limit - self.in_flight - len(self.outbound)))

    def write_room(self) -> int:
        """How many messages may be appended before somebody has to look again (batch or high-water mark)."""
        limit = self.send_limit
        if self.ended or self.special:
            return 0
        if not limit:
            return self.batch
        room = limit - self.in_flight
        return room if room < self.batch else self.batch

    # -- sending (lease held) --------------------------------------------------------------------------------------

    def write(self, message: Message) -> None:
        """Queue a message and tell the carrier when it doesn't know yet.

        The caller asked `can_take` (or `can_write`) first; a pipe never refuses here, so that a message is whole or not
        at all.
        """
        self.outbound.append(message)
        if self.tickets is not None:
            next(self.tickets)
        if self.meter is not None:
            self.meter.note(message_size(message))
        if self.quiet or len(self.outbound) >= self.write_batch:
            self.carrier.handle_write(self)

    def send(self, message: Message) -> bool:
        """Queue a message, or do with it what the overflow policy says; False when the sender must wait.

        Raises:
            Again: the queue is full and the policy is `error`.
        """
        if self.can_take(message):
            self.write(message)
            return True
        return self.offer(message)

    def offer(self, message: Message) -> bool:
        """As `send`, for a message that did not fit a moment ago: first the carrier makes what room it can."""
        if self.swapping:
            return self.overflow(message)  # what is on disk goes first, whatever room there may be
        self.carrier.flush_pipe(self)
        if self.ended:
            return False  # the connection broke: whom it is for now is decided anew
        if self.can_take(message):
            self.write(message)
            return True
        return self.overflow(message)

    def overflow(self, message: Message, *, is_pledged: bool = False) -> bool:
        """Do with a message that doesn't fit what the policy says; False when the sender must wait.

        Args:
            message: what to send.
            is_pledged: there is no way back to its sender: it doesn't wait for the disk, and isn't told of an error.

        Raises:
            Again: the policy is `error`.
        """
        policy = self.policy
        if policy == SPILL:
            is_done = self._spill(message, is_pledged=is_pledged)
            if is_done is not None:
                return is_done
            policy = self.fallback
        if policy == BLOCK:
            return False
        if policy == ERROR and not is_pledged:
            raise make_error(Errno.EAGAIN, f"the message can't be sent now: {self.why_full()}")
        if policy == DROP_OLDEST and self._make_room(message):
            self.write(message)
        else:
            self.drop(1, DropReason.NEWEST)
        return True

    def why_full(self) -> str:
        """Why the queue takes no message now, for the text of Again."""
        what = "the high-water mark"
        if self.meter is not None and not (self.send_limit and len(self.outbound) + self.in_flight >= self.send_limit):
            what = "the limit in bytes"
        name = getattr(self.carrier, "endpoint", "") or getattr(self.carrier, "name", "")
        who = f"{self.routing_id!r} at {name}" if self.routing_id and name else name or repr(self.routing_id)
        return f"the queue to {who} is full ({what})"

    def _spill(self, message: Message, *, is_pledged: bool) -> bool | None:
        """Put a message behind the others on disk; False while the disk is behind, None when there is no room."""
        swap = self.swap
        if swap is None:
            swap = self.swap = self.carrier.open_swap(self)
            if swap is None:
                return None
        if not swap.append(message):
            if swap.is_full or message_size(message) > swap.max_bytes:
                return None
            if not is_pledged or not swap.append(message, is_pledged=True):
                return False
        self.swapping = self.special = True
        self.room = 0
        return True

    def _make_room(self, message: Message) -> bool:
        """Drop the oldest messages until this one fits; what is half on its way doesn't count against it."""
        if self.ended or self.swapping:
            return False
        self.carrier.free_unsent(self)
        outbound, limit, meter = self.outbound, self.send_limit, self.meter
        size = 0 if meter is None else message_size(message)
        count = 0
        while outbound and (
            (limit and len(outbound) >= limit)
            or (meter is not None and not meter.fits(size, len(outbound) + self.in_flight))
        ):
            count += self._drop_first()
        if count:
            self.drop(count, DropReason.OLDEST)
        return True

    def _drop_first(self) -> int:
        """Take the oldest message off the queue; 0 when it was none, or somebody was quicker."""
        outbound = self.outbound
        if type(outbound) is list:
            del outbound[:1]
            return 1
        try:
            message = outbound.popleft()
        except IndexError:
            return 0
        if type(message) is RoomMarker:
            message.wake()
            return 0
        return 1

    def refill(self) -> bool:
        """Take back from disk what fits; whether anything came. To be called when `outbound` has drained."""
        swap, limit = self.swap, self.send_limit
        wanted = BATCH_MESSAGES
        if limit:
            wanted = min(wanted, limit - self.in_flight - len(self.outbound))
        messages = swap.move(self.outbound, wanted, self.tickets) if wanted > 0 else []
        if self.meter is not None:
            for message in messages:
                self.meter.note(message_size(message))
        if not len(swap):  # a swap has a length, and is no container
            self.swapping = False
            self.special = self.meter is not None or type(self.outbound) is KeyedQueue
        return bool(messages)

    # -- losses and the end (lease held) ---------------------------------------------------------------------------

    def drop(self, count: int, reason: str, *, inbound: bool = False) -> None:
        """Count messages that were dropped, and have it told."""
        self.count_drop(count, reason, inbound)
        self.carrier.note_drop(self, count, reason)

    def count_drop(self, count: int, reason: str, inbound: bool = False) -> None:
        """Count messages that were dropped.

        No signal handler runs between the first change and what follows the call of this: handlers run behind calls
        of C and at jumps back.
        """
        drops = self.drops
        if drops is None:
            drops = self.drops = {}
        total = drops.get(reason, 0) + count
        drops[reason] = total
        self.dropped += count
        if inbound:
            self.dropped_inbound += count

    def discard_outbound(self, reason: str) -> None:
        """Drop everything that waits to leave, in memory and on disk."""
        count = 0
        outbound = self.outbound
        if type(outbound) is list:
            count = len(outbound)
            if count:
                self.count_drop(count, reason)
                del outbound[:count]
        elif not getattr(self.carrier, "is_direct", False):  # over inproc what lies in the queue is the reader's
            count, empty = len(outbound), outbound.make_empty()
            if count:
                self.count_drop(count, reason)
                self.outbound = empty
        on_disk = self.end_swap(reason)
        if self.meter is not None:
            self.meter.close()
        if count + on_disk:
            self.carrier.note_drop(self, count + on_disk, reason)

    def end_swap(self, reason: str) -> int:
        """Give the disk back; how many messages are lost by it, which are counted. May be done twice."""
        swap = self.swap
        if swap is None:
            return 0
        swap.close()
        lost, spilled = int(swap.discarded), int(swap.spilled)
        if lost:
            self.count_drop(lost, reason)
        # No signal handler runs from the count to the end.
        self.swap = None
        self.swapping = False
        self.spilled += spilled
        self.spilled_bytes += swap.spilled_bytes
        return lost

    def count_written(self, count: int) -> None:
        """So many messages more were put into the queue, or are as good as there."""
        if self.tickets is not None:
            deque(islice(self.tickets, count), maxlen=0)

    def count_writes(self) -> None:
        """Count from now on what is put into the queue: nobody else does."""
        self.tickets = repeat(True, _ALL_TICKETS)

    @property
    def written(self) -> int:
        """How many messages were appended to `outbound` by senders, and from disk; what counts over inproc."""
        return 0 if self.tickets is None else _ALL_TICKETS - length_hint(self.tickets)

    # -- counts ------------------------------------------------------------------------------------------------------

    def queued(self) -> int:
        """How many messages wait to leave, in memory and on disk."""
        return len(self.outbound) + self.in_flight + (len(self.swap) if self.swap is not None else 0)

    def can_read(self) -> bool:
        """Whether a message waits that arrived from the peer."""
        return bool(self.inbound)
