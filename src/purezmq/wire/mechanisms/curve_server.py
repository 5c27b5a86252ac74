"""The server's side of CURVE: it proves that it has its secret key, and has it decided which clients may come in."""

from __future__ import annotations

from purezmq.wire.commands import decode_properties, encode_properties, split_command
from purezmq.wire.mechanisms.curve import CurveMechanism, refuse
from purezmq.wire.mechanisms.curve_cipher import CurveCipher
from purezmq.wire.mechanisms.sodium import KEY_SIZE, open_box, randombytes, seal_box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from purezmq.wire.config import ConnectionConfig

__all__ = ["CurveServer"]

_HELLO_SIZE = 200
_HELLO_HEAD = b"\x05HELLO\x01\x00"
_INITIATE_MIN_SIZE = 257
_COOKIE_SIZE = 96
_VOUCH_SIZE = 96
_READY_NONCE = (1).to_bytes(8, "big")


class CurveServer(CurveMechanism):
    """See the module's text. The credentials are our public and our secret key.

    Every connection has a cookie key of its own, used for one cookie and then forgotten: a cookie is worth nothing on
    another connection, or a second time.

    Args:
        config: settings of the connection.
        bound: we accepted the connection.
        random: gives random bytes; the default is libsodium's.

    Raises:
        ValueError: the credentials are no two keys.
    """

    key_count: ClassVar[int] = 2

    __slots__ = ("_client", "_cookie_key")

    def __init__(self, config: ConnectionConfig, *, bound: bool, random: Callable[[int], bytes] = randombytes) -> None:
        super().__init__(config, bound=bound, random=random)
        #: The client's transient public key.
        self._client = b""
        self._cookie_key = b""
        self._awaited = b"HELLO"

    def start(self) -> list[bytes]:
        """Return nothing: the client speaks first."""
        return []

    def receive_command(self, body: bytes) -> list[bytes]:
        """Take HELLO, then INITIATE, which waits for the verdict where somebody decides.

        Args:
            body: the command's body.

        Returns:
            WELCOME after HELLO, READY when the client is let in.

        Raises:
            RemoteProtocolError: anything else, or what isn't authentic.
        """
        name, _ = split_command(body)
        if self.done or name != self._awaited:
            raise self._unexpected(body)
        if name == b"HELLO":
            welcome = self._receive_hello(body)
            self._awaited = b"INITIATE"
            return [welcome]
        self._awaited = b""
        return self._present((self._receive_initiate(body),))

    def _receive_hello(self, body: bytes) -> bytes:
        if len(body) != _HELLO_SIZE:
            raise refuse(f"a HELLO has {_HELLO_SIZE} bytes, not {len(body)}")
        if not body.startswith(_HELLO_HEAD):
            raise refuse("the HELLO is of another version than 1.0")
        client, short = body[80:112], body[112:120]
        self._take_nonce(short)
        shared = self._share(client, self.config.credentials[1])
        if open_box(body[120:], b"CurveZMQHELLO---" + short, shared) != bytes(64):
            raise refuse("the HELLO is not authentic: the client knows another public key than ours")
        self._client = client
        fresh = self._random(KEY_SIZE + 32)  # one call of the system for all three
        self._cookie_key, cookie_nonce, nonce = fresh[:KEY_SIZE], fresh[KEY_SIZE:-16], fresh[-16:]
        cookie = seal_box(client + self._secret, b"COOKIE--" + cookie_nonce, self._cookie_key)
        plain = self._transient + cookie_nonce + cookie
        return b"\x07WELCOME" + nonce + seal_box(plain, b"WELCOME-" + nonce, shared)

    def _receive_initiate(self, body: bytes) -> bytes:
        """Check an INITIATE; return the client's permanent public key."""
        if len(body) < _INITIATE_MIN_SIZE:
            raise refuse(f"an INITIATE has at least {_INITIATE_MIN_SIZE} bytes, not {len(body)}")
        cookie, short = body[9 : 9 + _COOKIE_SIZE], body[105:113]
        cookie_key, self._cookie_key = self._cookie_key, b""
        if open_box(cookie[16:], b"COOKIE--" + cookie[:16], cookie_key) != self._client + self._secret:
            raise refuse("the cookie is not ours")
        self._take_nonce(short)
        shared = self._share(self._client, self._secret)
        plain = open_box(body[113:], b"CurveZMQINITIATE" + short, shared)
        if plain is None:
            raise refuse("the INITIATE is not authentic")
        client = plain[:KEY_SIZE]
        vouch = plain[KEY_SIZE : KEY_SIZE + _VOUCH_SIZE]
        vouched = open_box(vouch[16:], b"VOUCH---" + vouch[:16], self._share(client, self._secret))
        if vouched != self._client + self.config.credentials[0]:
            raise refuse("the vouch is not for this connection")
        self.properties = decode_properties(plain[KEY_SIZE + _VOUCH_SIZE :])
        self.cipher = CurveCipher(shared, as_server=True, sent=1, received=self._received_nonce)
        self._shared = shared
        return client

    def _admit(self) -> list[bytes]:
        self.done = True
        box = seal_box(encode_properties(self.own_properties()), b"CurveZMQREADY---" + _READY_NONCE, self._shared)
        return [b"\x05READY" + _READY_NONCE + box]
