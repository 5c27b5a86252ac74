"""Reads certificates: text files with the keys of CURVE, as czmq and pyzmq write them (ZPL, RFC 4).

Writing them is `purezmq.auth`'s matter.
"""

from __future__ import annotations

import os
import warnings

from purezmq.error import SecurityWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["find_certificates", "read_certificate"]

#: A certificate is a few lines; of a larger file no more is read (bytes).
MAX_SIZE = 65536
#: The name of a public certificate ends so.
_SUFFIX = ".key"
#: Permissions that nobody but the owner needs of a secret.
_OF_OTHERS = 0o077


def read_certificate(path: str | os.PathLike[str]) -> tuple[bytes, bytes | None]:
    """Read the keys of a certificate.

    A secret that others may read is worth a `SecurityWarning`; it is read all the same.

    Args:
        path: of the file.

    Returns:
        The public key, and the secret one, or None in a public certificate; each 40 characters of Z85.

    Raises:
        OSError: it can't be read.
        ValueError: there is no public key in it.
    """
    with open(path, "rb") as file:
        keys = _find_keys(file.read(MAX_SIZE).splitlines())
        if keys.get(b"secret-key"):
            _check_secrecy(file, path)
    public = keys.get(b"public-key")
    if not public:
        raise ValueError(f"there is no public key in {os.fspath(path)}")
    return public, keys.get(b"secret-key") or None


def _find_keys(lines: list[bytes]) -> dict[bytes, bytes]:
    """The keys by their names: below ``curve``, or in the whole of a file by hand that has no such line.

    What stands before that line is metadata, which others may have chosen.
    """
    stripped = [line.strip() for line in lines]
    if b"curve" in stripped:
        del stripped[: stripped.index(b"curve")]
    keys: dict[bytes, bytes] = {}
    for line in stripped:
        name, equals, value = line.partition(b"=")
        name = name.rstrip()
        if equals and name in {b"public-key", b"secret-key"}:
            keys.setdefault(name, value.strip(b" \t'\""))
    return keys


def _check_secrecy(file: BinaryIO, path: str | os.PathLike[str]) -> None:
    mode = os.fstat(file.fileno()).st_mode
    if os.name == "posix" and mode & _OF_OTHERS:
        text = f"others may read the secret key in {os.fspath(path)} (mode {mode & 0o777:04o}): chmod 600 it"
        warnings.warn(text, SecurityWarning, stacklevel=4)


def find_certificates(directory: str | os.PathLike[str]) -> list[str]:
    """The public certificates of a directory: the paths of its files whose names end in ``.key``, sorted.

    Raises:
        OSError: it is no directory, or can't be read.
    """
    with os.scandir(directory) as entries:
        return sorted(entry.path for entry in entries if entry.name.endswith(_SUFFIX) and entry.is_file())
