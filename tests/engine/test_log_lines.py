"""What the library writes without being asked: a program that doesn't log sees nothing of drops, and all of faults."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from tests.support import purezmq_only

pytestmark = purezmq_only("libzmq has no log")

#: A publisher that drops, as its engine tells it.
PROGRAM = """
import sys, threading
{imports}
import purezmq as zmq

def is_writing():
    return any(thread.name == "purezmq-log" for thread in threading.enumerate())

context = zmq.Context()
pub, sub = context.socket(zmq.PUB), context.socket(zmq.SUB)
sub.subscribe(b"")
sub.connect(f"tcp://127.0.0.1:{{pub.bind_to_random_port('tcp://127.0.0.1')}}")
for _ in range(1000):
    with pub._engine.lease:
        pub._engine.tell("message_dropped", endpoint="tcp://a:1", count=2, reason="newest")
while is_writing():
    pass
{then}
context.destroy(0)
while is_writing():
    pass
"""


def run(imports: str = "", then: str = "") -> Any:
    """Run the program; what it wrote."""
    words = [sys.executable, "-c", PROGRAM.format(imports=imports, then=then)]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)


@pytest.mark.parametrize("imports", ["", "import logging"])
def test_program_that_does_not_log_sees_nothing(imports: str) -> None:
    """Not on stderr, whether logging was imported or not."""
    assert "" == run(imports).stderr


def test_program_that_does_not_log_imports_nothing() -> None:
    """Neither logging nor what makes events."""
    then = "print(*({'logging', 'dataclasses', 'purezmq.engine.announcer'} & set(sys.modules)))"
    assert "\n" == run(then=then).stdout


def test_program_that_logs_sees_every_message_in_two_lines() -> None:
    """The first at once, the rest with the end of the socket."""
    lines = run("import logging; logging.basicConfig(format='%(levelname)s %(name)s %(message)s')").stderr.splitlines()
    assert [
        "WARNING purezmq dropped 2 messages for tcp://a:1: newest 2; see socket.stats()",
        "WARNING purezmq dropped 1998 messages for tcp://a:1: newest 1998; see socket.stats()",
    ] == lines


def test_reports_of_faults_stay_visible() -> None:
    """After lines that nobody saw, an error of the engine still goes to stderr by itself."""
    then = "from purezmq.engine.fence import report; report('something', ValueError('why'))"
    stderr = run("import logging", then).stderr
    assert "something failed" in stderr
    assert "dropped" not in stderr
