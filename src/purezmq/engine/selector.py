"""Readiness of descriptors, in one shape over what the system offers.

`EpollSelector` can be watched by another selector through its own descriptor ("nestable"), which is what lets a
blocked application thread lead. Where the system has none, the I/O thread's selector watches every descriptor
itself (`portable_selector`) and application threads follow.
"""

from __future__ import annotations

from purezmq.engine.fence import is_interruption
from purezmq.native import epoll

__all__ = ["READ", "WRITE", "EpollSelector", "is_nestable"]

#: Interest masks and event masks; error and hang-up are reported as READ, where the next read tells the cause.
READ = 1
WRITE = 4
#: ``select.EPOLL_CLOEXEC``, which gevent leaves where there is no ``epoll`` any more.
_EPOLL_CLOEXEC = 0o2000000


def is_nestable() -> bool:
    """Whether this system's selectors can be watched by another selector."""
    return epoll is not None


class EpollSelector:
    """Linux: epoll. Its masks are epoll's own; changes made by other threads take effect during `poll`."""

    __slots__ = ("_epoll", "close", "fileno", "poll")

    def __init__(self) -> None:
        self._epoll = epoll(flags=_EPOLL_CLOEXEC)
        self.poll = self._epoll.poll
        self.fileno = self._epoll.fileno
        self.close = self._epoll.close

    def register(self, fd: int, mask: int) -> None:
        """Watch a descriptor."""
        self._epoll.register(fd, mask)

    def modify(self, fd: int, mask: int) -> None:
        """Change what is watched; nothing at all for a mask of 0, else a peer that hangs up would be told for ever."""
        if not mask:
            self.unregister(fd)
            return
        try:
            self._epoll.modify(fd, mask)
        except FileNotFoundError:
            self._epoll.register(fd, mask)

    def unregister(self, fd: int) -> None:
        """Watch it no more; one that is closed already is none."""
        try:
            self._epoll.unregister(fd)
        except (OSError, ValueError) as error:
            if is_interruption(error):
                raise
