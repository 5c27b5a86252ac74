"""Waiting for something other than a message: the logic is a generator of steps, waiting is somebody else's.

A generator does what needs no waiting, and yields a `Step` where it has to wait; what the step's `look` found comes
back, or None when the time was over. So one text serves every front: `run_steps` blocks the calling thread (or
greenlet), `asyncio.readiness` lets other tasks run. Whoever runs the steps closes the generator in the end, whatever
happens (Ctrl-C and cancellation, too), so that its `finally` undoes what was begun.
"""

from __future__ import annotations

from time import monotonic

from purezmq.engine.burst import flush_thread
from purezmq.native import MAX_SLEEP_S
from purezmq.sockets.socket_state import NewsHint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    from purezmq.sockets.socket_state import SocketState

    _T = TypeVar("_T")
    Steps = Generator["Step", Any, _T]

__all__ = ["Look", "Step", "deadline_after", "run_steps"]


class Step:
    """Something to wait for.

    Args:
        look: returns something true when it has come (lease held); may do something on the way, but must not wait.
            It is asked again when anything changed, and never after it found something.
        deadline: monotonic seconds at which the wait ends; None for never.
    """

    __slots__ = ("deadline", "look")

    def __init__(self, look: Callable[[], Any], deadline: float | None = None) -> None:
        self.look = look
        self.deadline = deadline

    def time_left(self) -> float | None:
        """Seconds until the deadline as far as one sleep can take, 0 when it is over; None for ever."""
        return None if self.deadline is None else min(MAX_SLEEP_S, max(0.0, self.deadline - monotonic()))


class Look(NewsHint):
    """The look of one step as the hint of a wait: takes the lease, and keeps what was found."""

    __slots__ = ("_error", "_look", "_socket", "_value")

    def __init__(self, socket: SocketState, step: Step) -> None:
        self._socket = socket
        self._look = step.look
        self._value: Any = None
        self._error: BaseException | None = None

    def __call__(self) -> bool:
        """Whether the wait is over: by what was found, or by an error."""
        if not self._value and self._error is None:
            try:
                with self._socket._engine.lease.afterwards, self._socket._engine.lease.guard:
                    self._socket._check_open()
                    self._value = self._look()
            except Exception as error:  # noqa: BLE001 - raised by `outcome`, where it belongs
                self._error = error
        return bool(self._value) or self._error is not None

    def outcome(self) -> Any:
        """What was found, None if nothing.

        Raises:
            Exception: what the look raised; ZMQError when the socket can't be used any more.
        """
        if self._error is not None:
            raise self._error
        return self._value or None


def deadline_after(timeout: float | None) -> float | None:
    """The deadline of a wait of so many seconds; None for ever."""
    return None if timeout is None else monotonic() + timeout


def run_steps(socket: SocketState, steps: Steps[_T]) -> _T:
    """Run steps to their end in the calling thread.

    Raises:
        Exception: what the steps raise.
    """
    found = None
    try:
        while True:
            try:
                step = steps.send(found)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # what the generator returns
            found = _wait_for(socket, step)
    finally:
        steps.close()


def _wait_for(socket: SocketState, step: Step) -> Any:
    look = Look(socket, step)
    flush_thread()
    while not look():
        left = step.time_left()
        if left == 0.0:
            socket._engine.leadership.try_pump()
            look()
            break
        socket._wait(left, look)
    return look.outcome()
