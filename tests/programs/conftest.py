"""Fixtures of the tests that run programs of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.programs.launching import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A scratch directory whose processes are all ended afterwards."""
    with Stage() as made:
        yield made
