"""inproc: two pipes, back to back. What one socket sends is the other's inbound queue; no kernel, no copy.

Each end has its link, the carrier of its pipe. A link never takes the other socket's lease: it appends (atomic),
activates (atomic), wakes, or posts to the other's mailbox.
"""

from __future__ import annotations

from collections import deque
from time import time

from purezmq.engine.confirmation import Confirmation
from purezmq.engine.inbox import refill_inbound
from purezmq.engine.leader import sched_yield
from purezmq.pipe import NO_BATCH, DropReason, Pipe, RoomMarker, key_function

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
        given_id: CONNECT_ROUTING_ID at the time of connect().
        confirmation: how far a publisher at the other end has confirmed; None until it's ours to ask.
    """

    __slots__ = (
        "_gift", "_marked", "accepted", "confirmation", "conflate", "engine", "given_id", "name", "overflow", "peer",
        "pipe", "swap_owner",
    )  # fmt: skip

    is_direct = True
    connection = None

    def __init__(
        self, engine: SocketEngine, name: str, options: SocketOptions, *, conflate: Any, overflow: str = ""
    ) -> None:
        self.engine = engine
        self.name = name
        #: The policy given to bind() or connect(), if any.
        self.overflow = overflow
        #: Whose options say how large the swap is, and where.
        self.swap_owner = engine
        self.conflate = conflate
        self.peer: InprocLink | None = None
        self.accepted = False
        self.given_id = b""
        self.confirmation: Confirmation | None = None
        self._marked = False
        #: What the other end gets when this one closes, until that is told.
        self._gift: _Gift | None = None
        self.pipe = self._make_pipe(options)

    def _make_pipe(self, options: SocketOptions) -> Pipe:
        pipe = Pipe(self, options.sndhwm, options.rcvhwm, self.conflate)
        pipe.count_writes()
        pipe.batch = pipe.write_batch = NO_BATCH  # the reader takes messages from where they are appended
        if type(pipe.outbound) is list:
            pipe.outbound = deque()
        else:
            pipe.inbound.has_sender = True  # what arrives is appended by its sender
        return pipe

    @property
    def is_connected(self) -> bool:
        """Whether both sockets have taken each other (lease held; of the other one a look without its own)."""
        peer = self.peer
        return peer is not None and peer.pipe.attached and self.pipe.attached

    def handle_write(self, pipe: Pipe) -> None:
        """A message was appended: the other end has something to read."""
        peer = self.peer
        if peer is None:
            return  # nobody is bound yet; `pair_up` tells the binder what waits
        pipe.quiet = False
        engine = peer.engine
        engine.inbox.activate(peer.pipe)
        engine.leadership.wake()
        sched_yield()

    def handle_drained(self, pipe: Pipe) -> None:
        """Our reader found nothing: the other end must tell us about its next message."""
        peer = self.peer
        if peer is not None:
            other = peer.pipe
            other.quiet = True
            if other.swapping:
                peer.engine.post(peer.handle_swap_changed)
            return
        if pipe.receive_swap is not None:
            refill_inbound(pipe)  # what the other end left on disk when it closed
        if pipe.receive_swap is None:
            self.engine.stalled.discard(self)

    def flush_pipe(self, pipe: Pipe) -> None:
        """See `Carrier`: what is appended has arrived."""

    def free_unsent(self, pipe: Pipe) -> None:
        """See `Carrier`: nothing is on its way."""

    def open_swap(self, pipe: Pipe) -> Any:
        """See `Carrier`."""
        return self.engine.queues.open_swap(pipe, self.handle_swap_changed, self.swap_owner)

    def handle_swap_changed(self) -> None:
        """The reader has room again, messages came from disk, or it took some (lease held)."""
        pipe, peer = self.pipe, self.peer
        if peer is not None and pipe.swapping and (not pipe.outbound or not pipe.send_limit) and pipe.refill():
            self.handle_write(pipe)
        elif pipe.receive_swap is not None and not pipe.inbound and refill_inbound(pipe):
            self.engine.inbox.activate(pipe)
        self.engine.handle_room()

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
        """See `Carrier`."""
        self.engine.note_drop(pipe, count, reason)

    def post_configure(self) -> None:
        """The other side's limits or policy changed."""
        self.engine.post(lambda: self.engine.queues.configure_link(self))

    def post_settle(self) -> None:
        """The other side took a message: its bytes count no more."""
        self.engine.post(self._settle)

    def _settle(self) -> None:
        if self.pipe.meter is not None:
            self.pipe.meter.settle(len(self.pipe.outbound))

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """Give the publisher at the other end our subscription."""
        peer = self.peer
        if peer is not None:
            engine, other = peer.engine, peer.pipe
            if self.confirmation is not None:
                self.confirmation.note_told()
            engine.post(lambda: engine.handle_subscription(other, topic, subscribe))

    def ask_confirmation(self) -> Confirmation | None:
        """Have the publisher confirm what it was told so far; None while there is none."""
        peer, confirmation = self.peer, self.confirmation
        if peer is None or confirmation is None:
            return None
        context = confirmation.next_context()
        if context is not None:
            leadership = self.engine.leadership

            def confirm() -> None:
                confirmation.handle_echo(context)
                leadership.wake()

            peer.engine.post(confirm)  # it runs behind the subscriptions, which were posted before
        return confirmation

    def renew(self) -> None:
        """Give the connection up and make it anew, with new queues: whatever the other end still sends is lost.

        Only the end that connected can do that, so the accepted one has the other do it.
        """
        self._keep_counts()
        peer, self.peer = self.peer, None
        if not self.accepted:
            if peer is not None:
                peer.peer = None
                peer.post_end()
            self._connect_again()
        else:
            self.engine.links.discard(self)
            self.engine.detach(self.pipe)
            if peer is not None:
                peer.peer = None
                peer.engine.post(peer._connect_again)

    def _connect_again(self) -> None:
        engine, old = self.engine, self.pipe
        if engine.closing or self not in engine.links:
            return  # closed or disconnected meanwhile
        self.confirmation = None
        self._marked = False
        self.conflate = _find_conflation(engine, self.name)
        self.pipe = self._make_pipe(engine.options)
        self.pipe.routing_id = self.given_id
        engine.queues.configure_link(self)
        engine.detach(old)
        engine.attach(self.pipe)
        owner: Any = engine.context.inproc.connect(self.name, self)
        if owner is not None:
            pair_up(self, owner)

    def end_pipe(self, pipe: Pipe) -> None:
        """Our pattern refuses the peer (lease held): it keeps what it sends and tries again when another leaves."""
        self._keep_counts()
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

    def count_arrived(self) -> int:
        """How many messages the other end has put into our inbound queue and not taken out again."""
        peer = self.peer
        if peer is None:
            return self.pipe.received
        pipe = peer.pipe
        drops = pipe.drops or {}
        lost = drops.get(DropReason.OLDEST, 0) + drops.get(DropReason.WITHDRAWN, 0)
        return pipe.written - lost - getattr(pipe.outbound, "replaced", 0)

    def _keep_counts(self) -> None:
        """The two ends part: each notes what it has got from the other."""
        peer = self.peer
        if peer is not None:
            self.pipe.received, peer.pipe.received = self.count_arrived(), peer.count_arrived()

    def count_waiting(self, queue: Any) -> int:
        """How many messages a queue of ours holds; markers are none."""
        return len(queue) - len([None for message in list(queue) if type(message) is RoomMarker])

    def mark_room(self) -> None:
        """Our sender is about to sleep because the queue is full: have the reader wake it half-way down."""
        pipe = self.pipe
        if not self._marked and not pipe.ended and (pipe.special or not pipe.can_write()) and pipe.outbound:
            self._marked = True
            pipe.outbound.insert(len(pipe.outbound) // 2, RoomMarker(self._handle_room))
            if len(pipe.outbound) == 1:  # the reader took everything meanwhile, and looks no more
                self._handle_room()

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
        self.engine.context.inproc.forget(self.name, self)
        peer = self.peer
        if peer is not None:
            self._prepare_gift()
        self._keep_counts()
        if peer is not None:
            if self._gift is not None:
                peer.post_swap(self._gift)
                self.engine.queues.swaps.discard(self._gift.swap)
                self._gift = None
            peer.post_end()
        self.peer = None
        if self.pipe.meter is not None:
            self.pipe.meter.close()  # what is unread is the other's now
        self.engine.links.discard(self)  # last: who is interrupted comes once more

    def _prepare_gift(self) -> None:
        """What we have on disk is the reader's from now on, and counts as put into the queue. May be done twice."""
        pipe = self.pipe
        swap = pipe.swap
        if self._gift is None and swap is not None and len(swap):
            gift = _Gift(swap, pipe.written + len(swap))
            spilled, spilled_bytes = swap.spilled, swap.spilled_bytes
            # No handler runs in these lines: handlers run behind calls of C and at jumps back.
            self._gift = gift
            pipe.swap, pipe.swapping = None, False
            pipe.spilled += spilled
            pipe.spilled_bytes += spilled_bytes
        if self._gift is not None:
            pipe.count_written(self._gift.written - pipe.written)

    def post_swap(self, gift: _Gift) -> None:
        """The other end closes and leaves us what it has on disk; from the other's thread, which may say it twice."""
        engine, pipe = self.engine, self.pipe

        def adopt() -> None:
            if not gift.is_taken:
                pipe.receive_swap = gift.swap
                gift.is_taken = True
            if pipe.receive_swap is gift.swap:
                engine.queues.adopt_swap(gift.swap, pipe, self.handle_swap_changed)
                engine.stalled.add(self)  # the next reader asks for it
            self.handle_swap_changed()

        engine.post(adopt)

    def post_end(self) -> None:
        """Tell our own socket that the other end is gone; from the other's thread."""
        self.engine.post(lambda: self.engine.handle_link_ended(self))


class _Gift:
    """What one end leaves to the other on disk.

    Attributes:
        swap: it.
        written: how many messages the giver has put into the queue, with these.
        is_taken: the other end has it.
    """

    __slots__ = ("is_taken", "swap", "written")

    def __init__(self, swap: Any, written: int) -> None:
        self.swap = swap
        self.written = written
        self.is_taken = False


def connect_inproc(engine: SocketEngine, name: str, routing_id: bytes, overflow: str = "") -> InprocLink:
    """Connect a socket to a name, bound or not yet (lease held)."""
    link = InprocLink(engine, name, engine.options, conflate=_find_conflation(engine, name), overflow=overflow)
    link.given_id = link.pipe.routing_id = routing_id
    engine.queues.configure_link(link)
    engine.links.add(link)
    owner: Any = engine.context.inproc.connect(name, link)
    engine.attach(link.pipe)
    if owner is not None:
        pair_up(link, owner)
    return link


def pair_up(link: InprocLink, binder: SocketEngine) -> None:
    """Give a connector's link its other end in the socket that is bound; from any thread."""
    connector = link.engine
    overflow = binder.queues.bound_overflow.get(link.name, "")
    other = InprocLink(binder, link.name, binder.options, conflate=link.conflate, overflow=overflow)
    other.accepted = True
    mine, theirs = link.pipe, other.pipe
    theirs.inbound, theirs.outbound = mine.outbound, mine.inbound
    mine.send_limit = _sum_limits(connector.options.sndhwm, binder.options.rcvhwm)
    theirs.send_limit = _sum_limits(binder.options.sndhwm, connector.options.rcvhwm)
    theirs.routing_id = connector.options.routing_id
    if not mine.routing_id:
        mine.routing_id = binder.options.routing_id
    mine.since = theirs.since = time()

    def accept() -> None:
        other.confirmation = Confirmation()
        binder.attach_link(other)
        connector.leadership.wake()  # who waits for the connection waits for this

    def note_connected() -> None:
        link.confirmation = Confirmation()
        connector.handle_link_connected(link)

    to_binder, to_connector = binder.lease.mailbox.append, connector.lease.mailbox.append
    mine.quiet = True
    mine.connections += 1
    other.peer = link
    link.peer = other
    # A signal handler may raise behind each call, but not before the first: no end is left without the other.
    try:
        try:
            to_binder(accept)
        finally:
            to_connector(note_connected)
        binder.lease.run_mailbox()
        connector.lease.run_mailbox()
    except BaseException:
        binder.lease.rescue_mailbox()
        connector.lease.rescue_mailbox()
        raise


def _find_conflation(engine: SocketEngine, name: str) -> Any:
    """How the queues of a connection conflate: as its connector says (CONFLATE, as in libzmq), or either by its key."""
    owner = engine.context.inproc.find(name)
    return engine.queues.find_conflation() or (
        owner is not None and key_function(owner.options.conflate_key) is not None and owner.queues.find_conflation()
    )


def _sum_limits(sender: int, receiver: int) -> int:
    """Capacity of an inproc direction: both marks together, none if either has none (behaviour notes A.1#4)."""
    return sender + receiver if sender and receiver else 0
