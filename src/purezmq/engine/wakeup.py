"""A descriptor that any thread can make readable: the way to wake a thread that waits in a selector.

The story: a thread that waits for descriptors can't see a flag. So each selector also watches a Wakeup; `set`
makes it readable and may be called any number of times from any thread (or signal handler), `clear` by the one
that woke. An eventfd where the system has it (one descriptor, eight bytes), else a socket pair.
"""

from __future__ import annotations

import os

from purezmq.engine.fence import is_interruption
from purezmq.native import close_descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["Wakeup"]


class Wakeup:
    """See the module's story. `set` and `clear` never block and never raise.

    There is no `close`: the descriptor is freed with the last reference. A thread inside `set` holds one, so its write
    can't go to another connection that got the number meanwhile.
    """

    __slots__ = ("__weakref__", "_pair", "fd")

    def __init__(self) -> None:
        self.fd = -1
        self._pair: tuple[socket.socket, socket.socket] | None = None
        if hasattr(os, "eventfd"):
            self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            return
        from purezmq.transports.native_socket import socketpair

        reader, writer = socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        self._pair = (reader, writer)
        self.fd = reader.fileno()

    def fileno(self) -> int:
        """The descriptor to watch for reading."""
        return self.fd

    def set(self) -> None:
        """Make it readable, from any thread."""
        try:
            if self._pair is None:
                os.eventfd_write(self.fd, 1)
            else:
                self._pair[1].send(b"\0")
        except (OSError, ValueError) as error:  # full: it is readable already
            if is_interruption(error):
                raise

    def clear(self) -> None:
        """Make it unreadable again."""
        try:
            if self._pair is None:
                os.eventfd_read(self.fd)
            else:
                while self._pair[0].recv(4096):
                    pass
        except (OSError, ValueError) as error:
            if is_interruption(error):
                raise

    def __del__(self, close: Callable[[int], None] = close_descriptor) -> None:
        """Free the descriptors."""
        if self._pair is None and self.fd >= 0:  # an eventfd; a pair of sockets frees itself
            close(self.fd)
