"""Scene: one XPUB, several SUB with different subscriptions; each must see its messages, all, in order.

XPUB_NODROP makes the publisher wait for a slow subscriber instead of dropping, so that a lost message is a fault.
XPUB_VERBOSE shows every subscription, so that the publisher knows when everybody listens: nothing sleeps.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import purezmq as zmq
from purezmq.cli.demo.content import make_content, parse_index
from purezmq.cli.demo.result import Result

if TYPE_CHECKING:
    from purezmq.cli.demo.actor import Actor
    from purezmq.cli.demo.stage import Stage

__all__ = ["NAME", "listen", "play"]

NAME = "publish-subscribe"
#: What each subscriber listens to -> which indexes it gets: start and step.
_SUBSCRIBERS = {"": (0, 1), "even": (0, 2), "odd": (1, 2)}
_TOPICS = (b"even", b"odd")
_END = b"end"
_HIGH_WATER_MARK = 10_000


def listen(actor: Actor, endpoint: str, topic: str) -> None:
    """Role: check what comes in for `topic`, until the message that says how many were published."""
    socket = actor.open_socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, _HIGH_WATER_MARK)
    socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
    socket.setsockopt(zmq.SUBSCRIBE, _END)
    socket.connect(endpoint)
    actor.say_hello()
    index, step = _SUBSCRIBERS[topic]
    right = wrong = 0
    while True:
        channel, content = socket.recv_multipart()
        if channel == _END:
            break
        if channel == _TOPICS[index % 2] and content == make_content(index):
            right += 1
        else:
            wrong += 1
        index += step
    start = _SUBSCRIBERS[topic][0]
    actor.report(right=right, wrong=wrong, expected=len(range(start, parse_index(content), step)))


def play(stage: Stage) -> Result:
    """Publish on two topics for as long as the stage says, then gather what each subscriber saw."""
    result = Result(NAME, stage.transport)
    socket = stage.open_socket(zmq.XPUB)
    socket.setsockopt(zmq.SNDHWM, _HIGH_WATER_MARK)
    socket.setsockopt(zmq.XPUB_NODROP, 1)
    socket.setsockopt(zmq.XPUB_VERBOSE, 1)
    endpoint = stage.bind(socket)
    for topic in _SUBSCRIBERS:
        stage.start(listen, endpoint, topic)
    stage.wait_hello(len(_SUBSCRIBERS))
    for _ in range(2 * len(_SUBSCRIBERS)):  # its topic and the end, from each
        socket.recv()
    published = 0
    started = perf_counter()
    for index in stage.count_until_time_is_up():
        socket.send_multipart([_TOPICS[index % 2], make_content(index)])
        published += 1
    socket.send_multipart([_END, published.to_bytes(8)])
    reports = stage.wait_report(len(_SUBSCRIBERS))
    result.seconds = perf_counter() - started
    for report in reports:
        result.count(**report)
    return result
