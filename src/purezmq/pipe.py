"""A pipe: the bounded queues between one socket's pattern and one peer.

Rules of this room:

* sans-I/O: a pipe holds messages and decides whether there is room; whoever carries them (a session over a
  wire, or the peer's pipe over inproc) is its ``carrier`` and does the rest.
* ``append``, ``popleft``, ``len`` and taking a slice from the front of a list are atomic on every supported Python,
  so one thread may append while another takes without a lock. Everything else on a pipe needs the lease.
* A queue counts whole messages (a multipart is one); bytes are counted when asked for.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from purezmq.message import Message

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


#: Where each message costs more than an append (replies, routed and forwarded ones), a batch is smaller: a window of
#: requests shall be on its way through all stages at once, not wait for the last of each batch.
WRITE_BATCH_MESSAGES = 32


__all__ = [
    "BATCH_MESSAGES",
    "NO_BATCH",
    "WRITE_BATCH_MESSAGES",
    "OverflowPolicy",
    "Pipe",
    "RoomMarker",
    "message_size",
    "queued_bytes",
]

#: No announcement per batch: only the high-water mark counts.
NO_BATCH = 1 << 60
#: A burst is handed to the carrier at the latest after this many messages.
BATCH_MESSAGES = 1000


class OverflowPolicy:
    """What a full pipe does with the next message (names of the socket option ``overflow``)."""

    BLOCK = "block"
    DROP_NEWEST = "drop-newest"


class RoomMarker:
    """Lies in the middle of a full inproc queue: when the reader meets it, the blocked writer may go on.

    It gives the low-water mark of libzmq (half of the high-water mark) without a counter on the fast path.
    """

    __slots__ = ("wake",)

    def __init__(self, wake: Any) -> None:
        self.wake = wake


def message_size(message: Message) -> int:
    """Bytes of all parts of a message, without framing."""
    if type(message) is list:
        return sum(map(len, message))
    return len(message)


def queued_bytes(messages: Iterable[Message]) -> int:
    """Bytes of all messages of a queue, counted now."""
    return sum(map(message_size, list(messages)))


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
        policy: what happens to a message when the pipe is full.
        attached: the pattern knows this pipe.
        ended: no message will ever arrive or leave any more; unread ones stay readable.
        active: a fair queue has the pipe on its list of pipes with messages.
        eligible: a distributor still sends to this pipe (it is cleared while the pipe is full).
    """

    __slots__ = (
        "active",
        "attached",
        "batch",
        "carrier",
        "dropped",
        "eligible",
        "ended",
        "in_flight",
        "inbound",
        "outbound",
        "peer",
        "policy",
        "quiet",
        "receive_limit",
        "received",
        "room",
        "routing_id",
        "send_limit",
        "sent",
        "share",
        "state",
        "write_batch",
    )

    def __init__(self, carrier: Carrier, send_limit: int, receive_limit: int, conflate: bool = False) -> None:
        self.inbound: deque[Any] = deque(maxlen=1) if conflate else deque()
        self.outbound: Any = deque(maxlen=1) if conflate else []
        self.quiet = True
        self.send_limit = 0 if conflate else send_limit
        self.receive_limit = 0 if conflate else receive_limit
        self.in_flight = 0
        self.batch = BATCH_MESSAGES
        self.write_batch = WRITE_BATCH_MESSAGES
        self.ended = False
        self.room = 0
        self.carrier: Any = carrier
        self.routing_id = b""
        self.peer: Any = None
        self.policy = OverflowPolicy.BLOCK
        self.attached = False
        self.active = False
        self.eligible = True
        self.sent = 0
        self.received = 0
        self.dropped = 0
        #: For a publisher: what this pipe subscribes to and the shared queue it reads (patterns/distributor.py).
        self.share: Any = None
        #: For a pattern's own use (for example REQ's pending request id).
        self.state: Any = None

    def __repr__(self) -> str:
        """Name the peer and what waits in both directions."""
        end = " ended" if self.ended else ""
        return f"<Pipe {self.routing_id!r} in={len(self.inbound)} out={len(self.outbound)}+{self.in_flight}{end}>"

    def can_write(self) -> bool:
        """Whether one more message fits below the high-water mark (lease held, or a hint)."""
        limit = self.send_limit
        return not self.ended and (not limit or len(self.outbound) + self.in_flight < limit)

    def free_room(self, wanted: int) -> int:
        """How many of `wanted` messages fit below the high-water mark now (lease held)."""
        limit = self.send_limit
        if self.ended:
            return 0
        if not limit:
            return wanted
        return max(0, min(wanted, limit - self.in_flight - len(self.outbound)))

    def write(self, message: Message) -> None:
        """Queue a message and tell the carrier when it doesn't know yet (lease held).

        The caller asked `can_write` first; a pipe never refuses here, so that a message is whole or not at all.
        """
        self.outbound.append(message)
        if self.quiet or len(self.outbound) >= self.write_batch:
            self.carrier.handle_write(self)

    def write_room(self) -> int:
        """How many messages may be appended before somebody has to look again (batch or high-water mark)."""
        limit = self.send_limit
        if self.ended:
            return 0
        if not limit:
            return self.batch
        room = limit - self.in_flight
        return room if room < self.batch else self.batch

    def can_read(self) -> bool:
        """Whether a message waits that arrived from the peer."""
        return bool(self.inbound)
