"""The I/O thread's back-stop."""

from __future__ import annotations

from tests.support import eventually

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
