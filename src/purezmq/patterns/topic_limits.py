"""How much the subscribers of a publisher have subscribed to, whether one may have more, and what is unread of it."""

from __future__ import annotations

from purezmq.limits import (
    MAX_TOPIC_SIZE,
    MAX_UNREAD_TOPIC_BYTES,
    MAX_UNREAD_TOPIC_BYTES_PER_PEER,
    MAX_UNREAD_TOPIC_BYTES_PER_PROXY,
    UNREAD_TOPIC_CHARGE,
)
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

__all__ = ["TopicLimits", "UnreadTopics", "refuse_unread"]


class TopicLimits:
    """The bytes of each subscriber's topics, and the limits. Subscribers of our own process may want what they like.

    Args:
        options: the socket's live options.
    """

    __slots__ = ("_bytes", "_options")

    def __init__(self, options: SocketOptions) -> None:
        self._options = options
        self._bytes: dict[Pipe, int] = {}

    def admit(self, pipe: Pipe, topic: bytes, count: int, index: Mapping[bytes, object]) -> None:
        """Count one more topic of a subscriber, unless that is too many.

        Args:
            pipe: of the subscriber.
            topic: that it doesn't have yet.
            count: how many it has.
            index: by all topics that any subscriber has.

        Raises:
            RemoteProtocolError: it came over a wire and is too many, or too long: the connection ends.
        """
        options = self._options
        size = self._bytes.get(pipe, 0) + len(topic)
        if not getattr(pipe.carrier, "is_direct", False):
            if len(topic) > MAX_TOPIC_SIZE:
                raise _over("max_topic_size", f"a topic of {len(topic)} bytes is over the limit of {MAX_TOPIC_SIZE}")
            of_whom = "per_proxy" if _is_proxy(pipe) else "per_peer"
            most, most_bytes = getattr(options, f"max_topics_{of_whom}"), getattr(options, f"max_topic_bytes_{of_whom}")
            if 0 < most <= count:
                raise _over(f"max_topics_{of_whom}", f"a subscriber wants more than {most} topics")
            if 0 < most_bytes < size:
                raise _over(f"max_topic_bytes_{of_whom}", f"a subscriber's topics have more than {most_bytes} bytes")
            if 0 < options.max_topics <= len(index) and topic not in index:
                raise _over("max_topics", f"all subscribers want more than {options.max_topics} different topics")
        if size:
            self._bytes[pipe] = size

    def release(self, pipe: Pipe, topic: bytes) -> None:
        """A subscriber doesn't want a topic any more that it had."""
        self._bytes[pipe] = self._bytes.get(pipe, 0) - len(topic)

    def forget(self, pipe: Pipe) -> None:
        """A subscriber is gone."""
        self._bytes.pop(pipe, None)


class UnreadTopics:
    """The bytes of the subscriptions that an XPUB's application has not received, by the peer that they came from."""

    __slots__ = ("_bytes", "total")

    def __init__(self) -> None:
        self._bytes: dict[Pipe | None, int] = {}
        #: Of all peers.
        self.total = 0

    def has_room(self, pipe: Pipe | None, body: bytes) -> bool:
        """Whether one more may wait; `pipe` is None for what is told of a peer that is gone."""
        size = len(body) + UNREAD_TOPIC_CHARGE
        if self.total + size > MAX_UNREAD_TOPIC_BYTES:
            return False
        if pipe is None:
            return True
        most = MAX_UNREAD_TOPIC_BYTES_PER_PROXY if _is_proxy(pipe) else MAX_UNREAD_TOPIC_BYTES_PER_PEER
        return self._bytes.get(pipe, 0) + size <= most

    def add(self, pipe: Pipe | None, body: bytes) -> None:
        """One more waits."""
        size = len(body) + UNREAD_TOPIC_CHARGE
        self.total += size
        self._bytes[pipe] = self._bytes.get(pipe, 0) + size

    def remove(self, pipe: Pipe | None, body: bytes) -> None:
        """One of them was received."""
        size = len(body) + UNREAD_TOPIC_CHARGE
        left = self._bytes.get(pipe, 0) - size
        self.total -= size
        if left > 0:
            self._bytes[pipe] = left
        else:
            self._bytes.pop(pipe, None)


def refuse_unread() -> RemoteProtocolError:
    """What ends the connection of a peer whose subscriptions the application would have to decide about."""
    return _over("max_unread_topic_bytes", "a subscriber asks and cancels faster than the application receives it")


def _is_proxy(pipe: Pipe) -> bool:
    """Whether the peer says that it is an XSUB: a proxy asks for what all its own subscribers want."""
    return getattr(pipe.peer, "socket_type", "") == "XSUB"


def _over(limit: str, text: str) -> RemoteProtocolError:
    return RemoteProtocolError(FailureReason.LIMIT, text, limit=limit)
