"""Stopwatch: pyzmq's timer in microseconds."""

from __future__ import annotations

from time import perf_counter_ns

from purezmq.native import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Stopwatch"]


class Stopwatch:
    """Measures a span: ``start()``, then ``stop()``; or as a context manager."""

    def __init__(self) -> None:
        self._started: int | None = None

    def start(self) -> None:
        """Begin.

        Raises:
            RuntimeError: it runs already.
        """
        if self._started is not None:
            text = "the stopwatch runs already"
            raise RuntimeError(text)
        self._started = perf_counter_ns()

    def stop(self) -> int:
        """End.

        Returns:
            Microseconds since `start`.

        Raises:
            RuntimeError: it doesn't run.
        """
        if self._started is None:
            text = "the stopwatch doesn't run"
            raise RuntimeError(text)
        elapsed = (perf_counter_ns() - self._started) // 1000
        self._started = None
        return elapsed

    def sleep(self, seconds: int) -> None:
        """Wait, as libzmq's zmq_sleep."""
        sleep(seconds)

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.stop()
