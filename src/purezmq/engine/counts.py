"""What a pipe has counted, brought into one form: nothing is counted twice, whatever became of a message.

On the way out ``sent == left + queued + dropped``, on the way in ``arrived == received + unread + dropped``. Over a
wire the system took `left` messages; over inproc, where the two ends share a queue, the reader took them. Everything
here needs the lease.
"""

from __future__ import annotations

from purezmq.pipe import DropReason, queued_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.pipe import Pipe

__all__ = ["PipeCounts", "count_pipe"]


class PipeCounts:
    """Sums over one pipe, or many.

    Attributes:
        sent: messages that were given to the queue.
        arrived: messages that came from the peer.
        queued / queued_bytes: what waits to leave, in memory and on disk.
        unread / unread_bytes: what arrived and was not taken, in memory and on disk.
        dropped: by reason, both directions.
        dropped_inbound: those of them that had arrived.
        spilled / spilled_bytes: what ever went to disk.
        reconnects: connections after the first.
    """

    __slots__ = (
        "arrived", "dropped", "dropped_inbound", "queued", "queued_bytes", "reconnects", "sent", "spilled",
        "spilled_bytes", "unread", "unread_bytes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sent = self.arrived = self.queued = self.queued_bytes = self.unread = self.unread_bytes = 0
        self.dropped_inbound = self.spilled = self.spilled_bytes = self.reconnects = 0
        self.dropped: dict[str, int] = {}

    def add(self, other: PipeCounts) -> None:
        """Add another's numbers."""
        for name in self.__slots__:
            if name != "dropped":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, count in other.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    @property
    def received(self) -> int:
        """Messages that were taken from the queue."""
        return self.arrived - self.unread - self.dropped_inbound


def count_pipe(pipe: Pipe) -> PipeCounts:
    """What a pipe has counted, and what is in it now."""
    counts = PipeCounts()
    counts.dropped = dict(pipe.drops or ())
    counts.dropped_inbound = pipe.dropped_inbound
    counts.reconnects = max(pipe.connections - 1, 0)
    counts.spilled, counts.spilled_bytes = pipe.spilled, pipe.spilled_bytes
    for swap in (pipe.swap, pipe.receive_swap):
        if swap is not None:
            counts.spilled += swap.spilled
            counts.spilled_bytes += swap.spilled_bytes
    on_disk = (0, 0) if pipe.swap is None else (len(pipe.swap), pipe.swap.bytes)
    unread_on_disk = (0, 0) if pipe.receive_swap is None else (len(pipe.receive_swap), pipe.receive_swap.bytes)
    counts.queued_bytes = queued_bytes(pipe.outbound) + on_disk[1]
    counts.unread_bytes = queued_bytes(pipe.inbound) + unread_on_disk[1]
    replaced = getattr(pipe.outbound, "replaced", 0)
    outbound_drops = pipe.dropped - pipe.dropped_inbound
    if getattr(pipe.carrier, "is_direct", False):
        link = pipe.carrier
        # When the other end is gone, what lies in the queue is its own.
        waiting = 0 if pipe.ended else link.count_waiting(pipe.outbound)
        counts.queued = waiting + on_disk[0]
        if pipe.ended:
            counts.queued_bytes = on_disk[1]
        counts.unread = link.count_waiting(pipe.inbound) + unread_on_disk[0]
        counts.arrived = pipe.received if pipe.ended else link.count_arrived()
        oldest = counts.dropped.get(DropReason.OLDEST, 0)
        counts.sent = pipe.written + on_disk[0] + outbound_drops - oldest
    else:
        counts.queued = pipe.queued()
        counts.unread = len(pipe.inbound) + unread_on_disk[0]
        counts.arrived = pipe.received
        counts.sent = pipe.sent - pipe.in_flight + counts.queued + outbound_drops + replaced
        replaced_inbound = getattr(pipe.inbound, "replaced", 0)
        counts.dropped_inbound += replaced_inbound
        replaced += replaced_inbound
        carrier_bytes = getattr(pipe.carrier, "unsent_bytes", None)
        if carrier_bytes is not None:
            counts.queued_bytes += carrier_bytes()
    if replaced:
        counts.dropped[DropReason.CONFLATED] = counts.dropped.get(DropReason.CONFLATED, 0) + replaced
    return counts
