"""How much the subscribers of a publisher have subscribed to, and whether one may have more."""

from __future__ import annotations

from purezmq.limits import MAX_TOPIC_BYTES, MAX_TOPIC_SIZE
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

__all__ = ["TopicLimits"]


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
            most = options.max_topics_per_peer
            if 0 < most <= count and not _is_broker(pipe):
                raise _over("max_topics_per_peer", f"a subscriber wants more than {most} topics")
            if size > MAX_TOPIC_BYTES:
                raise _over("max_topic_bytes", f"the topics of a subscriber have more than {MAX_TOPIC_BYTES} bytes")
            if 0 < options.max_topics <= len(index) and topic not in index:
                raise _over("max_topics", f"all subscribers want more than {options.max_topics} different topics")
        self._bytes[pipe] = size

    def release(self, pipe: Pipe, topic: bytes) -> None:
        """A subscriber doesn't want a topic any more that it had."""
        self._bytes[pipe] = self._bytes.get(pipe, 0) - len(topic)

    def forget(self, pipe: Pipe) -> None:
        """A subscriber is gone."""
        self._bytes.pop(pipe, None)


def _is_broker(pipe: Pipe) -> bool:
    """Whether the peer is an XSUB: a proxy asks for what all its own subscribers want, `max_topics` at most."""
    return getattr(pipe.peer, "socket_type", "") == "XSUB"


def _over(limit: str, text: str) -> RemoteProtocolError:
    return RemoteProtocolError(FailureReason.LIMIT, text, limit=limit)
