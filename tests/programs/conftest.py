"""Fixtures of the tests that run programs of others."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from tests.programs.launching import Stage
from tests.support.library import IS_PUREZMQ

# These programs call memoryview(frame), which a class in Python can't offer before Python 3.12 (PEP 688).
collect_ignore = ["test_ipyparallel.py", "test_jupyter_buffers.py"] if IS_PUREZMQ and sys.version_info < (3, 12) else []


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A scratch directory whose processes are all ended afterwards."""
    with Stage() as made:
        yield made
