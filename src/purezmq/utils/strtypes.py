"""pyzmq's ``zmq.utils.strtypes``: names from the time of Python 2; deprecated there as here."""

from __future__ import annotations

import warnings

__all__ = ["asbytes", "b", "basestring", "bytes", "cast_bytes", "cast_unicode", "u", "unicode"]

bytes = bytes  # noqa: PLW0127 - the name is part of the module
unicode = str
basestring = (str,)


def _warn() -> None:
    warnings.warn("zmq.utils.strtypes is deprecated: use encode and decode", DeprecationWarning, stacklevel=3)


def cast_bytes(s: str | bytes, encoding: str = "utf8", errors: str = "strict") -> bytes:
    """Return text encoded, and bytes as they are.

    Raises:
        TypeError: `s` is neither.
    """
    _warn()
    if isinstance(s, bytes):
        return s
    if isinstance(s, str):
        return s.encode(encoding, errors)
    raise TypeError(f"expected str or bytes, got {s!r}")


def cast_unicode(s: str | bytes, encoding: str = "utf8", errors: str = "strict") -> str:
    """Return bytes decoded, and text as it is.

    Raises:
        TypeError: `s` is neither.
    """
    _warn()
    if isinstance(s, bytes):
        return s.decode(encoding, errors)
    if isinstance(s, str):
        return s
    raise TypeError(f"expected str or bytes, got {s!r}")


b = asbytes = cast_bytes
u = cast_unicode
