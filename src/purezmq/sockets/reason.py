"""Why nothing arrived and why nothing could be sent: what the texts of Again say of a socket's peers.

Patterns say why they are blocked (`why_blocked`) and know no endpoint; here the peers get their names. Everything
needs the lease, and none of it costs more with more peers than `MANY_PEERS`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.patterns.base import Pattern
    from purezmq.pipe import Pipe

__all__ = ["count_peers", "describe_peers", "is_connected", "why_blocked", "why_nothing_arrived"]

#: From so many peers on they are counted by their connections, finished handshake or not, and not all named.
MANY_PEERS = 16


def is_connected(pipe: Pipe) -> bool:
    """Whether the peer behind a pipe is there now."""
    carrier: Any = pipe.carrier
    if getattr(carrier, "is_direct", False):
        return carrier.peer is not None
    return carrier.connection is not None and bool(carrier.connection.ready)


def count_peers(engine: SocketEngine) -> int:
    """How many peers are connected now."""
    sessions, links = engine.sessions, engine.links
    if len(sessions) + len(links) > MANY_PEERS:
        return len(sessions) + len(links)
    connections = [session.connection for session in sessions.values()]
    ready = [connection for connection in connections if connection is not None and connection.ready]
    return len(ready) + len([link for link in links if link.peer is not None])


def why_nothing_arrived(engine: SocketEngine) -> str:
    """The text of Again of a receive."""
    count = count_peers(engine)
    if count <= MANY_PEERS and any(hasattr(session, "takes_every_group") for session in engine.sessions.values()):
        why = "no datagram came"
    elif not count:
        why = "no peer is connected"
    elif count == 1:
        why = "1 peer is connected and sent nothing"
    else:
        why = f"{count} peers are connected and sent nothing"
    return f"no message arrived in time: {why}"


def why_blocked(pattern: Pattern, message: Any) -> str:
    """The text of Again of a send; where the message is for one certain peer, it names that."""
    why = f"the message can't be sent now: {pattern.why_blocked()}"
    pipe = _find_addressed(pattern, message)
    if pipe is None:
        return why
    return f"{why}; the peer is {message[0]!r} at {_endpoint_of(pipe)}, {len(pipe.outbound)} messages wait for it"


def _find_addressed(pattern: Pattern, message: Any) -> Pipe | None:
    if not isinstance(message, list) or not message:
        return None
    table = getattr(pattern, "table", None)
    peers: Any = getattr(pattern, "peers", None) if table is None else table.pipes
    if not isinstance(peers, dict):
        return None
    address = message[0]
    found: Pipe | None = peers.get(address if isinstance(address, (bytes, int)) else bytes(address))
    return found


def describe_peers(engine: SocketEngine) -> str:
    """The peers of a socket and whether they are there, for a text."""
    pipes = engine.pipes()
    named = [
        f"{_endpoint_of(pipe)} ({'connected' if is_connected(pipe) else 'not connected'})"
        for pipe in pipes[:MANY_PEERS]
    ]
    if len(pipes) > MANY_PEERS:
        named.append(f"and {len(pipes) - MANY_PEERS} more")
    return ", ".join(named) or "none"


def _endpoint_of(pipe: Pipe) -> str:
    carrier = pipe.carrier
    if getattr(carrier, "is_direct", False):
        return f"inproc://{carrier.name}"
    return str(carrier.endpoint)
