"""Subscriptions and distribution against plain models."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import XPUB
from purezmq.patterns.subscriptions import Subscriptions

TOPICS = st.text(alphabet="ab", max_size=4).map(str.encode)
FIRSTS = st.text(alphabet="ab", max_size=5).map(str.encode)


class SubscriptionsAgainstCounter(RuleBasedStateMachine):
    """A counted set of topics; every message is matched by looking at each topic."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions = Subscriptions()
        self.model: Counter[bytes] = Counter()

    @rule(topic=TOPICS)
    def add(self, topic: bytes) -> None:
        self.model[topic] += 1
        assert (self.model[topic] == 1) == self.subscriptions.add(topic)

    @rule(topic=TOPICS)
    def remove(self, topic: bytes) -> None:
        is_last = self.model[topic] == 1
        self.model[topic] = max(0, self.model[topic] - 1)
        assert is_last == self.subscriptions.remove(topic)

    @rule(first=FIRSTS)
    def match(self, first: bytes) -> None:
        assert any(first.startswith(topic) for topic in +self.model) == self.subscriptions.matches(first)

    @invariant()
    def topics_are_equal(self) -> None:
        assert sorted(+self.model) == sorted(self.subscriptions)
        assert len(+self.model) == len(self.subscriptions)


class DistributionAgainstSets(RuleBasedStateMachine):
    """An XPUB with wire and inproc peers: each gets exactly what it wanted when it was sent, in order, once."""

    @initialize(verboser=st.booleans())
    def start(self, verboser: bool) -> None:
        self.verboser = verboser
        self.xpub = make_pattern(XPUB, xpub_verboser=int(verboser))
        self.peers: list[ScriptedPeer] = []
        self.wanted: list[set[bytes]] = []
        self.expected: list[list[bytes]] = []
        self.shown: list[bytes] = []
        self.count = 0

    def anyone_wants(self, topic: bytes) -> bool:
        return any(topic in topics for topics in self.wanted)

    @precondition(lambda self: len(self.peers) < 5)
    @rule(direct=st.booleans())
    def come(self, direct: bool) -> None:
        self.peers.append(ScriptedPeer(self.xpub, direct=direct))
        self.wanted.append(set())
        self.expected.append([])

    @precondition(lambda self: self.peers)
    @rule(data=st.data(), topics=st.lists(TOPICS, max_size=12))
    def subscribe(self, data: st.DataObject, topics: list[bytes]) -> None:
        index = data.draw(st.integers(0, len(self.peers) - 1))
        for topic in topics:
            if self.verboser or not self.anyone_wants(topic):
                self.shown.append(b"\1" + topic)
            self.wanted[index].add(topic)
            self.peers[index].subscribe(topic)

    @precondition(lambda self: self.peers)
    @rule(data=st.data(), topics=st.lists(TOPICS, max_size=12))
    def cancel(self, data: st.DataObject, topics: list[bytes]) -> None:
        index = data.draw(st.integers(0, len(self.peers) - 1))
        for topic in topics:
            was_there = topic in self.wanted[index]
            self.wanted[index].discard(topic)
            if self.verboser or (was_there and not self.anyone_wants(topic)):
                self.shown.append(b"\0" + topic)
            self.peers[index].cancel(topic)

    @precondition(lambda self: self.peers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.peers) - 1))
        peer, topics = self.peers.pop(index), self.wanted.pop(index)
        expected = self.expected.pop(index)
        assert self.shown == texts(self.xpub)
        self.shown = []
        peer.disconnect()
        gone = sorted(topic for topic in topics if self.verboser or not self.anyone_wants(topic))
        assert [b"\0" + topic for topic in gone] == sorted(texts(self.xpub))
        assert expected == list(peer.pipe.outbound)

    @rule(first=FIRSTS)
    def publish(self, first: bytes) -> None:
        self.count += 1
        message = [first, b"%d" % self.count]
        for topics, expected in zip(self.wanted, self.expected, strict=True):
            if any(first.startswith(topic) for topic in topics):
                expected.append(message.copy())  # type: ignore[arg-type]
        target = self.xpub.fast_target()
        if target is not None:
            target.write(message)
        else:
            assert self.xpub.try_send(message)

    @precondition(lambda self: self.peers)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.peers) - 1))
        assert self.expected[index] == self.peers[index].sent()
        self.expected[index] = []
        for other, peer in enumerate(self.peers):  # a flush of a shared queue reaches all members
            assert peer.pipe.outbound == self.expected[other][: len(peer.pipe.outbound)]

    @invariant()
    def application_sees_every_change(self) -> None:
        if hasattr(self, "shown"):
            assert self.shown == texts(self.xpub)
            self.shown = []
            assert len(set().union(*self.wanted)) == self.xpub.topics_count


TestSubscriptions = SubscriptionsAgainstCounter.TestCase
TestSubscriptions.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
TestDistribution = DistributionAgainstSets.TestCase
TestDistribution.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
