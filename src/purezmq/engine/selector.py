"""Readiness of descriptors, in one shape over what the system offers.

`EpollSelector` can be watched by another selector through its own descriptor ("nestable"), which is what lets a
blocked application thread lead. Where the system has none, the I/O thread's selector watches every descriptor
itself (`LoopSelector`) and application threads follow.
"""

from __future__ import annotations

import select
import selectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READ", "WRITE", "EpollSelector", "PortableSelector", "is_nestable", "make_selector"]

#: Interest masks and event masks; error and hang-up are reported as READ, where the next read tells the cause.
READ = 1
WRITE = 4


def is_nestable() -> bool:
    """Whether this system's selectors can be watched by another selector."""
    return hasattr(select, "epoll")


class EpollSelector:
    """Linux: epoll. Its masks are epoll's own; changes made by other threads take effect during `poll`."""

    __slots__ = ("_epoll", "close", "fileno", "poll")

    def __init__(self) -> None:
        self._epoll = select.epoll(flags=select.EPOLL_CLOEXEC)
        self.poll = self._epoll.poll
        self.fileno = self._epoll.fileno
        self.close = self._epoll.close

    def register(self, fd: int, mask: int) -> None:
        """Watch a descriptor; a mask of 0 still reports errors."""
        self._epoll.register(fd, mask)

    def modify(self, fd: int, mask: int) -> None:
        """Change what is watched."""
        self._epoll.modify(fd, mask)

    def unregister(self, fd: int) -> None:
        """Watch it no more; one that is closed already is none."""
        try:
            self._epoll.unregister(fd)
        except (OSError, ValueError):
            return


class PortableSelector:
    """Any system: the standard library's best selector, for one thread; other threads' changes wake it first."""

    __slots__ = ("_selector", "_wake")

    def __init__(self, wake: Callable[[], None]) -> None:
        self._selector = selectors.DefaultSelector()
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


def make_selector(wake: Callable[[], None]) -> EpollSelector | PortableSelector:
    """The best selector of this system for the I/O thread."""
    return EpollSelector() if is_nestable() else PortableSelector(wake)
