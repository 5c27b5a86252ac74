"""What a thread wrote and nobody flushed yet: it's flushed before the thread waits for anything.

In a file of its own because every call that waits asks here: the rest of the engine is imported with the first socket.
"""

from __future__ import annotations

from purezmq.native import ThreadLocal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.socket_engine import SocketEngine

__all__ = ["flush_thread", "thread_state"]


class _ThreadState(ThreadLocal):
    """The sockets that a thread wrote to since it last blocked: it flushes them before it blocks again."""

    def __init__(self) -> None:
        self.engines: set[SocketEngine] = set()


#: Whether the calling thread has anything to flush is a look at this object's `engines`.
thread_state = _ThreadState()


def flush_thread() -> None:
    """Write out what the calling thread's burst left unwritten; before it waits for anything (any thread)."""
    engines = thread_state.engines
    while engines:
        engines.pop().flush_dirty()
