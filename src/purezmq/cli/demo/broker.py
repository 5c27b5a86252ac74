"""Scene: a DEALER client and REP workers who don't know each other, joined by a broker process.

The broker is `proxy_steerable` between a ROUTER and a DEALER. The client keeps several requests under way, so replies
come back in any order and their round trip includes the time that they stand in line.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import purezmq as zmq
from purezmq.cli.demo.content import make_content, make_reply, parse_index
from purezmq.cli.demo.result import Result

if TYPE_CHECKING:
    from purezmq.cli.demo.actor import Actor
    from purezmq.cli.demo.stage import Stage

__all__ = ["NAME", "answer", "broker", "play"]

NAME = "broker"
_WORKERS = 2
_WINDOW = 16
_REPLY_WORD = make_reply(b"")


def broker(actor: Actor, frontend_endpoint: str, backend_endpoint: str) -> None:
    """Role: pass requests and replies on, until the stage says that it is over."""
    frontend = actor.open_socket(zmq.ROUTER)
    frontend.bind(frontend_endpoint)
    backend = actor.open_socket(zmq.DEALER)
    backend.bind(backend_endpoint)
    actor.say_hello(
        frontend=frontend.getsockopt_string(zmq.LAST_ENDPOINT), backend=backend.getsockopt_string(zmq.LAST_ENDPOINT)
    )
    zmq.proxy_steerable(frontend, backend, None, actor.control)
    actor.report(served=0)


def answer(actor: Actor, endpoint: str) -> None:
    """Role: a worker that answers requests, until the stage says that it is over."""
    socket = actor.open_socket(zmq.REP)
    socket.connect(endpoint)
    actor.say_hello()
    served = 0
    while (request := actor.try_receive(socket)) is not None:
        socket.send(make_reply(request))
        served += 1
    actor.report(served=served)


class _Client:
    """Keeps requests under way and checks the replies."""

    def __init__(self, socket: zmq.Socket, round_trips: list[float]) -> None:
        self._socket = socket
        self._sent_at: dict[int, float] = {}
        self._round_trips = round_trips
        self.right = 0
        self.wrong = 0

    def ask(self, index: int) -> None:
        """Send request `index`; when enough are under way, wait for a reply first."""
        if len(self._sent_at) >= _WINDOW:
            self.receive_reply()
        self._sent_at[index] = perf_counter()
        self._socket.send_multipart([b"", make_content(index)])

    def receive_reply(self) -> None:
        """Receive one reply and check it."""
        delimiter, reply = self._socket.recv_multipart()
        index = parse_index(reply.removeprefix(_REPLY_WORD))
        sent_at = self._sent_at.pop(index, None)
        if sent_at is None or delimiter or reply != make_reply(make_content(index)):
            self.wrong += 1
            return
        self._round_trips.append(perf_counter() - sent_at)
        self.right += 1

    def receive_rest(self) -> None:
        """Receive the replies that are still under way."""
        for _ in range(len(self._sent_at)):
            self.receive_reply()


def play(stage: Stage) -> Result:
    """Ask through the broker for as long as the stage says, and check every reply."""
    result = Result(NAME, stage.transport)
    stage.start(broker, stage.make_endpoint(), stage.make_endpoint())
    (endpoints,) = stage.wait_hello(1)
    for _ in range(_WORKERS):
        stage.start(answer, endpoints["backend"])
    stage.wait_hello(_WORKERS)
    socket = stage.open_socket(zmq.DEALER)
    socket.connect(endpoints["frontend"])
    client = _Client(socket, result.round_trips)
    asked = 0
    started = perf_counter()
    for index in stage.count_until_time_is_up():
        client.ask(index)
        asked += 1
    client.receive_rest()
    result.seconds = perf_counter() - started
    served = sum(report["served"] for report in stage.terminate())
    result.count(right=client.right, expected=asked, wrong=client.wrong + abs(asked - served))
    return result
