"""How large the tests of endurance are: PUREZMQ_TEST_SCALE=1 is the promised figure, the default a small part."""

from __future__ import annotations

import os

__all__ = ["SCALE", "scaled"]

SCALE = float(os.environ.get("PUREZMQ_TEST_SCALE", "0.02"))


def scaled(figure: int, least: int = 1) -> int:
    """The part of `figure` that this run does, at least `least`."""
    return max(least, round(figure * SCALE))
