"""CURVE on the server's side: what a client can do that knows all its keys. See `fuzz.curve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import ALL, Checks
from fuzz.curve import PUBLIC, SECRET, curve_seeds, remember_keys, run_curve
from purezmq.wire.config import ConnectionConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CONFIGS", "MAX_SIZE", "TOKENS", "prepare", "run", "seeds"]

MAX_SIZE = 400

TOKENS = (b"\x0bSocket-Type\x00\x00\x00\x04PUSH", b"\x07User-Id\0\0\0\1x", bytes(32), b"\x04PING\0\1", b"\x05READY")

CONFIGS = [
    ConnectionConfig(
        "PULL",
        frozenset({"PUSH"}),
        mechanism="CURVE",
        as_server=True,
        authenticates=authenticates,
        credentials=(PUBLIC, SECRET),
        max_message_size=600,
    )
    for authenticates in (False, True)
]


def run(data: bytes, checks: Checks = ALL) -> None:
    """Run one input."""
    asked = len(data) > 1 and data[1] % 4 > 0
    run_curve(data, CONFIGS[asked], checks, as_server=False)


prepare = remember_keys


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from."""
    return curve_seeds()
