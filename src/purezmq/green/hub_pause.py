"""How a greenlet waits for an event of a socket: asleep in gevent's hub until any thread wakes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purezmq.green.gevent_hub import Waiter, get_hub
from purezmq.native import allocate_lock

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HubPause"]


class HubPause:
    """One sleep of one greenlet. All but `wake` belongs to the hub's thread."""

    __slots__ = ("_hub", "_lock", "_switch", "_waiter", "_watcher")

    def __init__(self) -> None:
        self._hub = get_hub()
        self._waiter = Waiter(self._hub)
        self._switch: Callable[[Any], None] = self._waiter.switch
        #: gevent frees what the watcher stands for when it is closed; nobody may send to it any more.
        self._lock = allocate_lock()
        self._watcher = self._hub.loop.async_()
        self._watcher.start(self._switch, None)

    def wake(self) -> None:
        """End the sleep (any thread)."""
        with self._lock:
            if self._watcher is not None:
                self._watcher.send()

    def sleep(self, timeout: float | None) -> None:
        """Let other greenlets run until `wake`, at most `timeout` seconds."""
        timer = None if timeout is None else self._hub.loop.timer(timeout)
        try:
            if timer is not None:
                timer.start(self._switch, None)
            self._waiter.get()
        finally:
            if timer is not None:
                timer.stop()
                timer.close()

    def close(self) -> None:
        """Free the watcher. Idempotent."""
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()
            watcher.close()
