"""The client's side of CURVE: it knows the server's public key, and proves that it has its own secret one."""

from __future__ import annotations

from purezmq.wire.commands import decode_error, decode_properties, encode_properties, split_command
from purezmq.wire.mechanisms.curve import CurveMechanism, refuse
from purezmq.wire.mechanisms.curve_cipher import CurveCipher
from purezmq.wire.mechanisms.sodium import KEY_SIZE, open_box, randombytes, seal_box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from purezmq.wire.config import ConnectionConfig

__all__ = ["CurveClient"]

_WELCOME_SIZE = 168
_READY_MIN_SIZE = 30
_READY_AT = 6
#: Short nonces: one per command, in order, then one per MESSAGE.
_HELLO_NONCE = (1).to_bytes(8, "big")
_INITIATE_NONCE = (2).to_bytes(8, "big")


class CurveClient(CurveMechanism):
    """See the module's text. The credentials are our public key, our secret key and the server's public key.

    Args:
        config: settings of the connection.
        bound: we accepted the connection.
        random: gives random bytes; the default is libsodium's.

    Raises:
        ValueError: the credentials are no three keys.
    """

    key_count: ClassVar[int] = 3

    __slots__ = ()

    def __init__(self, config: ConnectionConfig, *, bound: bool, random: Callable[[int], bytes] = randombytes) -> None:
        super().__init__(config, bound=bound, random=random)
        self._awaited = b"WELCOME"

    def start(self) -> list[bytes]:
        """Return HELLO.

        Raises:
            RemoteProtocolError: the server's public key is of small order.
        """
        self._shared = self._share(self.config.credentials[2], self._secret)
        box = seal_box(bytes(64), b"CurveZMQHELLO---" + _HELLO_NONCE, self._shared)
        return [b"\x05HELLO\x01\x00" + bytes(72) + self._transient + _HELLO_NONCE + box]

    def receive_command(self, body: bytes) -> list[bytes]:
        """Take WELCOME, then READY; or ERROR.

        Args:
            body: the command's body.

        Returns:
            INITIATE after WELCOME.

        Raises:
            RemoteProtocolError: anything else, what isn't authentic, or the refusal of an ERROR.
        """
        name, data = split_command(body)
        if name == b"ERROR":
            raise decode_error(data)
        if self.done or name != self._awaited:
            raise self._unexpected(body)
        if name == b"WELCOME":
            return [self._receive_welcome(body)]
        self._receive_ready(body)
        return []

    def _receive_welcome(self, body: bytes) -> bytes:
        if len(body) != _WELCOME_SIZE:
            raise refuse(f"a WELCOME has {_WELCOME_SIZE} bytes, not {len(body)}")
        plain = open_box(body[24:], b"WELCOME-" + body[8:24], self._shared)
        if plain is None:
            raise refuse("the WELCOME is not authentic: CURVE_SERVERKEY is not this server's public key")
        server, cookie = plain[:KEY_SIZE], plain[KEY_SIZE:]
        self._shared = self._share(server, self._secret)
        public, secret, server_key = self.config.credentials
        vouch_nonce = self._random(16)
        vouch = seal_box(self._transient + server_key, b"VOUCH---" + vouch_nonce, self._share(server, secret))
        plain = public + vouch_nonce + vouch + encode_properties(self.own_properties())
        box = seal_box(plain, b"CurveZMQINITIATE" + _INITIATE_NONCE, self._shared)
        self._awaited = b"READY"
        return b"\x08INITIATE" + cookie + _INITIATE_NONCE + box

    def _receive_ready(self, body: bytes) -> None:
        if len(body) < _READY_MIN_SIZE:
            raise refuse(f"a READY has at least {_READY_MIN_SIZE} bytes, not {len(body)}")
        short = body[_READY_AT : _READY_AT + 8]
        self._take_nonce(short)
        plain = open_box(body[_READY_AT + 8 :], b"CurveZMQREADY---" + short, self._shared)
        if plain is None:
            raise refuse("the READY is not authentic")
        self.properties = decode_properties(plain)
        self.cipher = CurveCipher(self._shared, as_server=False, sent=2, received=self._received_nonce)
        self.done = True
