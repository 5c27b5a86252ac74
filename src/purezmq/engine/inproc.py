"""inproc: two pipes, back to back. What one socket sends is the other's inbound queue; no kernel, no copy.

Each end has its link, the carrier of its pipe. A link never takes the other socket's lease: it appends (atomic),
activates (atomic), wakes, or posts to the other's mailbox.
"""

from __future__ import annotations

from collections import deque

from purezmq.engine.leader import sched_yield
from purezmq.pipe import NO_BATCH, Pipe, RoomMarker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.options import SocketOptions

__all__ = ["InprocLink", "connect_inproc", "pair_up"]


class InprocLink:
    """One end of an inproc connection, on its own socket's side.

    Attributes:
        peer: the other end; None until somebody binds the name, and after the end.
        accepted: this is the end of the socket that is bound to the name.
        connection: always None: there is no wire.
    """

    __slots__ = ("_marked", "accepted", "conflate", "engine", "name", "peer", "pipe")

    is_direct = True
    connection = None

    def __init__(self, engine: SocketEngine, name: str, options: SocketOptions, *, conflate: bool) -> None:
        self.engine = engine
        self.name = name
        self.conflate = conflate
        self.peer: InprocLink | None = None
        self.accepted = False
        self._marked = False
        self.pipe = Pipe(self, options.sndhwm, options.rcvhwm, conflate)
        self.pipe.batch = self.pipe.write_batch = NO_BATCH  # the reader takes messages from where they are appended
        self.pipe.outbound = deque(maxlen=1) if conflate else deque()

    def handle_write(self, pipe: Pipe) -> None:
        """A message was appended: the other end has something to read."""
        peer = self.peer
        if peer is None:
            return  # nobody is bound yet; `pair_up` tells the binder what waits
        pipe.quiet = False
        peer.engine.inbox.activate(peer.pipe)
        peer.engine.leadership.wake()
        sched_yield()

    def handle_drained(self, pipe: Pipe) -> None:
        """Our reader found nothing: the other end must tell us about its next message."""
        peer = self.peer
        if peer is not None:
            peer.pipe.quiet = True

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """Give the publisher at the other end our subscription."""
        peer = self.peer
        if peer is not None:
            engine, other = peer.engine, peer.pipe
            engine.post(lambda: engine.handle_subscription(other, topic, subscribe))

    def end_pipe(self, pipe: Pipe) -> None:
        """Our pattern refuses the peer (lease held): it keeps what it sends and tries again when another leaves."""
        engine, peer = self.engine, self.peer
        engine.links.discard(self)
        self.peer = None
        if peer is not None:
            peer.peer = None
            engine.refused.append(peer)
        engine.detach_refused(pipe)

    def refuse_pipe(self, pipe: Pipe, text: str, reason: str) -> None:
        """Another peer has this one's routing id: tell both sides, then end it as `end_pipe` does (lease held)."""
        peer = self.peer
        self.engine.tell("duplicate_routing_id", pipe=pipe, reason=reason, error=text)
        if peer is not None:
            other = peer.engine
            other.post(lambda: other.tell("peer_refused", pipe=peer.pipe, error=f"the peer refused us: {text!a}"))
        self.end_pipe(pipe)

    def try_again(self, binder: SocketEngine) -> None:
        """Connect once more to the socket that refused us (its lease held)."""
        if not self.pipe.ended and self.engine.links and self in self.engine.links:
            pair_up(self, binder)

    def mark_room(self) -> None:
        """Our sender is about to sleep because the queue is full: have the reader wake it half-way down."""
        pipe = self.pipe
        if not self._marked and not pipe.can_write() and not pipe.ended:
            self._marked = True
            pipe.outbound.insert(len(pipe.outbound) // 2, RoomMarker(self._handle_room))

    def _handle_room(self) -> None:
        self._marked = False
        self.engine.room_token = object()
        self.engine.leadership.wake()

    def apply_limits(self) -> None:
        """A high-water mark of either side changed."""
        peer = self.peer
        if peer is not None:
            self.pipe.send_limit = _sum_limits(self.engine.options.sndhwm, peer.engine.options.rcvhwm)
            peer.pipe.send_limit = _sum_limits(peer.engine.options.sndhwm, self.engine.options.rcvhwm)

    def close(self) -> None:
        """End the connection; what the other end did not read yet stays readable there."""
        self.engine.links.discard(self)
        self.engine.context.inproc.forget(self.name, self)
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.post_end()

    def post_end(self) -> None:
        """Tell our own socket that the other end is gone; from the other's thread."""
        self.engine.post(lambda: self.engine.handle_link_ended(self))


def connect_inproc(engine: SocketEngine, name: str, routing_id: bytes) -> InprocLink:
    """Connect a socket to a name, bound or not yet (lease held)."""
    link = InprocLink(engine, name, engine.options, conflate=engine.is_conflating())
    link.pipe.routing_id = routing_id
    engine.links.add(link)
    owner: Any = engine.context.inproc.connect(name, link)
    engine.attach(link.pipe)
    if owner is not None:
        pair_up(link, owner)
    return link


def pair_up(link: InprocLink, binder: SocketEngine) -> None:
    """Give a connector's link its other end in the socket that is bound; from any thread."""
    connector = link.engine
    other = InprocLink(binder, link.name, binder.options, conflate=link.conflate)
    other.accepted = True
    mine, theirs = link.pipe, other.pipe
    theirs.inbound, theirs.outbound = mine.outbound, mine.inbound
    mine.send_limit = _sum_limits(connector.options.sndhwm, binder.options.rcvhwm)
    theirs.send_limit = _sum_limits(binder.options.sndhwm, connector.options.rcvhwm)
    theirs.routing_id = connector.options.routing_id
    if not mine.routing_id:
        mine.routing_id = binder.options.routing_id
    other.peer = link
    link.peer = other
    mine.quiet = True
    binder.post(lambda: binder.attach_link(other))
    connector.post(lambda: connector.handle_link_connected(link))


def _sum_limits(sender: int, receiver: int) -> int:
    """Capacity of an inproc direction: both marks together, none if either has none (behaviour notes A.1#4)."""
    return sender + receiver if sender and receiver else 0
