"""pyzmq's ``zmq.utils.interop``: the number behind a pointer."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["cast_int_addr"]


def cast_int_addr(n: Any) -> int:
    """Return an address as a number.

    Args:
        n: an int, or a cffi pointer.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(n, int):
        return n
    try:
        cffi = import_module("cffi")
    except ImportError:
        pass
    else:
        ffi = cffi.FFI()
        if isinstance(n, ffi.CData):
            return int(ffi.cast("size_t", n))
    raise ValueError(f"{n!r} is no address: an int or a cffi pointer is one")
