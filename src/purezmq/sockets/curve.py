"""Keys for CURVE: making a pair, and the public one of a secret one. The cryptography is PyNaCl's (extra ``curve``).

The mechanism itself must not live here.
"""

from __future__ import annotations

from purezmq.constants import EINVAL, ENOTSUP
from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["curve_keypair", "curve_public"]

_TEXT_LENGTH = 40


def curve_keypair() -> tuple[bytes, bytes]:
    """Make a random pair of keys.

    Returns:
        The public and the secret key, each 40 characters of Z85.

    Raises:
        ZMQError: ENOTSUP: PyNaCl is not installed.
    """
    from purezmq.wire.z85 import encode

    public, secret = _load_nacl().crypto_box_keypair()
    return encode(public), encode(secret)


def curve_public(secret_key: str | bytes) -> bytes:
    """Compute the public key that belongs to a secret one.

    Args:
        secret_key: 40 characters of Z85.

    Returns:
        40 characters of Z85.

    Raises:
        ValueError: it isn't 40 characters long.
        ZMQError: EINVAL: it is no Z85. ENOTSUP: PyNaCl is not installed.
    """
    from purezmq.wire.z85 import decode, encode

    text = secret_key.encode() if isinstance(secret_key, str) else secret_key
    if len(text) != _TEXT_LENGTH:
        raise ValueError(f"a secret key is {_TEXT_LENGTH} characters of Z85, not {len(text)}")
    try:
        secret = decode(text)
    except ValueError as error:
        raise make_error(EINVAL, f"the secret key is no Z85: {error}") from error
    return encode(_load_nacl().crypto_scalarmult_base(secret))


def _load_nacl() -> ModuleType:
    try:
        from nacl import bindings
    except ImportError as error:
        raise make_error(ENOTSUP, "keys of CURVE need PyNaCl: pip install 'purezmq[curve]'") from error
    return bindings
