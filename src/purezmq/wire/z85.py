"""Z85: binary as printable text (RFC 32), which keys of CURVE are written in."""

from __future__ import annotations

from struct import pack, unpack

__all__ = ["Z85CHARS", "Z85MAP", "decode", "encode"]

Z85CHARS = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
Z85MAP = {character: index for index, character in enumerate(Z85CHARS)}
_NO_DIGIT = 255
_DIGITS = bytes(Z85MAP.get(character, _NO_DIGIT) for character in range(256))


def encode(rawbytes: bytes) -> bytes:
    """Encode bytes.

    Args:
        rawbytes: a multiple of 4 bytes.

    Returns:
        5 characters for each 4 bytes.

    Raises:
        ValueError: the length is no multiple of 4.
    """
    if len(rawbytes) % 4:
        text = f"length must be multiple of 4, not {len(rawbytes)}"
        raise ValueError(text)
    out = bytearray()
    for (value,) in (unpack(">I", rawbytes[start : start + 4]) for start in range(0, len(rawbytes), 4)):
        out += bytes(Z85CHARS[value // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return bytes(out)


def decode(z85bytes: str | bytes) -> bytes:
    """Decode characters.

    Args:
        z85bytes: a multiple of 5 characters.

    Returns:
        4 bytes for each 5 characters.

    Raises:
        ValueError: the length is no multiple of 5, a character is none of Z85's, or five of them exceed 32 bits.
    """
    data = z85bytes.encode("ascii") if isinstance(z85bytes, str) else bytes(z85bytes)
    if len(data) % 5:
        text = f"Z85 length must be multiple of 5, not {len(data)}"
        raise ValueError(text)
    digits = data.translate(_DIGITS)
    if _NO_DIGIT in digits:
        character = data[digits.index(_NO_DIGIT)]
        text = f"byte {character:#04x} is no Z85 character"
        raise ValueError(text)
    fives = zip(*[iter(digits)] * 5, strict=True)
    values = [(((a * 85 + b) * 85 + c) * 85 + d) * 85 + e for a, b, c, d, e in fives]
    if values and max(values) >> 32:
        text = "five Z85 characters exceed 32 bits"
        raise ValueError(text)
    return pack(f">{len(values)}I", *values)
