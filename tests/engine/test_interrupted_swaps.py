"""Signal handlers that raise amid what is done with a queue on disk: nothing that lies there is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support import eventually, purezmq_only, zmq
from tests.support.interrupting import interrupted_at

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
