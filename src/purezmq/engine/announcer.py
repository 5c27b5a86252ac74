"""Makes events of what the engine tells, and gives them to who listens. Imported when somebody does (lease held).

An observer must neither wait nor raise; one that raises is reported, and nothing else happens.
"""

from __future__ import annotations

from time import time

from purezmq.constants import Event
from purezmq.engine.fence import is_interruption, report
from purezmq.engine.socket_event import SocketEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from purezmq.pipe import Pipe

__all__ = ["announce", "announce_drop", "classic_kind", "drop_key", "make_event"]

_KINDS = {int(member): name.lower() for name, member in Event.__members__.items()}


def classic_kind(event: int) -> str:
    """The kind of one of libzmq's events: its name in lower case."""
    return _KINDS.get(int(event), f"event_{int(event):#x}")


def announce(observers: Iterable[Callable[[SocketEvent], object]], kind: str, **details: Any) -> None:
    """Make an event and give it to each observer; see `make_event` for the details."""
    event = make_event(kind, **details)
    for observer in observers:
        try:
            observer(event)
        except Exception as error:  # the fence: who listens must not harm who works
            if is_interruption(error):
                raise
            report(f"an observer of {event.kind}", error)


def announce_drop(
    observers: Iterable[Callable[[SocketEvent], object]],
    carrier: Any,
    pipe: Pipe | None,
    endpoint: str,
    count: int,
    reason: str,
    error: str,
) -> None:
    """Announce that messages were dropped; an event is made only for observers that have none to add the count to.

    Such an observer has ``merge(key, count)``, which tells whether it has; the key is `drop_key`'s.
    """
    key = (reason, endpoint, getattr(carrier, "number", 0), _routing_id_of(carrier, pipe))
    left = [known for known in observers if not getattr(known, "merge", _merge_never)(key, count)]
    if left:
        announce(
            left,
            "message_dropped",
            carrier=carrier,
            pipe=pipe,
            endpoint=endpoint,
            count=count,
            reason=reason,
            error=error,
        )


def drop_key(event: SocketEvent) -> tuple[str, str, int, bytes]:
    """What two "message_dropped" events have in common that are about the same peer and reason."""
    return (event.reason, event.endpoint, event.connection, event.routing_id)


def _merge_never(_key: object, _count: int) -> bool:
    return False


def make_event(
    kind: str,
    *,
    carrier: Any = None,
    pipe: Pipe | None = None,
    endpoint: str = "",
    resolved: str = "",
    value: int = 0,
    count: int = 0,
    reason: str = "",
    error: str = "",
) -> SocketEvent:
    """Make an event.

    Args:
        kind: what happened.
        carrier: the session, inproc link or listener that it is about.
        pipe: of the peer; by default the carrier's.
        endpoint: as the application gave it.
        resolved: the address of a listener, which has no peer.
        value: see SocketEvent, as for the others.
        count: see there.
        reason: see there.
        error: see there.
    """
    peer = getattr(carrier, "peer_info", None)
    return SocketEvent(
        kind=kind,
        endpoint=endpoint,
        address=_address_of(carrier, resolved),
        routing_id=_routing_id_of(carrier, pipe),
        mechanism=getattr(peer, "mechanism", ""),
        connection=getattr(carrier, "number", 0),
        value=value,
        error=error,
        reason=reason,
        count=count,
        time=time(),
    )


def _routing_id_of(carrier: Any, pipe: Pipe | None) -> bytes:
    """What our own pattern calls the peer; else what it calls itself."""
    if pipe is None:
        pipe = getattr(carrier, "pipe", None)
    if pipe is not None and pipe.routing_id:
        return bytes(pipe.routing_id)
    peer = getattr(carrier, "peer_info", None)
    return b"" if peer is None else bytes(peer.routing_id)


def _address_of(carrier: Any, resolved: str) -> str:
    remote = getattr(carrier, "remote", None)
    if remote is None and hasattr(carrier, "endpoint"):  # a listener, datagrams
        remote = resolved
    return str(remote or "").partition("://")[2]
