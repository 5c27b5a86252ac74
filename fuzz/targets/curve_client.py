"""CURVE on the client's side: what a server can do that knows all its keys. See `fuzz.curve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import ALL, Checks
from fuzz.curve import PEER_PUBLIC, PUBLIC, SECRET, curve_seeds, remember_keys, run_curve
from purezmq.wire.config import ConnectionConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CONFIG", "MAX_SIZE", "TOKENS", "prepare", "run", "seeds"]

MAX_SIZE = 400

TOKENS = (b"\x0bSocket-Type\x00\x00\x00\x04PULL", bytes(32), b"\x04PING\0\1", b"\x05READY", b"\x05ERROR\x03400")

CONFIG = ConnectionConfig(
    "PUSH", frozenset({"PULL"}), mechanism="CURVE", credentials=(PUBLIC, SECRET, PEER_PUBLIC), max_message_size=600
)


def run(data: bytes, checks: Checks = ALL) -> None:
    """Run one input."""
    run_curve(data, CONFIG, checks, as_server=True)


prepare = remember_keys


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from."""
    return curve_seeds()
