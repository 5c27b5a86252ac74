"""How long and how large: the short form runs with all tests, `make faults` runs at length."""

from __future__ import annotations

import os

__all__ = ["SECONDS", "choose"]

#: The longest that one fault lasts (seconds), when the tests run at length; 0 for the short form.
SECONDS = float(os.environ.get("PUREZMQ_FAULTS_SECONDS", "0"))


def choose(short: int, long: int) -> int:
    """A number for the short form, or the one at length."""
    return long if SECONDS else short
