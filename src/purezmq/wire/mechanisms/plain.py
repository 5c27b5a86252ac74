"""The PLAIN mechanism (RFC 24): a user name and a password in clear text; frames are not transformed.

::

    client      HELLO username password      INITIATE metadata
    server                              WELCOME               READY metadata; or ERROR instead of either
"""

from __future__ import annotations

from typing import ClassVar

from purezmq.wire.commands import decode_error, decode_properties, encode_properties, encode_ready, split_command
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.mechanisms.base import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.wire.config import ConnectionConfig

__all__ = ["PlainClient", "PlainServer"]

_WELCOME = b"\x07WELCOME"
#: What libzmq's PLAIN (up to 4.3.5 at least) sends and expects in place of b"\x05ERROR".
_LIBZMQ_ERROR = b"^RROR"


class PlainClient(Mechanism):
    """The side that presents itself.

    Args:
        config: settings of the connection; its credentials are user name and password, at most 255 bytes each.
        bound: we accepted the connection.

    Raises:
        ValueError: the credentials are others.
    """

    name: ClassVar[str] = "PLAIN"

    __slots__ = ("_awaited",)

    def __init__(self, config: ConnectionConfig, *, bound: bool) -> None:
        super().__init__(config, bound=bound)
        if len(config.credentials) != 2 or max(map(len, config.credentials)) > 255:
            raise ValueError("a PLAIN client needs a user name and a password of at most 255 bytes")
        self._awaited = b"WELCOME"

    def start(self) -> list[bytes]:
        """Return HELLO."""
        username, password = self.config.credentials
        return [b"\x05HELLO%c%b%c%b" % (len(username), username, len(password), password)]

    def receive_command(self, body: bytes) -> list[bytes]:
        """Take WELCOME, then READY; or ERROR.

        Args:
            body: the command's body.

        Returns:
            INITIATE after WELCOME.

        Raises:
            RemoteProtocolError: anything else, a malformed command, or the refusal of an ERROR.
        """
        if body.startswith(_LIBZMQ_ERROR):
            raise decode_error(body[len(_LIBZMQ_ERROR) :])
        name, data = split_command(body)
        if name == b"ERROR":
            raise decode_error(data)
        if self.done or name != self._awaited:
            raise self._unexpected(body)
        if name == b"WELCOME":
            if data:
                raise RemoteProtocolError(FailureReason.PROTOCOL, "a WELCOME of PLAIN carries no data")
            self._awaited = b"READY"
            return [b"\x08INITIATE" + encode_properties(self.own_properties())]
        self.properties = decode_properties(data)
        self.done = True
        return []


class PlainServer(Mechanism):
    """The side that has it decided whether user name and password are right."""

    name: ClassVar[str] = "PLAIN"

    __slots__ = ("_awaited",)

    def __init__(self, config: ConnectionConfig, *, bound: bool) -> None:
        super().__init__(config, bound=bound)
        self._awaited = b"HELLO"

    def start(self) -> list[bytes]:
        """Return nothing: the client speaks first."""
        return []

    def receive_command(self, body: bytes) -> list[bytes]:
        """Take HELLO, which waits for the verdict where somebody decides, then INITIATE.

        Args:
            body: the command's body.

        Returns:
            WELCOME when the client is let in, READY after INITIATE.

        Raises:
            RemoteProtocolError: anything else, or a malformed command.
        """
        name, data = split_command(body)
        if self.done or self.credentials is not None or name != self._awaited:
            raise self._unexpected(body)
        if name == b"HELLO":
            self._awaited = b""  # nothing before the verdict
            return self._present(_decode_hello(data))
        self.properties = decode_properties(data)
        self.done = True
        return [encode_ready(self.own_properties())]

    def _admit(self) -> list[bytes]:
        self._awaited = b"INITIATE"
        return [_WELCOME]


def _decode_hello(data: bytes) -> tuple[bytes, bytes]:
    """Decode user name and password, which must fill the command exactly."""
    middle = 1 + data[0] if data else 0
    if 0 < middle < len(data) and middle + 1 + data[middle] == len(data):
        return data[1:middle], data[middle + 1 :]
    raise RemoteProtocolError(FailureReason.PROTOCOL, "malformed HELLO of PLAIN")
