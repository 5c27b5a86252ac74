"""What an XPUB gives to its application: its peers' subscriptions and their user messages, each peer's in order.

A subscription is told when it is received, and must not overtake what its peer sent before it. So it is queued here
with the number of messages that come first, and these stay in the peer's pipe until they are asked for: there the
limits hold (RCVHWM, bytes), and there they are counted.
"""

from __future__ import annotations

from purezmq.patterns.base import LAST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any

    from purezmq.message import Message
    from purezmq.patterns.fair_queue import FairQueue
    from purezmq.pipe import Pipe

__all__ = ["News"]


class _Ahead:
    """What of a pipe comes before subscriptions that wait.

    Attributes:
        pipe: the pipe.
        taken: how many of its messages were taken since the first of them came.
        last: how many have to be before the last of them.
    """

    __slots__ = ("last", "pipe", "taken")

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.taken = 0
        self.last = 0


class News:
    """See the module's text. Everything here needs the lease.

    Args:
        inbox: the fair queue of the pipes, which has no other use for what it is asked to accept.

    Attributes:
        entries: what is told next: who it came from, the message, and what comes before it. It is the inbox's `ready`,
            so that whoever waits for a message sees it.
    """

    __slots__ = ("_ahead", "_inbox", "entries")

    def __init__(self, inbox: FairQueue) -> None:
        self._inbox = inbox
        inbox.set_accept(self._note_taken)
        #: By the pipes of which messages come first.
        self._ahead: dict[Pipe, _Ahead] = {}
        self.entries: deque[tuple[Pipe | None, Message, _Ahead | None, int]] = inbox.ready

    def add(self, pipe: Pipe | None, message: Message, behind: Pipe | None = None) -> None:
        """Tell something after everything that is here.

        Args:
            pipe: who it came from, if it's still there.
            message: what is told.
            behind: whose unread messages come first, in memory and on disk.
        """
        unread = 0
        if behind is not None:
            unread = len(behind.inbound) + (len(behind.receive_swap) if behind.receive_swap is not None else 0)
        if not unread or behind is None:
            self.entries.append((pipe, message, None, 0))
            return
        ahead = self._ahead.get(behind)
        if ahead is None:
            ahead = self._ahead[behind] = _Ahead(behind)
        ahead.last = ahead.taken + unread
        self.entries.append((pipe, message, ahead, ahead.last))

    def put_first(self, pipe: Pipe | None, message: Message) -> None:
        """Tell something before everything that is here."""
        self.entries.appendleft((pipe, message, None, 0))

    def put_back(self, messages: list[Message]) -> None:
        """Move the last of the messages before everything that is here, in one call of C: no handler gets between."""
        self.entries.extendleft(zip((None,), map(messages.pop, LAST), (None,), (0,), strict=False))

    def move_first(self, count: int) -> None:
        """Tell the last `count` entries before the others."""
        self.entries.rotate(count)

    def is_due(self) -> bool:
        """Whether the first entry may be told now: nothing comes before it."""
        if not self.entries:
            return False
        _, _, ahead, count = self.entries[0]
        return ahead is None or ahead.taken >= count

    def take(self) -> tuple[Pipe, Message] | None:
        """The message that comes before the first entry; without entries one of whichever pipe has its turn."""
        entries, inbox = self.entries, self._inbox
        if entries:
            ahead = entries[0][2]
            if ahead is None:
                return None
            message = inbox.take_from(ahead.pipe)
            if message is not None:
                return ahead.pipe, message
            # There are fewer than there were: some were dropped, or the disk hasn't brought them yet.
            ahead.taken = ahead.last
            if self._ahead.get(ahead.pipe) is ahead:
                del self._ahead[ahead.pipe]
            return None
        active = inbox.active
        # A pipe that is found empty is read on, which may bring subscriptions.
        while active and not entries:
            pipe = active.popleft()
            message = inbox.take_from(pipe)
            if message is not None:
                active.append(pipe)
                return pipe, message
        return None

    def messages(self) -> list[Message]:
        """Those entries that are user messages."""
        # None of these begins so: it would have been taken for a subscription.
        return [
            entry[1]
            for entry in list(self.entries)
            if type(entry[1]) is not bytes or entry[1][:1] not in {b"\0", b"\1"}
        ]

    def _note_taken(self, pipe: Pipe, message: Any) -> Any:
        """A message left its pipe."""
        ahead = self._ahead.get(pipe)
        if ahead is not None:
            ahead.taken += 1
            if ahead.taken >= ahead.last:
                del self._ahead[pipe]
        return message
