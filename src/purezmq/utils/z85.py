"""pyzmq's ``zmq.utils.z85``: binary as printable text. The code is in `purezmq.wire.z85`."""

from __future__ import annotations

from purezmq.wire.z85 import Z85CHARS, Z85MAP, decode, encode

__all__ = ["Z85CHARS", "Z85MAP", "decode", "encode"]
