"""Scene: two threads hand a signal to and fro over a PAIR; inproc only."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import purezmq as zmq
from purezmq.cli.demo.result import Result

if TYPE_CHECKING:
    from purezmq.cli.demo.actor import Actor
    from purezmq.cli.demo.stage import Stage

__all__ = ["NAME", "play", "return_signals"]

NAME = "signalling"
_END = b""


def return_signals(actor: Actor, endpoint: str) -> None:
    """Role: send every signal back, until the empty one."""
    socket = actor.open_socket(zmq.PAIR)
    socket.connect(endpoint)
    actor.say_hello()
    returned = 0
    while signal := socket.recv():
        socket.send(signal)
        returned += 1
    actor.report(returned=returned)


def play(stage: Stage) -> Result:
    """Signal for as long as the stage says, and time each way there and back."""
    result = Result(NAME, stage.transport)
    socket = stage.open_socket(zmq.PAIR)
    stage.start(return_signals, stage.bind(socket))
    stage.wait_hello(1)
    sent = right = 0
    started = perf_counter()
    for index in stage.count_until_time_is_up():
        signal = b"signal %d" % index
        before = perf_counter()
        socket.send(signal)
        right += socket.recv() == signal
        result.round_trips.append(perf_counter() - before)
        sent += 1
    result.seconds = perf_counter() - started
    socket.send(_END)
    (report,) = stage.wait_report(1)
    result.count(right=right, expected=report["returned"], wrong=sent - right)
    return result
