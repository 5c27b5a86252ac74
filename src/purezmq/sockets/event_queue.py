"""What an event stream has collected and not given yet: bounded, with many possible readers. The core of all fronts.

The engine puts events in (lease held), readers of any thread take them out. The lock is a leaf: whoever holds it takes
no other and calls nothing. How a reader sleeps is its front's matter: it leaves a callable that wakes it.

Unread "message_dropped" events that nothing else came between are merged by peer and reason: a flood of drops takes one
place per peer, pushes nothing else out, and the sum of `count` stays exact.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from purezmq.constants import ETERM
from purezmq.engine.announcer import drop_key
from purezmq.error import make_error
from purezmq.native import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.engine.socket_event import SocketEvent

__all__ = ["MAX_EVENTS", "EventQueue"]

#: An event stream holds so many unread events, unless it's told otherwise; then it drops the oldest.
MAX_EVENTS = 1000

#: In place of the error that ended it.
_OPEN = 0


class _Entry:
    """An event, and how many more messages it stands for by now."""

    __slots__ = ("event", "key", "more")

    def __init__(self, event: SocketEvent, key: tuple[object, ...] | None) -> None:
        self.event = event
        #: What drops are merged by.
        self.key = key
        self.more = 0


class EventQueue:
    """See the module's text.

    Args:
        max_events: how many unread events it holds.

    Attributes:
        dropped: events that were pushed out unread.
    """

    __slots__ = ("_drops", "_entries", "_errno", "_lock", "_max_events", "_wakers", "dropped")

    def __init__(self, max_events: int) -> None:
        self._lock = allocate_lock()
        self._entries: deque[_Entry] = deque()
        #: The drops at the end of the queue, by peer and reason.
        self._drops: dict[tuple[object, ...], _Entry] = {}
        self._max_events = max_events
        self._wakers: list[Callable[[], None]] = []
        self._errno = _OPEN
        self.dropped = 0

    # -- the engine's side ---------------------------------------------------------------------------------------

    def __call__(self, event: SocketEvent) -> None:
        """Put an event in, and wake who waits for one."""
        with self._lock:
            if self._errno != _OPEN:
                return
            self._put(event)
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def merge(self, key: tuple[object, ...], count: int) -> bool:
        """Add to an unread drop of the same peer and reason (`drop_key`), if there is one that nothing came after."""
        with self._lock:
            known = self._drops.get(key)
            if known is None:
                return False
            known.more += count
            return True

    def _put(self, event: SocketEvent) -> None:
        entry = _Entry(event, drop_key(event) if event.kind == "message_dropped" else None)
        if entry.key is None:
            self._drops.clear()
        else:
            known = self._drops.setdefault(entry.key, entry)
            if known is not entry:
                known.more += event.count
                return
        if len(self._entries) >= self._max_events:
            self._forget_drop(self._entries.popleft())
            self.dropped += 1
        self._entries.append(entry)

    def _forget_drop(self, entry: _Entry) -> None:
        """It leaves the queue: the next of its kind is a new entry."""
        if entry.key is not None and self._drops.get(entry.key) is entry:
            del self._drops[entry.key]

    def end(self, errno: int) -> None:
        """No event will follow; who waits is woken, what is there can still be taken. Idempotent.

        Args:
            errno: what `check_open` raises from now on.
        """
        with self._lock:
            if self._errno == _OPEN:
                self._errno = errno
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def abandon(self) -> None:
        """In a forked child: the lock may be held by a thread that doesn't exist here."""
        self._lock = allocate_lock()
        self._wakers = []
        self._errno = ETERM

    # -- a reader's side -----------------------------------------------------------------------------------------

    def take(self, wake: Callable[[], None] | None = None) -> SocketEvent | None:
        """Take the oldest event.

        Args:
            wake: called once, from any thread, when there is news, if there's neither an event nor an end now.

        Returns:
            The event, or None: there is none, now or (`ended`) for ever.
        """
        with self._lock:
            if not self._entries:
                if wake is not None and self._errno == _OPEN:
                    self._wakers.append(wake)
                return None
            entry = self._entries.popleft()
            self._forget_drop(entry)
        return replace(entry.event, count=entry.event.count + entry.more) if entry.more else entry.event

    def forget(self, wake: Callable[[], None]) -> None:
        """Who left this waits no more."""
        with self._lock:
            if wake in self._wakers:
                self._wakers.remove(wake)

    @property
    def ended(self) -> bool:
        """Whether no event will follow."""
        return self._errno != _OPEN

    @property
    def exhausted(self) -> bool:
        """Whether the last event was taken and none will follow."""
        return self._errno != _OPEN and not self._entries

    def check_open(self) -> None:
        """Raise what ended it.

        Raises:
            ZMQError: ETERM: the context was terminated. ENOTSOCK: the stream or its socket was closed.
        """
        if self._errno != _OPEN:
            cause = "the context is terminated" if self._errno == ETERM else "the event stream or its socket is closed"
            raise make_error(self._errno, f"{cause}; no event will follow")

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._entries)
