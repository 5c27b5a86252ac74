"""Z85 text of keys: ValueError or the bytes, nothing else.

An input begins with a byte that chooses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purezmq.wire import z85

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TOKENS", "run", "seeds"]

TOKENS = (b"HelloWorld", b"%nSc0", b"%nSc1", b"#####", b"00000")


def run(data: bytes) -> None:
    """Run one input."""
    if not data:
        return
    if data[0] & 1:
        _encode(data[1:])
    else:
        _decode(data[1:])
        _decode(data[1:].decode("latin-1"))


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


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from: RFC 32's example, the greatest value, and lengths that don't fit."""
    yield b"\0HelloWorld"
    yield b"\0" + b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    yield b"\0%nSc0"
    yield b"\0%nSc1"
    yield b"\0abc"
    yield b"\1" + bytes.fromhex("864FD26FB559F75B")
    yield b"\1\xff\xff\xff\xff"
    yield b"\1abc"
