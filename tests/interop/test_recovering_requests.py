"""Requests to a server that is killed in the midst of them and started again, in processes of both libraries."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from tests.support import TIMEOUT_S, free_endpoint, purezmq_only
from tests.support.fronts import Front

from purezmq.constants import REQ

pytestmark = purezmq_only("a REQ of libzmq waits for ever for a server that is gone")

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "tests" / "interop" / "reply_server.py"
#: Servers killed in each test: 1000 when asked for, else what fits into `KILLS_S` seconds, but `MIN_KILLS` at least.
KILLS = int(os.environ.get("PUREZMQ_TEST_KILLS", "0"))
KILLS_S = 1.5
MIN_KILLS = 3
TRANSPORTS = ("tcp", "ipc") if sys.platform != "win32" else ("tcp",)


class Server:
    """A process of `reply_server`."""

    def __init__(self, library: str, endpoint: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SERVER), library, endpoint],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def wait_until(self, word: str) -> None:
        """Wait until the server says this."""
        assert self.process.stdout is not None
        assert f"{word}\n" == self.process.stdout.readline()

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def kills() -> Iterator[int]:
    """Numbers of rounds, until it is enough."""
    end = time.monotonic() + KILLS_S
    number = 0
    while number < (KILLS or MIN_KILLS) or (not KILLS and time.monotonic() < end):
        yield number
        number += 1


class Killer:
    """Keeps a server running: kills each one that keeps a request, and starts the next."""

    def __init__(self, library: str, endpoint: str) -> None:
        self._start: Callable[[], Server] = lambda: Server(library, endpoint)
        self.killed = 0
        self._stopping = False
        self.server = self._start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            assert self.server.process.stdout is not None
            word = self.server.process.stdout.readline()
            if word == "got\n":
                self.server.kill()
                self.killed += 1
                self.server = self._start()

    def stop(self) -> None:
        """Stop killing."""
        self._stopping = True
        self.server.process.kill()
        self._thread.join(TIMEOUT_S)
        self.server.kill()


@pytest.mark.timeout(3600 if KILLS else 60)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("library", ["purezmq", "zmq"])
def test_killed_server_is_replaced(front: Front, library: str, transport: str) -> None:
    """Whatever is killed in the midst of a request, each request gets its own reply."""
    if library == "zmq":
        pytest.importorskip("zmq")
    endpoint = free_endpoint(transport)
    req: Any = front.socket(REQ, reconnect_ivl=5)
    req.connect(endpoint)
    killer = Killer(library, endpoint)
    try:
        for number in kills():
            question = [b"%d" % number, b"question"]
            assert question == front.call(req.request, question, timeout=4 * TIMEOUT_S, retries=20)
            body = b"%d" % -number
            assert body == front.call(req.request, body, timeout=4 * TIMEOUT_S, retries=20)
    finally:
        killer.stop()
    assert killer.killed > 1


def test_lost_connection_is_not_waited_for(front: Front) -> None:
    """Without retries the end of the connection ends the request, long before its time."""
    endpoint = free_endpoint()
    req: Any = front.socket(REQ)
    with Server("purezmq", endpoint) as server:
        server.wait_until("ready")
        front.call(req.connect, endpoint, wait=TIMEOUT_S)
        assert b"x" == front.call(req.request, b"x", timeout=TIMEOUT_S)
        watcher = threading.Thread(target=lambda: (server.wait_until("got"), server.process.kill()))
        watcher.start()
        with pytest.raises(Exception, match="lost before the reply") as caught:
            front.call(req.request, b"y", timeout=60)
        watcher.join()
    assert endpoint in str(caught.value)
