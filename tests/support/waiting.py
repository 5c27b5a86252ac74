"""Waiting without sleeps: threads with a bounded join, and a retry until a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from tests.support.library import TIMEOUT_S

__all__ = ["Call", "eventually", "run_in_thread"]


class Call:
    """One function call in a thread of its own, whose outcome is asked for with a time limit."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.error: BaseException | None = None
        self.value: Any = None
        self.ended_at = 0.0
        self._function = function
        self._args = args
        self.started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.started.set()
        try:
            self.value = self._function(*self._args)
        except BaseException as error:  # noqa: BLE001 (handed to the thread that asks)
            self.error = error
        self.ended_at = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether the call has not returned yet."""
        return self._thread.is_alive()

    def still_runs_after(self, seconds: float) -> bool:
        """Wait up to `seconds` for the end of the call; True when it still runs then."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def result(self, timeout: float = TIMEOUT_S) -> Any:
        """Return the call's value or raise its error; fail when it doesn't end in `timeout` seconds."""
        self.wait(timeout)
        if self.error is not None:
            raise self.error
        return self.value

    def wait(self, timeout: float = TIMEOUT_S) -> None:
        """Wait for the end of the call, whatever its outcome."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"{self._function} still blocks after {timeout} s"


def run_in_thread(function: Callable[..., Any], *args: Any) -> Call:
    """Start `function` in a daemon thread and return the running call."""
    call = Call(function, *args)
    call.started.wait(TIMEOUT_S)
    return call


def eventually(condition: Callable[[], Any], timeout: float = TIMEOUT_S) -> Any:
    """Ask `condition` until it is true and return its value; fail after `timeout` seconds.

    For what no event announces; prefer a poll with a timeout or an `EventWatch`.
    """
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {condition}"
        pause.wait(0.005)
