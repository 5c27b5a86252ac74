"""pyzmq's path of sockets whose methods return futures, for tornado coroutines: they are those of `purezmq.asyncio`."""

from __future__ import annotations

from asyncio import CancelledError

# Says which extra is missing.
from purezmq.asyncio import Context, Poller, Socket
from purezmq.eventloop.tornado_loop import IOLoop as _IOLoop

__all__ = ["CancelledError", "Context", "Poller", "Socket"]

del _IOLoop
