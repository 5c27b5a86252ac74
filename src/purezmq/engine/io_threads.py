"""The I/O threads of one context, and which of them serves a socket."""

from __future__ import annotations

from purezmq.constants import EMTHREAD
from purezmq.engine.heap import keep_large_buffers
from purezmq.engine.loop import Loop
from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.loop import Loop as LoopType

__all__ = ["IoThreads"]


class IoThreads:
    """IO_THREADS loops; each starts with the first work it gets.

    On a build with a GIL more than one parallelises the kernel's copies only; on a free-threaded build all of it.
    """

    __slots__ = ("loops",)

    def __init__(self, count: int) -> None:
        keep_large_buffers()
        self.loops = [Loop(f"purezmq-io-{index}") for index in range(max(count, 1))]

    def choose(self, affinity: int) -> LoopType:
        """The least loaded loop among those that AFFINITY allows (a bit per loop, 0 for all).

        Raises:
            ZMQError: EMTHREAD: the mask names no existing I/O thread.
        """
        allowed = [loop for index, loop in enumerate(self.loops) if not affinity or affinity >> index & 1]
        if not allowed:
            raise make_error(
                EMTHREAD, f"AFFINITY {affinity:#x} names none of the context's {len(self.loops)} I/O threads"
            )
        chosen = min(allowed, key=lambda loop: loop.load)
        chosen.load += 1
        return chosen

    def stop(self) -> None:
        """End all threads."""
        for loop in self.loops:
            loop.stop()

    def abandon(self) -> None:
        """Free the descriptors in a forked child, where the threads don't exist."""
        for loop in self.loops:
            loop.abandon()
