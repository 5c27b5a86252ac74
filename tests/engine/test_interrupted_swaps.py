"""Signal handlers that raise amid what is done with a queue on disk: nothing that lies there is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import eventually, purezmq_only, zmq
from tests.support.interrupting import interrupted_at
from tests.unit.patterns.carrier import ScriptedCarrier

from purezmq.engine.swap import Swap
from purezmq.engine.swap_thread import SwapThread
from purezmq.pipe import DropReason, Pipe

pytestmark = purezmq_only("libzmq has no swap since 3.0")


def test_p18_swap_of_a_closing_end_of_inproc_reaches_the_other(make_context: Callable[[], Any]) -> None:
    """A handler raises at moment after moment of `Socket.close`: the other end reads what is on disk, each time."""
    reached, moment, count = ["the first one"], 0, 30
    while reached:
        context = make_context()
        pull, push = context.socket(zmq.PULL, rcvhwm=5, rcvtimeo=5000), context.socket(zmq.PUSH, sndhwm=5)
        push.swap, push.overflow = 1 << 20, "spill"
        pull.bind("inproc://swap")
        push.connect("inproc://swap")
        for number in range(count):
            push.send(b"%d" % number)
        (link,) = push._engine.links
        pipe = link.pipe
        assert pipe.swapping
        with interrupted_at(moment) as reached:
            push.close(0)
        push.close(0)
        eventually(lambda link=link: link.peer is None)
        assert [b"%d" % number for number in range(count)] == [pull.recv() for _ in range(count)], reached
        assert (count, count) == (pipe.written, pull.stats().received)
        assert pipe.spilled == pull.stats().spilled > 0
        pull.close(0)
        context.term(5)
        moment += 1
    assert moment > 50


class _Spilling:
    """A swap whose messages count themselves, and the queue that they are moved to."""

    def __init__(self, size: int) -> None:
        self.thread = SwapThread()
        self.swap = Swap(self.thread, "", 1 << 30, handle_change=int, handle_failure=lambda *_: None)
        self.body = bytes(size)
        self.queue: deque[Any] = deque()
        self.count = 0

    def append(self, *, in_parts: bool = False) -> None:
        message = b"%09d" % self.count + self.body
        self.count += 1
        assert self.swap.append([message, b""] if in_parts else message, is_pledged=True)

    def move_all(self) -> list[int]:
        """The numbers of all messages that come out."""
        eventually(lambda: not self.swap.move(self.queue, 1000) and not len(self.swap))
        return [int((message[0] if type(message) is list else message)[:9]) for message in self.queue]

    def end(self) -> None:
        assert 0 == self.swap.bytes
        self.swap.close()
        self.thread.stop()


@pytest.mark.parametrize("in_parts", [False, True])
def test_p18_append_that_is_interrupted_loses_nothing(in_parts: bool) -> None:
    """A handler raises at moment after moment of one that seals a block: all come out, once and in order."""
    reached, moment = ["the first one"], 0
    while reached:
        spilling = _Spilling(100_000)
        for _ in range(10):
            spilling.append(in_parts=in_parts)
        with interrupted_at(moment) as reached:
            spilling.append(in_parts=in_parts)
        assert spilling.move_all() in (list(range(11)), list(range(10)) if reached else None)
        spilling.end()
        moment += 1
    assert moment > 10


@pytest.mark.parametrize("blocks", [0, 2, 12])
def test_p18_move_that_is_interrupted_loses_nothing(blocks: int) -> None:
    """A handler raises at moment after moment of it, whether from the open block, from memory or from the disk."""
    reached, moment = ["the first one"], 0
    while reached:
        spilling = _Spilling(350_000)
        for _ in range(blocks * 3 + 2):
            spilling.append()
        with interrupted_at(moment) as reached:
            spilling.swap.move(spilling.queue, 7)
        assert list(range(spilling.count)) == spilling.move_all()
        spilling.end()
        moment += 1
    assert moment > 10


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_p18_queue_that_is_refilled_loses_nothing(make_context: Callable[[], Any], transport: str) -> None:
    """A handler raises at moment after moment of `Pipe.refill`: all messages arrive, and are counted."""
    reached, moment, count = ["the first one"], 0, 20
    while reached:
        context = make_context()
        pipe = Pipe(ScriptedCarrier(is_direct=transport == "inproc"), 5, 5)  # type: ignore[arg-type]
        pipe.swap = Swap(context.swap_thread, "", 1 << 20, handle_change=int, handle_failure=lambda *_: None)
        pipe.swapping = pipe.special = True
        if transport == "inproc":
            pipe.count_writes()
            pipe.outbound = deque()
        for number in range(count):
            pipe.swap.append(b"%d" % number)
        taken: list[bytes] = []
        with interrupted_at(moment) as reached:
            pipe.refill()
        for _ in range(count):
            taken += pipe.outbound
            pipe.outbound.clear()
            if pipe.swapping:
                pipe.refill()
        assert [b"%d" % number for number in range(count)] == taken
        assert (count if transport == "inproc" else 0) == pipe.written
        pipe.end_swap(DropReason.DISCONNECTED)
        context.term(5)
        moment += 1
    assert moment > 10
