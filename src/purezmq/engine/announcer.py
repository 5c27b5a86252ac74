"""Makes events of what the engine tells, and gives them to who listens. Imported when somebody does (lease held).

An observer must neither wait nor raise; one that raises is reported, and nothing else happens.
"""

from __future__ import annotations

from time import time

from purezmq.constants import Event
from purezmq.engine.fence import report
from purezmq.engine.socket_event import SocketEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from purezmq.pipe import Pipe

__all__ = ["announce", "classic_kind", "make_event"]

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
        except Exception as error:  # noqa: BLE001 - the fence: who listens must not harm who works
            report(f"an observer of {event.kind}", error)


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
    if pipe is None:
        pipe = getattr(carrier, "pipe", None)
    peer = getattr(carrier, "peer_info", None)
    return SocketEvent(
        kind=kind,
        endpoint=endpoint,
        address=_address_of(carrier, resolved),
        routing_id=bytes((pipe is not None and pipe.routing_id) or getattr(peer, "routing_id", b"")),
        mechanism=getattr(peer, "mechanism", ""),
        connection=getattr(carrier, "number", 0),
        value=value,
        error=error,
        reason=reason,
        count=count,
        time=time(),
    )


def _address_of(carrier: Any, resolved: str) -> str:
    remote = getattr(carrier, "remote", None)
    if remote is None and hasattr(carrier, "endpoint"):  # a listener, datagrams
        remote = resolved
    return str(remote or "").partition("://")[2]
