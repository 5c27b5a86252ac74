"""pyzmq's ``zmq.utils.garbage``: keeps objects alive until libzmq has sent them.

No C holds memory of Python's here, so there is nothing to collect and no thread; objects that a program stores are kept
until it stops the collector.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from purezmq.sockets.context import Context

if TYPE_CHECKING:
    from threading import Event

__all__ = ["GarbageCollector", "gc", "gcref"]


class gcref(NamedTuple):  # noqa: N801 - pyzmq's name
    """An object that is kept, and the event that is set when it's let go."""

    obj: object
    event: Event | None


class GarbageCollector:
    """Keeps references by number.

    Args:
        context: kept as the attribute of that name; not used.

    Attributes:
        refs: what is kept, by number.
        url: pyzmq's endpoint of the collector; nothing is bound to it here.
    """

    url = "inproc://pyzmq.gc.01"

    def __init__(self, context: Context[Any] | None = None) -> None:
        self.refs: dict[int, gcref] = {}
        self._context = context
        self._numbers = count(1)
        self._alive = False

    @property
    def context(self) -> Context[Any]:
        """The context that was given, or one of its own."""
        if self._context is None:
            self._context = Context()
        return self._context

    @context.setter
    def context(self, context: Context[Any]) -> None:
        self._context = context

    def start(self) -> None:
        """Nothing has to run."""
        self._alive = True

    def stop(self) -> None:
        """Let everything go, and set the events."""
        self._alive = False
        refs, self.refs = self.refs, {}
        for ref in refs.values():
            if ref.event is not None:
                ref.event.set()

    def is_alive(self) -> bool:
        """Whether it was started, by `start` or `store`, and not stopped."""
        return self._alive

    def store(self, obj: object, event: Event | None = None) -> int:
        """Keep an object.

        Args:
            obj: the object.
            event: set when the object is let go.

        Returns:
            The number it is kept under.
        """
        self._alive = True
        number = next(self._numbers)
        self.refs[number] = gcref(obj, event)
        return number


#: The one of the process.
gc = GarbageCollector()
