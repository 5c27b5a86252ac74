"""How the queues of one socket are set up: limits in messages and bytes, overflow policies, swap. And what they lose.

The pipes do what they are told here; this file decides what that is, from the socket's options, what the endpoint was
given at bind() or connect(), and, over inproc, what the other side wants. Everything here needs the lease.
"""

from __future__ import annotations

from time import monotonic
from weakref import WeakSet

from purezmq.engine.counts import PipeCounts, count_pipe
from purezmq.pipe import (
    BLOCK,
    DROP_OLDEST,
    ERROR,
    SPILL,
    DropReason,
    KeyedQueue,
    Meter,
    Pipe,
    RoomMarker,
    key_function,
    message_size,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.engine.inproc import InprocLink
    from purezmq.engine.socket_engine import SocketEngine

__all__ = ["SPILL_BYTES", "Queues"]

#: The types that CONFLATE applies to (zmq_setsockopt(3)).
_CONFLATING = frozenset({"DEALER", "PULL", "PUSH", "PUB", "SUB"})
#: While receiving drops or counts bytes, a fair queue takes messages from a peer one by one: what it has taken counts
#: no more.
_MERGE_ONE = 1
#: A queue that spills holds this much in memory (bytes), unless a limit in bytes was set.
SPILL_BYTES = 8 << 20
#: When more pipes than this have ended, they are added up.
_MAX_ENDED = 64


class Queues:
    """See the module's text.

    Args:
        engine: of the socket.

    Attributes:
        counts_bytes: bytes of what arrives are limited: the lock-free path of recv is closed.
        bound_overflow: the policies given to bind(), by inproc name.
        swaps: those that are open.
    """

    __slots__ = ("bound_overflow", "counts_bytes", "ended", "engine", "former", "swaps", "unsettled")

    def __init__(self, engine: SocketEngine) -> None:
        self.engine = engine
        self.counts_bytes = engine.context.budget is not None
        if self.counts_bytes:
            engine.inbox.merge_limit = _MERGE_ONE
        self.bound_overflow: dict[str, str] = {}
        self.swaps: WeakSet[Any] = WeakSet()
        #: Pipes that ended and may hold unread messages still, and the sum of those that don't.
        self.ended: dict[Pipe, None] = {}
        self.former = PipeCounts()
        #: Those of them whose unread bytes count still.
        self.unsettled: list[Pipe] = []

    def find_conflation(self) -> Any:
        """How pipes made now conflate: False, True (CONFLATE), or a function that finds the key of a message."""
        options = self.engine.options
        if options.conflate_key is not None:
            return key_function(options.conflate_key)
        return bool(options.conflate) and self.engine.pattern.type_name in _CONFLATING

    def make_pipe(self, session: Any, routing_id: bytes = b"") -> Pipe:
        """A pipe for a session."""
        options = self.engine.options
        pipe = Pipe(session, options.sndhwm, options.rcvhwm, self.find_conflation())
        pipe.routing_id = routing_id
        session.pipe = pipe
        self.configure(pipe)
        return pipe

    # -- limits and policies ---------------------------------------------------------------------------------------

    def configure(self, pipe: Pipe) -> None:
        """Give a pipe of a wire what the options say now."""
        options, pattern = self.engine.options, self.engine.pattern
        given = pipe.carrier.overflow or options.overflow
        pattern.policy_changes(pipe, -1)
        self._set_policy(pipe, self._send_policy(given))
        # What is on disk goes first, whatever the policy is now; `refill_inbound` comes back here when it's empty.
        pipe.receive_policy = SPILL if pipe.receive_swap is not None else self.receive_policy(given)
        if type(pipe.inbound) is KeyedQueue and pipe.inbound.maxlen is None and pipe.receive_policy in {BLOCK, SPILL}:
            pipe.receive_policy = DROP_OLDEST  # the latest of each key must get in, however many keys there are
        if type(pipe.outbound) is not KeyedQueue or pipe.outbound.maxlen is None:
            pipe.send_limit, pipe.receive_limit = options.sndhwm, options.rcvhwm
        self._set_meters(pipe, options.sndhwm_bytes, options.rcvhwm_bytes)
        pattern.policy_changes(pipe, 1)

    def configure_link(self, link: InprocLink) -> None:
        """Give our end of an inproc connection what both sides' options say now.

        There is one queue each way. A receiver's policy has precedence: where that makes room nobody has to wait.
        """
        engine, peer, pipe = self.engine, link.peer, link.pipe
        given = link.overflow or engine.options.overflow
        wanted, theirs = BLOCK, 0
        link.swap_owner = engine
        if peer is not None:
            wanted = peer.engine.queues.receive_policy(peer.overflow or peer.engine.options.overflow)
            theirs = peer.engine.options.rcvhwm_bytes
        engine.pattern.policy_changes(pipe, -1)
        if wanted != BLOCK and peer is not None:
            link.swap_owner = peer.engine
            self._set_policy(pipe, wanted)
        else:
            self._set_policy(pipe, self._send_policy(given))
        self._set_meters(pipe, engine.options.sndhwm_bytes + theirs, None)  # what is queued counts where it was sent
        engine.pattern.policy_changes(pipe, 1)

    def _send_policy(self, given: str) -> str:
        """What happens to messages that are sent to a full queue, where the application chose it: else nothing."""
        if not self.engine.pattern.can_transmit or (given == SPILL and not self.engine.options.swap):
            return ""
        return given

    def _set_policy(self, pipe: Pipe, given: str) -> None:
        if type(pipe.outbound) is KeyedQueue and hasattr(self.engine.pattern, "shared_carrier"):
            # A publisher looks for the key before it distributes a message: then there is no way back, and no call.
            pipe.outbound.has_sender = False
        pipe.fallback = self.engine.pattern.overflow
        pipe.policy = given or pipe.fallback
        pipe.has_own_policy = bool(given)

    def receive_policy(self, given: str) -> str:
        """What happens to messages that arrive at a full queue; `block` lets the peer wait."""
        pattern, options = self.engine.pattern, self.engine.options
        if given == SPILL:
            return SPILL if pattern.can_receive and options.swap else BLOCK
        # `error` is for senders: what arrives has no call that could raise it.
        return given if given and given != ERROR and pattern.receives_by_policy else BLOCK

    def _set_meters(self, pipe: Pipe, send_limit: int, receive_limit: int | None) -> None:
        """Count bytes where anything limits them: an option, or the context; None where they are not ours to count."""
        budget = self.engine.context.budget
        if pipe.policy == SPILL:
            send_limit = send_limit or SPILL_BYTES
        if pipe.receive_policy == SPILL:
            receive_limit = receive_limit or SPILL_BYTES
        is_keyed = type(pipe.outbound) is KeyedQueue  # limited by its number of keys alone
        if is_keyed or not (send_limit or budget is not None):
            _close_meter(pipe.meter)
            pipe.meter = None
        elif pipe.meter is None or pipe.meter.budget is not budget:
            _close_meter(pipe.meter)
            pipe.meter = _begin_meter(Meter(send_limit, budget), pipe.outbound, pipe.in_flight)
        else:
            pipe.meter.limit = send_limit
        if receive_limit is None or is_keyed or pipe.inbound.maxlen == 0 or not (receive_limit or budget is not None):
            _close_meter(pipe.receive_meter)
            pipe.receive_meter = None
        elif pipe.receive_meter is None or pipe.receive_meter.budget is not budget:
            _close_meter(pipe.receive_meter)
            pipe.receive_meter = _begin_meter(Meter(receive_limit, budget), pipe.inbound, 0)
        else:
            pipe.receive_meter.limit = receive_limit
        pipe.special = is_keyed or pipe.meter is not None or pipe.swapping

    def apply(self) -> None:
        """An option of the queues was set: pipes that exist follow."""
        engine = self.engine
        if engine.options.durable is not None and engine.durables is None:
            from purezmq.engine.durable import Durables

            engine.durables = Durables(engine)
        if engine.durables is not None:
            engine.durables.apply()
        engine.shared.flush(monotonic())  # what was published before is distributed by the policies of then
        for pipe in engine.pipes():
            if not hasattr(pipe.carrier, "is_direct") and not hasattr(pipe.carrier, "is_parked"):
                self.configure(pipe)
        for link in engine.links:
            link.apply_limits()
            self.configure_link(link)
            if link.peer is not None:
                link.peer.post_configure()
        self.refresh()
        engine.handle_room()  # blocked senders look again
        for session in list(engine.sessions.values()):
            if session in engine.stalled and session.pipe is not None and not session.pipe.inbound:
                session.handle_drained(session.pipe)

    def refresh(self) -> None:
        """Let the fair queue and the lock-free paths know what the limits are now."""
        engine = self.engine
        options = engine.options
        self.counts_bytes = bool(options.rcvhwm_bytes) or engine.context.budget is not None
        policy = self.receive_policy(options.overflow)
        engine.inbox.merge_limit = _MERGE_ONE if self.counts_bytes or policy != BLOCK else 0
        if engine.inbox.handle_ready_changed is not None:
            engine.inbox.handle_ready_changed()

    def note_taken(self) -> None:
        """The application took messages: their bytes count no more."""
        if not self.counts_bytes:
            return
        for pipe in self.unsettled:
            if pipe.receive_meter is not None:
                pipe.receive_meter.settle(len(pipe.inbound))
        self.unsettled = [pipe for pipe in self.unsettled if pipe.inbound]
        for pipe in self.engine.inbox.pipes:
            if pipe.receive_meter is not None:
                pipe.receive_meter.settle(len(pipe.inbound))
            else:
                peer = getattr(pipe.carrier, "peer", None)
                if peer is not None and peer.pipe.meter is not None:
                    peer.post_settle()

    def await_budget(self) -> None:
        """A sender is about to sleep: it shall be woken when the context's budget has room again."""
        budget = self.engine.context.budget
        if budget is not None:
            budget.await_room(self._handle_budget)

    def _handle_budget(self) -> None:
        """Other queues of the context became shorter (any thread, whatever it holds)."""
        self.engine.post(self.engine.handle_room)

    # -- counts ------------------------------------------------------------------------------------------------------

    def keep_counts(self, pipe: Pipe) -> None:
        """A pipe ended: what it counted stays in the socket's sums."""
        if pipe.folded:
            return
        self.ended[pipe] = None
        if pipe.receive_meter is not None:
            self.unsettled.append(pipe)
        if len(self.ended) > _MAX_ENDED:
            self.fold_counts()

    def describe_output(self) -> list[str]:
        """What is queued and for whom, as texts (any thread)."""
        with self.engine.lease.afterwards, self.engine.lease.guard:
            counts = {
                getattr(pipe.carrier, "endpoint", "inproc"): pipe.queued()
                for pipe in self.engine.pipes()
                if not hasattr(pipe.carrier, "is_direct")
            }
        return [f"{count} messages for {endpoint}" for endpoint, count in counts.items() if count]

    def fold_counts(self) -> None:
        """Add up the pipes that ended and have nothing left to read, and forget them."""
        for pipe in list(self.ended):
            if not len(pipe.inbound) and pipe.receive_swap is None and not pipe.in_flight:
                self.former.add(count_pipe(pipe))
                _close_meter(pipe.receive_meter)
                pipe.folded = True
                del self.ended[pipe]

    # -- swap --------------------------------------------------------------------------------------------------------

    def open_swap(
        self, pipe: Pipe, handle_change: Callable[[], None], owner: SocketEngine, limit: int | None = None
    ) -> Any:
        """A swap for one direction of a pipe, with the size and directory that `owner` was given.

        Args:
            pipe: its pipe.
            handle_change: called under the lease when messages came from disk, or there is room again.
            owner: whose options count.
            limit: most bytes, where that may be less than the options say.

        Returns:
            The swap, or None: the socket has none.
        """
        engine, options = self.engine, owner.options
        size = options.swap if limit is None else min(options.swap, limit)
        if not size:
            return None
        from purezmq.engine.swap import Swap  # only who spills pays for it

        swap = Swap(
            engine.context.swap_thread,
            options.swap_dir,
            size,
            handle_change=lambda: engine.post(handle_change),
            handle_failure=_ignore_failure,
        )
        self.adopt_swap(swap, pipe, handle_change)
        return swap

    def adopt_swap(self, swap: Any, pipe: Pipe, handle_change: Callable[[], None]) -> None:
        """A swap is this socket's from now on, behind one of the queues of `pipe`."""
        engine = self.engine

        def handle_failure(reason: str, error: BaseException | None, lost: int) -> None:
            uncounted = [lost] if lost else []
            engine.post(lambda: self._note_failure(pipe, swap, reason, error, lost, uncounted))

        swap.hand_over(lambda: engine.post(handle_change), handle_failure)
        self.swaps.add(swap)

    def close(self) -> None:
        """The socket has ended: give the disk and the budget back."""
        for swap in list(self.swaps):
            swap.close()
        for pipe in [*self.engine.pipes(), *self.unsettled]:
            _close_meter(pipe.meter)
            _close_meter(pipe.receive_meter)

    def abandon(self) -> None:
        """In a forked child: the files are the parent's."""
        for swap in list(self.swaps):
            swap.abandon()

    def _note_failure(
        self, pipe: Pipe, swap: Any, reason: str, error: BaseException | None, lost: int, uncounted: list[int]
    ) -> None:
        text = str(error) if error is not None else ""
        if lost:
            if uncounted:  # else this was interrupted, and is done once more
                pipe.count_drop(lost, DropReason.CORRUPT, swap is pipe.receive_swap)
                del uncounted[0]  # no handler runs in between
            pipe.carrier.note_drop(pipe, lost, DropReason.CORRUPT)
        self.engine.tell("swap_corrupt" if lost else "swap_full", pipe=pipe, count=lost, reason=reason, error=text)
        self.engine.handle_room()


def _begin_meter(meter: Meter, queue: Any, in_flight: int) -> Meter:
    """Let a meter know what is queued already; the size of what is on its way isn't known any more."""
    for _ in range(in_flight):
        meter.note(0)
    for message in list(queue):
        if type(message) is not RoomMarker:
            meter.note(message_size(message))
    return meter


def _ignore_failure(reason: str, error: BaseException | None, lost: int) -> None:
    """Until somebody owns the swap there is nothing in it."""


def _close_meter(meter: Meter | None) -> None:
    if meter is not None:
        meter.close()
