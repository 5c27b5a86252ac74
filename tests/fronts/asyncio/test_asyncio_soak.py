"""Timeouts race with messages: whatever asyncio cancels in the wrong moment, nothing is lost, doubled or reordered.

``PUREZMQ_SOAK=1000000`` makes this many attempts instead of the few that a run of the test suite has time for.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import Call, bind, zmq

ATTEMPTS = int(os.environ.get("PUREZMQ_SOAK", "20000"))
#: Two ways to wait, one task or several, two kinds of event loops.
ATTEMPTS_PER_TEST = ATTEMPTS // 8
#: Most seconds that an attempt waits: about as long as the sender pauses, so that the two meet in one turn of the loop.
MAX_TIMEOUT_S = 0.0008
ROOT = Path(__file__).parents[3]


@pytest.fixture
def start_sender() -> Iterator[Callable[[str], Any]]:
    """Start the process that sends, to be stopped by closing its stdin."""
    processes = []

    def start(endpoint: str) -> Any:
        command = [sys.executable, str(Path(__file__).with_name("sender.py")), endpoint]
        path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


async def with_wait_for(pull: Any, seconds: float) -> bytes:
    """As programs did before there was `asyncio.timeout`."""
    return await asyncio.wait_for(pull.recv(), seconds)


async def with_timeout(pull: Any, seconds: float) -> bytes:
    """The task is cancelled, perhaps in the turn in which its message came."""
    async with asyncio.timeout(seconds):
        return await pull.recv()


@pytest.mark.timeout(60 + ATTEMPTS / 500)
@pytest.mark.parametrize("attempt", [with_wait_for, with_timeout])
@pytest.mark.parametrize("tasks", [1, 3])
def test_timeouts_against_a_steady_sender_lose_nothing(
    make_socket: Callable[..., Any],
    make_loop: Callable[[], asyncio.AbstractEventLoop],
    start_sender: Callable[[str], Any],
    attempt: Callable[[Any, float], Coroutine[Any, Any, bytes]],
    tasks: int,
) -> None:
    """Every message arrives once and in order; with several tasks, each of them gets its share in order.

    Python 3.11's wait_for may let a task that timed out go on with its message before one that got an earlier message.
    """
    pull = make_socket(zmq.PULL)
    process = start_sender(bind(pull, "tcp"))
    received: list[tuple[int, bytes]] = []
    timeouts = 0
    rng = random.Random(1)

    async def receive_often(task: int) -> None:
        nonlocal timeouts
        for _ in range(ATTEMPTS_PER_TEST // tasks):
            try:
                received.append((task, await attempt(pull, rng.random() * MAX_TIMEOUT_S)))
            except TimeoutError:
                timeouts += 1

    async def main() -> None:
        await asyncio.gather(*map(receive_often, range(tasks)))
        process.stdin.close()
        while not received or received[-1][1] != b"end":
            received.append((0, await pull.recv()))

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())
    count = int(Call(process.stdout.read).result())
    numbers = [int(message) for _, message in received[:-1]]
    assert list(range(count)) == sorted(numbers)
    if tasks == 1 or attempt is with_timeout:
        assert list(range(count)) == numbers
    for task in range(tasks):
        own = [int(message) for by, message in received[:-1] if by == task]
        assert sorted(own) == own
    assert timeouts > ATTEMPTS_PER_TEST // 100
