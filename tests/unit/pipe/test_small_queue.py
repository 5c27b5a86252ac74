"""SmallQueue: a deque of little memory, for those who hardly ever send."""

from __future__ import annotations

import sys
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from purezmq.pipe import Pipe, SmallQueue, key_function, shrink_inbound


def make_pipe(receive_limit: int = 1000, *, is_direct: bool = False, conflate: Any = False) -> Pipe:
    carrier: Any = SimpleNamespace(is_direct=is_direct)
    return Pipe(carrier, 1000, receive_limit, conflate)


def test_small_queue_does_what_a_deque_does() -> None:
    """Messages leave in the order of their arrival, and what is put back comes first."""
    small, large = SmallQueue(), deque[Any]()
    queue: Any
    for queue in (small, large):
        queue.extend([b"one", b"two"])
        queue.append(b"three")
        assert b"one" == queue.popleft()
        queue.appendleft(b"again")
        assert [b"again", b"two", b"three"] == list(queue)
        assert queue.maxlen is None
        queue.clear()
        assert not queue
        with pytest.raises(IndexError):
            queue.popleft()


def test_small_queue_takes_a_fraction_of_the_memory_of_a_deque() -> None:
    """That is what it's for."""
    assert 5 * sys.getsizeof(SmallQueue()) < sys.getsizeof(deque())


def test_subscriber_over_a_wire_gets_a_small_queue() -> None:
    """Nothing has come yet, and few may wait."""
    pipe = make_pipe()
    shrink_inbound(pipe, discards=False)
    assert isinstance(pipe.inbound, SmallQueue)


def test_queues_of_what_is_discarded_are_one() -> None:
    """It stays empty whatever is put in."""
    pipes = [make_pipe(), make_pipe(0)]
    for pipe in pipes:
        shrink_inbound(pipe, discards=True)
        pipe.inbound.extend([b"one", b"two"])
    assert pipes[0].inbound is pipes[1].inbound
    assert (0, 0) == (len(pipes[0].inbound), pipes[0].inbound.maxlen)


@pytest.mark.parametrize("discards", [False, True])
def test_queue_over_inproc_stays_its_senders(discards: bool) -> None:
    """The peer appends to that very object."""
    pipe = make_pipe(is_direct=True)
    before = pipe.inbound
    shrink_inbound(pipe, discards=discards)
    assert before is pipe.inbound


@pytest.mark.parametrize("receive_limit", [0, 1_000_000])
def test_queue_that_may_get_long_stays_a_deque(receive_limit: int) -> None:
    """Taking one message of many must not cost more than taking one of few."""
    pipe = make_pipe(receive_limit)
    shrink_inbound(pipe, discards=False)
    assert deque is type(pipe.inbound)


def test_queue_with_messages_or_keys_stays() -> None:
    """What is there is not lost, and conflation goes on."""
    pipe, keyed = make_pipe(), make_pipe(conflate=key_function(lambda parts: parts[0]))
    pipe.inbound.append(b"here")
    before = keyed.inbound
    for one in (pipe, keyed):
        shrink_inbound(one, discards=False)
    assert [b"here"] == list(pipe.inbound)
    assert before is keyed.inbound
