"""The I/O thread's selector where the system has no epoll: `selectors.DefaultSelector` behind the shape of `selector`.

In a file of its own because a system with epoll never needs `selectors`.
"""

from __future__ import annotations

import selectors

from purezmq.engine.selector import READ, WRITE
from purezmq.native import is_patched, select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["PortableSelector"]


class PortableSelector:
    """Any system: the standard library's best selector, for one thread; other threads' changes wake it first."""

    __slots__ = ("_selector", "_wake")

    def __init__(self, wake: Callable[[], None]) -> None:
        self._selector = _make_selector()
        self._wake = wake

    def register(self, fd: int, mask: int) -> None:
        """Watch a descriptor."""
        if mask:
            self._selector.register(fd, _to_portable(mask))
            self._wake()

    def modify(self, fd: int, mask: int) -> None:
        """Change what is watched; selectors can't watch nothing, so a mask of 0 unregisters."""
        self.unregister(fd)
        self.register(fd, mask)

    def unregister(self, fd: int) -> None:
        """Watch it no more."""
        try:
            self._selector.unregister(fd)
        except (KeyError, ValueError, OSError):
            return
        self._wake()

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """Wait for readiness; seconds, None or negative for ever."""
        wait = None if timeout is None or timeout < 0 else timeout
        try:
            ready = self._selector.select(wait)
        except OSError:  # a descriptor was closed by another thread meanwhile: look again next turn
            return []
        return [(key.fd, _from_portable(mask)) for key, mask in ready]

    def close(self) -> None:
        """Free what the system gave."""
        self._selector.close()


def _to_portable(mask: int) -> int:
    portable = selectors.EVENT_READ if mask & READ else 0
    return portable | selectors.EVENT_WRITE if mask & WRITE else portable


def _from_portable(mask: int) -> int:
    return (READ if mask & selectors.EVENT_READ else 0) | (WRITE if mask & selectors.EVENT_WRITE else 0)


def _make_selector() -> selectors.BaseSelector:
    """The system's best selector; where gevent has taken those away, one over its plain select()."""
    if not is_patched("select"):
        return selectors.DefaultSelector()
    selector = selectors.SelectSelector()
    # The call to the system, which would be gevent's; a method of its own, so that this works on every system.
    selector._select = _select  # type: ignore[attr-defined]  # private, and the same since Python 3.4
    return selector


def _select(
    readers: Any, writers: Any, _broken: Any, timeout: float | None = None
) -> tuple[list[int], list[int], list[int]]:
    readable, writable, broken = select(readers, writers, writers, timeout)
    return readable, writable + broken, []
