"""Durable subscriptions: what is published while a subscriber is away waits for it (the setting ``durable``).

When the connection of a durable subscriber is lost its pipe is not given up but *parked*: it stays with the pattern,
with its subscriptions, and a `Parked` carrier takes the place of the session. What is published is kept in memory up to
SNDHWM, then on disk (`swap`), all of it bounded in bytes; then it is dropped and counted. A subscriber with the same
routing id takes the pipe over, in order and without a gap but for what was on its way when the connection broke. One
that doesn't come in time is forgotten with all that waits for it.

A parked subscriber may make the publisher wait for the disk, never for itself. Everything here needs the lease.
"""

from __future__ import annotations

from time import monotonic

from purezmq.pipe import DROP_NEWEST, SPILL, DropReason, Meter, message_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.session import Session
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.engine.timers import Timer
    from purezmq.pipe import Pipe

__all__ = ["MAX_PARKED", "Durables", "Parked"]

#: So many subscribers of one socket may be away at once; the one that has been longest is forgotten for the next.
MAX_PARKED = 256


class Parked:
    """The carrier of a pipe whose subscriber is away.

    Args:
        durables: of the socket.
        pipe: what is kept.
        endpoint: where the subscriber came to.
    """

    __slots__ = ("durables", "endpoint", "overflow", "pipe", "timer")

    is_parked = True
    #: What those look for who go from a pipe to its session.
    connection = dialer = stream = None

    def __init__(self, durables: Durables, pipe: Pipe, endpoint: str, overflow: str) -> None:
        self.durables = durables
        self.pipe = pipe
        self.endpoint = endpoint
        self.overflow = overflow
        self.timer: Timer | None = None

    def handle_write(self, pipe: Pipe) -> None:
        """See `Carrier`: it stays where it is."""
        pipe.quiet = False

    def queue_each(self, batch: list[Any], now: float) -> None:
        """Keep what was published, as far as the limits allow."""
        del now
        pipe = self.pipe
        for message in batch:
            if not self._has_room(message):
                pipe.drop(1, DropReason.NEWEST)
            elif pipe.can_take(message):
                pipe.write(message)
            elif not pipe.overflow(message, is_pledged=True):
                pipe.drop(1, DropReason.NEWEST)

    def _has_room(self, message: Any) -> bool:
        """Whether what waits in memory and on disk stays within the bytes that the subscriber may have."""
        swap, limits = self.pipe.swap, self.durables.engine.options.durable
        if swap is None or limits is None:
            return True  # what is in memory is metered
        in_memory = 0 if self.pipe.meter is None else self.pipe.meter.total
        return bool(in_memory + swap.bytes + message_size(message) <= limits[0])

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """See `Carrier`: there is nobody to tell."""

    def handle_drained(self, pipe: Pipe) -> None:
        """See `Carrier`: nothing arrives."""

    def flush_pipe(self, pipe: Pipe) -> None:
        """See `Carrier`: nothing leaves."""

    def free_unsent(self, pipe: Pipe) -> None:
        """See `Carrier`: nothing is on its way."""

    def open_swap(self, pipe: Pipe) -> Any:
        """See `Carrier`: what the subscriber may have in all, less what is in memory."""
        return self.durables.open_swap(pipe)

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
        """See `Carrier`."""
        self.durables.engine.note_drop(pipe, count, reason)

    def end_pipe(self, pipe: Pipe) -> None:
        """See `Carrier`."""
        self.durables.forget(self, DropReason.DISCONNECTED)


class Durables:
    """The durable subscribers of one publishing socket.

    Args:
        engine: of the socket.

    Attributes:
        live: the sessions of those that are connected, by routing id.
        parked: those that are away, in the order in which they left.
    """

    __slots__ = ("engine", "live", "parked")

    def __init__(self, engine: SocketEngine) -> None:
        self.engine = engine
        self.live: dict[bytes, Session] = {
            bytes(session.pipe.peer.routing_id): session
            for session in engine.sessions.values()
            if session.dialer is None and session.pipe is not None and session.pipe.peer is not None
        }
        self.live.pop(b"", None)
        self.parked: dict[bytes, Parked] = {}

    def pipes(self) -> list[Pipe]:
        """The pipes of those that are away."""
        return [parked.pipe for parked in self.parked.values()]

    def resume(self, session: Session, routing_id: bytes) -> Pipe | None:
        """A peer came to an endpoint of ours and told this routing id: the pipe that waited for it, if any."""
        if not routing_id:
            return None
        former = self.live.get(routing_id)
        if not self._is_same_user(session, routing_id):
            return None  # what waits is not for another one, who is served as any subscriber
        if self.engine.options.durable is None:
            self.live[routing_id] = session
            return None
        if former is not None and former is not session and former.stream is not None:
            # Its connection is dead and nobody has noticed, or there are two of them: the newer one counts.
            self.engine.tell("duplicate_routing_id", session=former, pipe=former.pipe, reason="handover")
            former.close_stream(None)
        self.live[routing_id] = session
        parked = self.parked.pop(routing_id, None)
        if parked is None:
            return None
        _cancel(parked)
        pipe = parked.pipe
        pipe.carrier = session
        pipe.ended = False
        pipe.quiet = False
        if pipe.swap is not None and pipe.swapping:
            pipe.swap.hand_over(lambda: self.engine.post(session.handle_swap_changed))
            pipe.swap.resize(max(self.engine.options.swap, pipe.swap.max_bytes))
        else:
            pipe.end_swap(DropReason.DISCONNECTED)
        session.pipe = pipe
        self.engine.queues.configure(pipe)
        return pipe

    def _is_same_user(self, session: Session, routing_id: bytes) -> bool:
        """Whether nobody but the peer's own user, where peers are authenticated, had this id before."""
        former = self.live.get(routing_id) or self.parked.get(routing_id)
        peer = session.peer_info
        holder = former.pipe.peer if former is not None and former.pipe is not None else None
        return holder is None or peer is None or bool(holder.principal == peer.principal)

    def park(self, session: Session) -> bool:
        """The connection of a peer is lost: keep what is for it if it's a durable subscriber; whether it is."""
        limits, pipe = self.engine.options.durable, session.pipe
        if pipe is None or pipe.peer is None:
            return False
        routing_id = bytes(pipe.peer.routing_id)
        if self.live.get(routing_id) is not session:
            return False  # another one has come by this id
        del self.live[routing_id]
        if limits is None or not pipe.attached or session.ending or self.engine.closing:
            return False
        size, age = limits
        session.pipe = None
        parked = Parked(self, pipe, session.endpoint, session.overflow)
        pipe.carrier = parked
        pattern = self.engine.pattern
        pattern.policy_changes(pipe, -1)
        pipe.policy, pipe.fallback, pipe.has_own_policy = SPILL, DROP_NEWEST, True
        self._limit(pipe, size)
        if pipe.swap is not None and pipe.swapping:
            pipe.swap.hand_over(lambda: self.engine.post(self.engine.handle_room))
        else:
            pipe.end_swap(DropReason.DISCONNECTED)  # the next one has the size that is left for this subscriber
        pattern.policy_changes(pipe, 1)
        self.parked[routing_id] = parked
        parked.timer = self.engine.loop.call_at(monotonic() + age, lambda: self._expire(parked))
        while len(self.parked) > MAX_PARKED:
            self.forget(next(iter(self.parked.values())), DropReason.EXPIRED)
        return True

    def _limit(self, pipe: Pipe, size: int) -> None:
        if pipe.meter is not None:
            pipe.meter.close()
        pipe.meter = Meter(size, self.engine.context.budget)
        for message in pipe.outbound:
            pipe.meter.note(message_size(message))
        pipe.special = True

    def apply(self) -> None:
        """The setting, or the limit of the context, was changed: those that are away follow."""
        limits = self.engine.options.durable
        if limits is None:
            self.close()
            return
        for parked in self.parked.values():
            self._limit(parked.pipe, limits[0])

    def open_swap(self, pipe: Pipe) -> Any:
        """A swap as large as what the subscriber may still have, and no larger than those of its socket."""
        limits = self.engine.options.durable
        if limits is None or pipe.meter is None or not self.engine.options.swap:
            return None
        room = limits[0] - pipe.meter.total
        return self.engine.queues.open_swap(pipe, self.engine.handle_room, self.engine, max(room, 0))

    def _expire(self, parked: Parked) -> None:
        """It stayed away too long (I/O thread)."""
        with self.engine.lease:
            if parked in self.parked.values():
                self.forget(parked, DropReason.EXPIRED)

    def forget(self, parked: Parked, reason: str) -> None:
        """Give up a subscription and what waits for it."""
        pipe = parked.pipe
        for routing_id, known in list(self.parked.items()):
            if known is parked:
                del self.parked[routing_id]
        _cancel(parked)
        if pipe.share is not None and pipe.share.has_output():
            self.engine.shared.flush_shared(pipe.share)  # what was published before this is lost by it, too
        count = pipe.queued()
        pipe.discard_outbound(reason)
        if reason == DropReason.EXPIRED:
            self.engine.tell("durable_expired", pipe=pipe, count=count)
        self.engine.detach(pipe)

    def close(self) -> None:
        """The socket closes, or the setting is off: nobody will come for it."""
        for parked in list(self.parked.values()):
            self.forget(parked, DropReason.DISCONNECTED)


def _cancel(parked: Parked) -> None:
    if parked.timer is not None:
        parked.timer.cancel()
        parked.timer = None
