"""What a connection tells its owner besides messages: handshake, subscriptions, failure. Plain data, no behaviour."""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AuthenticationNeeded",
    "Cancelled",
    "ConnectionFailed",
    "Event",
    "FailureReason",
    "HandshakeSucceeded",
    "Joined",
    "Left",
    "MessagesDropped",
    "PeerInfo",
    "Ponged",
    "Subscribed",
]

_NO_PROPERTIES: Mapping[str, bytes] = {}


class FailureReason(Enum):
    """Why a connection failed; the engine maps it to a monitor event."""

    PROTOCOL = "protocol"
    """The peer broke ZMTP, or isn't a ZMTP peer at all."""
    AUTH = "auth"
    """The peer refused us, or we the peer, with a status code (300, 400 or 500)."""
    NO_DETAIL = "no detail"
    """The peer refused us with another text, which is kept."""
    TIMEOUT = "timeout"
    """The handshake took longer than HANDSHAKE_IVL."""
    HEARTBEAT = "heartbeat"
    """Nothing came for HEARTBEAT_TIMEOUT after a PING, or for the peer's own TTL."""
    INCOMPATIBLE = "incompatible"
    """The peer's socket type can't talk to ours."""
    TOO_BIG = "too big"
    """A frame was larger than MAXMSGSIZE."""
    LIMIT = "limit"
    """The peer wanted more than a limit allows: parts of a message, topics, bytes before the handshake's end."""


class PeerInfo:
    """What the handshake told about the peer.

    Attributes:
        socket_type: name of the peer's socket type; empty for an unversioned ZMTP 1.0 peer, which doesn't tell.
        routing_id: the peer's routing id, often empty.
        properties: all properties of READY but ``Socket-Type`` and ``Identity``, named as the peer wrote them.
        version: the (major, minor) that the connection speaks.
        mechanism: name of the security mechanism; empty for ZMTP 1.0 and 2.0, which have none.
        user_id: who the authenticator says the peer is; empty when none was asked.
        address: where it comes from, as the transport says; whoever has the connection sets it, None until then.
        is_vouched: the authenticator knows that user; False when it lets in whoever comes, or none was asked.
        proven: the public key (CURVE) or the name (PLAIN) by which it was let in; empty when nobody was asked.
    """

    __slots__ = (
        "address", "is_vouched", "mechanism", "properties", "proven", "routing_id", "socket_type", "user_id", "version",
    )  # fmt: skip

    def __init__(
        self,
        socket_type: str,
        routing_id: bytes,
        version: tuple[int, int],
        mechanism: str,
        properties: Mapping[str, bytes] | None = None,
        user_id: str = "",
        *,
        is_vouched: bool = False,
        proven: bytes = b"",
    ) -> None:
        self.socket_type = socket_type
        self.routing_id = routing_id
        self.version = version
        self.mechanism = mechanism
        self.user_id = user_id
        self.is_vouched = is_vouched
        self.proven = proven
        self.address: str | None = None
        # One shared mapping for the many peers that send none: memory per connection counts.
        self.properties: Mapping[str, bytes] = properties or _NO_PROPERTIES

    @property
    def principal(self) -> str | bytes:
        """Who it is: its User-Id, or where no authenticator gave it one what it has proven; empty for anybody."""
        return self.user_id or self.proven

    def __repr__(self) -> str:
        version = f"{self.version[0]}.{self.version[1]}"
        mechanism = self.mechanism or "no mechanism"
        return f"<PeerInfo {self.socket_type or '?'} ZMTP {version} {mechanism} {self.routing_id!r}>"


class Event:
    """Base of all events: compared by type and fields."""

    __slots__: tuple[str, ...] = ()

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._fields()))})"


class HandshakeSucceeded(Event):
    """The peer is known and messages may flow.

    Args:
        peer: what the peer told.
    """

    __slots__ = ("peer",)

    def __init__(self, peer: PeerInfo) -> None:
        self.peer = peer


class AuthenticationNeeded(Event):
    """The peer has presented itself: the handshake goes on with `Connection.authorize`.

    Args:
        mechanism: name of the mechanism.
        credentials: nothing for NULL; user name and password for PLAIN; the peer's public key of 32 bytes for CURVE.
    """

    __slots__ = ("credentials", "mechanism")

    def __init__(self, mechanism: str, credentials: tuple[bytes, ...]) -> None:
        self.mechanism = mechanism
        self.credentials = credentials

    def __repr__(self) -> str:
        return f"AuthenticationNeeded({self.mechanism!r})"  # a password has no place in a log


class MessagesDropped(Event):
    """The peer sent messages of several parts to a socket type that takes only one (RFC 41, 49, 51, 52).

    Args:
        count: how many.
    """

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count


class Ponged(Event):
    """The peer echoed a PING of ours (``send_ping``): it has handled everything that was sent before it.

    Args:
        context: of that PING.
    """

    __slots__ = ("context",)

    def __init__(self, context: bytes) -> None:
        self.context = context


class _TopicEvent(Event):
    __slots__ = ("topic",)

    def __init__(self, topic: bytes) -> None:
        self.topic = topic


class Subscribed(_TopicEvent):
    """The peer subscribed to ``topic``, by a SUBSCRIBE command or an 0x01 message."""

    __slots__ = ()

    def _fields(self) -> tuple[object, ...]:
        return (self.topic,)


class Cancelled(_TopicEvent):
    """The peer cancelled a subscription to ``topic``, by a CANCEL command or an 0x00 message."""

    __slots__ = ()

    def _fields(self) -> tuple[object, ...]:
        return (self.topic,)


class _GroupEvent(Event):
    __slots__ = ("group",)

    def __init__(self, group: bytes) -> None:
        self.group = group


class Joined(_GroupEvent):
    """The peer (a DISH) joined ``group``."""

    __slots__ = ()

    def _fields(self) -> tuple[object, ...]:
        return (self.group,)


class Left(_GroupEvent):
    """The peer (a DISH) left ``group``."""

    __slots__ = ()

    def _fields(self) -> tuple[object, ...]:
        return (self.group,)


class ConnectionFailed(Event):
    """The connection is over, by the peer's fault or by a timer; the last event.

    Args:
        reason: kind of failure.
        text: what happened, for people; never contains raw bytes of the peer.
        status: the peer's status code (300, 400, 500), or 0.
        limit: name of the limit that the peer ran into; empty where it was none.
    """

    __slots__ = ("limit", "reason", "status", "text")

    def __init__(self, reason: FailureReason, text: str, status: int = 0, limit: str = "") -> None:
        self.limit = limit
        self.reason = reason
        self.text = text
        self.status = status
