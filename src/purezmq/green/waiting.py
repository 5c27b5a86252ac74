"""How a greenlet waits for a socket: asleep in gevent's hub until the socket's descriptor says that something changed.

One `HubWait` per socket and hub owns a descriptor of its own, so that hubs of several threads never take wake-ups from
each other. The hub watches the socket's connections through it directly: a message needs no hop through the I/O thread.
When it becomes readable the hub handles what arrived, then switches to the greenlets that wait:

* receivers one after the other, in the order in which they came, until one of them finds nothing;
* all others (senders, pollers), each of which may wait for something else.

A greenlet that is killed or times out just leaves the queue: messages are taken only by a greenlet that runs.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from purezmq.engine.exported_fd import ExportedFd
from purezmq.green.gevent_hub import Waiter, get_hub
from purezmq.native import get_ident
from purezmq.sockets.socket_state import NewsHint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purezmq.sockets.shared_state import SharedState

__all__ = ["HubWait", "Sleeper", "close_rooms", "hub_wait_of"]

#: gevent's number for "readable".
_READABLE = 1


class Sleeper:
    """One greenlet that sleeps until the first `wake`, or for a time."""

    __slots__ = ("_hub", "_waiter", "receives")

    def __init__(self, hub: Any, *, receives: bool) -> None:
        self._hub = hub
        self._waiter = Waiter(hub)
        #: It waits for a message, and for nothing else.
        self.receives = receives

    def wake(self) -> None:
        """Let it go on; to be called by the hub."""
        self._waiter.switch(None)

    def sleep(self, timeout: float | None) -> None:
        """Let other greenlets run until somebody wakes this one.

        Args:
            timeout: seconds at most; None for ever.
        """
        if timeout is None:
            self._waiter.get()
            return
        timer = self._hub.loop.timer(timeout)
        timer.start(self._waiter.switch, None)
        try:
            self._waiter.get()
        finally:
            timer.stop()
            timer.close()


class HubWait:
    """The greenlets of one hub that wait for one socket. All but `release` belongs to the hub's thread.

    Args:
        shared: the socket.
        hub: gevent's hub of this thread.
    """

    __slots__ = (
        "__weakref__",
        "_descriptor",
        "_is_announced",
        "_is_closed",
        "_leadership",
        "_lookers",
        "_receivers",
        "_shared",
        "_sleeps",
        "_watched_selector",
        "_watcher",
        "hub",
    )

    def __init__(self, shared: SharedState, hub: Any) -> None:
        self.hub = hub
        self._shared = ref(shared)
        self._leadership = shared.engine.leadership
        # Read first: one that comes later is seen by `_announce`.
        self._watched_selector = self._leadership.selector
        self._descriptor = ExportedFd(self._leadership)
        self._descriptor.clear()
        self._watcher = hub.loop.io(self._descriptor.fileno(), _READABLE)
        self._receivers: deque[Sleeper] = deque()
        self._lookers: list[Sleeper] = []
        #: Whoever changes something will call `release`, once.
        self._is_announced = False
        self._is_closed = False
        #: How often a receiver went to sleep, having found nothing.
        self._sleeps = 0

    def wait(self, timeout: float | None, hint: Callable[[], object]) -> None:
        """Sleep until something changed, as `SocketState._wait` says."""
        sleeper = Sleeper(self.hub, receives=not isinstance(hint, NewsHint))
        self.add(sleeper)
        try:
            # Announced first, looked second: what came in between is seen here, what comes later wakes.
            if not hint():
                self._sleeps += sleeper.receives
                sleeper.sleep(timeout)
        finally:
            self.remove(sleeper)

    # -- who sleeps ----------------------------------------------------------------------------------------------

    def add(self, sleeper: Sleeper) -> None:
        """Wake this greenlet, too, when something changes."""
        if not self._receivers and not self._lookers:
            self._watcher.start(self._handle_readable)
            _awake.add(self)
        if sleeper.receives:
            self._receivers.append(sleeper)
        else:
            self._lookers.append(sleeper)
        self._announce()

    def remove(self, sleeper: Sleeper) -> None:
        """Wake it no more. Idempotent."""
        queue: Any = self._receivers if sleeper.receives else self._lookers
        if sleeper in queue:
            queue.remove(sleeper)
        if not self._receivers and not self._lookers:
            self._watcher.stop()
            _awake.discard(self)
            if self._is_closed:
                self._watcher.close()

    def close(self) -> None:
        """The socket is closed: free gevent's watcher as soon as nobody sleeps."""
        self._is_closed = True
        if not self._receivers and not self._lookers:
            self._watcher.close()

    # -- what wakes ----------------------------------------------------------------------------------------------

    def _announce(self) -> None:
        leadership = self._leadership
        if not self._is_announced:
            self._is_announced = True
            leadership.followers.append(self)
        if leadership.selector is not self._watched_selector:
            # The socket's first connection made it.
            self._watched_selector = leadership.selector
            try:
                self._descriptor.watch(leadership)
            except FileExistsError:  # it came while the descriptor was made
                return

    def _forget(self) -> None:
        try:
            self._leadership.followers.remove(self)
        except ValueError:  # somebody took it off, and calls `release` if he hasn't yet
            return
        finally:
            self._is_announced = False

    def release(self) -> None:
        """Something changed (any thread; `Leadership` took this object off its list)."""
        self._is_announced = False
        self._descriptor.set()

    def wake_all(self) -> None:
        """Let every greenlet look."""
        for sleeper in [*self._receivers, *self._lookers]:
            self.remove(sleeper)
            sleeper.wake()

    def _handle_readable(self) -> None:
        shared = self._shared()
        if shared is None or not shared.usable:
            # Each of them raises. In a forked child the descriptor is the parent's, too, and must not be read.
            self.wake_all()
            return
        self._descriptor.clear()
        # Not announced meanwhile, for this is no news to ourselves; announced again before anybody looks.
        self._forget()
        self._leadership.try_pump()
        self._announce()
        for sleeper in list(self._lookers):
            sleeper.wake()
        for _ in range(len(self._receivers)):
            if not self._receivers:
                return
            sleeps = self._sleeps
            self._receivers.popleft().wake()
            if self._sleeps != sleeps:
                return  # a receiver found nothing: so would the next one


#: By the socket; a socket is forgotten in spite of its entry.
_waits: WeakKeyDictionary[SharedState, list[HubWait]] = WeakKeyDictionary()
#: Where greenlets sleep now. A forked child has copies of them.
_awake: set[HubWait] = set()


def hub_wait_of(shared: SharedState) -> HubWait:
    """The waiting room of a socket for greenlets of this thread."""
    hub = get_hub()
    rooms = _waits.get(shared, ())
    for room in rooms:
        if room.hub is hub:
            return room
    room = HubWait(shared, hub)
    _waits[shared] = [*(known for known in rooms if known.hub.loop), room]
    return room


def close_rooms(shared: SharedState) -> None:
    """The socket was closed: free what belongs to this thread's hub."""
    rooms: Iterable[HubWait] = _waits.pop(shared, ())
    for room in rooms:
        if room.hub.thread_ident == get_ident():
            room.close()


def _wake_in_child() -> None:
    """After fork, in the child: its copies of sleeping greenlets learn that their sockets are closed."""
    for room in list(_awake):
        room.hub.loop.run_callback(room.wake_all)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_wake_in_child)
