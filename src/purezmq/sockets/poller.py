"""Poller: waits for 0MQ sockets, descriptors and objects with ``fileno()`` in one call.

For the time of a call the polling thread leads every socket that nobody else leads, so that a message needs no hop
through the I/O thread; where another thread leads, it is released like any follower, by a descriptor.
"""

from __future__ import annotations

import os
import select as _select
from time import monotonic

from purezmq import constants, native
from purezmq.engine.burst import flush_thread
from purezmq.engine.leader import MAX_SPINS_TO_SKIP, SPIN_S, sched_yield
from purezmq.engine.selector import READ, EpollSelector, is_nestable
from purezmq.engine.wakeup import Wakeup
from purezmq.sockets.socket_recv import SocketRecv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["Poller", "select", "zmq_poll"]

#: Plain numbers: arithmetic with the enumeration itself costs a microsecond.
POLLIN = int(constants.POLLIN)
POLLOUT = int(constants.POLLOUT)
POLLPRI = int(constants.POLLPRI)
POLLERR = int(constants.POLLERR)
_BOTH = POLLIN | POLLOUT
#: The longest time that the system's poll takes.
MAX_POLL_MS = 2**31 - 1
#: See `make_exception_selector` (seconds).
EXCEPTION_LOOK_S = 0.05


class _PollWaiter:
    """A waiter that wakes a thread which sleeps in the system's poll."""

    __slots__ = ("release", "wakeup")

    def __init__(self) -> None:
        self.wakeup = Wakeup()
        self.release = self.wakeup.set


class _PollState(native.ThreadLocal):
    """What a polling thread keeps from call to call: descriptors are dear."""

    def __init__(self) -> None:
        self.waiter = _PollWaiter()
        #: As in `leader`: how many calls sleep at once, because looking again for a moment was in vain.
        self.spins_to_skip = 0
        self.spin_penalty = 1


_state = _PollState()
if hasattr(os, "register_at_fork"):
    # A forked child must not read the wake-ups of its parent.
    os.register_at_fork(after_in_child=_state.__init__)  # type: ignore[misc]  # makes it anew, on purpose


class Poller:
    """A set of things to wait for. Not to be changed by one thread while another polls it."""

    sockets: list[tuple[Any, int]]

    def __init__(self) -> None:
        self.sockets = []
        self._map: dict[Any, int] = {}

    def __contains__(self, socket: Any) -> bool:
        """Whether it is registered."""
        return socket in self._map

    def register(self, socket: Any, flags: int = _BOTH) -> None:
        """Wait for this, too; again to change the flags.

        Args:
            socket: a 0MQ socket, a descriptor, or an object with ``fileno()``.
            flags: POLLIN, POLLOUT, POLLPRI, POLLERR; 0 removes it.
        """
        if not flags:
            if socket in self._map:
                self.unregister(socket)
            return
        if socket in self._map:
            index = self._map[socket]
            self.sockets[index] = (socket, int(flags))
        else:
            self._map[socket] = len(self.sockets)
            self.sockets.append((socket, int(flags)))

    def modify(self, socket: Any, flags: int = _BOTH) -> None:
        """Change the flags of a registered thing."""
        self.register(socket, flags)

    def unregister(self, socket: Any) -> None:
        """Wait for it no more.

        Raises:
            KeyError: it isn't registered.
        """
        index = self._map.pop(socket)
        self.sockets.pop(index)
        for position in range(index, len(self.sockets)):
            self._map[self.sockets[position][0]] = position

    def poll(self, timeout: float | None = None) -> list[tuple[Any, int]]:
        """Wait until something is ready.

        Args:
            timeout: milliseconds; None or negative to wait for ever.

        Returns:
            Pairs of the registered thing (a descriptor for objects with ``fileno()``, as pyzmq) and its events;
            empty when the time is over.

        Raises:
            ContextTerminated: the context of a socket was terminated.
            ZMQError: ENOTSOCK: a socket is closed.
        """
        return poll_items(self.sockets, timeout)


def poll_items(items: list[tuple[Any, int]], timeout: float | None) -> list[tuple[Any, int]]:
    """`Poller.poll` for a plain list of pairs."""
    sockets = [(item, flags) for item, flags in items if isinstance(item, SocketRecv)]
    system: list[tuple[Any, int, int]] = []
    for item, flags in items:
        if not isinstance(item, SocketRecv):
            number = item if isinstance(item, int) else item.fileno()
            system.append((number, number, flags))
    deadline = None if timeout is None or timeout < 0 else monotonic() + timeout / 1000
    flush_thread()
    for socket, _flags in sockets:
        if not socket._shared.closed:
            socket._engine.leadership.try_pump()
    while True:
        ready = [(socket, events) for socket, flags in sockets if (events := socket._events(flags))]
        left = 0.0 if ready else time_left(deadline)
        if left == 0.0:
            return ready + poll_system(system, 0.0, [], None)
        if _spin(sockets, system, left):
            continue
        found = _wait(sockets, system, left)
        if found or (left is not None and deadline is not None and monotonic() >= deadline):
            return [
                *((socket, events) for socket, flags in sockets if (events := socket._events(flags))),
                *found,
            ]


def time_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - monotonic(), 0.0)


def _spin(sockets: list[tuple[SocketRecv, int]], system: list[Any], timeout: float | None) -> bool:
    """Look again for a moment before sleeping, as a leader does (see there); whether something may have changed."""
    if system or not sockets or (timeout is not None and timeout < SPIN_S):
        return False
    if _state.spins_to_skip:
        _state.spins_to_skip -= 1
        return False
    end = monotonic() + SPIN_S
    while True:
        for socket, flags in sockets:
            socket._engine.leadership.try_pump()
            if flags & POLLIN and socket._recv_hint():
                _state.spin_penalty = 1
                return True
        if monotonic() >= end:
            _state.spins_to_skip = _state.spin_penalty = min(_state.spin_penalty * 2, MAX_SPINS_TO_SKIP)
            return False
        sched_yield()


def _wait(
    sockets: list[tuple[SocketRecv, int]], system: list[tuple[Any, int, int]], timeout: float | None
) -> list[tuple[Any, int]]:
    """Sleep until a socket changed or a descriptor of the system is ready; the latter are returned."""
    waiter = _state.waiter
    waiter.wakeup.clear()
    engines = [socket._engine for socket, _flags in sockets]
    token: list[None] = []  # of this wait, in which this thread leads what it can
    descriptors: list[int] = []
    try:
        for engine in engines:
            engine.leadership.followers.append(waiter)
            selector = engine.leadership.try_lead_for_poller(token) if is_nestable() else None
            if selector is not None:
                descriptors.append(selector.fileno())
        for socket, flags in sockets:
            if flags & POLLOUT:
                with socket._engine.lease.afterwards, socket._engine.lease.guard:
                    socket._engine.mark_room()
        # Announced first, looked second: what came in between is seen here, what comes later releases the waiter.
        if any(socket._events(flags) for socket, flags in sockets):
            timeout = 0.0
        return poll_system(system, timeout, descriptors, waiter.wakeup)
    finally:
        try:
            _end_leads(engines, token)
        except BaseException:  # a signal handler raised in the midst of it
            _end_leads(engines, token)
            raise
        for engine in engines:
            _forget(engine, waiter)
            engine.leadership.try_pump()


def _end_leads(engines: list[Any], token: object) -> None:
    for engine in engines:
        engine.leadership.end_lead_for_poller(token)


def _forget(engine: Any, waiter: _PollWaiter) -> None:
    try:
        engine.leadership.followers.remove(waiter)
    except ValueError:  # whoever woke us took it out
        return


def poll_system(
    system: list[tuple[Any, int, int]], timeout: float | None, descriptors: list[int], wakeup: Wakeup | None
) -> list[tuple[Any, int]]:
    """Poll descriptors of the system, and those of our own selectors, which are not reported."""
    if not system and timeout == 0.0 and not descriptors:
        return []
    if native.poll is None:
        return _select_system(system, timeout, wakeup)
    poll = native.poll()
    for number, _item, flags in system:
        poll.register(number, _to_system(flags))
    for number in descriptors:
        poll.register(number, READ)
    if wakeup is not None:
        poll.register(wakeup.fd, READ)
    events = dict(poll.poll(None if timeout is None else min(max(0, -int(-timeout * 1000 // 1)), MAX_POLL_MS)))
    found = [(item, _from_system(events.get(number, 0)) & (flags | POLLERR)) for number, item, flags in system]
    return [(item, mask) for item, mask in found if mask]


def make_exception_selector(number: int, flags: int) -> EpollSelector | None:
    """What becomes readable when a descriptor is in error, or has urgent data if the flags say POLLPRI.

    For event loops: they watch a descriptor for reading, which wakes them for ever while data lie that nobody wants.

    Returns:
        A selector, to be watched by its `fileno` and closed afterwards; None where selectors don't nest: then look
        every `EXCEPTION_LOOK_S`.
    """
    if not is_nestable():
        return None
    selector = EpollSelector()
    selector.register(number, _to_system(flags & POLLPRI))  # errors are told unasked
    return selector


def _select_system(
    system: list[tuple[Any, int, int]], timeout: float | None, wakeup: Wakeup | None
) -> list[tuple[Any, int]]:
    """The same where there is no poll (Windows)."""
    readers = [number for number, _, flags in system if flags & POLLIN]
    writers = [number for number, _, flags in system if flags & POLLOUT]
    errors = [number for number, _, _ in system]
    readable, writable, broken = native.select(
        readers if wakeup is None else [*readers, wakeup.fd], writers, errors, timeout
    )
    found: list[tuple[Any, int]] = []
    for number, item, _flags in system:
        events = (POLLIN if number in readable else 0) | (POLLOUT if number in writable else 0)
        events |= POLLERR if number in broken else 0
        if events:
            found.append((item, int(events)))
    return found


def _to_system(flags: int) -> int:
    mask = _select.POLLIN if flags & POLLIN else 0
    mask |= _select.POLLOUT if flags & POLLOUT else 0
    return mask | (_select.POLLPRI if flags & POLLPRI else 0)


def _from_system(mask: int) -> int:
    flags = int(POLLIN) if mask & _select.POLLIN else 0
    flags |= int(POLLOUT) if mask & _select.POLLOUT else 0
    flags |= int(POLLPRI) if mask & _select.POLLPRI else 0
    return flags | (int(POLLERR) if mask & (_select.POLLERR | _select.POLLHUP | _select.POLLNVAL) else 0)


def select(
    rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """``select.select`` for 0MQ sockets and descriptors.

    Args:
        rlist: what to wait for until it's readable.
        wlist: until it's writable.
        xlist: until it's in error.
        timeout: seconds; None to wait for ever.

    Returns:
        The three lists of what is ready.
    """
    reads, writes, errors = list(rlist), list(wlist), list(xlist)
    items = []
    for item in dict.fromkeys([*reads, *writes, *errors]):
        flags = (POLLIN if item in reads else 0) | (POLLOUT if item in writes else 0)
        items.append((item, int(flags | (POLLERR if item in errors else 0))))
    found = poll_items(items, None if timeout is None or timeout < 0 else timeout * 1000)
    by_item = {_key(item): events for item, events in found}
    return (
        [item for item in reads if by_item.get(_key(item), 0) & POLLIN],
        [item for item in writes if by_item.get(_key(item), 0) & POLLOUT],
        [item for item in errors if by_item.get(_key(item), 0) & POLLERR],
    )


def _key(item: Any) -> Any:
    return item if isinstance(item, (SocketRecv, int)) else item.fileno()


def zmq_poll(sockets: list[tuple[Any, int]], timeout: float | None = None) -> list[tuple[Any, int]]:
    """`Poller.poll` for a list of (thing, flags) pairs; timeout in milliseconds."""
    return poll_items(list(sockets), timeout)
