"""The descriptor that a socket gives to the application's own event loop (FD, fileno()).

It is readable when something may have changed since EVENTS was read last: the application then reads EVENTS and
receives until there's nothing left, as with libzmq. Where selectors nest, the application's loop watches the socket's
connections directly, so that a message needs no hop through the I/O thread; elsewhere the I/O thread signals.
"""

from __future__ import annotations

from purezmq.engine.selector import READ, EpollSelector, is_nestable
from purezmq.engine.wakeup import Wakeup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.leader import Leadership

__all__ = ["ExportedFd"]


class ExportedFd:
    """See the module's text; it begins readable, so that a loop looks once. Freed with the last reference."""

    __slots__ = ("_selector", "_wakeup")

    def __init__(self, leadership: Leadership) -> None:
        self._wakeup = Wakeup()
        self._wakeup.set()
        self._selector: EpollSelector | None = None
        if is_nestable():
            self._selector = EpollSelector()
            self._selector.register(self._wakeup.fd, READ)
            if leadership.selector is not None:
                self.watch(leadership)

    def fileno(self) -> int:
        """The descriptor."""
        return self._wakeup.fd if self._selector is None else int(self._selector.fileno())

    def watch(self, leadership: Leadership) -> None:
        """The socket has a selector (now): readable with it, too."""
        if self._selector is not None and leadership.selector is not None:
            self._selector.register(leadership.selector.fileno(), READ)

    def set(self) -> None:
        """Something changed (any thread)."""
        self._wakeup.set()

    def clear(self) -> None:
        """The application looks now."""
        self._wakeup.clear()
