"""What every test of the session gets: Hypothesis settings, and an end that comes even if a thread hangs."""

from __future__ import annotations

import faulthandler
import os
import sys

import pytest
from hypothesis import settings

# How long the interpreter may take to end after the last test; then the stacks of its threads are printed.
EXIT_S = 30

# A slow machine is no failure of a property: the timeout per test is the limit.
settings.register_profile("purezmq", deadline=None, print_blob=True)
# Nightly and before a release: `PUREZMQ_TEST_PROFILE=long`, for what doesn't say itself how much is enough.
settings.register_profile("long", settings.get_profile("purezmq"), max_examples=5000)
settings.load_profile(os.environ.get("PUREZMQ_TEST_PROFILE", "purezmq"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Watch the end of the process: a thread that a test left behind must not keep it."""
    faulthandler.dump_traceback_later(EXIT_S, exit=True, file=sys.__stderr__)
