"""The descriptor for foreign event loops: told and readable never part, whatever the threads do in between."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable

from purezmq.engine.exported_fd import ExportedFd
from purezmq.engine.wakeup import Wakeup

# Long enough for a thread to run that is not held by a lock; a thread that is held makes the test no less sharp.
GRACE_S = 0.2


class InterruptedWakeup(Wakeup):
    """A wakeup whose `set` gives another thread a turn before it returns, once."""

    __slots__ = ("meanwhile",)

    meanwhile: Callable[[], None] | None

    def set(self) -> None:
        super().set()
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


class Bare:
    """A leadership without descriptors."""

    selector = None


def is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_exported_fd_set_by_two_threads_and_cleared_stays_usable():
    """A thread that is delayed inside `set`, while another sets and the owner clears, leaves no deaf descriptor."""
    exported = ExportedFd(Bare())
    exported.clear()
    others = []

    def set_and_clear() -> None:
        def run() -> None:
            exported.set()
            exported.clear()

        others.append(threading.Thread(target=run))
        others[0].start()
        others[0].join(GRACE_S)

    wakeup = InterruptedWakeup()
    wakeup.meanwhile = set_and_clear
    if exported._selector is not None:
        exported._selector.unregister(exported._wakeup.fd)
        exported._selector.register(wakeup.fd, 1)
    exported._wakeup = wakeup
    exported.set()
    others[0].join()
    exported.set()
    assert is_readable(exported.fileno())


def test_exported_fd_set_within_its_own_set_is_readable():
    """A signal handler that sends while its thread is inside `set` neither blocks nor loses the wake-up."""
    exported = ExportedFd(Bare())
    exported.clear()
    wakeup = InterruptedWakeup()
    wakeup.meanwhile = exported.set
    if exported._selector is not None:
        exported._selector.unregister(exported._wakeup.fd)
        exported._selector.register(wakeup.fd, 1)
    exported._wakeup = wakeup
    exported.set()
    assert is_readable(exported.fileno())
