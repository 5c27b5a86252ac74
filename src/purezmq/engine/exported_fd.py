"""The descriptor that a socket gives to the application's own event loop (FD, fileno()).

It is readable when something may have changed since EVENTS was read last: the application then reads EVENTS and
receives until there's nothing left, as with libzmq. Where selectors nest, the application's loop watches the socket's
connections directly, so that a message needs no hop through the I/O thread; elsewhere the I/O thread signals.
"""

from __future__ import annotations

from purezmq.engine.selector import READ, EpollSelector, is_nestable
from purezmq.engine.wakeup import Wakeup
from purezmq.native import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.leader import Leadership

__all__ = ["ExportedFd", "attach_exported", "detach_exported"]


class ExportedFd:
    """See the module's text; it begins readable, so that a loop looks once. Freed with the last reference.

    Attributes:
        deaf: nobody needs to be told now: the owner looks by itself after it has cleared this, or waits for nothing.
    """

    __slots__ = ("_is_told", "_lock", "_selector", "_wakeup", "deaf")

    def __init__(self, leadership: Leadership) -> None:
        self._wakeup = Wakeup()
        self._wakeup.set()
        self._is_told = True
        # Told and readable change together, or else, of two threads that set, the slower one leaves it told after a
        # `clear`, but not readable: deaf for ever. Re-entrant, since a signal handler may send in between.
        self._lock = RLock()
        self.deaf = False
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
        if not self.deaf and not self._is_told:
            with self._lock:
                self._wakeup.set()
                self._is_told = True

    def clear(self) -> None:
        """The application looks now, and what comes from here on is told again."""
        if self._is_told:
            with self._lock:
                self._wakeup.clear()
                # Only now: whoever still finds it told made its change before the look that follows.
                self._is_told = False


class _SeveralFds:
    """The descriptors of all event loops that wait for one socket."""

    __slots__ = ("members",)

    def __init__(self, *members: Any) -> None:
        self.members = members

    def watch(self, leadership: Leadership) -> None:
        """See `ExportedFd.watch`."""
        for member in self.members:
            member.watch(leadership)

    def set(self) -> None:
        """See `ExportedFd.set`."""
        for member in self.members:
            member.set()


def attach_exported(leadership: Leadership, exported: Any) -> None:
    """Have one more descriptor (or whatever is like one) told of changes (lease held)."""
    present: Any = leadership.exported
    if present is None:
        leadership.exported = exported
    else:
        members = present.members if isinstance(present, _SeveralFds) else (present,)
        leadership.exported = _SeveralFds(*members, exported)  # type: ignore[assignment]  # it does what one does


def detach_exported(leadership: Leadership, exported: Any) -> None:
    """Tell it no more (lease held)."""
    present: Any = leadership.exported
    if present is exported:
        leadership.exported = None
    elif isinstance(present, _SeveralFds):
        left = [member for member in present.members if member is not exported]
        leadership.exported = left[0] if len(left) == 1 else _SeveralFds(*left)  # type: ignore[assignment]  # as above
