"""What a security mechanism is: a dialogue of commands after the greeting, and perhaps a cipher for every frame.

No mechanism may live here. A mechanism never touches framing: it takes and gives command bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from purezmq.wire.commands import encode_error, split_command
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason, PeerInfo
from purezmq.wire.limits import MAX_ROUTING_ID_SIZE
from purezmq.wire.verdict import ADMITTED, NOT_VOUCHED, TRY_LATER, VOUCHED_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purezmq.wire.config import ConnectionConfig
    from purezmq.wire.mechanisms.cipher import FrameCipher
    from purezmq.wire.verdict import Verdict

__all__ = ["Mechanism"]

_SENDS_ROUTING_ID = frozenset({"REQ", "DEALER", "ROUTER"})
#: Nobody says by himself who he is and where he comes from. Names with "__" are libzmq's for itself (``__fd``: SRCFD).
_OURS_TO_TELL = frozenset({"user-id", "peer-address", "routing-id"})


class Mechanism:
    """One side of a handshake.

    Args:
        config: settings of the connection.
        bound: we accepted the connection (RFC 24 and 26: server and client are told by options, not by this).

    Attributes:
        name: as in the greeting.
        seals: there will be a cipher.
        cipher: what every frame goes through after the handshake, if anything.
        done: the handshake is over, ``properties`` are complete and so is ``cipher``.
        properties: the peer's metadata, in order.
        credentials: what the peer presented, while a verdict about it is awaited; otherwise None.
        proven: the first of the credentials by which the peer was let in: its public key, or its name.
        verdict: what was decided about the peer, if anybody was asked.
        refusal: the peer was not let in; what `receive_verdict` returned is still to be sent.
    """

    name: ClassVar[str]
    seals: ClassVar[bool] = False

    __slots__ = ("bound", "cipher", "config", "credentials", "done", "properties", "proven", "refusal", "verdict")

    def __init__(self, config: ConnectionConfig, *, bound: bool) -> None:
        self.config = config
        self.bound = bound
        self.cipher: FrameCipher | None = None
        self.done = False
        self.properties: Sequence[tuple[str, bytes]] = ()
        self.credentials: tuple[bytes, ...] | None = None
        self.proven = b""
        self.verdict: Verdict | None = None
        self.refusal: RemoteProtocolError | None = None

    def start(self) -> list[bytes]:
        """Return the command bodies to send right after the greetings."""
        raise NotImplementedError

    def receive_command(self, body: bytes) -> list[bytes]:
        """Take a command of the handshake.

        Args:
            body: the command's body.

        Returns:
            Command bodies to send.

        Raises:
            RemoteProtocolError: the command is malformed, unexpected, or a refusal.
        """
        raise NotImplementedError

    def receive_verdict(self, verdict: Verdict) -> list[bytes]:
        """Take what was decided about the peer whose ``credentials`` wait.

        Args:
            verdict: only the status 200 lets it in.

        Returns:
            Command bodies to send: the handshake's next ones, or an ERROR (none with status 300, as libzmq).
        """
        credentials, self.credentials = self.credentials, None
        self.verdict = verdict
        if verdict.status == ADMITTED:
            self.proven = credentials[0] if credentials else b""
            return self._admit()
        why = f" ({verdict.text!a})" if verdict.text else ""
        text = f"the peer was not let in: status {verdict.status}{why}"
        self.refusal = RemoteProtocolError(FailureReason.AUTH, text, verdict.status)
        return [] if verdict.status == TRY_LATER else [encode_error(b"%d" % verdict.status)]

    def _present(self, credentials: tuple[bytes, ...]) -> list[bytes]:
        """The peer has presented itself: go on, or await the verdict where somebody decides."""
        if self.config.authenticates:
            self.credentials = credentials
            return []
        return self._admit()

    def _admit(self) -> list[bytes]:
        """Return the command bodies that follow when the peer is let in."""
        raise NotImplementedError

    def own_properties(self) -> list[tuple[str, bytes]]:
        """Return our metadata.

        Returns:
            ``Socket-Type``; for REQ, DEALER and ROUTER ``Identity``, even if empty (as libzmq), for others where there
            is one; the application's own.
        """
        config = self.config
        properties = [("Socket-Type", config.socket_type.encode("ascii"))]
        if config.socket_type in _SENDS_ROUTING_ID or config.routing_id:
            properties.append(("Identity", config.routing_id))
        properties += config.metadata
        return properties

    def describe_peer(self, version: tuple[int, int]) -> PeerInfo:
        """Make the peer's description out of its metadata.

        Args:
            version: the version that the greetings agreed on.

        Returns:
            The description.

        Raises:
            RemoteProtocolError: there is no Socket-Type, it can't talk to ours, or the routing id is too long.
        """
        socket_type, routing_id, others = "", b"", {}
        for name, value in self.properties:
            key = name.lower()  # RFC 37: names are case-insensitive
            if key == "socket-type":
                socket_type = value.decode("ascii", "replace")
            elif key == "identity":
                routing_id = value
            elif key not in _OURS_TO_TELL and not key.startswith("__"):
                others[name] = value
        if not socket_type:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "no Socket-Type in the peer's metadata")
        if socket_type not in self.config.accepts:
            text = f"a peer of type {socket_type[:32]!a} can't talk to {self.config.socket_type}"
            raise RemoteProtocolError(FailureReason.INCOMPATIBLE, text)
        if len(routing_id) > MAX_ROUTING_ID_SIZE:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "routing id is longer than 255 bytes")
        user_id, is_vouched = "", False
        if self.verdict is not None:
            told = self.verdict.properties
            others.update(told)
            user_id = self.verdict.user_id
            is_vouched = self.verdict.is_vouched and told.get(VOUCHED_PROPERTY) != NOT_VOUCHED
        if user_id:
            others["User-Id"] = user_id.encode()
        return PeerInfo(
            socket_type, routing_id, version, self.name, others, user_id, is_vouched=is_vouched, proven=self.proven
        )

    def _unexpected(self, body: bytes) -> RemoteProtocolError:
        name = ascii(split_command(body)[0][:32].decode("ascii", "replace"))
        return RemoteProtocolError(FailureReason.PROTOCOL, f"unexpected command {name} in the {self.name} handshake")
