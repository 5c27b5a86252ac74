"""pyzmq's ``zmq.utils.win32``: make Ctrl-C end a wait on Windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["allow_interrupt"]


class allow_interrupt:  # noqa: N801 - pyzmq's name
    """A context manager in which Ctrl-C ends a wait; here it does so everywhere, because Python itself waits.

    Args:
        action: called on the way out if the block ended by Ctrl-C (pyzmq calls it from Windows' console thread).
    """

    def __init__(self, action: Callable[[], Any] | None = None) -> None:
        self._action = action

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is KeyboardInterrupt and self._action is not None:
            self._action()
