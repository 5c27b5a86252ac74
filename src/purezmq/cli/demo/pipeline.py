"""Scene: PUSH deals tasks to several workers, their results meet in one PULL; each task must be done once."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import purezmq as zmq
from purezmq.cli.demo.content import make_content, make_result, parse_index
from purezmq.cli.demo.result import Result

if TYPE_CHECKING:
    from purezmq.cli.demo.actor import Actor
    from purezmq.cli.demo.stage import Stage

__all__ = ["NAME", "play", "work"]

NAME = "pipeline"
_WORKERS = 3
#: Tasks that may be under way: enough to keep everybody busy, less than any high-water mark.
_WINDOW = 600
#: Results are fetched in batches, so that tasks go out in batches too.
_BATCH = 200


def work(actor: Actor, tasks_endpoint: str, results_endpoint: str) -> None:
    """Role: turn each task into its result, until the stage says that it is over."""
    tasks = actor.open_socket(zmq.PULL)
    tasks.connect(tasks_endpoint)
    results = actor.open_socket(zmq.PUSH)
    results.connect(results_endpoint)
    actor.say_hello()
    done = 0
    while (task := actor.try_receive(tasks)) is not None:
        results.send(make_result(task))
        done += 1
    actor.report(done=done)


class _Sink:
    """Checks results, which come in any order."""

    def __init__(self, socket: zmq.Socket) -> None:
        self._socket = socket
        self._missing: set[int] = set()
        self.right = 0
        self.wrong = 0

    def expect(self, index: int) -> None:
        """Add a task that was sent; when enough are under way, fetch results first."""
        self._missing.add(index)
        if len(self._missing) >= _WINDOW:
            self.fetch(_BATCH)

    def fetch(self, count: int) -> None:
        """Receive and check `count` results."""
        for _ in range(count):
            result = self._socket.recv()
            index = parse_index(result)
            if index in self._missing and result == make_result(make_content(index)):
                self._missing.discard(index)
                self.right += 1
            else:
                self.wrong += 1

    def fetch_rest(self) -> None:
        """Receive whatever is still missing."""
        self.fetch(len(self._missing))


def play(stage: Stage) -> Result:
    """Deal tasks for as long as the stage says, and check that each comes back once."""
    result = Result(NAME, stage.transport)
    tasks = stage.open_socket(zmq.PUSH)
    results = stage.open_socket(zmq.PULL)
    endpoints = stage.bind(tasks), stage.bind(results)
    for _ in range(_WORKERS):
        stage.start(work, *endpoints)
    stage.wait_hello(_WORKERS)
    sink = _Sink(results)
    sent = 0
    started = perf_counter()
    for index in stage.count_until_time_is_up():
        tasks.send(make_content(index))
        sent += 1
        sink.expect(index)
    sink.fetch_rest()
    result.seconds = perf_counter() - started
    done = sum(report["done"] for report in stage.terminate())
    result.count(right=sink.right, expected=sent, wrong=sink.wrong + abs(sent - done))
    return result
