"""The inbound queue of a peer that hardly ever sends: a publisher has thousands of them, nearly all of them empty."""

from __future__ import annotations

from collections import deque
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.pipe.pipe import Pipe

__all__ = ["SmallQueue", "shrink_inbound"]

#: Queues that may hold more messages than this stay as they are: taking one moves all that follow it.
SMALL_LIMIT = 2000

#: Keeps nothing, so one does for all.
_NOTHING: deque[Any] = deque(maxlen=0)


class SmallQueue(list[Any]):
    """What the library uses of a deque; that one takes 700 bytes while it's empty, this one a tenth of it."""

    __slots__ = ()

    maxlen = None

    def popleft(self) -> Any:
        """Take the first message.

        Raises:
            IndexError: there is none.
        """
        return self.pop(0)

    def appendleft(self, message: Any) -> None:
        """Put a message in front."""
        self.insert(0, message)


def shrink_inbound(pipe: Pipe, *, discards: bool) -> None:
    """Let the queue of a subscriber of a wire take as little memory as it can (before the first message comes).

    Args:
        pipe: of the subscriber.
        discards: nothing that it sends is kept.
    """
    if getattr(pipe.carrier, "is_direct", False):
        return  # over inproc its sender appends to it
    if discards:
        pipe.inbound = _NOTHING
    elif type(pipe.inbound) is deque and not pipe.inbound and 0 < pipe.receive_limit <= SMALL_LIMIT:
        pipe.inbound = SmallQueue()
