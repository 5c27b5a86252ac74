"""ZMTP on the side that listened: greetings of any version, the NULL handshake, traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import ALL, Checks
from fuzz.zmtp import TOKENS, Setting, run_zmtp, zmtp_seeds

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MAX_SIZE", "SETTINGS", "TOKENS", "run", "seeds"]

MAX_SIZE = 400

SETTINGS = (
    Setting.make("PULL", "PUSH"),
    Setting.make("ROUTER", "DEALER REQ ROUTER", max_size=1000),
    Setting.make("XPUB", "SUB XSUB", max_size=300),
    Setting.make("REP", "REQ DEALER", max_size=0),
    Setting.make("PUB", "SUB XSUB"),
    Setting.make("RADIO", "DISH"),
    Setting.make("SERVER", "CLIENT"),
    Setting.make("PAIR", "PAIR", heartbeats=True),
    Setting.make("PULL", "PUSH", verdict=200),
    Setting.make("PULL", "PUSH", verdict=300),
    Setting.make("ROUTER", "DEALER", verdict=400),
)


def run(data: bytes, checks: Checks = ALL) -> None:
    """Run one input."""
    run_zmtp(data, SETTINGS, checks, bound=True)


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from."""
    return zmtp_seeds(SETTINGS)
