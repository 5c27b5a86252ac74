"""Errors that the kernel's own calls return, injected by strace into a server: it serves as soon as they end.

`test_fence` has all calls and errors by a fake; here some of them are real, and so is what happens around them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache

import pytest
from tests.support import eventually, purezmq_only
from tests.support.echo_process import EchoProcess
from tests.support.scale import SCALE

STRACE = shutil.which("strace")


@cache
def can_trace() -> bool:
    """Whether strace is here and may trace."""
    if STRACE is None:
        return False
    command = [STRACE, "-f", "-o", "/dev/null", "-e", "trace=getppid", sys.executable, "-c", ""]
    return 0 == subprocess.run(command, check=False, capture_output=True, timeout=20).returncode


pytestmark = [
    purezmq_only("libzmq aborts the process at some of these"),
    pytest.mark.skipif(not can_trace(), reason="strace is not installed, or may not trace (apt-get install strace)"),
]

#: The call, the error, and which of its calls fail: the first ones are those of binding, which have to succeed.
CASES = [
    ("accept4", "EMFILE", "1..5"),
    ("accept4", "ECONNABORTED", "1..3"),
    ("setsockopt", "EINVAL", "6+"),
    ("recvfrom", "ENOBUFS", "2..6"),
    ("recvfrom", "ETIMEDOUT", "3..4"),
    ("sendto", "ENOBUFS", "1..5"),
    ("sendto", "EPIPE", "3..4"),
    ("epoll_ctl", "ENOMEM", "6..8"),
]
#: Each takes a second: these only where time is no matter.
MORE_CASES = [
    ("accept4", "ENFILE", "2..4"),
    ("accept4", "ENOMEM", "2..4"),
    ("accept4", "EPROTO", "2..9"),
    ("setsockopt", "ENOPROTOOPT", "6+"),
    ("recvfrom", "ENOMEM", "2..6"),
    ("recvfrom", "EHOSTUNREACH", "3"),
    ("recvfrom", "EINTR", "1..5"),
    ("sendto", "ENOMEM", "3..9"),
    ("sendto", "ENETDOWN", "2"),
    ("sendto", "EINTR", "1..5"),
    ("epoll_ctl", "ENOSPC", "7..9"),
]


def trace(call: str, error: str, when: str) -> list[str]:
    """The command that injects an error."""
    assert STRACE is not None
    fault = f"inject={call}:error={error}:when={when}"
    return [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", fault]


@pytest.mark.parametrize(("call", "error", "when"), CASES if SCALE < 1 else CASES + MORE_CASES)
def test_v33_v34_error_of_the_kernel_costs_a_connection_at_most(
    start_server: Callable[..., EchoProcess], call: str, error: str, when: str
) -> None:
    """V33, V34: clients that lose their connection by it come again and are served; the process rests in between."""
    server = start_server(prefix=trace(call, error, when))

    def is_served() -> bool:
        client = server.try_client()
        if client is None:
            return False
        try:
            return server.ask(b"question", client) == b"question"
        except (OSError, IndexError):
            return False
        finally:
            client.socket.close()

    for _ in range(5):
        eventually(is_served)
    with server.client() as client:
        before = float(server.ask_for("cpu", client))
        time.sleep(0.2)  # what it takes while nothing happens is measured
        assert float(server.ask_for("cpu", client)) - before < 0.1
