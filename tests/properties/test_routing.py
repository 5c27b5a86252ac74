"""The table of a ROUTER against a dictionary: an id means one live peer, or none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import EHOSTUNREACH, ROUTER
from purezmq.error import ZMQError

IDS = st.sampled_from([b"", b"a", b"b", b"c", b"\x00gene", b"x" * 255])


class RoutingAgainstDict(RuleBasedStateMachine):
    """Peers come, go, and bring messages; the application sends to ids, known and unknown."""

    @initialize(handover=st.booleans(), mandatory=st.booleans(), seed=st.sampled_from([1, 2**32 - 2]))
    def start(self, handover: bool, mandatory: bool, seed: int) -> None:
        self.handover, self.mandatory = handover, mandatory
        self.router = make_pattern(ROUTER, router_handover=int(handover), router_mandatory=int(mandatory))
        self.router.seed_ids(seed)
        self.table: dict[bytes, ScriptedPeer] = {}
        self.count = 0

    @precondition(lambda self: len(self.table) < 6)
    @rule(identity=IDS, direct=st.booleans())
    def come(self, identity: bytes, direct: bool) -> None:
        """A peer with an id of its own, or without; the id may be taken."""
        holder = self.table.get(identity) if identity else None
        peer = ScriptedPeer(self.router, identity, direct=direct)
        if holder is not None and not self.handover:
            assert peer.is_refused
            assert not holder.is_refused
            return
        if holder is not None:
            assert holder.is_refused
        assert not peer.is_refused
        routing_id = peer.pipe.routing_id
        if identity:
            assert identity == routing_id
        else:
            assert (5, 0) == (len(routing_id), routing_id[0])
            assert routing_id not in self.table
        self.table[routing_id] = peer

    def choose(self, data: st.DataObject) -> bytes:
        return data.draw(st.sampled_from(sorted(self.table)))

    @precondition(lambda self: self.table)
    @rule(data=st.data(), orderly=st.booleans())
    def leave(self, data: st.DataObject, orderly: bool) -> None:
        """For good; the id is free again."""
        peer = self.table.pop(self.choose(data))
        if orderly:
            peer.disconnect()
        else:
            peer.leave()

    @precondition(lambda self: self.table)
    @rule(data=st.data(), count=st.integers(1, 5), parts=st.integers(1, 3))
    def bring(self, data: st.DataObject, count: int, parts: int) -> None:
        """What a peer brings comes with its id in front, in order."""
        routing_id = self.choose(data)
        bodies = [b"%d" % (self.count + number) for number in range(count)]
        self.count += count
        messages: list[Any] = [body if parts == 1 else [body] * parts for body in bodies]
        self.table[routing_id].bring(*messages)
        assert [[routing_id, *[body] * parts] for body in bodies] == texts(self.router)

    @rule(identity=IDS, parts=st.integers(1, 3))
    def send(self, identity: bytes, parts: int) -> None:
        """To whoever has the id now; to nobody it is an error, or counted."""
        self.count += 1
        body = [b"%d" % self.count] * parts
        peer = self.table.get(identity)
        if peer is None and self.mandatory:
            with pytest.raises(ZMQError) as caught:
                self.router.try_send([identity, *body])
            assert EHOSTUNREACH == caught.value.errno
            return
        assert self.router.try_send([identity, *body])
        if peer is not None:
            assert [body if parts > 1 else body[0]] == peer.sent()

    @precondition(lambda self: self.table)
    @rule(data=st.data())
    def send_to_generated(self, data: st.DataObject) -> None:
        """An id that was made here is as good as any."""
        routing_id = self.choose(data)
        assert self.router.try_send([bytearray(routing_id), b"x"])
        assert [b"x"] == self.table[routing_id].sent()

    @invariant()
    def tables_are_equal(self) -> None:
        if hasattr(self, "router"):
            assert {key: peer.pipe for key, peer in self.table.items()} == self.router.table.pipes
            assert all(peer.sent() == [] for peer in self.table.values())


TestRouting = RoutingAgainstDict.TestCase
TestRouting.settings = settings(stateful_step_count=40)
