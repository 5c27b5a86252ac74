"""How far one publisher has confirmed the subscriptions that it was told.

ZMTP has no answer to SUBSCRIBE, but a peer handles what it gets in order: the echo of a PING that was sent behind a
subscription says that the subscription was handled. Over inproc a command in the publisher's mailbox does the same.
Belongs to one connection: the next one begins anew. Here is the counting; who carries it is the session or the link.
"""

from __future__ import annotations

__all__ = ["Confirmation"]

#: What our PINGs begin with, so that one who looks at the wire knows whose they are.
_PREFIX = b"purezmq"
_NUMBER_SIZE = 8


class Confirmation:
    """The count of one connection.

    Attributes:
        told: how many subscriptions, cancellations, joins and leaves it was told.
        confirmed: how many of them it has handled for certain; -1 before the first echo.
    """

    __slots__ = ("_asked", "confirmed", "told")

    def __init__(self) -> None:
        self.told = 0
        self.confirmed = -1
        self._asked = -1

    def note_told(self) -> None:
        """One more was sent."""
        self.told += 1

    def next_context(self) -> bytes | None:
        """The context of the PING to send now; None when the one that was sent last covers everything told."""
        if self._asked == self.told:
            return None
        self._asked = self.told
        return _PREFIX + self.told.to_bytes(_NUMBER_SIZE, "big")

    def handle_echo(self, context: bytes) -> None:
        """The peer has handled what the PING with this context stood behind."""
        number = int.from_bytes(context[-_NUMBER_SIZE:], "big")
        self.confirmed = max(self.confirmed, number)
