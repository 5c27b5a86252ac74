from __future__ import annotations

from typing import Any

from tests.unit.patterns.carrier import ScriptedCarrier

from purezmq.patterns.fair_queue import MERGE_MESSAGES, FairQueue, to_plain
from purezmq.pipe import Pipe, RoomMarker


class OwnedList(list[bytes]):
    """Stands for the socket layer's tracked message."""


def make_queue(count: int, accept: Any = None) -> tuple[FairQueue, list[Pipe]]:
    queue = FairQueue(accept)
    pipes = [Pipe(ScriptedCarrier(), 0, 0) for _ in range(count)]
    for pipe in pipes:
        queue.attach(pipe)
    return queue, pipes


def bring(queue: FairQueue, pipe: Pipe, *messages: Any) -> None:
    pipe.inbound.extend(messages)
    queue.activate(pipe)


def read_all(queue: FairQueue) -> list[Any]:
    messages = []
    while queue.refill():
        messages.append(queue.ready.popleft())
    return messages


def take_all(queue: FairQueue) -> list[Any]:
    return [message for _, message in iter(queue.take, None)]


def test_fair_queue_reads_one_message_of_each_pipe_in_turn() -> None:
    """By both faces."""
    for read in (read_all, take_all):
        queue, pipes = make_queue(3)
        for pipe, name in zip(pipes, "abc", strict=True):
            bring(queue, pipe, *[f"{name}{number}".encode() for number in range(3)])
        assert [b"a0", b"b0", b"c0", b"a1", b"b1", b"c1", b"a2", b"b2", b"c2"] == read(queue)


def test_fair_queue_with_one_pipe_is_that_pipe() -> None:
    """The short cut ends when a second pipe comes, and loses nothing."""
    queue, (pipe,) = make_queue(1)
    assert queue.ready is pipe.inbound
    bring(queue, pipe, b"1")
    other = Pipe(ScriptedCarrier(), 0, 0)
    queue.attach(other)
    assert queue.ready is not pipe.inbound
    assert [b"1"] == read_all(queue)


def test_fair_queue_merges_bounded_batches() -> None:
    """A pipe that becomes active waits for a small batch of the others at most."""
    queue, (a, b) = make_queue(2)
    bring(queue, a, *[b"a"] * 1000)
    bring(queue, b, *[b"b"] * 1000)
    assert queue.refill()
    assert 2 * MERGE_MESSAGES == len(queue.ready)


def test_fair_queue_tells_carrier_of_drained_pipe() -> None:
    """Once it was found empty it has to be activated again."""
    queue, (a, _) = make_queue(2)
    carrier: Any = a.carrier
    bring(queue, a, b"1")
    carrier.drained = 0
    assert [b"1"] == read_all(queue)
    assert (1, False) == (carrier.drained, a.active)
    bring(queue, a, b"2")
    assert [b"2"] == read_all(queue)


def test_fair_queue_sees_message_that_arrives_while_carrier_is_told() -> None:
    """The carrier may decode what a limit held back."""
    for count in (1, 2):
        queue, pipes = make_queue(count)
        more = [b"2"]
        pipes[0].carrier.handle_drained = lambda pipe, more=more: pipe.inbound.extend(more) or more.clear()
        bring(queue, pipes[0], b"1")
        assert [b"1", b"2"] == read_all(queue)


def test_fair_queue_wakes_blocked_writers() -> None:
    """A marker in an inproc queue is no message."""
    for count in (1, 2):
        for read in (read_all, take_all):
            queue, pipes = make_queue(count)
            woken: list[int] = []
            bring(queue, pipes[0], b"1", RoomMarker(lambda woken=woken: woken.append(1)), b"2")
            assert [b"1", b"2"] == read(queue)
            assert [1] == woken


def test_fair_queue_accept_transforms_and_drops() -> None:
    """None drops."""
    queue, (a, b) = make_queue(2, lambda pipe, message: None if message == b"no" else message + b"!")
    bring(queue, a, b"no", b"1", b"no")
    bring(queue, b, b"no")
    assert [b"1!"] == read_all(queue)


def test_fair_queue_put_back_message_comes_next() -> None:
    """Of a pipe, by the short cut, or merged before."""
    for count in (1, 3):
        queue, pipes = make_queue(count)
        for pipe in pipes:
            bring(queue, pipe, b"x%d" % pipes.index(pipe))
        for _ in range(4):
            taken = queue.take()
            assert taken is not None
            assert b"x0" == taken[1]
            queue.put_back(*taken)
        assert len(queue.active) <= count
        assert [b"x%d" % number for number in range(count)] == take_all(queue)
    queue, pipes = make_queue(2)
    bring(queue, pipes[0], b"1", b"2")
    queue.refill()
    taken = queue.take()
    assert (None, b"1") == taken
    queue.put_back(None, b"1")
    assert [b"1", b"2"] == take_all(queue)


def test_fair_queue_detached_pipe_stays_readable_and_discarded_pipe_does_not() -> None:
    """The end of a peer is not the end of its messages."""
    for count in (1, 2):
        queue, pipes = make_queue(count)
        bring(queue, pipes[0], b"1")
        queue.detach(pipes[0])
        assert [b"1"] == read_all(queue)
        queue, pipes = make_queue(count)
        bring(queue, pipes[0], b"1")
        queue.discard(pipes[0])
        assert [] == read_all(queue)


def test_fair_queue_short_cut_comes_and_goes_with_filter() -> None:
    """Without a filter one pipe needs no merging."""
    queue, (pipe,) = make_queue(1, lambda pipe, message: message)
    changes: list[int] = []
    queue.handle_ready_changed = lambda: changes.append(1)
    bring(queue, pipe, b"1")
    queue.set_accept(None)
    assert queue.ready is pipe.inbound
    queue.set_accept(lambda pipe, message: None)
    assert [] == read_all(queue)
    assert [1, 1] == changes


def test_fair_queue_peek_keeps_the_pipe_and_the_order() -> None:
    """As often as one looks, the message comes once, with its pipe, in its turn."""
    queue, (a, b) = make_queue(2)
    assert not queue.peek()
    bring(queue, a, b"a0", b"a1")
    bring(queue, b, b"b0")
    taken = []
    while queue.peek():
        assert queue.peek()
        taken.append(queue.take())
    assert [(a, b"a0"), (b, b"b0"), (a, b"a1")] == taken


def test_fair_queue_peeked_message_is_merged_first() -> None:
    """Who doesn't ask for the pipe gets it before what came later; accept transforms it once."""
    queue, (a, b) = make_queue(2, lambda _pipe, message: b"+" + message)
    bring(queue, a, b"a0")
    bring(queue, b, b"b0", b"b1")
    assert queue.peek()
    assert [b"+a0", b"+b0", b"+b1"] == read_all(queue)


def test_fair_queue_peeked_message_goes_with_its_pipe() -> None:
    """A pipe that is discarded takes it along, one that is detached or retired leaves it."""
    for end, expected in (("discard", [b"b0"]), ("detach", [b"a0", b"b0", b"a1"]), ("retire", [b"a0", b"a1", b"b0"])):
        queue, (a, b) = make_queue(2)
        bring(queue, a, b"a0", b"a1")
        bring(queue, b, b"b0")
        assert queue.peek()
        getattr(queue, end)(a)
        assert expected == take_all(queue), end


def test_fair_queue_peeked_message_is_filtered() -> None:
    """What is no longer wanted isn't given; while it waits there is no short cut past it."""
    queue, (a, b) = make_queue(2, lambda _pipe, message: message)
    bring(queue, a, b"a0")
    assert queue.peek()
    queue.detach(b)
    queue.set_accept(None)
    assert queue.short_cut is None
    queue.keep_only(lambda message: message != b"a0")
    assert not queue.peek()


def test_fair_queue_can_read_is_false_when_empty() -> None:
    """Nothing attached."""
    queue = FairQueue()
    assert (False, False, None) == (queue.can_read(), queue.has_messages(), queue.take())


def test_to_plain_makes_bytes_of_buffers() -> None:
    """One part is no list."""
    assert b"x" == to_plain(b"x")
    assert b"x" == to_plain(memoryview(b"x"))
    assert b"x" == to_plain(OwnedList([b"x"]))
    assert [b"x", b"y"] == to_plain(OwnedList([memoryview(b"x"), b"y"]))  # type: ignore[list-item]
