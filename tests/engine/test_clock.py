"""Time: no deadline follows the wall clock, and a clock of ours that starved is no peer's silence."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from tests.support import EventWatch, purezmq_only, zmq
from tests.support.peer_process import PeerProcess

import purezmq

MakeSocket = Callable[..., Any]

PACKAGE = Path(purezmq.__file__).parent
ROOT = Path(__file__).parents[2]
FAKETIME = [
    path
    for folder in ("/usr/lib", "/usr/lib64", "/usr/local/lib")
    for path in sorted(Path(folder).glob("**/faketime/libfaketime.so.1"))
]

pytestmark = purezmq_only("this is about our own clock")


def wall_clock_calls(path: Path) -> list[ast.Call]:
    """The calls in a file that ask for the time of day."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
        if alias.name in {"time", "time_ns"}
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in imported or name in {"time.time", "time.time_ns", "datetime.now", "datetime.datetime.now"}:
            found.append(node)
    return found


def test_p24_v44_no_deadline_is_of_the_wall_clock() -> None:
    """V44: the time of day stands in events and statistics only, where it's stored as it is: nothing is reckoned."""
    stamps = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        calls = wall_clock_calls(path)
        if not calls:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for call in calls:
            parent = next(node for child, node in parents.items() if ast.dump(child) == ast.dump(call))
            is_stored = isinstance(parent, (ast.Assign, ast.keyword))
            is_shown = bool({"log", "auth"} & set(path.parts))  # a log or a certificate shows it, and reckons nothing
            assert is_stored or is_shown, f"{path}:{call.lineno}"
            stamps.add(path.relative_to(PACKAGE).as_posix())
    assert stamps
    assert stamps <= {
        "auth/certs.py",
        "engine/announcer.py",
        "engine/inproc.py",
        "engine/socket_engine.py",
        "log/__main__.py",
    }


JUMPS = """
import sys, time, threading
import purezmq as zmq
def jump(text):
    with open(sys.argv[1], "w") as file:
        file.write(text)
context = zmq.Context()
pull, push = context.socket(zmq.PULL, heartbeat_ivl=100), context.socket(zmq.PUSH, heartbeat_ivl=100)
events = pull.events(timeout=0)
pull.bind("tcp://127.0.0.1:*")
push.connect(pull.last_endpoint)
push.send(b"before")
assert pull.recv(timeout=5) == b"before"
for text in ("+2h", "-1d", "+1d"):
    wall, started = time.time(), time.monotonic()
    jump(text)
    assert abs(time.time() - wall) > 3600, "the clock did not jump"
    assert not pull.poll(400)
    assert 0.35 < time.monotonic() - started < 5, "a wait of 0.4 s"
    push.send(text.encode())
    assert pull.recv(timeout=5) == text.encode()
assert "disconnected" not in [event.kind for event in events]
print("well", flush=True)
"""


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed (package faketime)")
def test_p24_v44_clock_that_jumps(tmp_path: Path) -> None:
    """Two hours ahead, a day back: no wait ends early or hangs, no peer is taken for dead, messages pass."""
    stamp = tmp_path / "stamp"
    stamp.write_text("+0h")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", JUMPS, str(stamp)],
        env=environment, capture_output=True, text=True, check=False, timeout=40,
    )  # fmt: skip
    assert (0, "well\n") == (done.returncode, done.stdout), done.stderr


INTERVAL_S = 0.1


@pytest.mark.parametrize("library", ["purezmq", "zmq"])
def test_p14_starved_clock_is_not_the_peers_silence(
    make_socket: MakeSocket, make_peer: Callable[..., PeerProcess], library: str
) -> None:
    """A call that keeps the interpreter for itself over many heartbeat intervals: the peer isn't taken for dead."""
    dealer = make_socket(zmq.DEALER, heartbeat_ivl=int(INTERVAL_S * 1000), heartbeat_timeout=int(INTERVAL_S * 1000))
    peer = make_peer(library)
    peer.open("s", "DEALER")
    link_to(dealer, peer)
    with EventWatch(dealer, zmq.EVENT_DISCONNECTED) as events:
        for _ in range(3):
            started = time.monotonic()
            while time.monotonic() - started < 4 * INTERVAL_S:
                sum(repeat(1, 50_000_000))  # one instruction of the interpreter: no other thread runs
            peer.send("s", [b"alive"])
            assert b"alive" == dealer.recv()
        assert events.next(3 * INTERVAL_S) is None


def link_to(socket: Any, peer: PeerProcess) -> None:
    """Bind, and have the peer connect."""
    with EventWatch(socket) as events:
        socket.bind("tcp://127.0.0.1:*")
        peer.connect("s", socket.last_endpoint.decode().rstrip("\0"))
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
