"""Sockets of the system as the interpreter made them, whatever gevent put in their place: see `purezmq.native`."""

from __future__ import annotations

from purezmq.native import find_original

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

__all__ = ["NativeSocket", "getaddrinfo", "socketpair"]

if TYPE_CHECKING:
    _Original = socket.socket
else:
    _Original = find_original("socket", "socket")

#: Asks the system's resolver, and blocks the thread meanwhile.
getaddrinfo: Callable[..., list[tuple[Any, ...]]] = find_original("socket", "getaddrinfo")


class NativeSocket(_Original):
    """The standard library's socket, also where ``socket.socket`` is gevent's."""

    __slots__ = ()

    def accept(self) -> tuple[NativeSocket, Any]:
        """Accept a connection; the original makes it of the class that ``socket.socket`` names at the time."""
        # The C method under the original, stable since Python 3.0.
        descriptor, address = self._accept()  # type: ignore[attr-defined]
        return NativeSocket(self.family, self.type, self.proto, fileno=descriptor), address


def socketpair() -> tuple[NativeSocket, NativeSocket]:
    """Two sockets connected to each other."""
    first, second = find_original("socket", "socketpair")()
    return NativeSocket(fileno=first.detach()), NativeSocket(fileno=second.detach())
