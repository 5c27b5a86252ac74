"""Subscriptions: a counted set of topics and the question "does one of them begin this message?" (RFC 29).

The cost of a match doesn't depend on how many topics there are, but on how many different *lengths* they have: one
slice and one look-up for each length. The set knows no pipe; who subscribes is the business of its owner.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from purezmq.message import Message

__all__ = ["LengthCounter", "Subscriptions", "split_subscriptions"]

#: Up to this many topics one `bytes.startswith` is quicker than a look-up for each length.
_FEW_TOPICS = 8


class LengthCounter:
    """The different lengths of the topics of an index, shortest first.

    Attributes:
        lengths: ascending, each once.
    """

    __slots__ = ("_counts", "lengths")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.lengths: tuple[int, ...] = ()

    def add(self, length: int) -> None:
        """One more topic of this length."""
        count = self._counts.get(length, 0)
        lengths = self.lengths if count else tuple(sorted({*self._counts, length}))
        # No handler of a signal runs from here on: both, or neither.
        self._counts[length] = count + 1
        self.lengths = lengths

    def remove(self, length: int) -> None:
        """One topic of this length less."""
        count = self._counts[length] - 1
        if count:
            self._counts[length] = count
        else:
            lengths = tuple(sorted(self._counts.keys() - {length}))
            del self._counts[length]  # and no handler of a signal runs from here on
            self.lengths = lengths


class Subscriptions:
    """The topics that a SUB or XSUB wants, counted: two subscribes need two unsubscribes."""

    __slots__ = ("_counts", "_few", "_lengths")

    def __init__(self) -> None:
        self._counts: dict[bytes, int] = {}
        self._lengths = LengthCounter()
        #: All topics while they are few, for `bytes.startswith`; None when they are many.
        self._few: tuple[bytes, ...] | None = ()

    def __len__(self) -> int:
        """How many different topics there are."""
        return len(self._counts)

    def __iter__(self) -> Iterator[bytes]:
        """Each topic once; the set may change meanwhile."""
        return iter(list(self._counts))

    def __contains__(self, topic: object) -> bool:
        """Whether exactly this topic is subscribed to."""
        return topic in self._counts

    def add(self, topic: bytes) -> bool:
        """Subscribe once more; whether the topic is new."""
        counts = self._counts
        count = counts.get(topic, 0)
        counts[topic] = count + 1
        if count:
            return False
        self._lengths.add(len(topic))
        if self._few is not None:
            self._few = tuple(counts) if len(counts) <= _FEW_TOPICS else None
        return True

    def remove(self, topic: bytes) -> bool:
        """Unsubscribe once; whether that was the last subscription (False for an unknown topic)."""
        counts = self._counts
        count = counts.get(topic, 0)
        if count != 1:
            if count:
                counts[topic] = count - 1
            return False
        del counts[topic]
        self._lengths.remove(len(topic))
        if len(counts) <= _FEW_TOPICS:
            self._few = tuple(counts)
        return True

    def matches(self, first: bytes) -> bool:
        """Whether any topic is a prefix of `first`, the first part of a message."""
        few = self._few
        if few is not None:
            return first.startswith(few)
        counts = self._counts
        return any(first[:length] in counts for length in self._lengths.lengths)


def split_subscriptions(message: Message, only_first: bool) -> tuple[list[tuple[bytes, bool]], Message | None]:
    """Separate what a message between XSUB and XPUB asks for from what it tells.

    A part that begins with 01 subscribes, one that begins with 00 cancels; the rest is the user's message. With
    ONLY_FIRST_SUBSCRIBE the first part decides whether parts are looked at in that way at all.

    Args:
        message: as it is sent or received.
        only_first: the option ONLY_FIRST_SUBSCRIBE.

    Returns:
        The (topic, subscribe) pairs, and the user's message or None when nothing is left.
    """
    parts: list[Any] = message if isinstance(message, list) else [message]
    if only_first and bytes(parts[0][:1]) not in {b"\0", b"\1"}:
        return [], message
    asked: list[tuple[bytes, bool]] = []
    told: list[bytes] = []
    for part in parts:
        head = bytes(part[:1])
        if head in {b"\0", b"\1"}:
            asked.append((bytes(part[1:]), head == b"\1"))
        else:
            told.append(part)
    if not asked:
        return asked, message
    return asked, (told if len(told) > 1 else told[0]) if told else None
