"""Leader/Followers: who waits for a socket's descriptors.

A thread that must wait (in recv, send or poll) tries to *lead*: it polls the socket's own selector and handles what
is ready, so that a message needs no second thread and no hand-over. While one leads, others *follow*: they sleep on a
lock until something changed. When nobody waits, the I/O thread watches the selector's own descriptor and leads for the
moment it takes to handle what is ready.

A leadership is sticky: between two calls of an application the I/O thread stays away for `RETAKE_S`, then it takes
the socket back. A socket without descriptors (inproc only) has no selector and all its threads follow.

How no wake-up is lost: who changes something first makes the change, then looks at `polling` and `followers`; who wants
to sleep first announces itself there, then looks for the change (`hint`). One of the two sees the other.
"""

from __future__ import annotations

import os
from collections import deque
from time import monotonic

from purezmq.engine.selector import READ, EpollSelector, is_nestable
from purezmq.engine.wakeup import Wakeup
from purezmq.native import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from purezmq.engine.exported_fd import ExportedFd
    from purezmq.engine.lease import Lease
    from purezmq.engine.loop import Loop

    class Handler(Protocol):
        """A session, or whatever else owns a descriptor."""

        def handle_event(self, mask: int, now: float) -> None:
            """The descriptor is ready (lease held; never raises)."""

    class Waiter(Protocol):
        """Something that sleeps until it's released: a lock, or a poller's descriptor."""

        def release(self) -> None:
            """Wake it."""


__all__ = ["Leadership"]

#: Who closes the socket looks this often whether its leader is out, which tells, too (seconds).
CLOSE_LOOK_S = 0.010
#: A leadership that was not used for this long (seconds) goes back to the I/O thread.
RETAKE_S = 0.010
#: When the system refuses to watch a descriptor, it's asked again after this long (seconds).
SHORTAGE_PAUSE_S = 0.1
#: How long a leader looks again before it sleeps (seconds), when that paid the last time.
SPIN_S = 0.000_100
#: A follower gives way this often, which takes about as long.
FOLLOWER_SPINS = range(250)
#: Who wants what is ready to be handled gives way this often to a thread that leads already.
GIVE_WAY = range(50)
#: After attempts in vain at most this many waits sleep at once.
MAX_SPINS_TO_SKIP = 1024

#: Lets another thread of this processor run, where the system can.
sched_yield: Callable[[], None] = getattr(os, "sched_yield", lambda: None)


class Leadership:
    """The waiting side of one socket.

    Args:
        lease: of the socket; taken to handle events.
        loop: the I/O thread that stands in.
    """

    __slots__ = (
        "_change",
        "_spin_penalty",
        "_spins_to_skip",
        "_retake_after_poll",
        "_uses",
        "_uses_seen",
        "_watch_lock",
        "exported",
        "followers",
        "handlers",
        "leads",
        "lease",
        "loop",
        "polling",
        "selector",
        "wakeup",
        "watched",
    )

    def __init__(self, lease: Lease, loop: Loop) -> None:
        self.lease = lease
        self.loop = loop
        self.handlers: dict[int, Handler] = {}
        self.followers: deque[Waiter] = deque()
        self.selector: EpollSelector | None = None
        self.wakeup: Wakeup | None = None
        #: The descriptor given to the application's own event loop, if it asked for one.
        self.exported: ExportedFd | None = None
        #: A thread sleeps in the selector, or is about to.
        self.polling = False
        #: The I/O thread watches the selector.
        self.watched = False
        #: Empty, or at 0 the token of who leads. ``setdefault`` is atomic, and it takes and notes in one: a signal
        #: handler that raises right behind it leaves no lead that nobody knows of, as it could behind a lock's acquire.
        self.leads: dict[int, object] = {}
        self._watch_lock = allocate_lock()
        #: Counts what followers may wait for, for those that spin.
        self._change = 0
        self._spin_penalty = 1
        self._spins_to_skip = 0
        self._uses = 0
        self._uses_seen = -1
        self._retake_after_poll = False

    # -- descriptors (lease held) --------------------------------------------------------------------------------

    def register(self, fd: int, mask: int, handler: Handler) -> None:
        """Handle the events of a descriptor from now on.

        Raises:
            OSError: the system has no descriptor or memory left for that; nothing has changed.
        """
        if not is_nestable():
            self.handlers[fd] = handler
            self.loop.watch(fd, mask, lambda events: self._handle_portable(fd, events))
            return
        if self.selector is None:
            self._open()
        assert self.selector is not None
        self.handlers[fd] = handler
        try:
            self.selector.register(fd, mask)
        except OSError:
            del self.handlers[fd]
            raise

    def modify(self, fd: int, mask: int) -> None:
        """Change which events are of interest."""
        if fd in self.handlers:
            (self.selector or self.loop.selector).modify(fd, mask)

    def unregister(self, fd: int) -> None:
        """Handle them no more."""
        if self.handlers.pop(fd, None) is not None:
            if self.selector is not None:
                self.selector.unregister(fd)
            else:
                self.loop.unwatch(fd)

    def _open(self) -> None:
        wakeup, selector = Wakeup(), EpollSelector()
        selector.register(wakeup.fd, READ)
        self.wakeup = wakeup
        self.selector = selector
        try:
            if self.exported is not None:
                self.exported.watch(self)
            self.watch()
        except OSError:
            self.selector = self.wakeup = None
            raise
        self.wake()  # threads that sleep on locks may lead now

    def watch(self) -> None:
        """Let the I/O thread handle what is ready.

        Raises:
            OSError: the system refuses.
        """
        with self._watch_lock:
            selector = self.selector
            if selector is not None and not self.watched:
                self.loop.watch(selector.fileno(), READ, self._handle_watched)
                self.watched = True

    def _unwatch(self) -> None:
        if not self.watched:
            return
        # First of all: a signal handler may raise in the midst of the rest, and then the I/O thread has to come back.
        self.loop.call_at(monotonic() + RETAKE_S, self._retake)
        with self._watch_lock:
            selector = self.selector
            if selector is None or not self.watched:
                return
            self._uses_seen = self._uses
            self.watched = False
            self.loop.unwatch(selector.fileno())

    def close(self) -> None:
        """Free the descriptors; threads that still wait are woken."""
        with self._watch_lock:
            selector, self.selector = self.selector, None
        self.handlers.clear()
        self.wake()
        self.exported = None
        if selector is None:
            return
        # A leader may sit in the selector: it was woken, and tells when it is out.
        token: list[None] = []
        while self.leads.setdefault(0, token) is not token:
            lock = allocate_lock()
            lock.acquire()
            self.followers.append(lock)
            lock.acquire(True, CLOSE_LOOK_S)
        with self._watch_lock:
            if self.watched:
                self.watched = False
                self.loop.unwatch(selector.fileno())
            selector.close()
            self.wakeup = None
        self._release_lead()

    # -- waiting (lease not held) --------------------------------------------------------------------------------

    def wait(self, timeout: float | None, hint: Callable[[], object]) -> None:
        """Lead or follow until something changed, at most `timeout` seconds; may return early for no reason.

        Args:
            timeout: seconds, None for ever.
            hint: cheap test without the lease: what the caller waits for may have come already.
        """
        if self.selector is None:
            self._follow(timeout, hint)
            return
        leads = self.leads
        try:
            if leads.setdefault(0, hint) is not hint:
                self._follow(timeout, hint)
                return
            if self.watched:
                self._unwatch()
            self._uses += 1
            selector = self.selector
            events = None
            self.polling = True
            try:
                if selector is not None and not hint():
                    if self._spins_to_skip:
                        self._spins_to_skip -= 1
                    else:
                        events = self._spin(selector.poll, timeout, hint)
                    if not events and not hint():
                        events = selector.poll(-1 if timeout is None else timeout)
            finally:
                self.polling = False
                self._retake_if_asked()
            if events:
                self._dispatch(events)
            del leads[0]
        except BaseException:
            self.end_lead(hint)
            raise
        self._note_released()

    def sleep_once(self) -> None:
        """The next wait shall not spin (lease held)."""
        if not self._spins_to_skip:
            self._spins_to_skip = 1

    def _spin(self, poll: Callable[[float], Any], timeout: float | None, hint: Callable[[], object]) -> Any:
        """Look again and again for a moment before sleeping: for a peer that answers at once this saves the sleep.

        A sleep and a wake-up cost more than a whole round trip of a short message. A moment spent in vain makes the
        next attempts rarer, so that a socket whose peers are slow sleeps at once.
        """
        end = monotonic() + (SPIN_S if timeout is None or timeout > SPIN_S else timeout)
        while True:
            events = poll(0)
            if events or hint():
                self._spin_penalty = 1
                return events
            if monotonic() >= end:
                self._spins_to_skip = self._spin_penalty = min(self._spin_penalty * 2, MAX_SPINS_TO_SKIP)
                return None
            sched_yield()

    def _follow(self, timeout: float | None, hint: Callable[[], object]) -> None:
        change = self._change
        if hint() or (self.selector is not None and not self.leads):
            return
        if self._spins_to_skip:
            self._spins_to_skip -= 1
        elif timeout is None or timeout > SPIN_S:
            # As tight as can be: whoever should make the change needs the interpreter meanwhile.
            for _ in FOLLOWER_SPINS:
                sched_yield()
                if self._change != change:
                    self._spin_penalty = 1
                    return
            self._spins_to_skip = self._spin_penalty = min(self._spin_penalty * 2, MAX_SPINS_TO_SKIP)
        lock = allocate_lock()
        lock.acquire()
        self.followers.append(lock)
        if not hint() and not self._can_lead():
            lock.acquire(True, -1 if timeout is None else timeout)
        try:
            self.followers.remove(lock)
        except ValueError:  # it was taken out by whoever woke us
            return

    def _can_lead(self) -> bool:
        """Whether there is a selector that nobody leads."""
        return self.selector is not None and not self.leads

    def try_pump(self) -> None:
        """Handle what is ready now without waiting, unless another thread leads."""
        leads = self.leads
        token: list[None] = []
        try:
            if self.selector is None or leads.setdefault(0, token) is not token:
                return
            self._uses += 1
            selector = self.selector
            events = selector.poll(0) if selector is not None else None
            if events:
                self._dispatch(events)
            del leads[0]
        except BaseException:
            self.end_lead(token)
            raise
        self._note_released()

    def pump(self) -> None:
        """Handle what is ready now; when another thread is just about to, give way to it for a moment."""
        for _ in GIVE_WAY:
            if self.selector is None or not self.leads:
                break
            sched_yield()
        self.try_pump()

    def try_lead_for_poller(self, token: object) -> EpollSelector | None:
        """Become leader on behalf of a poller that watches several sockets; the selector, or None if another leads.

        Args:
            token: the poller's for this wait. It has to call `end_lead_for_poller` with it, whatever this returns or
                raises.
        """
        if self.selector is None or self.leads.setdefault(0, token) is not token:
            return None
        if self.watched:
            self._unwatch()
        selector = self._current_selector()
        if selector is not None:  # else closed meanwhile
            self._uses += 1
            self.polling = True
        return selector

    def _current_selector(self) -> EpollSelector | None:
        return self.selector

    def end_lead_for_poller(self, token: object) -> None:
        """Undo `try_lead_for_poller`; nothing to do where that failed."""
        if self.leads.get(0) is token:
            self.polling = False
            self._retake_if_asked()
            self._release_lead()

    def _retake_if_asked(self) -> None:
        """The I/O thread looked while this thread slept in the selector: now it may come back."""
        if self._retake_after_poll:
            self._retake_after_poll = False
            self.loop.call_at(monotonic() + RETAKE_S, self._retake)

    def _dispatch(self, events: list[tuple[int, int]]) -> None:
        now = monotonic()
        handlers = self.handlers
        lease = self.lease
        try:
            with lease.guard:
                for fd, mask in events:
                    handler = handlers.get(fd)
                    if handler is not None:
                        handler.handle_event(mask, now)
                    else:
                        wakeup = self.wakeup
                        if wakeup is not None and fd == wakeup.fd:
                            wakeup.clear()
        finally:
            if lease.mailbox:
                lease.run_mailbox()

    def _release_lead(self) -> None:
        """Lead no more."""
        del self.leads[0]
        self._note_released()

    def end_lead(self, token: object) -> None:
        """Lead no more, if whose token this is does (after an exception)."""
        if self.leads.get(0) is token:
            self._release_lead()

    def _note_released(self) -> None:
        """One of the followers may lead."""
        self._change += 1
        if self.followers:
            self.wake_followers()

    # -- waking (any thread) -------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something changed: whoever waits looks again."""
        # Two threads may write the same number here; a follower that misses it sleeps no longer than its spin.
        self._change += 1
        if self.followers:
            self.wake_followers()
        if self.polling:
            wakeup = self.wakeup
            if wakeup is not None:  # else closed meanwhile
                wakeup.set()
        exported = self.exported
        if exported is not None:
            exported.set()

    def wake_followers(self) -> None:
        """Wake all who sleep on locks."""
        followers = self.followers
        while followers:
            try:
                followers.popleft().release()
            except IndexError:
                return

    # -- on the I/O thread ---------------------------------------------------------------------------------------

    def _handle_watched(self, _mask: int) -> None:
        token: list[None] = []
        if self.leads.setdefault(0, token) is token:
            try:
                selector = self.selector
                events = selector.poll(0) if selector is not None else None
                if events:
                    self._dispatch(events)
            finally:
                self._release_lead()
        else:
            self._unwatch()  # an application thread leads: it handles what is ready

    def _handle_portable(self, fd: int, mask: int) -> None:
        with self.lease:
            handler = self.handlers.get(fd)
            if handler is not None:
                handler.handle_event(mask, monotonic())
        self.wake()

    def _is_polling(self) -> bool:
        return self.polling

    def _retake(self) -> None:
        """Take the socket back if no application thread used its leadership lately."""
        if self.selector is None:
            return
        if self.watched:
            if self.leads:  # who leads is just about to change that
                self.loop.call_at(monotonic() + RETAKE_S, self._retake)
            return
        if self.polling:
            # A thread sleeps in the selector, perhaps for hours: it tells us when it's done.
            self._retake_after_poll = True
            if self._is_polling():
                return
            self._retake_after_poll = False  # it was done between the two lines
        if self._uses != self._uses_seen:
            self._uses_seen = self._uses
            self.loop.call_at(monotonic() + RETAKE_S, self._retake)
            return
        with self.lease:
            try:
                self.watch()
            except OSError:  # the system is short of something: whatever arrives must be read some time
                self.loop.call_at(monotonic() + SHORTAGE_PAUSE_S, self._retake)
