"""Messages that are no data, by their form: subscriptions to PUB and XPUB, and what a RADIO can't have sent.

Pure functions over what was decoded; no framing and no state may live here.
"""

from __future__ import annotations

from purezmq.wire.events import Cancelled, Subscribed
from purezmq.wire.limits import MAX_GROUP_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.wire.events import Event

    Message = bytes | list[bytes]

__all__ = ["SIFTED_TYPES", "count_grouped", "take_subscriptions"]

#: Besides PUB and XPUB, the types whose messages need a look.
SIFTED_TYPES = frozenset({"CLIENT", "SERVER", "DISH", "GATHER", "PEER", "CHANNEL"})


def take_subscriptions(messages: list[Message], queue: Callable[[Event], None]) -> list[Message]:
    """Turn the 0x01 and 0x00 messages among ``messages`` into events; return the others.

    The first part decides, as in libzmq; further parts of a subscription are dropped.

    Args:
        messages: what came to a PUB or XPUB.
        queue: called with each event.
    """
    kept: list[Message] = []
    for message in messages:
        first = message if isinstance(message, bytes) else message[0]
        kind = first[:1]
        if kind == b"\x01":
            queue(Subscribed(first[1:]))
        elif kind == b"\x00":
            queue(Cancelled(first[1:]))
        else:
            kept.append(message)
    return kept


def count_grouped(messages: list[Message]) -> int:
    """Return how many messages come before the first that a RADIO can't have sent (RFC 48)."""
    for index, message in enumerate(messages):
        if type(message) is not list or len(message) != 2 or len(message[0]) > MAX_GROUP_SIZE:
            return index
    return len(messages)
