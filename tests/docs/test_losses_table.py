"""The page of reliability says what the tests of losses check."""

from __future__ import annotations

from itertools import product

from tests.docs.losses_table import PAGE, make_page, make_tables
from tests.faults.losses import FAULTS, LOSSES, PATTERNS


def test_page_committed_is_what_would_be_written():
    """`python tests/docs/losses_table.py` was run after the last change."""
    page = PAGE.read_text(encoding="utf-8")
    assert make_page() == page
    assert make_tables() in page


def test_every_pattern_has_a_row_for_every_fault():
    """Nothing is left out, nothing is told twice."""
    assert sorted(product(PATTERNS, FAULTS)) == sorted((row.pattern, row.fault) for row in LOSSES)
