"""Distributor: one message to every subscriber that wants it (RFC 29).

Built so that a publication costs what its *different* receivers cost:

* Wire subscribers that want the same few topics share one `SharedQueue`. The publisher appends a message once; the
  carrier encodes the batch once and hands the same bytes to every member, where the high-water mark of each member
  decides whether it gets them.
* A subscriber over inproc has a `DirectQueue`: no bytes are made, the message goes straight into its pipe.
* `index` finds the queues of a message by one look-up per different topic length, however many topics there are.

Everything here needs the lease, except that the lock-free path of `send` appends to the queue named `only`.
"""

from __future__ import annotations

from purezmq.constants import EAGAIN
from purezmq.error import make_error
from purezmq.patterns.subscriptions import LengthCounter
from purezmq.pipe import BATCH_MESSAGES, DROP_NEWEST, DROPPING, ERROR, SPILL, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from purezmq.message import Message
    from purezmq.pipe import Pipe

    class SharedCarrier(Protocol):
        """Whoever flushes shared queues: encodes their messages once for all members."""

        def handle_write(self, queue: Any) -> None:
            """A message was appended to the quiet queue, or its batch is full (lease held)."""

        def flush_shared(self, queue: Any) -> None:
            """Give everything queued to the present members now: one of them leaves, or one joins (lease held)."""


__all__ = ["SHARED_TOPICS", "DirectQueue", "Distributor", "SharedQueue", "admits"]

#: Subscribers with at most this many topics share a queue with those that want the same; others have their own.
SHARED_TOPICS = 8


class SharedQueue:
    """Messages on their way to every member; the `FastTarget` of a publisher.

    Attributes:
        topics: what the members want: a frozenset when others may join, the set of the one member otherwise.
        members: the pipes, in the order in which they came.
        outbound: messages that the carrier has not taken yet.
        quiet: nobody is scheduled to look at `outbound`.
        batch: how many messages may wait at most.
        carrier: who flushes.
        room: cached answer of `write_room`; 0 when it has to be found again.
        taken: the batch that the carrier took from `outbound` and is giving to the members; None without one.
        waiting: the members that have not got all of it, the next one last.
        target: where that one's turn has begun: how many messages it will have been given after it.
    """

    __slots__ = (
        "batch", "carrier", "members", "outbound", "quiet", "room", "taken", "target", "tickets", "topics", "waiting",
    )  # fmt: skip

    def __init__(self, carrier: SharedCarrier, topics: frozenset[bytes] | set[bytes]) -> None:
        self.topics = topics
        self.members: dict[Pipe, None] = {}
        self.outbound: list[Any] = []
        self.quiet = True
        self.batch = BATCH_MESSAGES
        self.carrier: Any = carrier
        self.room = BATCH_MESSAGES
        self.taken: list[Any] | None = None
        self.waiting: list[Pipe] = []
        self.target: int | None = None
        #: What the lock-free path of send looks for: its messages are counted with each member.
        self.tickets = None

    def __repr__(self) -> str:
        """Name how many read it and what waits."""
        return f"<SharedQueue topics={len(self.topics)} members={len(self.members)} out={len(self.outbound)}>"

    def has_output(self) -> bool:
        """Whether a member has yet to be given anything."""
        return bool(self.outbound) or self.taken is not None

    def join(self, pipe: Pipe) -> None:
        """Add a member; the caller has flushed."""
        self.members[pipe] = None
        limit = pipe.send_limit
        if limit and limit < self.room:
            self.room = limit

    def leave(self, pipe: Pipe) -> None:
        """Remove a member; the caller has flushed."""
        del self.members[pipe]
        if pipe.send_limit == self.room:
            self.room = 0

    def limits_changed(self) -> None:
        """A high-water mark or the batch changed."""
        self.room = 0

    def write_room(self) -> int:
        """How many messages may wait here before the carrier has to look: the batch, or the smallest mark."""
        room = self.room
        if not room:
            limits = [pipe.send_limit for pipe in self.members if pipe.send_limit]
            room = self.room = min(self.batch, *limits) if limits else self.batch
        return room

    def write(self, message: Message) -> None:
        """Append a message for all members and tell the carrier when it doesn't know yet."""
        outbound = self.outbound
        outbound.append(message)
        if self.quiet or len(outbound) >= (self.room or self.write_room()):
            self.carrier.handle_write(self)

    def admits(self, message: Message, *, drops_nothing: bool) -> bool:
        """Whether no member makes the publisher wait: by its overflow policy, or because nothing may be dropped.

        Args:
            message: what is to be published.
            drops_nothing: XPUB_NODROP: members that would drop count, too.

        Raises:
            Again: a member is full and its overflow policy is `error`.
        """
        for pipe in list(self.members):
            if (drops_nothing or pipe.policy not in DROPPING) and not pipe.ended:
                limit, waiting = pipe.send_limit, len(self.outbound)
                if not pipe.special and not (limit and waiting + len(pipe.outbound) + pipe.in_flight >= limit):
                    continue
                if pipe.policy == SPILL and pipe.is_open():
                    continue  # disk takes what doesn't fit, without a write for each message
                if waiting and not pipe.swapping:
                    self.carrier.flush_shared(self)
                if not admits(pipe, message):
                    return False
        return True


class DirectQueue:
    """The subscriber at the other end of an inproc pipe: drop-newest with the hysteresis of a libzmq pipe.

    Attributes:
        topics: what it wants.
        pipe: its pipe.
    """

    __slots__ = ("pipe", "topics")

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.topics: set[bytes] = set()

    def write(self, message: Message) -> None:
        """Put the message into the pipe, or drop it and count it there.

        A pipe that was found full gets nothing until at most half of its mark is queued (libzmq's low-water mark).
        """
        pipe = self.pipe
        # Each reader owns its list of parts; the parts are shared.
        if type(message) is list:
            message = message.copy()
        if pipe.policy != DROP_NEWEST or pipe.special:
            if not pipe.send(message):
                pipe.drop(1, DropReason.NEWEST)
            return
        limit = pipe.send_limit
        if limit:
            queued = len(pipe.outbound) + pipe.in_flight
            if queued >= limit:
                pipe.eligible = False
            elif not pipe.eligible and queued * 2 <= limit:
                pipe.eligible = True
        else:
            pipe.eligible = True
        if not pipe.eligible or pipe.ended:
            pipe.drop(1, DropReason.NEWEST)
            return
        pipe.write(message)

    def admits(self, message: Message, *, drops_nothing: bool) -> bool:
        """See `SharedQueue.admits`."""
        pipe = self.pipe
        if pipe.ended or not (drops_nothing or pipe.policy not in DROPPING):
            return True
        if not admits(pipe, message):
            return False
        pipe.eligible = True
        return True


def admits(pipe: Pipe, message: Message) -> bool:
    """Whether a pipe takes a message now without dropping any.

    Raises:
        Again: it is full and its overflow policy is `error`.
    """
    if pipe.can_take(message):
        return True
    if pipe.swapping:
        return pipe.is_open()
    pipe.carrier.flush_pipe(pipe)
    if pipe.ended or pipe.can_take(message):
        return True
    if pipe.policy == ERROR:
        raise make_error(EAGAIN, f"the message can't be sent now: {pipe.why_full()}")
    return pipe.policy == SPILL and pipe.is_open()


class Distributor:
    """The outbound side of PUB and XPUB.

    Attributes:
        carrier: given to each shared queue; set before the first pipe is attached.
        index: topic to the queues that want it (a tuple, so that a walk survives changes).
        groups: the shared queues that others may join, by their topics.
        queues: every queue that wants anything.
        pipes: every attached pipe, whether it wants anything or not.
        only: the one queue that gets every message, when there is such a one.
        strict: how many pipes have an overflow policy that may make the publisher wait.
        handle_changed: called when `only` or `strict` changed.
    """

    __slots__ = ("carrier", "groups", "handle_changed", "index", "lengths", "only", "pipes", "queues", "strict")

    def __init__(self) -> None:
        self.carrier: Any = None
        self.index: dict[bytes, tuple[SharedQueue | DirectQueue, ...]] = {}
        self.lengths = LengthCounter()
        self.groups: dict[frozenset[bytes], SharedQueue] = {}
        self.queues: dict[SharedQueue | DirectQueue, None] = {}
        self.pipes: dict[Pipe, None] = {}
        self.only: SharedQueue | None = None
        self.strict = 0
        self.handle_changed: Callable[[], None] | None = None

    # -- pipes -------------------------------------------------------------------------------------------------

    def attach(self, pipe: Pipe) -> None:
        """Know a pipe; it wants nothing yet."""
        self.pipes[pipe] = None
        if getattr(pipe.carrier, "is_direct", False):
            pipe.share = DirectQueue(pipe)
        else:
            group = self._prepare(frozenset())
            group.join(pipe)
            pipe.share = group
        self.count_strict(pipe, 1)  # last: without a share it counts nowhere

    def detach(self, pipe: Pipe) -> list[tuple[bytes, bool]]:
        """Forget a pipe and its topics.

        Returns:
            What it wanted: (topic, whether nobody else wants it).
        """
        queue = pipe.share
        if pipe not in self.pipes:
            return []
        if queue is None:  # a signal handler ended its coming in the midst
            del self.pipes[pipe]
            return []
        if type(queue) is SharedQueue and queue.has_output():
            self.carrier.flush_shared(queue)
        queue = pipe.share
        if queue is None:  # the flush found the connection broken and came here before us
            return []
        del self.pipes[pipe]
        self.count_strict(pipe, -1)
        pipe.share = None
        topics = list(queue.topics)
        self._leave(queue, pipe)
        self._refresh_only()
        return [(topic, topic not in self.index) for topic in topics]

    def count_strict(self, pipe: Pipe, change: int) -> None:
        """A pipe came (1) or went (-1); to be called around a change of its policy, too."""
        if pipe.has_own_policy and pipe.policy not in DROPPING:
            self.strict += change
            if self.handle_changed is not None:
                self.handle_changed()

    def limits_changed(self) -> None:
        """High-water marks of pipes were changed."""
        for queue in {*self.groups.values(), *self.queues}:
            if type(queue) is SharedQueue:
                queue.limits_changed()

    # -- subscriptions -----------------------------------------------------------------------------------------

    def subscribe(self, pipe: Pipe, topic: bytes) -> bool | None:
        """Note that a pipe wants a topic.

        Returns:
            True when nobody wanted it before, False when somebody else did, None when this pipe already did.
        """
        queue = pipe.share
        if queue is None or topic in queue.topics:
            return None
        is_new = topic not in self.index
        if type(queue.topics) is frozenset:
            if len(queue.topics) < SHARED_TOPICS:
                self._move(pipe, queue.topics | {topic})
            else:
                self._move(pipe, {*queue.topics, topic})
        else:
            is_new = all(other is queue for other in self.index.get(topic, ()))
            self._end_only()
            self._enter(topic, queue)
            self.queues[queue] = None
            queue.topics.add(topic)  # last: who was interrupted before comes once more
            self._refresh_only()
        return is_new

    def unsubscribe(self, pipe: Pipe, topic: bytes) -> bool | None:
        """Note that a pipe doesn't want a topic any more.

        Returns:
            True when nobody wants it now, False when somebody else does, None when this pipe didn't.
        """
        queue = pipe.share
        if queue is None or topic not in queue.topics:
            return None
        if type(queue.topics) is frozenset:
            self._move(pipe, queue.topics - {topic})
        else:
            self._end_only()
            self._withdraw(topic, queue)
            if len(queue.topics) == 1:
                self.queues.pop(queue, None)
            queue.topics.discard(topic)  # last: who was interrupted before comes once more
            if type(queue) is SharedQueue and len(queue.topics) <= SHARED_TOPICS // 2:
                self._move(pipe, frozenset(queue.topics))
            self._refresh_only()
        return topic not in self.index

    def _move(self, pipe: Pipe, topics: frozenset[bytes] | set[bytes]) -> None:
        """Let a pipe read another shared queue; nothing that was published before or after is lost or doubled."""
        old = pipe.share
        was_only = self.only is old
        self._end_only()
        if old.has_output():
            self.carrier.flush_shared(old)
        new = self._prepare(topics)
        if pipe.share is old:  # else a flush found the connection broken and it was detached
            new.join(pipe)
            pipe.share = new
            self._leave(old, pipe)
            if was_only and old.members:
                self._replace(old)
        self._refresh_only()

    def _replace(self, old: SharedQueue) -> None:
        """Let another queue take the place of one that a thread on the lock-free path may still append to.

        What is appended to the old one now is distributed anew: the member that moved gets it, too.
        """
        new = SharedQueue(self.carrier, old.topics)
        for member in old.members:
            new.join(member)
            member.share = new
        old.members = {}
        if type(old.topics) is frozenset:
            self.groups[old.topics] = new
        self.queues = {new if queue is old else queue: None for queue in self.queues}
        for topic in old.topics:
            self.index[topic] = tuple([new if queue is old else queue for queue in self.index[topic]])
        self._forward(old)

    def _forward(self, queue: SharedQueue) -> None:
        """Send what a thread appends to a queue without members as if by `send`."""
        queue.carrier = _Forwarder(self)
        queue.quiet = True
        if queue.outbound:
            queue.carrier.handle_write(queue)

    def _prepare(self, topics: frozenset[bytes] | set[bytes]) -> SharedQueue:
        """The queue for these topics, flushed and in the index, ready to be joined."""
        if type(topics) is frozenset:
            group = self.groups.get(topics)
            if group is not None and group.has_output():
                self.carrier.flush_shared(group)
                group = self.groups.get(topics)  # its last member may be gone
            if group is not None:
                return group
        group = SharedQueue(self.carrier, topics)
        if type(topics) is frozenset:
            self.groups[topics] = group
        if topics:
            self.queues[group] = None
            for topic in topics:
                self._enter(topic, group)
        return group

    def _leave(self, queue: SharedQueue | DirectQueue, pipe: Pipe) -> None:
        """Take a pipe from its queue; a queue without readers disappears."""
        if type(queue) is SharedQueue:
            queue.leave(pipe)
            if queue.members:
                return
            if type(queue.topics) is frozenset:
                del self.groups[queue.topics]
        self.queues.pop(queue, None)
        for topic in queue.topics:
            self._withdraw(topic, queue)
        if type(queue) is SharedQueue:
            # A thread on the lock-free path may still hold this queue.
            self._forward(queue)

    def _enter(self, topic: bytes, queue: SharedQueue | DirectQueue) -> None:
        queues = self.index.get(topic, ())
        if queue in queues:
            return
        if not queues:
            self.lengths.add(len(topic))
        self.index[topic] = (*queues, queue)

    def _withdraw(self, topic: bytes, queue: SharedQueue | DirectQueue) -> None:
        queues = tuple([other for other in self.index.get(topic, ()) if other is not queue])
        if queues:
            self.index[topic] = queues
        elif topic in self.index:
            del self.index[topic]
            self.lengths.remove(len(topic))
            if not self.index:
                self.index.clear()  # a dictionary that was large keeps its table until then

    # -- the queue that gets everything --------------------------------------------------------------------------

    def _end_only(self) -> None:
        """Stop the lock-free path before the queues change."""
        if self.only is not None:
            self.only = None
            if self.handle_changed is not None:
                self.handle_changed()

    def _refresh_only(self) -> None:
        only = None
        if len(self.queues) == 1:
            queue = next(iter(self.queues))
            if type(queue) is SharedQueue and b"" in queue.topics:
                only = queue
        if only is not self.only:
            self.only = only
            if self.handle_changed is not None:
                self.handle_changed()

    # -- publishing --------------------------------------------------------------------------------------------

    def matching(self, first: bytes) -> tuple[SharedQueue | DirectQueue, ...]:
        """The queues that want a message with this first part, each once."""
        index = self.index
        size = len(first)
        found: tuple[SharedQueue | DirectQueue, ...] = ()
        several = False
        for length in self.lengths.lengths:
            if length > size:
                break
            queues = index.get(first[:length])
            if queues is not None:
                if found:
                    several = True
                    found += queues
                else:
                    found = queues
        return tuple(dict.fromkeys(found)) if several else found

    def not_matching(self, first: bytes) -> tuple[SharedQueue | DirectQueue, ...]:
        """The queues that don't, those of peers without any subscription among them (INVERT_MATCHING)."""
        matching = set(self.matching(first))
        everyone = dict.fromkeys([pipe.share for pipe in self.pipes])
        return tuple([queue for queue in everyone if queue not in matching])

    def distribute(self, message: Message) -> None:
        """Give a message to everyone who wants it; full receivers drop it."""
        first = message[0] if isinstance(message, list) else message
        for queue in self.matching(first if isinstance(first, bytes) else bytes(first)):
            queue.write(message)


class _Forwarder:
    """Carrier of a queue that nobody reads any more: distributes what a thread appended at the last moment."""

    __slots__ = ("_distributor",)

    def __init__(self, distributor: Distributor) -> None:
        self._distributor = distributor

    def handle_write(self, queue: SharedQueue) -> None:
        """Send the latecomers to whoever wants them now."""
        self.flush_shared(queue)

    def flush_shared(self, queue: SharedQueue) -> None:
        """As `handle_write`."""
        while queue.outbound:
            self._distributor.distribute(queue.outbound.pop(0))
