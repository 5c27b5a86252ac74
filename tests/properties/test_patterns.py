"""Fair queue, load balancer, REQ and REP against plain models."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.unit.patterns.carrier import ScriptedCarrier, ScriptedPeer, make_pattern

from purezmq.constants import EFSM, REP, REQ
from purezmq.error import ZMQError
from purezmq.patterns.fair_queue import FairQueue
from purezmq.patterns.load_balancer import LoadBalancer
from purezmq.pipe import Pipe


class FairQueueAgainstLists(RuleBasedStateMachine):
    """Whatever is mixed: nothing is lost, doubled or reordered within a pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue()
        self.pipes: list[Pipe] = []
        self.waiting: dict[int, list[bytes]] = {}
        self.created = 0
        self.count = 0

    @precondition(lambda self: len(self.pipes) < 4)
    @rule(early=st.integers(0, 2))
    def attach(self, early: int) -> None:
        pipe = Pipe(ScriptedCarrier(), 0, 0)
        pipe.state = self.created
        self.waiting[self.created] = []
        self.created += 1
        self._bring(pipe, early)
        self.queue.attach(pipe)
        self.pipes.append(pipe)

    def _bring(self, pipe: Pipe, count: int) -> None:
        for _ in range(count):
            message = b"%d:%d" % (pipe.state, self.count)
            self.count += 1
            pipe.inbound.append(message)
            self.waiting[pipe.state].append(message)

    @precondition(lambda self: self.pipes)
    @rule(data=st.data(), count=st.integers(1, 40))
    def bring(self, data: st.DataObject, count: int) -> None:
        pipe = data.draw(st.sampled_from(self.pipes))
        self._bring(pipe, count)
        self.queue.activate(pipe)

    @precondition(lambda self: self.pipes)
    @rule(data=st.data())
    def detach(self, data: st.DataObject) -> None:
        pipe = data.draw(st.sampled_from(self.pipes))
        self.pipes.remove(pipe)
        pipe.ended = True
        self.queue.detach(pipe)

    @rule(by_take=st.booleans(), count=st.integers(1, 60))
    def read(self, by_take: bool, count: int) -> None:
        for _ in range(count):
            if by_take:
                taken = self.queue.take()
                message = None if taken is None else taken[1]
            else:
                message = self.queue.ready.popleft() if self.queue.refill() else None
            if message is None:
                assert [] == [left for left in self.waiting.values() if left]
                return
            assert self.waiting[int(message.split(b":")[0])].pop(0) == message

    @rule()
    def look(self) -> None:
        taken = self.queue.take()
        if taken is not None:
            self.queue.put_back(*taken)

    @rule(filtered=st.booleans())
    def change_filter(self, filtered: bool) -> None:
        self.queue.set_accept((lambda pipe, message: message) if filtered else None)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 40))
def test_load_balancer_is_round_robin_over_pipes_with_room(marks: list[int], count: int) -> None:
    """The model walks over the marks (0 stands for a full pipe here)."""
    balancer = LoadBalancer()
    pipes = [Pipe(ScriptedCarrier(), max(mark, 1), 0) for mark in marks]
    for pipe, mark in zip(pipes, marks, strict=True):
        if not mark:
            pipe.write(b"full")
        balancer.attach(pipe)
    left, turn = list(marks), 0
    for _ in range(count):
        expected = next((i % len(left) for i in range(turn, turn + len(left)) if left[i % len(left)]), None)
        assert any(left) == balancer.can_send()
        chosen = balancer.send(b"x")
        assert (None if expected is None else pipes[expected]) is chosen
        if expected is not None:
            left[expected] -= 1
            turn = expected + 1


class RequestReply(RuleBasedStateMachine):
    """A REQ with REP servers: only its reply is delivered, and each call in a wrong state gives EFSM."""

    @initialize(correlate=st.booleans(), relaxed=st.booleans(), servers=st.integers(1, 3))
    def start(self, correlate: bool, relaxed: bool, servers: int) -> None:
        self.relaxed, self.correlate = relaxed, correlate
        self.req = make_pattern(REQ, req_correlate=int(correlate), req_relaxed=int(relaxed))
        self.ends = [ScriptedPeer(self.req) for _ in range(servers)]
        self.reps = [make_pattern(REP) for _ in range(servers)]
        self.far_ends = [ScriptedPeer(rep) for rep in self.reps]
        self.count = 0
        self.outstanding: bytes | None = None
        self.asked: dict[int, bytes] = {}

    def refused(self, call: object, *args: object) -> None:
        with pytest.raises(ZMQError) as caught:
            call(*args)  # type: ignore[operator]
        assert EFSM == caught.value.errno

    @rule(parts=st.integers(1, 3))
    def ask(self, parts: int) -> None:
        body = b"%d" % (self.count + 1)
        message = body if parts == 1 else [body, *[b""] * (parts - 1)]
        may = self.outstanding is None or self.relaxed
        assert may == self.req.can_send()
        if not may:
            self.refused(self.req.try_send, message)
            return
        self.count += 1
        assert self.req.try_send(message)
        self.outstanding = body

    @rule()
    def carry(self) -> None:
        """What was sent arrives, both ways."""
        for end, far in zip(self.ends, self.far_ends, strict=True):
            if messages := end.sent():
                far.bring(*messages)
            if messages := far.sent():
                end.bring(*messages)

    @rule(index=st.integers(0, 2))
    def serve(self, index: int) -> None:
        index %= len(self.reps)
        rep = self.reps[index]
        if index in self.asked:
            assert (False, True) == (rep.can_recv(), rep.can_send())
            self.refused(rep.try_recv)
            assert rep.try_send(self.asked.pop(index))
            return
        assert not rep.can_send()
        self.refused(rep.try_send, b"x")
        has_request = rep.can_recv()
        request = rep.try_recv()
        assert has_request == (request is not None)
        if request is not None:
            self.asked[index] = request[0] if isinstance(request, list) else request

    @rule()
    def receive(self) -> None:
        if self.outstanding is None:
            assert not self.req.can_recv()
            self.refused(self.req.try_recv)
            return
        has_reply = self.req.can_recv()
        reply = self.req.try_recv()
        assert has_reply == (reply is not None)
        if reply is not None:
            if self.correlate or not self.relaxed:
                assert self.outstanding == reply
            self.outstanding = None


TestFairQueue = FairQueueAgainstLists.TestCase
TestFairQueue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRequestReply = RequestReply.TestCase
TestRequestReply.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
