"""The I/O threads of one context, and which of them serves a socket."""

from __future__ import annotations

from errno import EMFILE

from purezmq.constants import EMTHREAD
from purezmq.engine.fence import report
from purezmq.engine.heap import keep_large_buffers
from purezmq.engine.loop import Loop
from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.engine.loop import Loop as LoopType

__all__ = ["IoThreads", "ThreadSettings"]

#: The kernel's name of a thread has at most this many bytes.
_COMM_MAX = 15
#: The nice value of a thread with a THREAD_PRIORITY, where the scheduling policy knows no priorities (libzmq).
_MOST_URGENT = -20


class ThreadSettings:
    """What the context's options say about its I/O threads.

    Args:
        cpus: the processors they may run on (THREAD_AFFINITY_CPU_ADD); empty: all.
        policy: THREAD_SCHED_POLICY, a number of the module ``os`` such as ``os.SCHED_RR``; -1: the process's.
        priority: THREAD_PRIORITY; -1: the default.
        name_prefix: THREAD_NAME_PREFIX; empty: none.
    """

    __slots__ = ("cpus", "name_prefix", "policy", "priority")

    def __init__(
        self, cpus: frozenset[int] = frozenset(), policy: int = -1, priority: int = -1, name_prefix: str = ""
    ) -> None:
        self.cpus = cpus
        self.policy = policy
        self.priority = priority
        self.name_prefix = name_prefix

    def name(self, index: int) -> str:
        """The name of a thread."""
        name = f"purezmq-io-{index}"
        return f"{self.name_prefix}/{name}" if self.name_prefix else name

    def preparation(self, index: int) -> Callable[[], None] | None:
        """What a thread does first; None when nothing was asked for."""
        if not self.cpus and self.policy < 0 and self.priority < 0 and not self.name_prefix:
            return None
        return lambda: self._prepare(index)

    def _prepare(self, index: int) -> None:
        """Apply the settings to the calling thread. What the system refuses is told once, and changes nothing."""
        self._set_name(index)
        for setting in (self._set_processors, self._set_scheduling):
            try:
                setting()
            except (OSError, ValueError, AttributeError) as error:  # AttributeError: a system without such calls
                report(f"a THREAD_ option of {self.name(index)}", error)

    def _set_name(self, index: int) -> None:
        """Tell the kernel the name, for ``top -H`` and ``ps -L``; where there is no /proc only Python knows it."""
        if not self.name_prefix:
            return
        from _thread import get_native_id

        try:
            with open(f"/proc/self/task/{get_native_id()}/comm", "wb") as file:
                file.write(self.name(index).encode()[:_COMM_MAX])
        except OSError:
            return

    def _set_processors(self) -> None:
        if self.cpus:
            import os

            os.sched_setaffinity(0, self.cpus)

    def _set_scheduling(self) -> None:
        """Policy and priority. Where the policy knows no priority, the nice value stands for it, as in libzmq."""
        import os

        if self.policy < 0 and self.priority < 0:
            return
        policy = os.sched_getscheduler(0) if self.policy < 0 else self.policy
        if policy in {os.SCHED_FIFO, os.SCHED_RR}:
            least = os.sched_get_priority_min(policy)
            os.sched_setscheduler(0, policy, os.sched_param(max(self.priority, least)))
            return
        if self.policy >= 0:
            os.sched_setscheduler(0, policy, os.sched_param(0))
        if self.priority > 0:
            from _thread import get_native_id

            os.setpriority(os.PRIO_PROCESS, get_native_id(), _MOST_URGENT)


class IoThreads:
    """IO_THREADS loops; each starts with the first work it gets.

    On a build with a GIL more than one parallelises the kernel's copies only; on a free-threaded build all of it.

    Raises:
        ZMQError: EMFILE, ENFILE, ENOMEM: the system has no descriptors for them now.
    """

    __slots__ = ("loops",)

    def __init__(self, count: int, settings: ThreadSettings | None = None) -> None:
        keep_large_buffers()
        settings = settings or ThreadSettings()
        try:
            self.loops = [Loop(settings.name(index), settings.preparation(index)) for index in range(max(count, 1))]
        except OSError as error:
            text = f"no socket can be made: {error.strerror}; close descriptors, or raise their limit (ulimit -n)"
            raise make_error(error.errno or EMFILE, text) from error

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
