"""What both sides of a CURVE handshake (RFC 26) have in common: sizes, nonces, the checks of a command.

::

    client                                                            server
    HELLO     version(2) zeros(72) C'(32) nonce(8) box(64 zeros)        ->
              WELCOME   nonce(16) box(S'(32) cookie(96))                <-
    INITIATE  cookie(96) nonce(8) box(C(32) vouch(96) metadata)         ->
              READY     nonce(8) box(metadata)                          <-   or ERROR instead of either

    C, S: permanent public keys; C', S': transient ones, of this connection; c, s, c', s' the secret ones.
    HELLO is sealed between C' and S, as WELCOME is; the vouch, C' and S, between C and S'; the rest between C' and S'.

RFC 26's text counts 70 bytes of zeros in HELLO, its grammar 72; 72 make the 200 bytes that every implementation has.
The sides themselves are ``curve_client`` and ``curve_server``, what follows is ``curve_cipher``.
"""

from __future__ import annotations

from typing import ClassVar

from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.mechanisms.base import Mechanism
from purezmq.wire.mechanisms.sodium import KEY_SIZE, public_key, randombytes, shared_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.wire.config import ConnectionConfig

__all__ = ["CurveMechanism", "refuse"]


class CurveMechanism(Mechanism):
    """See the module's text; abstract.

    Args:
        config: settings of the connection.
        bound: we accepted the connection.
        random: gives random bytes, as many as it is asked for.

    Raises:
        ValueError: the credentials aren't keys of 32 bytes, or too few.
    """

    name: ClassVar[str] = "CURVE"
    key_count: ClassVar[int]

    __slots__ = ("_awaited", "_random", "_received_nonce", "_secret", "_shared", "_transient")

    def __init__(self, config: ConnectionConfig, *, bound: bool, random: Callable[[int], bytes] = randombytes) -> None:
        super().__init__(config, bound=bound)
        if [len(key) for key in config.credentials] != [KEY_SIZE] * self.key_count:
            raise ValueError(f"this side of CURVE needs {self.key_count} keys of {KEY_SIZE} bytes")
        self._random = random
        #: Our transient keys.
        self._secret = random(KEY_SIZE)
        self._transient = public_key(self._secret)
        #: The key shared with the peer, as far as the handshake has come.
        self._shared = b""
        #: The name of the command that may come next.
        self._awaited = b""
        self._received_nonce = 0

    def _share(self, public: bytes, secret: bytes) -> bytes:
        """The key shared with the peer; keys of small order, which any secret key goes with, are refused."""
        key = shared_key(public, secret)
        if key is None:
            raise refuse("a public key of the peer is of small order")
        return key

    def _take_nonce(self, short: bytes) -> None:
        """Note the peer's short nonce, which must be larger than its last."""
        nonce = int.from_bytes(short, "big")
        if nonce <= self._received_nonce:
            raise refuse("a nonce of the handshake does not increase")
        self._received_nonce = nonce


def refuse(text: str) -> RemoteProtocolError:
    """Make the error for a handshake that isn't RFC 26's."""
    return RemoteProtocolError(FailureReason.PROTOCOL, f"CURVE: {text}")
