"""The greeting: who speaks which version, to the byte and in the order of libzmq. No framing of messages may live here.

::

    we send                       when
    FF u64(len(routing id)+1) 7F  at once: to a ZMTP 1.0 peer this is the header of a long frame, our identity
    03                            when the peer's ten bytes are of a versioned peer (first FF, last odd)
    type                          peer's version byte is 0 or 1 (ZMTP 1.0 and 2.0)
    01 mechanism[20] 00 31*00     any other version byte

With a mechanism that peers before ZMTP 3.0 can't have (PLAIN, CURVE) there's nothing to find out: all 64 bytes are sent
at once, which RFC 23 allows and libzmq takes. That saves a round trip and two writes per side.

=======================  =============  ========  ===================  =====================================
peer                     version        framing   then                 subscriptions that we send
=======================  =============  ========  ===================  =====================================
unversioned              (1, 0)         v1        identity             0x01/0x00 messages
version byte 0           (1, 0)         v1        identity frames      0x01/0x00 messages
version byte 1           (2, 0)         v2        identity frames      0x01/0x00 messages
version byte 3, minor 0  (3, 0)         v2        mechanism            0x01/0x00 messages
others                   (3, 1)         v2        mechanism            SUBSCRIBE and CANCEL commands
=======================  =============  ========  ===================  =====================================

Stricter than libzmq in one point: what looks like an unversioned peer must begin with a plain identity frame (size not
0, no flag but MORE), so that HTTP, TLS or SSH on a ZeroMQ port is refused by its first two bytes.
"""

from __future__ import annotations

from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.limits import MAX_HANDSHAKE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.wire.config import ConnectionConfig

__all__ = ["SOCKET_TYPE_NAMES", "SOCKET_TYPE_NUMBERS", "V1", "V2", "V3_0", "V3_1", "Greeting", "encode_signature"]

V1 = (1, 0)
V2 = (2, 0)
V3_0 = (3, 0)
V3_1 = (3, 1)

SOCKET_TYPE_NAMES = (
    *("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM"),
    *("SERVER", "CLIENT", "RADIO", "DISH", "GATHER", "SCATTER", "DGRAM", "PEER", "CHANNEL"),
)
"""Socket types by the number that the greetings of ZMTP 1.0 and 2.0 carry."""

SOCKET_TYPE_NUMBERS = {name: number for number, name in enumerate(SOCKET_TYPE_NAMES)}

_SIGNATURE_SIZE = 10
_OLD_SIZE = 12
_SIZE = 64
_MECHANISM_SIZE = 20
_MAJOR = b"\x03"
_MINOR = b"\x01"
_OLD_VERSIONS = (0, 1)


def encode_signature(routing_id: bytes) -> bytes:
    """Encode the ten bytes that every greeting starts with, for a socket with ``routing_id``."""
    return b"\xff" + (len(routing_id) + 1).to_bytes(8, "big") + b"\x7f"


class Greeting:
    """Both greetings of one connection; dropped when done.

    Args:
        config: settings of the connection.

    Attributes:
        version: what the connection will speak; set when done.
        unversioned: the peer told no version: our signature was the header of our identity.
        socket_type: name of the peer's type as the greetings of version bytes 0 and 1 tell it, otherwise empty.
        size: bytes that the peer has sent since the start, the handshake's among them.
        deadline: when the handshake must be over, or None.
    """

    __slots__ = (
        "_config", "_received", "_sent", "_too_late", "deadline", "size", "socket_type", "unversioned", "version",
    )  # fmt: skip

    def __init__(self, config: ConnectionConfig) -> None:
        self.version = V3_1
        self.unversioned = False
        self.socket_type = ""
        self._config = config
        self._received = b""
        self._sent = 0
        self.size = 0
        self.deadline: float | None = None
        self._too_late = ("handshake", "handshake_ivl", config.handshake_timeout)

    def encode_start(self) -> bytes:
        """Encode what is sent before anything is known of the peer."""
        signature = encode_signature(self._config.routing_id)
        if self._config.mechanism == "NULL":
            return signature
        self._sent = 2
        return signature + _MAJOR + self._encode_rest()

    def _encode_rest(self) -> bytes:
        return _MINOR + self._config.mechanism.encode("ascii").ljust(_MECHANISM_SIZE, b"\0") + bytes(32)

    def start(self, now: float, *, bound: bool) -> float | None:
        """Start the clock of the handshake.

        Args:
            now: seconds of a monotonic clock.
            bound: we accepted the connection: a peer that came to us has something to say.

        Returns:
            When the greeting must be there, or None.
        """
        whole, greeting = self._config.handshake_timeout, self._config.greeting_timeout if bound else None
        self.deadline = None if whole is None else now + whole
        if greeting is None or (whole is not None and whole <= greeting):
            return self.deadline
        self._too_late = ("greeting", "greeting_ivl", greeting)
        return now + greeting

    def too_late(self, *, is_over: bool) -> RemoteProtocolError:
        """Make the failure of a peer that took too long; ``is_over``: its greeting was there in time."""
        what, limit, seconds = self._too_late
        if is_over:
            what, limit, seconds = "handshake", "handshake_ivl", self._config.handshake_timeout
        return RemoteProtocolError(FailureReason.TIMEOUT, f"the {what} took longer than {seconds} s", limit=limit)

    def check_size(self) -> None:
        """Check what the peer has sent so far, after a read that didn't end the handshake.

        Raises:
            RemoteProtocolError: it's more than any handshake needs.
        """
        if self.size > MAX_HANDSHAKE_SIZE:
            text = f"more than {MAX_HANDSHAKE_SIZE} bytes before the end of the handshake"
            raise RemoteProtocolError(FailureReason.LIMIT, text, limit="max_handshake_size")

    def receive(self, data: bytes, send: Callable[[bytes], None]) -> bytes | None:
        """Take bytes of the peer.

        Args:
            data: bytes received.
            send: called with bytes to send.

        Returns:
            None while more is needed, otherwise the bytes after the greeting (for an unversioned peer, all).

        Raises:
            RemoteProtocolError: no ZMTP peer, or one whose mechanism or version we may not talk to.
        """
        received = self._received = self._received + data
        if not received:
            return None
        if received[0] != 0xFF or (len(received) >= _SIGNATURE_SIZE and not received[9] & 1):
            return self._receive_unversioned(received)
        if len(received) < _SIGNATURE_SIZE:
            return None
        if self._sent == 0:
            send(_MAJOR)
            self._sent = 1
        if len(received) == _SIGNATURE_SIZE:
            return None
        if received[10] in _OLD_VERSIONS:
            return self._receive_old(received, send)
        if self._sent == 1:
            send(self._encode_rest())
            self._sent = 2
        if len(received) < _SIZE:
            return None
        if received[10] == _MAJOR[0] and received[11] == 0:
            self.version = V3_0
        self._check_mechanism(received[12:32])
        self._received = b""  # what follows is not held twice
        return received[_SIZE:]

    def _receive_unversioned(self, received: bytes) -> bytes | None:
        if received[0] == 0 or (received[0] != 0xFF and len(received) > 1 and received[1] > 1):
            raise RemoteProtocolError(FailureReason.PROTOCOL, "the peer doesn't speak ZMTP")
        if received[0] != 0xFF and len(received) == 1:
            return None
        self._check_old_allowed()
        self.unversioned = True
        self.version = V1
        self._received = b""
        return received

    def _receive_old(self, received: bytes, send: Callable[[bytes], None]) -> bytes | None:
        self._check_old_allowed()
        if self._sent == 1:
            send(bytes((SOCKET_TYPE_NUMBERS[self._config.socket_type],)))
            self._sent = 2
        if len(received) < _OLD_SIZE:
            return None
        number = received[11]
        self.socket_type = SOCKET_TYPE_NAMES[number] if number < len(SOCKET_TYPE_NAMES) else ""
        self.version = V1 if received[10] == 0 else V2
        self._received = b""
        return received[_OLD_SIZE:]

    def _check_old_allowed(self) -> None:
        config = self._config
        if config.mechanism != "NULL" or config.authenticates:
            text = f"a peer older than ZMTP 3.0 can't do {'ZAP' if config.mechanism == 'NULL' else config.mechanism}"
            raise RemoteProtocolError(FailureReason.PROTOCOL, text)

    def _check_mechanism(self, field: bytes) -> None:
        if field != self._config.mechanism.encode("ascii").ljust(_MECHANISM_SIZE, b"\0"):
            theirs = ascii(field.rstrip(b"\0").decode("ascii", "replace"))
            text = f"mechanisms differ: the peer wants {theirs}, we want {self._config.mechanism}"
            raise RemoteProtocolError(FailureReason.PROTOCOL, text)
