"""The role of a worker that spills to disk beside plain file I/O, in turns: what the swap costs, without a network.

A publisher spills to a subscriber of the same process (inproc) that doesn't read, then the subscriber reads. Between
the chunks as many of the same messages are written to a file: in turns, because what a write costs changes from second
to second with the memory that the system has at hand, or has to get first. Half of that file is read before the
subscriber reads, and half after.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.cli.bench.worker import Control

__all__ = ["ROLES"]

#: Bytes that are written in one turn; the first of them stay in memory.
CHUNK = 64 << 20
#: Turns at most: 2 GB.
MAXIMUM_TURNS = 32
MINIMUM_TURNS = 3
#: What both files take is at most this part of the free space: temporary files may lie in memory.
SPACE_SHARE = 4


def most_turns() -> int:
    """Return how many turns the directory for temporary files has space for."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return max(MINIMUM_TURNS, min(MAXIMUM_TURNS, free // (SPACE_SHARE * 2 * CHUNK)))


def measure(work: Callable[[], None]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(turn: int, ours: Callable[[], None], plain: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of both; each comes first in every other turn."""
    if turn % 2:
        seconds = measure(plain)
        return measure(ours), seconds
    seconds = measure(ours)
    return seconds, measure(plain)


def swap(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """Spill until the span is over, or 2 GB are there, or a part of the free space; then receive all of it.

    Raises:
        ValueError: A message is missing, or not the one that it should be.
    """
    size = options["size"]
    count, limit = CHUNK // size, most_turns()
    context = zmq.Context.instance()
    publisher, subscriber = context.socket(zmq.PUB), context.socket(zmq.SUB)
    publisher.sndhwm = subscriber.rcvhwm = 10
    publisher.overflow, publisher.swap = "spill", 2 * MAXIMUM_TURNS * CHUNK
    publisher.bind("inproc://swap")
    subscriber.subscribe(b"")
    subscriber.connect("inproc://swap")
    body, sent = os.urandom(size - 8), itertools.count()

    def make(number: int) -> bytes:
        return number.to_bytes(8, "big") + body

    def spill() -> None:
        for number in itertools.islice(sent, count):
            publisher.send(make(number))

    def receive(turns: int) -> None:
        for number in range(count * turns):
            if subscriber.recv()[:8] != number.to_bytes(8, "big"):
                raise ValueError(f"message {number} is not what was published")

    with tempfile.TemporaryFile(buffering=0) as file:

        def write() -> None:
            for number in range(count):
                file.write(make(number))

        def read(turns: int) -> None:
            for _ in range(count * turns):
                file.read(size)

        ways_in = [take_turns(0, spill, write)]
        while len(ways_in) < MINIMUM_TURNS or (
            len(ways_in) < limit and sum(ours for ours, _ in ways_in) < options["span"]
        ):
            ways_in.append(take_turns(len(ways_in), spill, write))
        turns = len(ways_in)
        file.seek(0)
        read_seconds = measure(lambda: read(turns // 2))
        out = measure(lambda: receive(turns))
        read_seconds += measure(lambda: read(turns - turns // 2))
    into, write_seconds = map(sum, zip(*ways_in, strict=True))
    control.report(count=count * turns, into=into, write=write_seconds, out=out, read=read_seconds)


ROLES: dict[str, Callable[[Any, dict[str, Any], Control], None]] = {"swap": swap}
