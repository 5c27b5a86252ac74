"""Authenticator: a ZAP handler (RFC 27) that decides by address, password, key or callback.

It is bound to inproc://zeromq.zap.01 of its context, and decides when it is given a question: by `thread` or `asyncio`,
or by whoever polls its ``zap_socket``. Secrets stay out of every log line.
"""

from __future__ import annotations

import logging
from errno import EADDRINUSE
from hmac import compare_digest
from inspect import isawaitable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol

from purezmq.auth.certs import load_certificates
from purezmq.constants import SocketType
from purezmq.error import make_error
from purezmq.sockets.context import Context
from purezmq.sockets.socket import Socket
from purezmq.wire.commands import encode_properties
from purezmq.wire.verdict import NOT_VOUCHED, VOUCHED_PROPERTY
from purezmq.wire.z85 import encode

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable

__all__ = ["CURVE_ALLOW_ANY", "Authenticator", "CredentialsProvider"]

#: As the location of `configure_curve`: every client.
CURVE_ALLOW_ANY = "*"

_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
#: Version, request id, domain, address, routing id, mechanism; the credentials follow.
_FIXED_PARTS = 6
#: How many credentials a mechanism has. Of others no number is asked for.
_CREDENTIALS = {b"PLAIN": 2, b"CURVE": 1, b"GSSAPI": 1}
#: Metadata of a reply about a client that came in because everybody does.
_UNVOUCHED = encode_properties([(VOUCHED_PROPERTY, NOT_VOUCHED)])
#: The domain that stands for a server without one.
_ANY_DOMAIN = "*"


class CredentialsProvider(Protocol):
    """What `configure_curve_callback` takes."""

    def callback(self, domain: str, key: bytes) -> bool | Awaitable[bool]:
        """Whether a client may come in.

        Args:
            domain: the server's ZAP_DOMAIN; "*" for none.
            key: the client's public key, 40 characters of Z85.
        """


class Authenticator:
    """Decides about the peers of all sockets of a context that authenticate.

    Until it is configured, peers by NULL may come in (of sockets with a ZAP_DOMAIN: others don't ask), peers by PLAIN
    and CURVE may not.

    Args:
        context: whose sockets ask; the process's own by default.
        encoding: of domains, addresses, names and passwords.
        log: a logger; by default "zmq.auth".

    Attributes:
        context: see above.
        encoding: see above.
        log: see above.
        zap_socket: the REP socket that questions come by; None before `start` and after `stop`.
        passwords: by domain, then by user.
        certs: by domain, the keys that `load_certificates` found.
        credentials_providers: by domain.
    """

    def __init__(self, context: Context[Any] | None = None, encoding: str = "utf-8", log: Any = None) -> None:
        self.context: Any = context or Context.instance()
        self.encoding = encoding
        self.log: Any = log or logging.getLogger("zmq.auth")
        self.zap_socket: Any = None
        self.passwords: dict[str, dict[str, str]] = {}
        self.certs: dict[str, dict[bytes, bool]] = {}
        self.credentials_providers: dict[str, Any] = {}
        self._allowed: set[str] | None = None
        self._denied: set[str] = set()
        #: The domains where every key is let in; "*" for all domains.
        self._open_domains: set[str] = set()

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Be the handler of the context from now on.

        Raises:
            ZMQError: EADDRINUSE: it has one already, perhaps this one.
        """
        if self.zap_socket is not None and not self.zap_socket.closed:
            raise make_error(EADDRINUSE, "the authenticator has been started already")
        zap_socket = self.context.socket(SocketType.REP, socket_class=Socket)
        zap_socket.linger = 1
        try:
            zap_socket.bind(_ENDPOINT)
        except BaseException:
            zap_socket.close()
            raise
        self.zap_socket = zap_socket
        self.log.debug("started")

    def stop(self) -> None:
        """Be it no more: whoever is being asked about is refused. Idempotent."""
        if self.zap_socket:
            self.zap_socket.close()
        self.zap_socket = None

    # -- configuration -------------------------------------------------------------------------------------------

    @property
    def allow_any(self) -> bool:
        """Whether every domain lets every key in (CURVE_ALLOW_ANY). Set it to False, and no single one does either."""
        return _ANY_DOMAIN in self._open_domains

    @allow_any.setter
    def allow_any(self, value: bool) -> None:
        self._open_domains = {_ANY_DOMAIN} if value else set()

    def allow(self, *addresses: str) -> None:
        """Refuse peers from all other addresses. Those from these are asked for their credentials as usual.

        Args:
            addresses: such as "127.0.0.1", without a port; none at all: nobody comes in by this call.

        Raises:
            ValueError: `deny` was used.
        """
        if self._denied:
            raise ValueError("use allow or deny, not both")
        self.log.debug("allowing %s", ",".join(addresses))
        self._allowed = (self._allowed or set()).union(map(_normalise, addresses))

    def deny(self, *addresses: str) -> None:
        """Refuse peers from these addresses.

        Args:
            addresses: as for `allow`.

        Raises:
            ValueError: `allow` was used.
        """
        if self._allowed is not None:
            raise ValueError("use allow or deny, not both")
        self.log.debug("denying %s", ",".join(addresses))
        self._denied.update(map(_normalise, addresses))

    def configure_plain(self, domain: str = _ANY_DOMAIN, passwords: dict[str, str] | None = None) -> None:
        """Let in those who know a password (PLAIN).

        Args:
            domain: the ZAP_DOMAIN of the servers; "*" for those without one.
            passwords: by user.
        """
        if passwords:
            self.passwords[domain] = passwords
        self.log.debug("configured PLAIN for domain %s", domain)

    def configure_curve(self, domain: str = _ANY_DOMAIN, location: str | os.PathLike[str] = ".") -> None:
        """Let in clients by their keys (CURVE). To be called again when the certificates have changed.

        Args:
            domain: the ZAP_DOMAIN of the servers; "*" for those without one, and with CURVE_ALLOW_ANY for all.
            location: the directory of the clients' public certificates; CURVE_ALLOW_ANY for every client, of which none
                is vouched for then (its messages have ``X-Vouched: no``; see `refuses_pickles`). A directory that
                can't be read is logged, and lets nobody in who was not let in before.
        """
        self.log.debug("configured CURVE for domain %s: %s", domain, location)
        if location == CURVE_ALLOW_ANY:
            self._open_domains.add(domain)
            return
        self._open_domains -= {domain, _ANY_DOMAIN}
        try:
            self.certs[domain] = load_certificates(location)
        except (OSError, ValueError):
            self.log.exception("can't load certificates from %s", location)

    def configure_curve_callback(
        self, domain: str = _ANY_DOMAIN, credentials_provider: CredentialsProvider | None = None
    ) -> None:
        """Let in the clients that a callback says yes to (CURVE).

        Args:
            domain: the ZAP_DOMAIN of the servers; "*" for those without one.
            credentials_provider: has ``callback(domain, key)``, which may be a coroutine function; the key is 40
                characters of Z85.
        """
        self._open_domains -= {domain, _ANY_DOMAIN}
        if credentials_provider is None:
            self.log.error("no credentials_provider was given for domain %s", domain)
        else:
            self.credentials_providers[domain] = credentials_provider

    def configure_gssapi(self, domain: str = _ANY_DOMAIN, location: str | None = None) -> None:
        """There is nothing to configure: the service that issues tickets has decided already."""

    def curve_user_id(self, client_public_key: bytes) -> str:
        """Tell the User-Id of a client that was let in; to be overridden where users have names.

        Args:
            client_public_key: 32 bytes.

        Returns:
            By default the key as Z85.
        """
        return encode(client_public_key).decode("ascii")

    # -- decisions -----------------------------------------------------------------------------------------------

    async def handle_zap_message(self, msg: list[bytes]) -> None:
        """Answer a question. What fails at that is logged, and the answer is 500.

        Args:
            msg: its parts, as ``zap_socket.recv_multipart()`` gives them.

        Raises:
            ZMQError: nothing can be sent: the socket is closed, or the context has ended.
        """
        request_id = msg[1] if len(msg) > 1 else b""
        try:
            await self._answer(request_id, msg)
        except Exception:
            # A callback of the application failed: the peer stays outside, and the next question is answered.
            self.log.exception("a decision about a peer failed")
            self._send_zap_reply(request_id, b"500", b"Internal error")

    async def _answer(self, request_id: bytes, msg: list[bytes]) -> None:
        if len(msg) < _FIXED_PARTS:
            self.log.error("a ZAP question of %d parts", len(msg))
            self._send_zap_reply(request_id, b"400", b"Not enough frames")
            return
        if msg[0] != _VERSION:
            self.log.error("a ZAP question of version %r", msg[0])
            self._send_zap_reply(request_id, b"400", b"Invalid version")
            return
        domain, address, _, mechanism = msg[2:_FIXED_PARTS]
        user_id, reason = await self._decide(domain, address, mechanism, msg[_FIXED_PARTS:])
        if user_id is None:
            self._send_zap_reply(request_id, b"400", reason)
        elif mechanism == b"CURVE" and self._is_open(self._decode(domain) or _ANY_DOMAIN):
            self._send_zap_reply(request_id, b"200", b"OK", user_id, _UNVOUCHED)
        else:
            self._send_zap_reply(request_id, b"200", b"OK", user_id)

    async def _decide(
        self, domain: bytes, address: bytes, mechanism: bytes, credentials: list[bytes]
    ) -> tuple[str | None, bytes]:
        """Who the peer is (None: it is not let in), and why not."""
        where = self._decode(address)
        name = self._decode(domain) or _ANY_DOMAIN
        user_id = ""
        is_allowed, reason = False, self._check_address(where)
        if not reason:
            if len(credentials) != _CREDENTIALS.get(mechanism, len(credentials)):
                reason = b"Invalid credentials"
            elif mechanism == b"NULL":
                is_allowed, user_id = True, "anonymous"
            elif mechanism == b"PLAIN":
                user_id = self._decode(credentials[0])
                is_allowed, reason = self._authenticate_plain(name, user_id, self._decode(credentials[1]))
            elif mechanism == b"CURVE":
                is_allowed, reason = await self._authenticate_curve(name, credentials[0])
                if is_allowed:
                    user_id = self.curve_user_id(credentials[0])
            elif mechanism == b"GSSAPI":
                user_id = credentials[0].decode("utf-8")
                is_allowed, reason = self._authenticate_gssapi(name, credentials[0])
            else:
                reason = b"Unknown mechanism"
        outcome = "allowed" if is_allowed else "denied"
        self.log.debug("%s: mechanism %r, domain %s, address %s, %s", outcome, mechanism, name, where, reason.decode())
        return user_id if is_allowed else None, reason

    def _decode(self, text: bytes) -> str:
        return text.decode(self.encoding, "replace")

    def _check_address(self, address: str) -> bytes:
        """Why the address is refused; empty when it isn't."""
        address = _normalise(address)
        if self._allowed is not None and address not in self._allowed:
            return b"Address not allowed"
        return b"Address denied" if address in self._denied else b""

    # The next four are pyzmq's by name and form, because programs override them.

    def _authenticate_plain(self, domain: str, username: str, password: str) -> tuple[bool, bytes]:
        if not self.passwords:
            return False, b"No passwords defined"
        users = self.passwords.get(domain or _ANY_DOMAIN)
        if users is None:
            return False, b"Invalid domain"
        expected = users.get(username)
        # As long for a name that nobody has: who guesses learns nothing from the time it takes.
        known = f"{password}." if expected is None else expected
        if not compare_digest(password.encode("utf-8", "replace"), known.encode("utf-8", "replace")):
            return False, b"Invalid username" if expected is None else b"Invalid password"
        return True, b"OK"

    async def _authenticate_curve(self, domain: str, client_key: bytes) -> tuple[bool, bytes]:
        domain = domain or _ANY_DOMAIN
        key = encode(client_key)
        if self._is_open(domain):
            return True, b"OK"
        if self.credentials_providers:
            provider = self.credentials_providers.get(domain)
            if provider is None:
                return False, b"Unknown domain"
            is_known = provider.callback(domain, key)
            if isawaitable(is_known):
                is_known = await is_known
        elif domain not in self.certs:
            return False, b"Unknown domain"
        else:
            is_known = self.certs[domain].get(key)
        return (True, b"OK") if is_known else (False, b"Unknown key")

    def _authenticate_gssapi(self, domain: str, principal: bytes) -> tuple[bool, bytes]:
        return True, b"OK"

    def _is_open(self, domain: str) -> bool:
        """Whether every key is let in there: then it tells nobody who its owner is."""
        return not self._open_domains.isdisjoint((domain, _ANY_DOMAIN))

    def _send_zap_reply(
        self,
        request_id: bytes,
        status_code: bytes,
        status_text: bytes,
        user_id: str = "anonymous",
        metadata: bytes = b"",
    ) -> None:
        user = user_id.encode(self.encoding, "replace") if status_code == b"200" else b""
        self.zap_socket.send_multipart([_VERSION, request_id, status_code, status_text, user, metadata])


def _normalise(address: str) -> str:
    """One text for all that mean the same address: "::ffff:10.0.0.1" is 10.0.0.1, "0:0::1" is "::1"."""
    try:
        known = ip_address(address)
    except ValueError:  # that of an ipc peer, or empty
        return address
    return str(getattr(known, "ipv4_mapped", None) or known)
