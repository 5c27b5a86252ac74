"""The lease: the right to touch a socket's descriptors, pipes and pattern. One per socket, held briefly.

Rules:

* Everything of a socket needs its lease, but for the two lock-free paths (append to a pipe that has room, pop from
  the inbox), `post`, and waking. Functions that need it take it as an argument or say "lease held".
* Nobody holds two leases at a time. Work for another socket (an inproc peer) is posted to that socket's mailbox: it
  runs at once when the other lease is free, else when its holder lets go. So leases can't deadlock.
* Nobody waits while holding one: reads and writes are non-blocking, and waiting is `leader`'s matter.
"""

from __future__ import annotations

from collections import deque

from purezmq.engine.fence import report
from purezmq.native import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["Lease"]


class Lease:
    """A lock with a mailbox. Use it as ``with lease:``."""

    __slots__ = ("acquire", "mailbox", "unlock")

    def __init__(self) -> None:
        self.mailbox: deque[Callable[[], None]] = deque()
        self.reset()

    def reset(self) -> None:
        """Make the lease free: in a forked child, where the thread that held it doesn't exist."""
        self.mailbox.clear()
        lock = allocate_lock()
        #: For hot rooms, which write out what `with` does: acquire, and in a finally unlock and look at the mailbox.
        self.acquire = lock.acquire
        self.unlock = lock.release

    def __enter__(self) -> Self:
        """Wait for the lease (never long: see the rules)."""
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go, then run what others posted meanwhile."""
        self.unlock()
        if self.mailbox:
            self.run_mailbox()

    def try_acquire(self) -> bool:
        """Take the lease if it's free; to be let go by `release`."""
        return self.acquire(False)

    def release(self) -> None:
        """Let go, then run what others posted meanwhile."""
        self.unlock()
        if self.mailbox:
            self.run_mailbox()

    def post(self, command: Callable[[], None]) -> None:
        """Run `command` under this lease, now or when its holder lets go; from any thread, whatever it holds."""
        self.mailbox.append(command)
        self.run_mailbox()

    def run_mailbox(self) -> None:
        """Run posted commands unless somebody holds the lease: then that one will, when it lets go.

        The check of the mailbox follows the release, so a command posted in between is seen by one of the two.
        """
        while self.mailbox and self.acquire(False):
            try:
                while self.mailbox:
                    self._run(self.mailbox.popleft())
            finally:
                self.unlock()

    @staticmethod
    def _run(command: Callable[[], None]) -> None:
        try:
            command()
        except Exception as error:  # noqa: BLE001 - the poster is another thread: fenced
            report("a command for a socket", error)
