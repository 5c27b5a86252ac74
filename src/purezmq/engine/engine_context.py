"""What a socket's engine needs of its context: the contexts above it are known here by this protocol only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from purezmq.engine.io_threads import IoThreads
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.pipe import Budget
    from purezmq.transports.inproc import InprocRegistry

__all__ = ["EngineContext"]


class EngineContext(Protocol):
    """What the engine needs of the socket's context."""

    inproc: InprocRegistry

    @property
    def budget(self) -> Budget | None:
        """The bytes that all queues share, where they are limited."""

    @property
    def loops(self) -> IoThreads:
        """The loops."""

    @property
    def swap_thread(self) -> Any:
        """The thread that does the work on disk."""

    @property
    def io_thread_count(self) -> int:
        """IO_THREADS."""

    def handle_engine_closed(self, engine: SocketEngine) -> None:
        """The engine has sent what it could and holds nothing any more (any thread)."""
