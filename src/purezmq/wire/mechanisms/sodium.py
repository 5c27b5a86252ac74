"""The cryptography of CURVE, which is libsodium's by way of PyNaCl (extra ``curve``). Import it only where it is used.

Boxes here are those of a shared key (`shared_key`): a secretbox and a box are the same once that is known, RFC 26 uses
both. What is sealed with which nonce may not live here.
"""

from __future__ import annotations

from nacl._sodium import ffi, lib
from nacl.bindings import crypto_scalarmult_base as public_key
from nacl.bindings import randombytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "KEY_SIZE", "MAC_SIZE", "NONCE_SIZE", "address_of", "open_at", "open_box", "public_key", "randombytes", "seal_at",
    "seal_box", "shared_key",
]  # fmt: skip

KEY_SIZE = 32
NONCE_SIZE = 24
MAC_SIZE = 16

#: ``seal_at(box, plain, plain size, nonce, key)`` and ``open_at(plain, box, box size, nonce, key)`` return 0, or -1.
#: Plain text and box may share memory if the plain text lies 16 bytes behind the start of the box.
seal_at = lib.crypto_secretbox_easy
open_at = lib.crypto_secretbox_open_easy


def address_of(buffer: bytes | bytearray | memoryview) -> Any:  # a pointer of cffi
    """Return where a buffer's bytes are, for `seal_at` and `open_at`; it keeps the buffer alive."""
    return ffi.from_buffer("unsigned char[]", buffer)


def shared_key(public: bytes, secret: bytes) -> bytes | None:
    """Compute the key that the owner of ``secret`` shares with the owner of ``public``'s secret.

    Returns:
        32 bytes. None for a public key of small order, with which there is no secret.
    """
    key = bytearray(KEY_SIZE)
    if lib.crypto_box_beforenm(address_of(key), public, secret) != 0:
        return None
    return bytes(key)


def seal_box(plain: bytes, nonce: bytes, key: bytes) -> bytes:
    """Seal ``plain``.

    Returns:
        A box, 16 bytes longer.
    """
    box = bytearray(len(plain) + MAC_SIZE)
    if lib.crypto_secretbox_easy(address_of(box), plain, len(plain), nonce, key) != 0:
        raise RuntimeError("libsodium could not seal")
    return bytes(box)


def open_box(box: bytes, nonce: bytes, key: bytes) -> bytes | None:
    """Open ``box``.

    Returns:
        What was sealed. None when the box is not authentic.
    """
    if len(box) < MAC_SIZE:
        return None
    plain = bytearray(len(box) - MAC_SIZE)
    if lib.crypto_secretbox_open_easy(address_of(plain), box, len(box), nonce, key) != 0:
        return None
    return bytes(plain)
