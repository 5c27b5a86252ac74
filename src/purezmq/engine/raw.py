"""A connection without a protocol, for STREAM: bytes of any TCP peer are messages as they come."""

from __future__ import annotations

from purezmq.wire.events import HandshakeSucceeded, PeerInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from purezmq.wire.events import Event

__all__ = ["RawConnection"]

#: One read, one message: libzmq's size.
READ_SIZE = 8192


class RawConnection:
    """Looks like `wire.Connection` to a session; ready at once, and never fails.

    Args:
        read_size: the most bytes of one message (IN_BATCH_SIZE); 0 for libzmq's size.
    """

    __slots__ = ("_event", "closed", "peer", "read_size")

    ready = True
    has_buffered = False
    shares_encoding = False

    def __init__(self, read_size: int = 0) -> None:
        #: The most bytes of one message.
        self.read_size = read_size or READ_SIZE
        self.peer = PeerInfo("", b"", (0, 0), "")
        self.closed = False
        self._event: Event | None = None

    @property
    def has_control(self) -> bool:
        """Whether an event waits."""
        return self._event is not None

    def start(self, now: float) -> None:
        """Nothing is shaken: the peer is there."""
        self._event = HandshakeSucceeded(self.peer)

    def receive_data(self, data: bytes, now: float, limit: int = 0) -> list[Any]:
        """The bytes themselves."""
        return [data] if data else []

    def data_to_send(self, *, keeps_pong: bool = False) -> list[Any]:
        """Nothing is said by itself."""
        return []

    def encode(self, messages: Sequence[Any]) -> list[Any]:
        """The parts themselves."""
        chunks: list[Any] = []
        for message in messages:
            if type(message) is list:
                chunks.extend(part for part in message if part)
            elif message:
                chunks.append(message)
        return chunks

    def encode_refusal(self, text: str) -> bytes:
        """Nothing: the peer speaks a protocol of its own."""
        return b""

    def next_event(self) -> Event | None:
        """The one event there is."""
        event, self._event = self._event, None
        return event

    def next_timer(self) -> float | None:
        """No timer."""
        return None

    def handle_timer(self, now: float) -> None:
        """No timer."""

    def close(self) -> None:
        """Over."""
        self.closed = True
