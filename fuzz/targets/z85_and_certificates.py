"""Z85 text of keys, and files of certificates: ValueError or the keys, nothing else.

An input begins with a byte that chooses: text to decode (0), bytes to encode (1), a certificate (2).
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from purezmq.constants import SocketOption
from purezmq.error import ZMQError
from purezmq.options import SocketOptions
from purezmq.sockets.certificate import read_certificate
from purezmq.wire import z85

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TOKENS", "run", "seeds"]

TOKENS = (
    *(b"HelloWorld", b"%nSc0", b"%nSc1", b"#####", b"00000"),
    *(b"public-key", b"secret-key", b' = "', b"metadata\n", b"curve\n", b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
)
_KEY = b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


def run(data: bytes) -> None:
    """Run one input."""
    if not data:
        return
    kind = data[0] % 3
    if kind == 0:
        _decode(data[1:])
        _decode(data[1:].decode("latin-1"))
    elif kind == 1:
        _encode(data[1:])
    else:
        _load(data[1:])


def _decode(text: str | bytes) -> None:
    try:
        raw = z85.decode(text)
    except ValueError as error:
        assert str(error)
        return
    assert len(raw) * 5 == len(text) * 4
    assert z85.encode(raw) == (text.encode() if isinstance(text, str) else text), "two texts for the same bytes"


def _encode(raw: bytes) -> None:
    try:
        text = z85.encode(raw)
    except ValueError:
        assert len(raw) % 4
        return
    assert set(text) <= set(z85.Z85CHARS)
    assert z85.decode(text) == raw


@cache
def _file() -> tuple[int, Path]:
    """One file for all inputs, its owner's alone, which stays open; in memory where there are such files."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fuzz-certificate")
        os.fchmod(descriptor, 0o600)
        return descriptor, Path(f"/proc/self/fd/{descriptor}")
    descriptor, path = tempfile.mkstemp(prefix="fuzz-certificate-")
    return descriptor, Path(path)


def _load(text: bytes) -> None:
    descriptor, path = _file()
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text)
    try:
        public, secret = read_certificate(path)
    except ValueError as error:
        assert str(error)
        return
    assert public in text
    assert secret is None or (secret and secret in text)
    options = SocketOptions()
    for option, key in ((SocketOption.CURVE_PUBLICKEY, public), (SocketOption.CURVE_SECRETKEY, secret or b"")):
        try:
            options.set(option, key)
        except ZMQError:
            continue
        assert len(key.rstrip(b"\0")) in (32, 40) or len(key) == 32


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from: RFC 32's examples, the greatest value, certificates, and each with a fault."""
    yield b"\0HelloWorld"
    yield b"\0" + _KEY
    yield b"\0%nSc0"
    yield b"\0%nSc1"
    yield b"\0abc"
    yield b"\1" + bytes.fromhex("864FD26FB559F75B")
    yield b"\1\xff\xff\xff\xff"
    yield b"\1abc"
    certificate = b'#   comment\nmetadata\n    name = value\ncurve\n    public-key = "' + _KEY + b'"\n'
    yield b"\2" + certificate
    yield b"\2" + certificate + b"    secret-key = '" + _KEY + b"'\n"
    yield b"\2curve\n    public-key = \n"
    yield b"\2public-key=x"
    yield b"\2" + certificate.replace(b"\n", b"\r\n")
