"""What `Socket.stats`, `Context.stats` and `Socket.peers` return: plain records that don't change any more.

How the numbers belong together, for messages: what was sent has left, or is queued, or was dropped; what arrived was
received, or is unread, or was dropped. Over inproc the sender's queue is the receiver's, so its messages are `queued`
on the one side and `unread` on the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

__all__ = ["ContextStats", "Counts", "Peer", "PeerStats", "SocketStats"]


class Counts(dict[str, int]):
    """An immutable dictionary of counts by reason: hashable, and `json`, `pickle` and `asdict` take it."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        text = "statistics are of one moment and can't be changed; make a dict of them"
        raise TypeError(text)

    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse  # none of them returns

    def __hash__(self) -> int:  # type: ignore[override]  # what can't be changed can be hashed
        """By its items."""
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Counts], tuple[dict[str, int]]]:
        """Made of its items again."""
        return (Counts, (dict(self),))


_NO_COUNTS = Counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats:
    """The numbers that peers, sockets and contexts have in common.

    Attributes:
        sent: messages that the application gave to the queue of a peer, whatever became of them. A publication counts
            once for each subscriber that it is for.
        received: messages that the application has taken.
        dropped: messages that were lost, in either direction.
        dropped_by_reason: the same by reason: "newest", "oldest" and "conflated" (what the queue is set to drop),
            "disconnected", "unroutable", "malformed", "corrupt", "expired", "withdrawn", "refused".
        queued: messages that wait to leave, in memory and on disk.
        queued_bytes: bytes of their parts.
        unread: messages that arrived and were not taken.
        unread_bytes: bytes of their parts.
        spilled: messages that ever went to disk.
        spilled_bytes: bytes of their parts.
        reconnects: connections after the first to the same peer.
    """

    sent: int = 0
    received: int = 0
    dropped: int = 0
    dropped_by_reason: Counts = field(default=_NO_COUNTS)
    queued: int = 0
    queued_bytes: int = 0
    unread: int = 0
    unread_bytes: int = 0
    spilled: int = 0
    spilled_bytes: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStats(QueueStats):
    """The numbers of one peer.

    Attributes:
        endpoint: what was given to bind() or connect().
        address: the peer's own address; empty while it's not connected.
        routing_id: what it calls itself, or is called by a ROUTER; often empty.
        connected: whether it is there now.
    """

    endpoint: str = ""
    address: str = ""
    routing_id: bytes = b""
    connected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketStats(QueueStats):
    """The numbers of a socket, with those of peers that are gone.

    Attributes:
        type: name of its type, such as "PUB".
        handshake_failures: connections that ended because the peer broke the protocol, was refused or fell silent.
        peers: one record for each peer that it has a queue for.
        name: what tells it from other sockets of its context for as long as it lives; may be empty.
    """

    type: str = ""
    handshake_failures: int = 0
    peers: tuple[PeerStats, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextStats(QueueStats):
    """The numbers of all open sockets of a context.

    Attributes:
        handshake_failures: see `SocketStats`.
        max_bytes: the limit of the context, 0 for none.
        sockets: one record for each open socket.
    """

    handshake_failures: int = 0
    max_bytes: int = 0
    sockets: tuple[SocketStats, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer that is connected now.

    Attributes:
        endpoint: what was given to bind() or connect().
        address: the peer's own address; over inproc the name.
        routing_id: what it calls itself, or is called by a ROUTER; often empty.
        socket_type: name of its type, such as "SUB".
        mechanism: name of the security mechanism; empty over inproc and for peers before ZMTP 3.0.
        version: (major, minor) of ZMTP that is spoken; (0, 0) over inproc.
        subscriptions: what a subscriber wants, sorted.
        since: when the connection was made, in seconds of the epoch.
        connection: a number unique in this process; 0 over inproc.
        user_id: who the authenticator says it is; empty when none was asked.
    """

    endpoint: str
    address: str
    routing_id: bytes
    socket_type: str
    mechanism: str
    version: tuple[int, int]
    subscriptions: tuple[bytes, ...]
    since: float
    connection: int = 0
    user_id: str = ""
