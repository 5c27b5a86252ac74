"""Counting: fills the records of `statistics` from what pipes and patterns have counted. Read only, under the lease.

With the first call of `Socket.stats` or its kin this is imported; the methods are in `census`.
"""

from __future__ import annotations

from time import monotonic

from purezmq.engine.counts import PipeCounts, count_pipe
from purezmq.pipe import DropReason
from purezmq.sockets.statistics import ContextStats, Counts, Peer, PeerStats, SocketStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from purezmq.pipe import Pipe
    from purezmq.sockets.shared_state import SharedState

__all__ = ["count_context", "count_socket", "describe", "is_connected"]


def count_socket(shared: SharedState) -> SocketStats:
    """The numbers of a socket."""
    engine, pattern = shared.engine, shared.pattern
    with engine.lease.afterwards, engine.lease.guard:
        for queue in list(engine.shared.queues):  # what all subscribers share is counted with each
            engine.shared.flush_queue(queue, monotonic())
        queues = engine.queues
        queues.fold_counts()
        total = PipeCounts()
        total.add(queues.former)
        for pipe in queues.ended:
            total.add(count_pipe(pipe))
        peers = []
        for pipe in engine.pipes():
            if pipe in queues.ended:
                continue
            counts = count_pipe(pipe)
            total.add(counts)
            peers.append(_count_peer(pipe, counts))
        own = PipeCounts()
        own.dropped = dict(pattern.drops)
        own.sent = sum([count for reason, count in pattern.drops.items() if reason == DropReason.UNROUTABLE])
        total.add(own)
        merged = _merged(pattern, engine.pipes(), queues.ended)
        failures, refusals = engine.protocol_failures, Counts(pattern.refusals)
    numbers = _numbers(total)
    numbers["received"] -= merged[0]
    numbers["unread"] += merged[0]
    numbers["unread_bytes"] += merged[1]
    name = f"{pattern.type_name}-{shared.number}"
    return SocketStats(
        type=pattern.type_name,
        name=name,
        handshake_failures=failures,
        refusals=refusals,
        peers=tuple(peers),
        **numbers,
    )


def count_context(sockets: Iterable[SharedState], max_bytes: int) -> ContextStats:
    """The numbers of all sockets."""
    counted = [count_socket(shared) for shared in sockets if not shared.closed]
    numbers: dict[str, Any] = dict.fromkeys(_NAMES, 0)
    drops: dict[str, int] = {}
    refusals: dict[str, int] = {}
    for stats in counted:
        for name in _NAMES:
            numbers[name] += getattr(stats, name)
        for reason, count in stats.dropped_by_reason.items():
            drops[reason] = drops.get(reason, 0) + count
        for name, count in stats.refusals.items():
            refusals[name] = refusals.get(name, 0) + count
    return ContextStats(
        max_bytes=max_bytes,
        sockets=tuple(counted),
        dropped_by_reason=Counts(drops),
        refusals=Counts(refusals),
        handshake_failures=sum([stats.handshake_failures for stats in counted]),
        **numbers,
    )


_NAMES = (
    "sent", "received", "dropped", "queued", "queued_bytes", "unread", "unread_bytes", "spilled", "spilled_bytes",
    "reconnects",
)  # fmt: skip


def _numbers(counts: PipeCounts) -> dict[str, Any]:
    """The fields of `QueueStats`."""
    numbers: dict[str, Any] = {name: getattr(counts, name) for name in _NAMES if name != "dropped"}
    numbers["dropped"] = sum(counts.dropped.values())
    numbers["dropped_by_reason"] = Counts(counts.dropped)
    return numbers


def _merged(pattern: Any, pipes: list[Pipe], ended: Iterable[Pipe]) -> tuple[int, int]:
    """Messages, and their bytes, that a fair queue took from pipes ahead of the application."""
    ready = pattern.inbox.ready
    if any(ready is pipe.inbound for pipe in [*pipes, *ended]):
        return 0, 0
    peeked = pattern.inbox.peeked
    if hasattr(pattern, "news"):  # an XPUB: subscriptions are among them
        ready = pattern.news.messages()
    found = [*ready, *([] if peeked is None else [peeked[1]])]
    sizes = [_size(message) for message in found if type(message) in {bytes, list}]
    return len(sizes), sum(sizes)


def _size(message: Any) -> int:
    if type(message) is bytes:
        return len(message)
    return sum([len(part) for part in message if isinstance(part, (bytes, memoryview))])


def is_connected(pipe: Pipe) -> bool:
    """Whether the peer is there now."""
    carrier = pipe.carrier
    if getattr(carrier, "is_direct", False):
        return carrier.peer is not None
    return pipe.peer is not None and getattr(carrier, "connection", None) is not None


def _endpoint(pipe: Pipe) -> str:
    carrier = pipe.carrier
    return f"inproc://{carrier.name}" if getattr(carrier, "is_direct", False) else str(carrier.endpoint)


def _address(pipe: Pipe) -> str:
    carrier = pipe.carrier
    if getattr(carrier, "is_direct", False):
        return _endpoint(pipe) if carrier.peer is not None else ""
    stream = carrier.stream
    return "" if stream is None else str(getattr(stream, "peer_address", ""))


def _count_peer(pipe: Pipe, counts: PipeCounts) -> PeerStats:
    return PeerStats(
        endpoint=_endpoint(pipe),
        address=_address(pipe),
        routing_id=bytes(pipe.routing_id),
        connected=is_connected(pipe),
        **_numbers(counts),
    )


def describe(pipe: Pipe) -> Peer:
    """What `Socket.peers` tells of a peer."""
    carrier, share = pipe.carrier, pipe.share
    is_direct = bool(getattr(carrier, "is_direct", False))
    return Peer(
        endpoint=_endpoint(pipe),
        address=_address(pipe),
        routing_id=bytes(pipe.routing_id),
        socket_type=carrier.peer.engine.pattern.type_name if is_direct else pipe.peer.socket_type,
        mechanism="" if is_direct else pipe.peer.mechanism,
        version=(0, 0) if is_direct else pipe.peer.version,
        subscriptions=tuple(sorted(share.topics)) if share is not None else (),
        since=pipe.since,
        connection=getattr(carrier, "number", 0),
        user_id="" if is_direct else pipe.peer.user_id,
    )
