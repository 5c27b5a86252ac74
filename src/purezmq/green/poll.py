"""Poller and zmq_poll for gevent: waiting for several sockets and descriptors lets other greenlets run."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from purezmq.constants import POLLERR as _POLLERR_FLAG
from purezmq.constants import POLLIN as _POLLIN_FLAG
from purezmq.constants import POLLOUT as _POLLOUT_FLAG
from purezmq.constants import POLLPRI as _POLLPRI_FLAG
from purezmq.engine.burst import flush_thread
from purezmq.green.gevent_hub import get_hub
from purezmq.green.waiting import HubWait, Sleeper, hub_wait_of
from purezmq.sockets.poller import EXCEPTION_LOOK_S, make_exception_selector, poll_system, time_left
from purezmq.sockets.poller import Poller as _PlainPoller
from purezmq.sockets.socket_recv import SocketRecv

if TYPE_CHECKING:
    from purezmq.engine.selector import EpollSelector

__all__ = ["Poller", "zmq_poll"]

#: Plain numbers: arithmetic with the enumeration itself costs a microsecond.
POLLIN = int(_POLLIN_FLAG)
POLLOUT = int(_POLLOUT_FLAG)
_EXCEPTIONS = int(_POLLERR_FLAG | _POLLPRI_FLAG)
#: gevent's numbers.
_READABLE, _WRITABLE = 1, 2


class Poller(_PlainPoller):
    """As `purezmq.Poller`, also for gevent's own sockets; blocks its greenlet only."""

    def poll(self, timeout: float | None = -1) -> list[tuple[Any, int]]:
        """Wait until something is ready.

        Args:
            timeout: milliseconds; None or negative to wait for ever; 0 to look without letting other greenlets run.

        Returns:
            As `purezmq.Poller.poll`.

        Raises:
            ContextTerminated: the context of a socket was terminated.
            ZMQError: ENOTSOCK: a socket is closed.
        """
        return zmq_poll(self.sockets, timeout)


def zmq_poll(sockets: list[tuple[Any, int]], timeout: float | None = -1) -> list[tuple[Any, int]]:
    """`Poller.poll` for a list of (thing, flags) pairs.

    Args:
        sockets: sockets, descriptors or objects with ``fileno()``, each with its flags.
        timeout: milliseconds; None or negative to wait for ever.

    Returns:
        Pairs of those that are ready and their events.

    Raises:
        ContextTerminated: the context of a socket was terminated.
        ZMQError: ENOTSOCK: a socket is closed.
    """
    own = [(item, int(flags)) for item, flags in sockets if isinstance(item, SocketRecv)]
    system: list[tuple[Any, int, int]] = []
    for item, flags in sockets:
        if not isinstance(item, SocketRecv):
            number = item if isinstance(item, int) else item.fileno()
            system.append((number, number, int(flags)))
    deadline = None if timeout is None or timeout < 0 else monotonic() + timeout / 1000
    flush_thread()
    for socket, _flags in own:
        if not socket._shared.closed:
            socket._engine.leadership.try_pump()
    while True:
        ready = _look(own, system)
        left = time_left(deadline)
        if ready or left == 0.0:
            return ready
        _sleep(own, system, left)


def _look(own: list[tuple[SocketRecv, int]], system: list[tuple[Any, int, int]]) -> list[tuple[Any, int]]:
    ready: list[tuple[Any, int]] = [(socket, events) for socket, flags in own if (events := socket._events(flags))]
    return ready + poll_system(system, 0.0, [], None)


def _sleep(own: list[tuple[SocketRecv, int]], system: list[tuple[Any, int, int]], timeout: float | None) -> None:
    """Let other greenlets run until something changed."""
    hub = get_hub()
    sleeper = Sleeper(hub, receives=False)
    rooms: list[HubWait] = []
    watchers: list[Any] = []
    selectors: list[EpollSelector] = []

    def watch(number: int, kind: int) -> None:
        watcher = hub.loop.io(number, kind)
        watchers.append(watcher)
        watcher.start(sleeper.wake)

    try:
        for socket, flags in own:
            room = hub_wait_of(socket._shared)
            rooms.append(room)
            room.add(sleeper)
            if flags & POLLOUT:
                with socket._engine.lease.afterwards, socket._engine.lease.guard:
                    socket._engine.mark_room()
        # Announced first, looked second: what came in between is seen here, what comes later wakes.
        if any(socket._events(flags) for socket, flags in own):
            return
        for number, _item, flags in system:
            if flags & (POLLIN | POLLOUT):
                watch(number, (_READABLE if flags & POLLIN else 0) | (_WRITABLE if flags & POLLOUT else 0))
            if flags & _EXCEPTIONS and not flags & POLLIN:
                selector = make_exception_selector(number, flags)
                if selector is None:
                    timeout = EXCEPTION_LOOK_S if timeout is None else min(timeout, EXCEPTION_LOOK_S)
                else:
                    selectors.append(selector)
                    watch(selector.fileno(), _READABLE)
        sleeper.sleep(timeout)
    finally:
        for room in rooms:
            room.remove(sleeper)
        for watcher in watchers:
            watcher.stop()
            watcher.close()
        for selector in selectors:
            selector.close()


#: pyzmq's name inside this module.
_Poller = Poller
