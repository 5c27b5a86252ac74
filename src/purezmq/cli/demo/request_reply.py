"""Scene: REQ asks, REP in another process answers, one exchange at a time."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import purezmq as zmq
from purezmq.cli.demo.content import make_content, make_reply
from purezmq.cli.demo.result import Result

if TYPE_CHECKING:
    from purezmq.cli.demo.actor import Actor
    from purezmq.cli.demo.stage import Stage

__all__ = ["NAME", "play", "serve"]

NAME = "request-reply"
_END = b""


def serve(actor: Actor, endpoint: str) -> None:
    """Role: answer every request, until the empty one."""
    socket = actor.open_socket(zmq.REP)
    socket.connect(endpoint)
    actor.say_hello()
    served = 0
    while request := socket.recv():
        socket.send(make_reply(request))
        served += 1
    socket.send(_END)
    actor.report(served=served)


def play(stage: Stage) -> Result:
    """Ask for as long as the stage says, time each exchange, and compare the two sides' counts."""
    result = Result(NAME, stage.transport)
    socket = stage.open_socket(zmq.REQ)
    stage.start(serve, stage.bind(socket))
    stage.wait_hello(1)
    asked = right = 0
    started = perf_counter()
    for index in stage.count_until_time_is_up():
        request = make_content(index)
        before = perf_counter()
        socket.send(request)
        reply = socket.recv()
        result.round_trips.append(perf_counter() - before)
        asked += 1
        right += reply == make_reply(request)
    result.seconds = perf_counter() - started
    socket.send(_END)
    socket.recv()
    (report,) = stage.wait_report(1)
    result.count(right=right, expected=report["served"], wrong=asked - right)
    return result
