"""Whom a socket lets in by its own lists, without a ZAP handler: one class for each kind of list.

The engine calls ``decide(mechanism, credentials)`` of it for each peer (lease held), so a look-up is all that happens
there; `AllowedDirectory` also asks the system whether its directory has changed. Imported when one is made.
"""

from __future__ import annotations

import os
from errno import EINVAL
from hmac import compare_digest
from time import monotonic

from purezmq.engine.fence import report
from purezmq.error import make_error
from purezmq.sockets.certificate import find_certificates, read_certificate
from purezmq.wire.verdict import ADMITTED, DENIED, FAILED, Verdict
from purezmq.wire.z85 import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = [
    "Admission",
    "AllowedDirectory",
    "AllowedKeys",
    "AnyKey",
    "Passwords",
    "check_credential",
    "decode_key",
    "make_admission",
]

_KEY_SIZE = 32
_TEXT_SIZE = 40
#: RFC 24 has one byte for the size of a name or password.
_CREDENTIAL_SIZE = 255
#: `allow` of a server that lets every client in.
ANY = "any"
#: A directory of certificates is looked at so often at most (seconds), however many peers come.
LOOK_INTERVAL_S = 0.5


def decode_key(key: Any) -> bytes:
    """The 32 bytes of a key.

    Args:
        key: these bytes, or 40 characters of Z85.

    Raises:
        TypeError: it is neither text nor bytes.
        ValueError: it is no key. The text never tells what was given.
    """
    if not isinstance(key, (str, bytes)):
        text = f"a key is 32 bytes or 40 characters of Z85, not a {type(key).__name__}"
        raise TypeError(text)
    if len(key) == _KEY_SIZE and isinstance(key, bytes):
        return key
    if len(key) != _TEXT_SIZE:
        raise ValueError(f"a key is 32 bytes or 40 characters of Z85, not {len(key)} others")
    try:
        return decode(key)
    except ValueError:
        raise ValueError("a key is 32 bytes or 40 characters of Z85; this one has characters that are none") from None


class Admission:
    """Base of the lists: what is for another mechanism is denied.

    Class attributes:
        mechanism: whose credentials it knows.
        is_vouched: who is let in is known here.
    """

    mechanism = ""
    is_vouched = True

    def decide(self, mechanism: str, credentials: tuple[bytes, ...]) -> Verdict:
        """Decide about a peer.

        Args:
            mechanism: that the peer came by.
            credentials: what it presented.
        """
        if mechanism != self.mechanism:
            return Verdict(DENIED, f"this list is for {self.mechanism}")
        user = self.find_user(credentials)
        if user is None:
            return Verdict(DENIED, "not on the list")
        return Verdict(ADMITTED, "", user, is_vouched=self.is_vouched)

    def find_user(self, credentials: tuple[bytes, ...]) -> str | None:
        """Who presents these credentials, None when nobody known does."""
        raise NotImplementedError


class AnyKey(Admission):
    """CURVE: whoever knows the server's key; the user is the client's own key as Z85, which vouches for nobody."""

    mechanism = "CURVE"
    is_vouched = False

    def find_user(self, credentials: tuple[bytes, ...]) -> str | None:
        """The key as text."""
        return encode(credentials[0]).decode()


class AllowedKeys(Admission):
    """CURVE: the clients with these public keys.

    Args:
        users: who has which key of 32 bytes.
    """

    mechanism = "CURVE"

    def __init__(self, users: Mapping[bytes, str]) -> None:
        self._users = dict(users)

    def find_user(self, credentials: tuple[bytes, ...]) -> str | None:
        """Whose key it is."""
        return self._users.get(credentials[0])


class AllowedDirectory(Admission):
    """CURVE: the clients whose public certificates (``*.key``) are in a directory; it's read again when they change.

    A file that is no certificate lets nobody in and is reported; while the directory can't be read, nobody comes in.

    Args:
        directory: its path.

    Raises:
        OSError: it can't be read now.
    """

    mechanism = "CURVE"

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = os.path.abspath(directory)
        self._stamp: list[tuple[str, int, int, int, int]] = []
        #: The stamp was the same at two looks: a change of the same moment, and so of the same stamp, has been read.
        self._is_settled = False
        self._next_look = 0.0
        self._users: dict[bytes, str] = {}
        self._look()

    def decide(self, mechanism: str, credentials: tuple[bytes, ...]) -> Verdict:
        """See `Admission`."""
        try:
            if monotonic() >= self._next_look:
                self._look()
        except OSError as error:
            report(f"reading the certificates in {self._directory}", error)
            return Verdict(FAILED, "the directory of certificates can't be read")
        return super().decide(mechanism, credentials)

    def _look(self) -> None:
        """Read the certificates, if they may have changed."""
        paths = find_certificates(self._directory)
        stamp = list(map(_make_stamp, paths))
        is_same = stamp == self._stamp
        if not (is_same and self._is_settled):
            self._users = self._read(paths)
        self._stamp, self._is_settled = stamp, is_same
        self._next_look = monotonic() + LOOK_INTERVAL_S

    def _read(self, paths: list[str]) -> dict[bytes, str]:
        users: dict[bytes, str] = {}
        for path in paths:
            try:
                key = decode_key(read_certificate(path)[0])
            except (OSError, ValueError) as error:
                report(f"reading the certificate {path}", error)
            else:
                users[key] = encode(key).decode()
        return users

    def find_user(self, credentials: tuple[bytes, ...]) -> str | None:
        """The key as text, when its certificate is there."""
        return self._users.get(credentials[0])


def _make_stamp(path: str) -> tuple[str, int, int, int, int]:
    """What changes when a file does, also in place or by another of the same name."""
    try:
        facts = os.stat(path)
    except FileNotFoundError:  # since it was listed
        return path, 0, 0, 0, 0
    return path, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size


class Passwords(Admission):
    """PLAIN: the users with these passwords.

    Args:
        passwords: by user name.

    Raises:
        TypeError: a name or password is no text.
        ZMQError: EINVAL: a name or password is empty, or longer than 255 bytes. The text never tells which.
    """

    mechanism = "PLAIN"

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = {
            check_credential(name): (name, check_credential(password)) for name, password in passwords.items()
        }

    def find_user(self, credentials: tuple[bytes, ...]) -> str | None:
        """The name, when the password is its own. An unknown name takes as long as a wrong password."""
        name, password = credentials
        user, expected = self._passwords.get(name, (None, password[::-1] + b"\0"))
        return user if compare_digest(password, expected) else None


def check_credential(text: Any) -> bytes:
    """A name or a password as it is on the wire.

    Raises:
        TypeError: it is no text.
        ZMQError: EINVAL: it is empty, or longer than 255 bytes. The text never tells it.
    """
    if not isinstance(text, str):
        raise TypeError(f"names and passwords are texts, not {type(text).__name__}")
    encoded = text.encode()
    if not 0 < len(encoded) <= _CREDENTIAL_SIZE:
        raise make_error(EINVAL, f"names and passwords are 1..{_CREDENTIAL_SIZE} bytes long, not {len(encoded)}")
    return encoded


def make_admission(allow: Any) -> Admission:
    """The list that ``Socket.curve(allow=...)`` means; see there.

    Raises:
        TypeError: it is nothing that names keys.
        ValueError: one of the keys is none, or the directory is an empty text.
        OSError: the directory or a certificate can't be read.
    """
    if isinstance(allow, str) and allow == ANY:
        return AnyKey()
    if isinstance(allow, str) and not allow:
        # To the system it's the current directory; whoever gives it had no directory to give.
        raise ValueError("allow is an empty text, which names no directory")
    if isinstance(allow, (str, os.PathLike)):
        return AllowedDirectory(allow)
    if isinstance(allow, (bytes, bytearray)) or not hasattr(allow, "__iter__"):
        kind = type(allow).__name__
        text = f"allow is a list of public keys, a dict of keys and names, a directory or 'any', not {kind}"
        raise TypeError(text)
    if hasattr(allow, "items"):
        return AllowedKeys({decode_key(key): str(name) for key, name in allow.items()})
    keys = [decode_key(read_certificate(key)[0] if isinstance(key, os.PathLike) else key) for key in allow]
    return AllowedKeys({key: encode(key).decode() for key in keys})
