"""What a context, a socket and a peer can tell of themselves in numbers: frozen records, as of one moment.

The words mean the same everywhere:

    sent       messages the application gave to a peer's queue, whatever became of them
    received   messages the application has taken
    dropped    messages that were given up, sent or received; by reason in `dropped_by_reason`
    queued     messages waiting to leave, in memory and on disk
    unread     messages that arrived and that the application has not taken
    spilled    the part of `queued` that is on disk
    reconnects connections that were made again after a loss

On a sender nothing gets lost on the way: ``sent == left + dropped + queued``, where `left` is what was handed to the
system. Bytes are those of the parts, without framing. Counting these things is the engine's matter, and so is reading
them all in one moment.

Imported when they are asked for: `dataclasses` takes longer to import than the engine.
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
class PeerStats:
    """One peer of a socket; see the module's text for the words.

    Attributes:
        endpoint: the endpoint it came by, as given to bind() or connect().
        address: its real address, such as "127.0.0.1:41234"; empty where it isn't known.
        routing_id: its routing id, often empty.
        connected: whether there is a connection now. What is queued for a lost one waits for the next.
        sent: messages given to its queue.
        received: messages of it that the application has taken.
        dropped: messages to or from it that were given up.
        dropped_by_reason: the same by reason.
        queued: messages waiting to leave.
        queued_bytes: their bytes.
        unread: messages of it that the application has not taken.
        unread_bytes: their bytes.
        spilled: messages of its queue that are on disk.
        spilled_bytes: their bytes.
        reconnects: how often its connection was made again.
    """

    endpoint: str = ""
    address: str = ""
    routing_id: bytes = b""
    connected: bool = False
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
class SocketStats:
    """One socket; see the module's text for the words. Its counts include peers that are gone.

    Attributes:
        type: name of its type, such as "PUB".
        sent: messages given to the queues of its peers; of a publisher's message, one per subscriber it matched.
        received: messages the application has taken.
        dropped: messages that were given up, also those that had no peer.
        dropped_by_reason: the same by reason.
        queued: messages waiting to leave.
        queued_bytes: their bytes.
        unread: messages the application has not taken.
        unread_bytes: their bytes.
        spilled: messages on disk.
        spilled_bytes: their bytes.
        reconnects: connections that were made again after a loss.
        handshake_failures: connections that ended because the peer broke the protocol, was refused or fell silent.
        peers: those that are there, or waited for.
        name: what tells it from the other sockets of its context, for as long as it lives; may be empty.
    """

    type: str = ""
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
    handshake_failures: int = 0
    peers: tuple[PeerStats, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextStats:
    """One context: its sockets, and the sums over them.

    Attributes:
        sockets: those that are open.
        sent: the sum over the sockets, as the others.
        received: messages their applications have taken.
        dropped: messages that were given up.
        dropped_by_reason: the same by reason.
        queued: messages waiting to leave.
        queued_bytes: their bytes.
        unread: messages that were not taken.
        unread_bytes: their bytes.
        spilled: messages on disk.
        spilled_bytes: their bytes.
        reconnects: connections that were made again after a loss.
        handshake_failures: connections that ended because the peer broke the protocol, was refused or fell silent.
        queued_bytes_limit: how many bytes may be queued in the whole context; 0 for no limit.
    """

    sockets: tuple[SocketStats, ...] = ()
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
    handshake_failures: int = 0
    queued_bytes_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end of one connection.

    Attributes:
        endpoint: the endpoint it came by, as given to bind() or connect().
        address: its real address, such as "127.0.0.1:41234"; empty where it isn't known.
        routing_id: its routing id, often empty.
        socket_type: name of its socket's type, such as "SUB".
        mechanism: the security mechanism, such as "NULL"; empty before ZMTP 3.0 and over inproc.
        version: the (major, minor) version of ZMTP that the connection speaks.
        subscriptions: what it has subscribed to, where we publish.
        since: when the connection was made, as `time.time()`.
        connection: its number, the same as in `SocketEvent.connection`.
    """

    endpoint: str = ""
    address: str = ""
    routing_id: bytes = b""
    socket_type: str = ""
    mechanism: str = ""
    version: tuple[int, int] = (0, 0)
    subscriptions: tuple[bytes, ...] = ()
    since: float = 0.0
    connection: int = 0
