"""ZMTP on the side that connected: what a bad server can send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import ALL, Checks
from fuzz.zmtp import TOKENS, Setting, run_zmtp, zmtp_seeds

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MAX_SIZE", "SETTINGS", "TOKENS", "run", "seeds"]

MAX_SIZE = 400

SETTINGS = (
    Setting.make("PUSH", "PULL"),
    Setting.make("DEALER", "ROUTER REP DEALER", max_size=1000),
    Setting.make("SUB", "PUB XPUB", heartbeats=True),
    Setting.make("REQ", "REP ROUTER", max_size=255),
    Setting.make("XSUB", "XPUB PUB", max_size=0),
    Setting.make("DISH", "RADIO"),
    Setting.make("GATHER", "SCATTER"),
    Setting.make("CLIENT", "SERVER"),
    Setting.make("PEER", "PEER"),
    Setting.make("CHANNEL", "CHANNEL"),
)


def run(data: bytes, checks: Checks = ALL) -> None:
    """Run one input."""
    run_zmtp(data, SETTINGS, checks, bound=False)


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from."""
    return zmtp_seeds(SETTINGS)
