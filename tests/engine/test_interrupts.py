"""Signal handlers that raise, at any moment: nothing stays held, and no message is lost or delivered twice."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support import link, purezmq_only, run_in_thread, zmq

MakeSocket = Callable[..., Any]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    purezmq_only("a pyzmq call is interrupted where libzmq waits, nowhere else"),
]


class Interrupted(BaseException):
    """What the handler raises, as Ctrl-C raises KeyboardInterrupt."""


@contextmanager
def alarms(handler: Callable[..., Any], interval_s: float) -> Iterator[None]:
    """Have a handler called again and again."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, interval_s, interval_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Interruptions:
    """Raises out of whatever runs, but not while the test itself has something to note."""

    def __init__(self) -> None:
        self.count = 0
        self.armed = False

    def __call__(self, *_: Any) -> None:
        if self.armed:
            self.armed = False
            self.count += 1
            raise Interrupted

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call, and return the value; None when it was interrupted."""
        try:
            self.armed = True
            value = function(*args)
            self.armed = False
        except Interrupted:
            return None
        return value


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_p18_interrupted_calls_hold_nothing(make_socket: MakeSocket, transport: str) -> None:
    """Calls that a handler raises out of thousands of times: the next call works, from this thread and from others."""
    dealer, router = make_socket(zmq.DEALER, sndhwm=10), make_socket(zmq.ROUTER, rcvhwm=10)
    link(router, dealer, transport=transport)
    dealer.rcvtimeo = router.rcvtimeo = dealer.sndtimeo = 5
    interruptions = Interruptions()
    attempts = [
        lambda: dealer.send_multipart([b"a", b"b"]),
        router.recv_multipart,
        lambda: router.poll(1),
        lambda: dealer.send(b"x"),
        lambda: zmq.zmq_poll([(router, zmq.POLLIN), (dealer, zmq.POLLIN)], 1),
    ]
    with alarms(interruptions, 0.000_3):
        deadline = time.monotonic() + 4
        while interruptions.count < 3000 and time.monotonic() < deadline:
            for attempt in attempts:
                try:
                    interruptions.run(attempt)
                except zmq.Again:
                    continue
    assert interruptions.count > 500
    for socket in (dealer, router):
        assert not run_in_thread(socket.get, zmq.EVENTS).result() & ~(zmq.POLLIN | zmq.POLLOUT)
        assert not socket._engine.leadership.lead_lock.locked()
