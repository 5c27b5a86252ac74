"""What wakes an event loop for a socket: a descriptor that the loop watches, or a call from the engine's own thread.

Both are told of changes by the engine (`set`), unless they are `deaf`; see `engine.exported_fd` for how no change is
missed. They hold what they ring for weakly while nobody waits, so that a forgotten socket is collected and closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from purezmq.engine.exported_fd import ExportedFd

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from purezmq.asyncio.binding import LoopBinding
    from purezmq.engine.leader import Leadership

__all__ = ["Bell", "CallBell", "FdBell", "make_bell"]


class Bell:
    """What both kinds share.

    Args:
        binding: what rings.

    Attributes:
        tells_of_input: it rings when there is something to read; else the I/O thread reads, and it rings after that.
        held: the binding while somebody waits: the loop keeps it alive then.
    """

    def __init__(self, binding: LoopBinding) -> None:
        self.loop: AbstractEventLoop = binding.loop
        self.held: LoopBinding | None = None
        self._binding = ref(binding)

    def ring(self) -> None:
        """Let the binding look (in its loop)."""
        binding = self._binding()
        if binding is not None:
            binding.handle_event()
        else:
            self.stop()

    def stop(self) -> None:
        """Ring no more until `start` (in the loop)."""
        raise NotImplementedError


class FdBell(ExportedFd, Bell):
    """A descriptor, watched by the loop: messages come without a hop through another thread.

    Args:
        binding: what rings.
        leadership: of the socket.
    """

    tells_of_input = True

    def __init__(self, binding: LoopBinding, leadership: Leadership) -> None:
        ExportedFd.__init__(self, leadership)
        Bell.__init__(self, binding)
        self._is_watched = False

    def start(self) -> None:
        """Ring when something may have changed (in the loop).

        Raises:
            NotImplementedError: this loop can't watch descriptors.
        """
        self.deaf = False
        if not self._is_watched:
            self.loop.add_reader(self.fileno(), self.ring)
            self._is_watched = True

    def stop(self) -> None:
        """See `Bell`."""
        self.deaf = True
        if self._is_watched:
            self._is_watched = False
            if not self.loop.is_closed():
                self.loop.remove_reader(self.fileno())

    def stop_from_any_thread(self) -> None:
        """Ring no more; the descriptor lives until the loop has let go of it."""
        self.deaf = True
        if self._is_watched and not self.loop.is_closed():
            try:
                self.loop.call_soon_threadsafe(self.stop)
            except RuntimeError:  # closed meanwhile
                return


class CallBell(Bell):
    """A call from the thread that made the change, for loops that can't watch descriptors (Windows' proactor)."""

    tells_of_input = False

    def __init__(self, binding: LoopBinding) -> None:
        super().__init__(binding)
        self.deaf = False
        self._is_told = False

    def start(self) -> None:
        """Ring when something may have changed (in the loop)."""
        self.deaf = False

    def stop(self) -> None:
        """See `Bell`."""
        self.deaf = True

    stop_from_any_thread = stop

    def watch(self, leadership: Any) -> None:
        """Nothing: the I/O thread watches descriptors for it."""

    def set(self) -> None:
        """Something changed (any thread)."""
        if not self.deaf and not self._is_told:
            self._is_told = True
            try:
                self.loop.call_soon_threadsafe(self.ring)
            except RuntimeError:  # the loop is closed
                return

    def clear(self) -> None:
        """The application looks now."""
        self._is_told = False


def make_bell(binding: LoopBinding, leadership: Leadership) -> FdBell | CallBell:
    """The bell that this binding's loop can have."""
    bell = FdBell(binding, leadership)
    try:
        bell.start()
    except NotImplementedError:
        return CallBell(binding)
    return bell
