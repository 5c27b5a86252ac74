"""Threads, locks and selectors as the interpreter made them, whatever gevent put in their place.

``gevent.monkey.patch_all()`` turns the standard library's threads into greenlets, its locks into greenlet locks, and
takes ``select.epoll`` away. The engine needs the real ones: its I/O thread would not run while a greenlet computes, and
a lock that is held for a microsecond must not switch greenlets. Whoever needs a thread, a lock or a selector of the
standard library below the fronts takes it from here (sockets: from `transports.native_socket`). Patching before or
after this import makes no difference, and gevent is never imported from here.

What is found here was looked up once, on import; nothing of it costs anything on a hot path.
"""

from __future__ import annotations

import sys
from itertools import starmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select as _select
    from _thread import LockType, _local, allocate_lock, get_ident
    from _thread import start_new_thread as _start_new_thread
    from collections.abc import Callable
    from os import close as close_descriptor
    from threading import RLock
    from time import sleep
    from typing import Any

    ThreadLocal = _local
    epoll = _select.epoll
    poll = _select.poll
    select = _select.select

__all__ = [
    "MAX_SLEEP_S",
    "Condition",
    "RLock",
    "ThreadLocal",
    "allocate_lock",
    "close_descriptor",
    "epoll",
    "find_original",
    "get_ident",
    "is_patched",
    "poll",
    "select",
    "sleep",
    "start_thread",
]


#: ``saved.extend(starmap(call, _ONCE))`` calls and notes the result in one call of C: no signal handler in between.
_ONCE = ((),)
#: The longest sleep that every system can do (seconds; 46 days). Who waits longer sleeps again.
MAX_SLEEP_S = 4_000_000.0


def find_original(module: str, name: str, default: Any = None) -> Any:
    """A name of a module of the standard library as it was before gevent patched it.

    Args:
        module: its name, such as ``"socket"``.
        name: the attribute.
        default: what to return when the system has no such thing.
    """
    monkey = sys.modules.get("gevent.monkey")
    saved = getattr(monkey, "saved", {}).get(module, {})
    if name in saved:
        return saved[name]
    return getattr(__import__(module), name, default)


def is_patched(module: str) -> bool:
    """Whether gevent has patched a module of the standard library by now."""
    monkey = sys.modules.get("gevent.monkey")
    return module in getattr(monkey, "saved", {})


if not TYPE_CHECKING:
    allocate_lock = find_original("_thread", "allocate_lock")
    get_ident = find_original("_thread", "get_ident")
    _start_new_thread = find_original("_thread", "start_new_thread")
    #: What ``threading`` gives as ``RLock``.
    RLock = find_original("_thread", "RLock")
    #: What ``threading`` gives as ``local``.
    ThreadLocal = find_original("_thread", "_local")
    sleep = find_original("time", "sleep")
    close_descriptor = find_original("os", "close")
    #: These are None where the system has none.
    epoll = find_original("select", "epoll")
    poll = find_original("select", "poll")
    select = find_original("select", "select")


class Condition:
    """A re-entrant lock on which threads wait for a change: what is needed of ``threading.Condition``.

    That class itself takes its locks from the patched names of ``threading``, so it is of no use here.
    """

    __slots__ = ("__enter__", "__exit__", "_lock", "_waiters")

    if TYPE_CHECKING:

        def __enter__(self) -> bool:
            """Take the lock."""

        def __exit__(self, *_: object) -> None:
            """Release it."""

    def __init__(self) -> None:
        lock: Any = RLock()
        self._lock = lock
        self._waiters: list[LockType] = []
        # In C: a signal handler that raises in between leaves nobody outside.
        self.__enter__ = lock.__enter__  # type: ignore[method-assign]
        self.__exit__ = lock.__exit__  # type: ignore[method-assign]

    def wait(self, timeout: float | None = None) -> None:
        """Release the lock, sleep until `notify_all`, take the lock again. Ctrl-C interrupts the sleep.

        Args:
            timeout: seconds to sleep at most, fewer where the system can't sleep that long; None for ever.
        """
        waiter = allocate_lock()
        waiter.acquire()
        self._waiters.append(waiter)
        depth: list[Any] = []
        try:
            # The two methods with which ``threading.Condition`` lets go of a lock that was taken several times.
            depth.extend(starmap(self._lock._release_save, _ONCE))
            if timeout is None:
                waiter.acquire()
            else:
                waiter.acquire(True, min(timeout, MAX_SLEEP_S))
        finally:
            if depth:  # else a signal handler raised before
                self._lock._acquire_restore(depth[0])
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def notify_all(self) -> None:
        """Wake everybody who waits (lock held)."""
        waiters = self._waiters
        while waiters:  # whom an interrupted call did not come to, the next one wakes
            if waiters[-1].locked():
                waiters[-1].release()
            del waiters[-1]


def start_thread(run: Callable[[], None], name: str) -> None:
    """Run a function in a new thread that does not keep the process alive.

    Args:
        run: what to run; it must not raise.
        name: for debuggers; unknown to them where gevent has patched ``threading``.

    Raises:
        RuntimeError: no thread can be started any more, because the process ends.
    """
    if is_patched("threading"):
        _start_new_thread(run, ())
        return
    import threading

    threading.Thread(target=run, name=name, daemon=True).start()
