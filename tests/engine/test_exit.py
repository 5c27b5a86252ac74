"""The end of a process that leaves messages behind: within a stated time, and with one line that says what is lost."""

from __future__ import annotations

import os
import re
import socket as system_socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support import free_endpoint, purezmq_only
from tests.support.raw_peer import RawPeer

from purezmq.engine.forking import EXIT_LINGER_S

pytestmark = purezmq_only("libzmq waits for ever, or says nothing")

ROOT = Path(__file__).parents[2]

SYNC = """
import sys, time, purezmq as zmq
context = zmq.Context()
push = context.socket(zmq.PUSH)
push.linger = -1
push.connect(sys.argv[1], wait=float(sys.argv[4]) if sys.argv[4] else None)
for _ in range(int(sys.argv[2])):
    push.send(bytes(int(sys.argv[3])))
print(time.time(), flush=True)
"""
ASYNC = """
import asyncio, sys, time, purezmq as zmq, purezmq.asyncio
async def main():
    global context, push
    context = purezmq.asyncio.Context()
    push = context.socket(zmq.PUSH)
    push.linger = -1
    if sys.argv[4]:
        await push.connect(sys.argv[1], wait=float(sys.argv[4]))
    else:
        push.connect(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        await push.send(bytes(int(sys.argv[3])))
asyncio.run(main())
print(time.time(), flush=True)
"""
FRONTS = {"sync": SYNC, "asyncio": ASYNC}
#: What an interpreter takes to end, on a busy machine.
SLACK_S = 5.0


def run(front: str, endpoint: str, count: int, size: int, wait: str, logging: str = "") -> subprocess.Popen[str]:
    """Start a program that ends with messages in its queue; `wait` is how long it waits for the connection."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", f"{logging}\n{FRONTS[front]}", endpoint, str(count), str(size), wait],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def end_of(process: subprocess.Popen[str]) -> tuple[float, list[str]]:
    """Seconds from the program's last line to its end, and what it wrote to stderr."""
    try:
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert 0 == process.returncode, errors
    return time.time() - float(output), errors.splitlines()


@pytest.mark.parametrize("logging", ["", "import logging"])
@pytest.mark.parametrize("front", FRONTS)
def test_peer_that_was_never_there(front: str, logging: str) -> None:
    """Nobody to wait for: the process ends at once, and says what it had for whom."""
    endpoint = free_endpoint()
    duration, lines = end_of(run(front, endpoint, 3, 10, "", logging))
    assert [f"not delivered at exit: 3 messages for {endpoint}"] == lines
    assert EXIT_LINGER_S + SLACK_S > duration


@pytest.mark.parametrize("logging", ["", "import logging"])
@pytest.mark.parametrize("front", FRONTS)
def test_peer_that_does_not_read(front: str, logging: str) -> None:
    """The process waits as long as it says, no longer; the line counts what did not leave whole."""
    with system_socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        process = run(front, endpoint, 100, 1_000_000, "10", logging)
        connection, _ = server.accept()
        with RawPeer(connection) as peer:
            peer.shake_hands("PULL")
            duration, lines = end_of(process)
    (line,) = lines
    found = re.fullmatch(r"not delivered at exit: (\d+) messages for " + re.escape(endpoint), line)
    assert found is not None, line
    assert 0 < int(found[1]) <= 100
    assert EXIT_LINGER_S * 0.9 <= duration < EXIT_LINGER_S + SLACK_S


@pytest.mark.parametrize("front", FRONTS)
def test_peer_that_reads(front: str) -> None:
    """Everything leaves and nothing is said."""
    with system_socket.create_server(("127.0.0.1", 0)) as server:
        process = run(front, f"tcp://127.0.0.1:{server.getsockname()[1]}", 3, 1_000_000, "10")
        connection, _ = server.accept()
        with RawPeer(connection) as peer:
            peer.shake_hands("PULL")
            for _ in range(3):
                flags, body = peer.receive_frame()
                assert (2, 1_000_000) == (flags, len(body))
            _, lines = end_of(process)
    assert [] == lines
