"""PUB, XPUB, SUB and XSUB: publish and subscribe (RFC 29).

Who gets a publication is decided by `Distributor` (publishing side) and `Subscriptions` (subscribing side). This file
holds what is specific to the four socket types: which subscriptions the application sees, which it makes, and which
go upstream.
"""

from __future__ import annotations

from purezmq.constants import (
    EINVAL,
    INVERT_MATCHING,
    SNDHWM,
    SUBSCRIBE,
    UNSUBSCRIBE,
    XPUB_MANUAL,
    XPUB_MANUAL_LAST_VALUE,
    XPUB_NODROP,
)
from purezmq.error import ZMQError, make_error
from purezmq.patterns.base import Pattern
from purezmq.patterns.distributor import Distributor, SharedQueue, admits
from purezmq.patterns.last_values import LastValues
from purezmq.patterns.news import News
from purezmq.patterns.subscriptions import Subscriptions, split_subscriptions
from purezmq.patterns.topic_limits import TopicLimits, UnreadTopics, refuse_unread
from purezmq.pipe import DROP_NEWEST, DROPPING, DropReason, key_function, shrink_inbound
from purezmq.wire.error import RemoteProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget
    from purezmq.patterns.distributor import SharedCarrier
    from purezmq.pipe import Pipe

__all__ = ["Pub", "Sub", "Xpub", "Xsub"]


class _Publisher(Pattern):
    """What PUB and XPUB share: distribution.

    Attributes:
        shared_carrier: who flushes the shared queues; set by the socket before the first attach.
        distributor: who wants what.
    """

    can_transmit = True
    fast_recv = False
    overflow = DROP_NEWEST

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.distributor = Distributor()
        self.distributor.handle_changed = self._queues_changed
        self.limits = TopicLimits(options)
        #: The last message of each topic, for those who subscribe late; None unless asked for.
        self.cache: LastValues | None = None
        #: The queue that takes every message without a look at it, or None.
        self._target: Any = None
        self._is_plain = True
        #: What finds the key of a message that may be conflated, or None.
        self._find_key: Any = None
        self._read_options()

    @property
    def shared_carrier(self) -> SharedCarrier | None:
        """Who flushes the shared queues."""
        carrier: SharedCarrier | None = self.distributor.carrier
        return carrier

    @shared_carrier.setter
    def shared_carrier(self, carrier: SharedCarrier) -> None:
        self.distributor.carrier = carrier

    @property
    def topics_count(self) -> int:
        """How many different topics the peers want (TOPICS_COUNT)."""
        return len(self.distributor.index)

    # -- options and the short cut ---------------------------------------------------------------------------------

    def option_changed(self, number: int, value: Any) -> bool:
        """Act on the options that decide how a message is distributed."""
        if number == SNDHWM:
            self.distributor.limits_changed()
            self.handle_changed()
            return True
        if number in {XPUB_NODROP, INVERT_MATCHING, XPUB_MANUAL, XPUB_MANUAL_LAST_VALUE}:
            self._read_options()
            return True
        return False

    def policy_changes(self, pipe: Pipe, change: int) -> None:
        """Count those that may make us wait."""
        if pipe in self.distributor.pipes:
            self.distributor.count_strict(pipe, change)

    def setting_changed(self, name: str) -> None:
        """Act on those that make each message need a look."""
        if name in {"last_value_cache", "conflate_key"}:
            self._read_options()

    def _read_options(self) -> None:
        """Whether nothing but the topic decides who gets a message."""
        options = self.options
        self._find_key = key_function(options.conflate_key)
        self._is_plain = not (
            options.xpub_nodrop or options.invert_matching or self._sends_last_value() or self._find_key
        )
        size = options.last_value_cache
        if not size:
            self.cache = None
        elif self.cache is None or self.cache.limit != size or self.cache.key is not options.conflate_key:
            self.cache = LastValues(size, options.conflate_key, self.cache)
        self._queues_changed()

    def _sends_last_value(self) -> bool:
        return False

    def _queues_changed(self) -> None:
        # Where somebody may have to wait, or is given what was published before, each message needs a look.
        is_plain = self._is_plain and self.cache is None and not self.distributor.strict
        target = self.distributor.only if is_plain else None
        if target is not self._target:
            self._target = target
            self.handle_changed()

    def fast_target(self) -> FastTarget | None:
        """The one shared queue, when every message goes there and nowhere else."""
        target: FastTarget | None = self._target
        return target

    # -- pipes -----------------------------------------------------------------------------------------------------

    def attach(self, pipe: Pipe) -> None:
        """A subscriber that wants nothing yet; it gets the welcome message."""
        shrink_inbound(pipe, discards=not self.can_receive)
        self.inbox.attach(pipe)
        self.distributor.attach(pipe)
        welcome = self.options.xpub_welcome_msg
        if welcome:
            pipe.write(welcome)

    def detach(self, pipe: Pipe) -> None:
        """The subscriber is gone."""
        self.limits.forget(pipe)
        self.distributor.detach(pipe)

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """The subscriber wants a topic, or doesn't any more.

        Raises:
            RemoteProtocolError: it wants more than the limits allow; its connection ends.
        """
        if pipe.share is None:
            return
        self._count_topic(pipe, topic, subscribe, pipe.share.topics)
        if subscribe:
            self._subscribe(pipe, topic)
        else:
            self.distributor.unsubscribe(pipe, topic)

    def _count_topic(self, pipe: Pipe, topic: bytes, subscribe: bool, topics: Collection[bytes]) -> None:
        """Keep to the limits; ``topics`` are what the subscriber asked for before."""
        if topic not in topics:
            if subscribe:
                self.limits.admit(pipe, topic, len(topics), self.distributor.index)
            else:
                self.refuse("unknown_cancel")
        elif not subscribe:
            self.limits.release(pipe, topic)

    def _subscribe(self, pipe: Pipe, topic: bytes) -> bool | None:
        """As `Distributor.subscribe`; what the cache has for the topic leaves before anything that comes after it."""
        cache = self.cache
        if cache is None or pipe.share is None or self.options.invert_matching:
            return self.distributor.subscribe(pipe, topic)
        before = tuple(pipe.share.topics)
        is_new = self.distributor.subscribe(pipe, topic)
        if is_new is not None:
            for message in cache.find(topic, before):
                _send_unasked(pipe, message.copy() if type(message) is list else message)
        return is_new

    # -- sending ---------------------------------------------------------------------------------------------------

    def try_send(self, message: Message) -> bool:
        """Give the message to everyone who wants it; False only with XPUB_NODROP, when one of them is full."""
        if self._target is not None:
            self.is_unheard = False
            self._target.write(message)
            return True
        if self._find_key is not None:  # what it raises ends here, in the call, not where the message is queued
            hash(self._find_key(message if isinstance(message, list) else [message]))
        first = message[0] if isinstance(message, list) else message
        if type(first) is not bytes:
            first = bytes(first)  # any bytes-like may be sent
        distributor = self.distributor
        options = self.options
        queues = distributor.not_matching(first) if options.invert_matching else distributor.matching(first)
        self.is_unheard = not queues
        drops_nothing = bool(options.xpub_nodrop)
        if (drops_nothing or distributor.strict) and not all(
            queue.admits(message, drops_nothing=drops_nothing) for queue in queues
        ):
            return False
        for queue in queues:
            queue.write(message)
        if self.cache is not None:
            self.cache.keep(message)
            self.is_unheard = False  # who subscribes now gets it from there
        return True

    def can_send(self) -> bool:
        """Always: publishing never waits (with XPUB_NODROP it depends on the message, as in libzmq)."""
        return True

    def why_blocked(self) -> str:
        """A subscriber is full."""
        full = [pipe for pipe in self.distributor.pipes if not pipe.can_write()]
        which = full[0].why_full() if len(full) == 1 else "the queue to a matching subscriber is full (high-water mark)"
        return f"{which}, and {'XPUB_NODROP' if self.options.xpub_nodrop else 'its policy'} forbids to drop"


def _send_unasked(pipe: Pipe, message: Message) -> None:
    """Send what no call of the application sends now: nobody can wait, or be told, so what doesn't fit is dropped."""
    try:
        is_sent = pipe.send(message)
    except ZMQError:  # the policy is `error`
        is_sent = False
    if not is_sent:
        pipe.drop(1, DropReason.NEWEST)


class Pub(_Publisher):
    """Publishes; never receives anything."""

    type_name = "PUB"
    peer_types = frozenset({"SUB", "XSUB"})
    can_receive = False
    single_connect = True
    no_delay = True

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        return _discard

    def detach(self, pipe: Pipe) -> None:
        """The subscriber is gone."""
        self.inbox.discard(pipe)
        super().detach(pipe)

    def can_recv(self) -> bool:
        """A PUB never receives; user messages of an XSUB over inproc are dropped here."""
        self.inbox.refill()
        return False


def _discard(pipe: Pipe, message: Any) -> None:
    """PUB ignores user messages from upstream (RFC 29)."""


class Xpub(_Publisher):
    """Publishes, and lets the application see who wants what.

    Attributes:
        news: what `recv` gives next: subscriptions, as 01 or 00 and the topic, each in its place among the messages.
        manual_topics: with XPUB_MANUAL, what each pipe asked for, whatever the application made of it.
    """

    type_name = "XPUB"
    peer_types = frozenset({"SUB", "XSUB"})

    def __init__(self, options: SocketOptions) -> None:
        self.manual_topics: dict[Pipe, dict[bytes, None]] = {}
        self._manual_pipe: Pipe | None = None
        self._last_value_due = False
        self._unread = UnreadTopics()
        super().__init__(options)
        self.news = News(self.inbox)

    def _sends_last_value(self) -> bool:
        return bool(self.options.xpub_manual_last_value)

    @property
    def _is_manual(self) -> bool:
        return bool(self.options.xpub_manual or self.options.xpub_manual_last_value)

    # -- pipes and their subscriptions -------------------------------------------------------------------------------

    def detach(self, pipe: Pipe) -> None:
        """The subscriber is gone: the application is told what nobody wants any more."""
        self.inbox.detach(pipe)
        if self._manual_pipe is pipe:
            self._manual_pipe = None
        gone = self.distributor.detach(pipe)
        self.limits.forget(pipe)
        manual = self.manual_topics.pop(pipe, None)
        if self._is_manual:
            told = list(manual or ())
        else:
            every = self.options.xpub_verboser
            told = [topic for topic, is_last in gone if is_last or every]
        for topic in told:
            self._tell(None, b"\0" + topic, pipe)

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """The subscriber wants a topic, or doesn't any more; with XPUB_MANUAL the application decides."""
        self._note_subscription(pipe, topic, subscribe, pipe)

    def _note_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool, behind: Pipe | None) -> None:
        if pipe not in self.distributor.pipes:
            return
        options, is_manual = self.options, self._is_manual
        topics: Any = self.manual_topics.setdefault(pipe, {}) if is_manual else pipe.share.topics
        self._count_topic(pipe, topic, subscribe, topics)
        if is_manual:
            tell = True
        elif subscribe:
            tell = bool(self._subscribe(pipe, topic) or options.xpub_verbose or options.xpub_verboser)
        else:
            tell = bool(self.distributor.unsubscribe(pipe, topic) or options.xpub_verboser)
        if tell:
            self._tell(pipe, (b"\1" if subscribe else b"\0") + topic, behind)
        if is_manual and subscribe:
            topics[topic] = None
        elif is_manual:
            topics.pop(topic, None)

    def _tell(self, pipe: Pipe | None, body: bytes, behind: Pipe | None) -> None:
        """Let the application see what is asked for, behind a pipe's unread messages; who never looks pays nothing.

        Raises:
            RemoteProtocolError: there is no room, and nobody else can decide about it (XPUB_MANUAL).
        """
        is_direct = pipe is not None and getattr(pipe.carrier, "is_direct", False)
        if not self._unread.has_room(pipe, body) and not (is_direct and self._is_manual):
            if pipe is not None and self._is_manual:
                raise refuse_unread()
            self.drop(1, DropReason.NEWEST)
            return
        self._unread.add(pipe, body)
        self.news.add(pipe, body, behind)

    # -- receiving -------------------------------------------------------------------------------------------------

    def can_recv(self) -> bool:
        """Whether a subscription or a user message waits."""
        news = self.news
        while not news.is_due():
            taken = news.take()
            if taken is not None:
                self._receive(*taken)
            elif not news.entries:
                return False
        return True

    def _receive(self, pipe: Pipe, message: Message) -> None:
        """A message of an XSUB comes next; parts of a multipart may ask for topics (see ONLY_FIRST_SUBSCRIBE)."""
        news = self.news
        asked, told = split_subscriptions(message, bool(self.options.only_first_subscribe))
        if not asked:
            news.put_first(pipe, message)
            return
        before, refusal = len(news.entries), None
        # Of a peer that has left meanwhile: what nobody else wants was wanted until then.
        late = [] if pipe in self.distributor.pipes else [topic for topic, subscribe in asked if subscribe]
        late = [topic for topic in late if topic not in self.distributor.index]
        for topic in late:
            self._tell(None, b"\1" + topic, None)
        for topic, subscribe in asked:
            try:
                self._note_subscription(pipe, topic, subscribe, None)
            except RemoteProtocolError as error:
                refusal = error
                break
        if told is not None:
            news.add(pipe, told)
        for topic in late:
            self._tell(None, b"\0" + topic, None)
        news.move_first(len(news.entries) - before)
        if refusal is not None:  # this is a call of the application: it's not to blame
            self.refuse(refusal.limit)
            pipe.carrier.end_pipe(pipe)

    def try_recv(self) -> Message | None:
        """The next subscription or user message, or None."""
        if not self.can_recv():
            return None
        pipe, message, *_ = self.news.entries.popleft()
        if self._unread.total and type(message) is bytes and message[:1] in {b"\0", b"\1"}:  # no user message is that
            self._unread.remove(pipe, message)
        self.last_pipe = self._manual_pipe = pipe
        return message

    def put_back(self, messages: list[Message]) -> None:
        """See `Pattern`; who it came from is known no more."""
        message = messages[-1]
        self.news.put_back(messages)
        if type(message) is bytes and message[:1] in {b"\0", b"\1"}:
            self._unread.add(None, message)

    # -- XPUB_MANUAL -----------------------------------------------------------------------------------------------

    def option_changed(self, number: int, value: Any) -> bool:
        """SUBSCRIBE and UNSUBSCRIBE: with XPUB_MANUAL, what the peer of the last received subscription gets.

        Raises:
            ZMQError: EINVAL without XPUB_MANUAL.
        """
        if number not in {SUBSCRIBE, UNSUBSCRIBE}:
            return super().option_changed(number, value)
        if not self._is_manual:
            raise make_error(EINVAL, "SUBSCRIBE on an XPUB socket needs XPUB_MANUAL: set that first")
        pipe = self._manual_pipe
        if pipe is not None:
            if number == SUBSCRIBE:
                self._subscribe(pipe, value)
                self._last_value_due = bool(self.options.xpub_manual_last_value)
            else:
                self.distributor.unsubscribe(pipe, value)
        return True

    def try_send(self, message: Message) -> bool:
        """Give the message to everyone who wants it.

        With XPUB_MANUAL_LAST_VALUE the message after a SUBSCRIBE goes to the new subscriber only.
        """
        pipe = self._manual_pipe
        if not self._last_value_due or pipe is None:
            return super().try_send(message)
        self.is_unheard = False
        first = message[0] if isinstance(message, list) else message
        queue = pipe.share
        if not bytes(first).startswith(tuple(queue.topics)):
            self._last_value_due = False
            return True
        if type(queue) is SharedQueue and queue.has_output():
            self.distributor.carrier.flush_shared(queue)
        if not pipe.can_take(message) and self.options.xpub_nodrop:
            return False
        if not pipe.send(message) and not pipe.ended:  # the new subscriber may be gone: it was for that one alone
            return False
        self._last_value_due = False
        return True


class _Subscriber(Pattern):
    """What SUB and XSUB share: subscriptions that go to every peer, and again to each that comes (back).

    Attributes:
        subscriptions: what the application wants.
    """

    peer_types = frozenset({"PUB", "XPUB"})
    receives_by_policy = True
    #: Where one is set: by it a publisher knows a durable subscriber again.
    sends_routing_id = True

    def __init__(self, options: SocketOptions) -> None:
        self.subscriptions = Subscriptions()
        super().__init__(options)

    @property
    def topics_count(self) -> int:
        """How many different topics are subscribed to (TOPICS_COUNT)."""
        return len(self.subscriptions)

    def connected(self, pipe: Pipe) -> None:
        """A peer that is new, or is back, knows nothing: tell it everything."""
        handle_subscription = pipe.carrier.handle_subscription
        for topic in self.subscriptions:
            handle_subscription(pipe, topic, True)

    def _tell_peers(self, topic: bytes, subscribe: bool) -> None:
        for pipe in list(self.inbox.pipes):
            pipe.carrier.handle_subscription(pipe, topic, subscribe)

    def subscribe(self, topic: bytes) -> None:
        """Want a topic once more. Repetitions go upstream, too: an XPUB_VERBOSE there shows them (libzmq)."""
        self.subscriptions.add(topic)
        self._tell_peers(topic, True)

    def unsubscribe(self, topic: bytes) -> None:
        """Want a topic once less; upstream hears of the last time only, unless XSUB_VERBOSE_UNSUBSCRIBE."""
        if self.subscriptions.remove(topic) or self.options.xsub_verbose_unsubscribe:
            self._tell_peers(topic, False)


class Sub(_Subscriber):
    """Receives what it subscribed to.

    It filters again what arrives: a connecting PUB knows nothing of this socket's cancellations, and over multicast
    everybody gets everything.
    """

    type_name = "SUB"
    single_connect = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self._has_filter = True

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        return self._filter

    def _filter(self, pipe: Pipe, message: Any) -> Message | None:
        return message if self._wants(message) else None

    def _wants(self, message: Any) -> bool:
        first = message[0] if type(message) is list else message
        return self.subscriptions.matches(first) != bool(self.options.invert_matching)

    def _refresh_filter(self) -> None:
        """Filter only when something is not wanted; without a filter a single pipe is read without any detour."""
        needs_filter = bool(self.options.invert_matching) or b"" not in self.subscriptions
        if needs_filter != self._has_filter:
            self._has_filter = needs_filter
            self.inbox.set_accept(self._filter if needs_filter else None)

    def option_changed(self, number: int, value: Any) -> bool:
        """Act on SUBSCRIBE, UNSUBSCRIBE and INVERT_MATCHING."""
        if number == SUBSCRIBE:
            self.subscribe(value)
        elif number == UNSUBSCRIBE:
            self.unsubscribe(value)
        elif number == INVERT_MATCHING:
            self._refresh_filter()
        else:
            return False
        return True

    def subscribe(self, topic: bytes) -> None:
        """Want a topic once more."""
        super().subscribe(topic)
        self._refresh_filter()

    def unsubscribe(self, topic: bytes) -> None:
        """Want a topic once less; what waits here and isn't wanted any more is dropped."""
        super().unsubscribe(topic)
        self._refresh_filter()
        if self._has_filter:
            self.inbox.keep_only(self._wants)


class Xsub(_Subscriber):
    """Receives everything that its peers let through; subscribes by sending 01 or 00 and the topic."""

    type_name = "XSUB"
    can_transmit = True
    overflow = DROP_NEWEST

    def option_changed(self, number: int, value: Any) -> bool:
        """SUBSCRIBE and UNSUBSCRIBE are messages here.

        Raises:
            ZMQError: EINVAL for those two.
        """
        if number in {SUBSCRIBE, UNSUBSCRIBE}:
            raise make_error(EINVAL, "an XSUB socket subscribes by sending b'\\x01' + topic, cancels by b'\\x00'")
        return super().option_changed(number, value)

    def try_send(self, message: Message) -> bool:
        """Subscribe, cancel, or send a user message to every peer; who is full or absent doesn't get that."""
        asked, told = split_subscriptions(message, bool(self.options.only_first_subscribe))
        pipes = list(self.inbox.pipes)
        if told is not None and not all(
            admits(pipe, told) for pipe in pipes if pipe.has_own_policy and pipe.policy not in DROPPING
        ):
            return False
        for topic, subscribe in asked:
            if subscribe:
                self.subscribe(topic)
            else:
                self.unsubscribe(topic)
        if told is not None:
            for pipe in pipes:
                if not pipe.send(told.copy() if type(told) is list else told):
                    pipe.drop(1, DropReason.NEWEST)
        return True

    def can_send(self) -> bool:
        """Always: what nobody can take is dropped, unless a policy says to wait."""
        return True

    def why_blocked(self) -> str:
        """A publisher is full and its policy says to wait."""
        return next((pipe.why_full() for pipe in self.inbox.pipes if not pipe.can_write()), super().why_blocked())
