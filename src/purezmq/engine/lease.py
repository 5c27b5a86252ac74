"""The lease: the right to touch a socket's descriptors, pipes and pattern. One per socket, held briefly.

Rules:

* Everything of a socket needs its lease, but for the two lock-free paths (append to a pipe that has room, pop from
  the inbox), `post`, and waking. Functions that need it take it as an argument or say "lease held".
* Nobody holds two leases at a time. Work for another socket (an inproc peer) is posted to that socket's mailbox: it
  runs at once when the other lease is free, else when its holder lets go. So leases can't deadlock.
* Nobody waits while holding one: reads and writes are non-blocking, and waiting is `leader`'s matter.

Ctrl-C, and any signal handler that raises, comes between two instructions of the main thread; also between a call that
took a lock and the `try` behind it, and at the first instruction of an `__exit__` in Python. A lock that C enters and
leaves for a ``with`` has neither gap. So ``with lease:`` enters in C, and the calls of programs say ``with
lease.afterwards, lease.guard:``, which leaves in C, too. Where only the I/O thread comes by ``with lease:`` will do: no
handler runs there. A command of the mailbox that was interrupted is done once more, by the I/O thread: commands are
such that this does no harm. So is what waits behind it, and what its poster was interrupted right behind. One moment is
left, the first of `_Afterwards.__exit__`: what was posted to a holder who is interrupted there waits for the next one.
"""

from __future__ import annotations

from collections import deque

from purezmq.engine.fence import is_interruption, report
from purezmq.native import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lease"]


#: ``taken.extend(map(lock.acquire, _NOT_WAITING))`` tries to take a lock and notes whether it was, in one call of C: no
#: signal handler runs in between.
_NOT_WAITING = (False,)


class _Guard:
    """The lock of a lease as a context manager whose two methods are C."""

    __slots__ = ("__enter__", "__exit__")

    if TYPE_CHECKING:

        def __enter__(self) -> bool:
            """Wait for the lease."""

        def __exit__(self, *_: object) -> None:
            """Let go."""


class _Afterwards:
    """When the lease was let go: run what others posted meanwhile."""

    __slots__ = ("__enter__", "_lease")

    if TYPE_CHECKING:

        def __enter__(self) -> int:
            """Nothing yet."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self.__enter__ = lease.mailbox.__len__  # type: ignore[method-assign]  # in C

    def __exit__(self, *_: object) -> None:
        lease = self._lease
        if lease.mailbox:
            try:
                lease.run_mailbox()
            except BaseException:
                lease.rescue_mailbox()
                raise


class Lease:
    """A lock with a mailbox. Use it as ``with lease:``, or as the module's text says.

    Attributes:
        guard: the lock alone; who enters it looks at the mailbox afterwards.
        afterwards: whose end looks at the mailbox.

    Args:
        rescue: called when running the mailbox was interrupted: has it run soon by a thread that no handler interrupts.
    """

    __slots__ = ("__enter__", "_rescue", "acquire", "afterwards", "guard", "mailbox", "unlock")

    if TYPE_CHECKING:

        def __enter__(self) -> bool:
            """Wait for the lease (never long: see the rules)."""

    def __init__(self, rescue: Callable[[], None] | None = None) -> None:
        self._rescue = rescue
        self.mailbox: deque[Callable[[], None]] = deque()
        self.afterwards = _Afterwards(self)
        self.reset()

    def reset(self) -> None:
        """Make the lease free: in a forked child, where the thread that held it doesn't exist."""
        self.mailbox.clear()
        lock = allocate_lock()
        self.acquire = lock.acquire
        self.unlock = lock.release
        self.__enter__ = lock.acquire  # type: ignore[method-assign]
        guard = self.guard = _Guard()
        guard.__enter__ = lock.acquire  # type: ignore[method-assign]
        guard.__exit__ = lock.__exit__  # type: ignore[method-assign,assignment]

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
        try:
            self.mailbox.append(command)
            self.run_mailbox()
        except BaseException:
            self.rescue_mailbox()
            raise

    def run_mailbox(self, fence: type[BaseException] = Exception) -> None:
        """Run posted commands unless somebody holds the lease: then that one will, when it lets go.

        Args:
            fence: what ends the command that raises it, and nothing else. BaseException where no handler can have
                raised: so that a command which always raises it isn't run for ever.

        The check of the mailbox follows the release, so a command posted in between is seen by one of the two.
        """
        mailbox = self.mailbox
        try:
            while mailbox:
                taken: list[bool] = []
                try:
                    taken.extend(map(self.acquire, _NOT_WAITING))
                    if not taken[0]:
                        return
                    while mailbox:
                        self._run(mailbox[0], fence)
                        del mailbox[0]  # by now it's done, and no handler runs in between
                finally:
                    if taken and taken[0]:
                        self.unlock()
        except BaseException:
            self.rescue_mailbox()
            raise

    def rescue_mailbox(self) -> None:
        """Who was to run the mailbox was interrupted, perhaps before it began: what is left has no other."""
        if self.mailbox and self._rescue is not None:
            self._rescue()

    @staticmethod
    def _run(command: Callable[[], None], fence: type[BaseException]) -> None:
        try:
            command()
        except fence as error:  # the poster is another thread
            if fence is Exception and is_interruption(error):
                raise  # not the command's fault: it's done once more
            report("a command for a socket", error)
