"""Settings of a connection. Plain data; no behaviour may live here."""

from __future__ import annotations

from purezmq.limits import MAX_PARTS
from purezmq.wire.limits import MAX_READ_SIZE, MAX_ROUTING_ID_SIZE, MIN_FAST_PARTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ConnectionConfig"]


class ConnectionConfig:
    """Settings of a connection, built once per endpoint and shared by its connections.

    Args:
        socket_type: name of our socket type, as "PUSH".
        accepts: names of the socket types that may be our peer.
        routing_id: our routing id, at most 255 bytes, often empty.
        metadata: further properties to tell the peer; names start with "X-".
        mechanism: name of the security mechanism.
        as_server: which side of the mechanism we are; NULL has no sides.
        authenticates: whoever owns the connection decides about each peer, see `Connection.authorize`.
        gate: by what the owner decides; kept for it, and not looked at here.
        credentials: what the mechanism needs of us. PLAIN client: user name, password. CURVE client: our public and
            secret key, the server's public key; CURVE server: its public and secret key; 32 bytes each.
        max_message_size: largest frame to accept in bytes (MAXMSGSIZE), -1 for no limit.
        max_parts: most parts of a message, or 0 for no limit.
        max_multipart_bytes: most bytes of a message of several parts, or 0 for no limit.
        greeting_timeout: seconds to the end of the greeting of a peer that connected to us, or None.
        handshake_timeout: seconds from start to the end of the handshake, or None.
        heartbeat_interval: seconds between PINGs, or None.
        heartbeat_timeout: seconds to wait for a byte after a PING; 0 means no check.
        heartbeat_ttl: seconds after which the peer may take us for dead; 0 means no wish.
        read_batch: most bytes of one read (IN_BATCH_SIZE); 0 leaves the size to the connection.
        write_batch: about the bytes of one write (OUT_BATCH_SIZE); 0 leaves the size to the outbox.

    Raises:
        ValueError: the routing id is too long.
    """

    __slots__ = (
        "accepts",
        "as_server",
        "authenticates",
        "credentials",
        "gate",
        "greeting_timeout",
        "handshake_timeout",
        "heartbeat_interval",
        "heartbeat_timeout",
        "heartbeat_ttl",
        "max_message_size",
        "max_multipart_bytes",
        "max_parts",
        "mechanism",
        "metadata",
        "read_batch",
        "routing_id",
        "socket_type",
        "write_batch",
    )

    def __init__(
        self,
        socket_type: str,
        accepts: frozenset[str],
        *,
        routing_id: bytes = b"",
        metadata: tuple[tuple[str, bytes], ...] = (),
        mechanism: str = "NULL",
        as_server: bool = False,
        authenticates: bool = False,
        gate: Any = None,
        credentials: tuple[bytes, ...] = (),
        max_message_size: int = -1,
        max_parts: int = MAX_PARTS,
        max_multipart_bytes: int = 0,
        greeting_timeout: float | None = None,
        handshake_timeout: float | None = 30.0,
        heartbeat_interval: float | None = None,
        heartbeat_timeout: float = 0.0,
        heartbeat_ttl: float = 0.0,
        read_batch: int = 0,
        write_batch: int = 0,
    ) -> None:
        if len(routing_id) > MAX_ROUTING_ID_SIZE:
            text = f"routing_id must have at most {MAX_ROUTING_ID_SIZE} bytes, not {len(routing_id)}"
            raise ValueError(text)
        self.socket_type = socket_type
        self.accepts = accepts
        self.routing_id = routing_id
        self.metadata = metadata
        self.mechanism = mechanism
        self.as_server = as_server
        self.authenticates = authenticates
        self.gate = gate
        self.credentials = credentials
        self.max_message_size = max_message_size
        self.max_parts = max_parts
        self.max_multipart_bytes = max_multipart_bytes
        self.greeting_timeout = greeting_timeout
        self.handshake_timeout = handshake_timeout
        self.heartbeat_interval = heartbeat_interval
        self.heartbeat_timeout = heartbeat_timeout
        self.heartbeat_ttl = heartbeat_ttl
        self.read_batch = read_batch
        self.write_batch = write_batch

    def checks_each_frame(self) -> bool:
        """Whether the limits of multipart messages are stricter than what the fast decoder counts."""
        return 0 < self.max_parts < MIN_FAST_PARTS or 0 < self.max_multipart_bytes < MAX_READ_SIZE
