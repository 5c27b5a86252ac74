"""The NULL mechanism (RFC 37): both sides send READY at once; or ERROR. No authentication, no transformation."""

from __future__ import annotations

from typing import ClassVar

from purezmq.wire.commands import decode_error, decode_properties, encode_ready, split_command
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.mechanisms.base import Mechanism

__all__ = ["NullMechanism"]


class NullMechanism(Mechanism):
    """READY <-> READY; ours waits for the verdict where somebody decides."""

    name: ClassVar[str] = "NULL"

    __slots__ = ()

    def start(self) -> list[bytes]:
        """Return READY, or nothing before the verdict."""
        return self._present(())

    def _admit(self) -> list[bytes]:
        self.done = bool(self.properties)
        return [encode_ready(self.own_properties())]

    def receive_command(self, body: bytes) -> list[bytes]:
        """Take READY or ERROR.

        Args:
            body: the command's body.

        Returns:
            Nothing to send.

        Raises:
            RemoteProtocolError: anything else, a malformed READY, or the refusal of an ERROR.
        """
        name, data = split_command(body)
        if name == b"READY" and not self.properties:
            self.properties = decode_properties(data)
            if not self.properties:
                raise RemoteProtocolError(FailureReason.PROTOCOL, "no Socket-Type in the peer's metadata")
            self.done = self.credentials is None
            return []
        if name == b"ERROR":
            raise decode_error(data)
        raise self._unexpected(body)
