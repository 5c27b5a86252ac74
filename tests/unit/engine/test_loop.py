"""The I/O thread: its start and its back-stop."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.support import eventually

from purezmq.engine import loop as loop_module
from purezmq.engine.loop import Loop


class Socket:
    """Left something over; its first flushes may fail."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.flushed = 0

    def flush_left_over(self, now: float) -> bool:
        del now
        if self.failures:
            self.failures -= 1
            raise OSError(12, "no memory")
        self.flushed += 1
        return False


def test_back_stop_whose_socket_raises_serves_the_others_and_comes_again() -> None:
    """One socket's trouble holds up no other, and its own flush is tried again after a pause."""
    loop = Loop("loop under test")
    sockets = [Socket(failures) for failures in (0, 0, 2, 0, 0)]
    try:
        for socket in sockets:
            loop.note_left_over(socket)
        eventually(lambda: all(socket.flushed for socket in sockets))
        assert [1] * 5 == [socket.flushed for socket in sockets]
    finally:
        loop.stop()


@pytest.mark.parametrize("has_begun", [False, True])
def test_interrupted_start_makes_one_thread(monkeypatch: pytest.MonkeyPatch, has_begun: bool) -> None:
    """A signal handler that raises before or after the thread begins leaves a loop that starts once, and stops."""
    start, prepared, raised = loop_module.start_thread, [], []

    def start_thread(function: Any, *arguments: Any) -> None:
        if raised:
            start(function, *arguments)
            return
        raised.append(True)
        if has_begun:
            start(function, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop_module, "start_thread", start_thread)
    loop, done = Loop("loop under test", prepare=lambda: prepared.append(threading.get_ident())), threading.Event()
    with pytest.raises(KeyboardInterrupt):
        loop.call(done.set)
    for _ in range(3):
        loop.call(done.set)
    assert done.wait(10)
    loop.stop()
    assert 1 == len(prepared)
    assert not loop._running.locked()
