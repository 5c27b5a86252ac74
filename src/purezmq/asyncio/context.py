"""Context whose sockets are asynchronous ones."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING, Any

from purezmq.asyncio.socket import Socket
from purezmq.sockets.context import Context as SyncContext

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["Context"]


class Context(SyncContext[Socket]):
    """A context that makes asynchronous sockets. It may be made before any event loop runs.

    Args:
        io_threads: how many I/O threads; 0 for inproc only. Or another context, of which this is a second handle:
            sockets of both meet over inproc.
        shadow: a context, or its `underlying`, of which this is a second handle (closing it doesn't terminate).
    """

    _socket_class = Socket
    # Not the one of the synchronous contexts.
    _instance: Any = None

    async def __aenter__(self) -> Self:
        """The context; it's ended at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the sockets and end the context; what was sent may leave meanwhile (LINGER), and the loop runs on."""
        self._warn_open_sockets("Context")
        if not self.closed:
            for shared in list(self._state.sockets):
                shared.close(None)
            await to_thread(self.destroy)
