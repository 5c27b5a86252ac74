"""Certificates: the keys of CURVE in text files, in the form of czmq and pyzmq (ZPL, RFC 4)."""

from __future__ import annotations

import os
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING

from purezmq.sockets.certificate import find_certificates, read_certificate
from purezmq.sockets.curve import curve_keypair

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["create_certificates", "load_certificate", "load_certificates"]

_PUBLIC_HEAD = """\
#   Public certificate of CURVE, made {now} by purezmq.
#   Give it to those who shall know this key, by a way on which nobody can exchange it.

"""
_OWNER_HEAD = """\
#   SECRET certificate of CURVE, made {now} by purezmq.
#   Give it to nobody, and let nobody but its owner read it.

"""

#: Names that a reader of certificates could take for the keys themselves.
_KEY_NAMES = frozenset({"public-key", "secret-key"})


def create_certificates(
    key_dir: str | os.PathLike[str], name: str, metadata: Mapping[str, str] | None = None, *, overwrite: bool = False
) -> tuple[str, str]:
    """Make a pair of keys, and write a public and a secret certificate.

    The secret one is for its owner only (mode 0600) from the moment it exists, whatever the umask.

    Args:
        key_dir: the directory, which must exist.
        name: the files are ``NAME.key`` and ``NAME.key_secret``.
        metadata: names and values, one line each, that the secret certificate tells besides.
        overwrite: replace files that are there already, once the new ones are written.

    Returns:
        The paths of the public and of the secret certificate.

    Raises:
        FileExistsError: one of them is there already.
        OSError: it can't be written.
        ValueError: the metadata would not stay within its line, or has the name of a key.
        ZMQError: ENOTSUP: PyNaCl is not installed.
    """
    lines = _metadata_lines(metadata or {})
    public, secret = (key.decode("ascii") for key in curve_keypair())
    base = os.path.join(key_dir, name)
    public_path, secret_path = f"{base}.key", f"{base}.key_secret"
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    if not overwrite and os.path.lexists(public_path):
        raise FileExistsError(17, "the certificate is there already", public_path)
    keys = f'curve\n    public-key = "{public}"\n'
    owner_text = f'{_OWNER_HEAD.format(now=now)}metadata\n{lines}{keys}    secret-key = "{secret}"\n'
    public_text = f"{_PUBLIC_HEAD.format(now=now)}metadata\n{keys}"
    _write_all(((secret_path, owner_text, 0o600), (public_path, public_text, 0o644)), overwrite=overwrite)
    return public_path, secret_path


def _metadata_lines(metadata: Mapping[str, str]) -> str:
    for name, value in metadata.items():
        if not name or "=" in name or not f"{name}{value}".isprintable():
            raise ValueError(f"metadata is one line of text for each name, without '=' in the name: {name!r}")
        if name.strip().lower() in _KEY_NAMES:
            raise ValueError(f"metadata is one line of text for each name, of which none is that of a key: {name!r}")
    return "".join(f"    {name} = {value}\n" for name, value in metadata.items())


def _write_all(files: tuple[tuple[str, str, int], ...], *, overwrite: bool) -> None:
    """Write files (path, text, mode), or none: a secret without its public half is of no use.

    To overwrite, each is written beside the old one and takes its place when all are written.
    """
    written: list[tuple[str, str]] = []
    try:
        for path, text, mode in files:
            new = f"{path}.{token_hex(8)}" if overwrite else path
            _write(new, text, mode)
            written.append((new, path))
        for new, path in written if overwrite else ():
            os.replace(new, path)
    except BaseException:
        for new, _ in written:
            _remove(new)
        raise


def _write(path: str, text: str, mode: int) -> None:
    """Write a file that must not exist yet; a link by that name is not followed. It's whole, or it isn't there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except BaseException:
        _remove(path)
        raise


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


def load_certificate(filename: str | os.PathLike[str]) -> tuple[bytes, bytes | None]:
    """Read a certificate. A secret that others than its owner may read is worth a `SecurityWarning`.

    Args:
        filename: its path.

    Returns:
        The public key, and the secret one, or None in a public certificate; each 40 characters of Z85.

    Raises:
        OSError: it can't be read.
        ValueError: there is no public key in it.
    """
    return read_certificate(filename)


def load_certificates(directory: str | os.PathLike[str] = ".") -> dict[bytes, bool]:
    """Read the public keys of all public certificates (``*.key``) in a directory.

    Args:
        directory: its path.

    Returns:
        A dictionary of public keys, each 40 characters of Z85; the values are all True.

    Raises:
        OSError: it is no directory, or a file can't be read.
        ValueError: a file has no public key.
    """
    return {read_certificate(path)[0]: True for path in find_certificates(directory)}
