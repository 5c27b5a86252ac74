"""A secure socket in one line: `curve`, `plain` and `bind_identity`. The options of libzmq stand behind the first two.

A server that is set up here decides by itself whom it lets in, and needs no ZAP handler. `ipc_mode` says which users of
the machine may come at all.
"""

from __future__ import annotations

import os
import warnings

from purezmq.constants import EINVAL, SocketOption
from purezmq.error import SecurityWarning, make_error
from purezmq.sockets.socket_state import SocketState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from purezmq.engine.id_owners import IdOwners

    Key = str | bytes
    Names = Mapping[bytes, str] | Mapping[str, str]  # a key's type is invariant
    Allow = str | os.PathLike[str] | Names | Iterable[Key | os.PathLike[str]]

__all__ = ["Security"]

_ALL_PERMISSIONS = 0o777


class Security(SocketState):
    """The methods; see the module's text."""

    __slots__ = ()

    if TYPE_CHECKING:

        def setsockopt(self, option: int, optval: Any) -> None:
            """SocketOptionsApi's."""

    def curve(
        self,
        key: Key | os.PathLike[str],
        *,
        allow: Allow | None = None,
        keys: tuple[Key, Key] | os.PathLike[str] | None = None,
        bind_identity: bool | Mapping[bytes, str] | None = None,
    ) -> None:
        """Encrypt and authenticate with CURVE; to be called before bind or connect.

        A server: ``server.curve(secret_key, allow=[...])``. A client: ``client.curve(server_public_key, keys=(public,
        secret))``, or without `keys` for a fresh pair. With neither `allow` nor `keys` the first call decides: a socket
        that binds is a server, and lets nobody in; one that connects is a client with a fresh pair.

        Args:
            key: of a server its secret key, of a client the server's public key: 32 bytes, 40 characters of Z85, or
                the path (an ``os.PathLike``) of a certificate.
            allow: whom the server lets in. Public keys, or paths of certificates: these clients. A dictionary of public
                keys and names: these, and the names are their User-Ids. A directory: the clients whose certificates
                (``*.key``) are in it; it is read again when it changes. ``"any"``: everybody who knows the server's
                public key. The User-Id of a message is the client's public key, unless a dictionary says otherwise.
            keys: the client's public and secret key, or the path of its secret certificate.
            bind_identity: see the attribute of this name; None leaves it as it is.

        Raises:
            TypeError: an argument is of a wrong type, or both `allow` and `keys` are given.
            ValueError: a key is none.
            OSError: a directory or a certificate can't be read.
            ZMQError: ENOTSUP: CURVE needs PyNaCl, the extra ``curve``.
        """
        if allow is not None and keys is not None:
            text = "curve() takes allow (of a server) or keys (of a client), not both"
            raise TypeError(text)
        owners = None if bind_identity is None else _make_owners(bind_identity)
        secret = public = b""
        if isinstance(key, os.PathLike):
            from purezmq.sockets.certificate import read_certificate

            public, found = read_certificate(key)
            secret = found or b""
        self._warn_of_open_endpoints()
        if keys is None and (allow is not None or secret):
            if isinstance(key, os.PathLike) and not secret:
                raise ValueError(f"there is no secret key in {os.fspath(key)}")
            self._become_curve_server(_as_key(secret or key), () if allow is None else allow)
        else:
            self._become_curve_client(_as_key(public or key), keys)
        self._options.is_curve_role_open = allow is None and keys is None and not secret
        if owners is not None:
            self._set_owners(owners)

    def _warn_of_open_endpoints(self) -> None:
        """Security is for endpoints that are made after it: say so where that looks like a mistake."""
        names = [listener.endpoint for listener in self._engine.listeners if listener.config.mechanism == "NULL"]
        if names:
            text = f"the socket is bound to {', '.join(names)} already, which stays open to everybody"
            warnings.warn(text, SecurityWarning, stacklevel=3)

    def _become_curve_server(self, secret: bytes, allow: Allow) -> None:
        from purezmq.sockets.admission import make_admission

        admission = make_admission(allow)
        self.setsockopt(SocketOption.CURVE_SERVER, 1)
        self.setsockopt(SocketOption.CURVE_SECRETKEY, secret)
        self._options.admission = admission

    def _become_curve_client(self, server_key: bytes, keys: tuple[Key, Key] | os.PathLike[str] | None) -> None:
        from purezmq.sockets.curve import curve_keypair

        if isinstance(keys, os.PathLike):
            from purezmq.sockets.certificate import read_certificate

            public, secret = read_certificate(keys)
            if secret is None:
                raise ValueError(f"there is no secret key in {os.fspath(keys)}")
        else:
            public, secret = map(_as_key, keys or curve_keypair())
        self.setsockopt(SocketOption.CURVE_SERVERKEY, server_key)
        self.setsockopt(SocketOption.CURVE_PUBLICKEY, public)
        self.setsockopt(SocketOption.CURVE_SECRETKEY, secret)
        self._options.admission = None

    def _settle_curve_role(self) -> None:
        """The socket is about to bind: when `curve` was told no role, this is the server."""
        if not self._options.is_curve_role_open or self._engine.dialers:
            return
        self._options.is_curve_role_open = False
        self._become_curve_server(self._options.curve_serverkey, ())

    def plain(
        self,
        user: str | Mapping[str, str],
        password: str | None = None,
        *,
        bind_identity: bool | Mapping[bytes, str] | None = None,
    ) -> None:
        """Authenticate with PLAIN; to be called before bind or connect. Nothing is encrypted, not even the password.

        A server: ``server.plain({"user": "password"})``, a client: ``client.plain("user", "password")``. The User-Id of
        a message is the user's name.

        Args:
            user: the client's name; or, of a server, the passwords of those that it lets in, by name.
            password: the client's.
            bind_identity: see the attribute of this name; None leaves it as it is.

        Raises:
            TypeError: it is neither of the two forms.
            ZMQError: EINVAL: a name or password is empty, or longer than 255 bytes.
        """
        from purezmq.sockets.admission import Passwords, check_credential  # with the first secure socket

        given: Any = user
        owners = None if bind_identity is None else _make_owners(bind_identity)
        self._warn_of_open_endpoints()
        if isinstance(user, str) and isinstance(password, str):
            name, secret = check_credential(user), check_credential(password)  # before anything is set
            self.setsockopt(SocketOption.PLAIN_USERNAME, name)
            self.setsockopt(SocketOption.PLAIN_PASSWORD, secret)
            self._options.admission = None
        elif hasattr(given, "items") and password is None:
            admission = Passwords(given)
            self.setsockopt(SocketOption.PLAIN_SERVER, 1)
            self._options.admission = admission
        else:
            text = "plain() takes a user and a password (a client), or a dict of passwords by user (a server)"
            raise TypeError(text)
        if owners is not None:
            self._set_owners(owners)

    @property
    def ipc_mode(self) -> int | None:
        """Which users may connect to an ipc endpoint that is bound from here on: the permissions of its file.

        0o600, the default: the own user, and root. 0o660 with a directory whose group is inherited: a group. None: what
        the umask says, as with libzmq. Abstract names (``ipc://@name``) have no file: there IPC_FILTER_UID decides.

        Raises:
            TypeError: it is neither an integer nor None.
            ZMQError: EINVAL: it is no mode from 0 to 0o777.
        """
        mode: int | None = self._options.ipc_mode
        return mode

    @ipc_mode.setter
    def ipc_mode(self, mode: int | None) -> None:
        if mode is not None and (isinstance(mode, bool) or not isinstance(mode, int)):
            text = f"ipc_mode is an integer such as 0o660, or None, not {mode!r}"
            raise TypeError(text)
        if mode is not None and not 0 <= mode <= _ALL_PERMISSIONS:
            raise make_error(EINVAL, f"ipc_mode is from 0 to 0o777, not {mode:#o}")
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            self._options.ipc_mode = mode

    @property
    def bind_identity(self) -> bool | Mapping[bytes, str]:
        """Whether a routing id belongs to the authenticated user that came with it first.

        True: no other user gets it for as long as the socket lives, not even when its owner is away, and
        ROUTER_HANDOVER is for the owner only. A dictionary of ids and User-Ids: only these ids may be used, by these
        users. An id of a peer without a User-Id is refused, and one that begins with a zero byte, which a ROUTER gives
        itself; a peer without an id is served. It's about peers that come to an endpoint of this socket; of a user's
        ids the 1,024 latest are remembered, and those of connected peers in any case.

        Raises:
            TypeError: it is neither a bool nor a dictionary.
        """
        owners = self._options.id_owners
        if owners is None:
            return False
        fixed: Mapping[bytes, str] | None = owners.fixed
        return True if fixed is None else fixed

    @bind_identity.setter
    def bind_identity(self, owners: bool | Mapping[bytes, str]) -> None:
        self._set_owners(_make_owners(owners))

    def _set_owners(self, owners: IdOwners | bool) -> None:
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            self._options.id_owners = owners or None


def _make_owners(bind_identity: Any) -> IdOwners | bool:
    """The table that the argument means; False for none.

    Raises:
        TypeError: it is neither a bool nor a dictionary.
    """
    from purezmq.engine.id_owners import IdOwners

    if isinstance(bind_identity, bool):
        return bind_identity and IdOwners()
    if not hasattr(bind_identity, "items"):
        text = f"bind_identity is True, False or a dict of routing ids and users, not {bind_identity!r}"
        raise TypeError(text)
    return IdOwners(bind_identity)


def _as_key(key: Any) -> bytes:
    """A key as the options take it."""
    from purezmq.sockets.admission import decode_key  # with the first secure socket

    return decode_key(key)
