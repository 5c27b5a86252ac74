"""The compatibility page is what looking at pyzmq gives, and nothing of pyzmq is missing."""

from __future__ import annotations

import pytest
from tests.compat.compatibility_table import PAGE, Row, compare_parameters, make_page, make_sections, unused_notes


@pytest.fixture(scope="module")
def sections():
    """The rows of the page by section."""
    return make_sections()


def test_table_has_no_row_missing(sections):
    """Every name of pyzmq, every parameter, every constant and every option is here, or is told why it isn't."""
    rows = [(title, row) for title, section in sections.items() for row in section if row.status == "missing"]
    assert [] == rows


def test_table_committed_page_is_what_would_be_written():
    """`python tests/compat/compatibility_table.py` was run after the last change."""
    assert make_page() == PAGE.read_text(encoding="utf-8")


def test_table_notes_are_all_needed(sections):
    """No note speaks of a name that pyzmq doesn't have."""
    assert set() == unused_notes()


def test_table_rows_that_differ_say_why(sections):
    """What is better or not applicable has a note."""
    rows = [row for section in sections.values() for row in section]
    assert [] == [row for row in rows if row.status in {"better", "not applicable"} and not row.note]
    assert all(isinstance(row, Row) for row in rows)


def test_comparison_finds_a_missing_parameter():
    """The table can fail: a parameter less is noticed, one more is told."""
    assert (["b"], [], []) == compare_parameters(lambda a, b: None, lambda a: None)
    assert (["b"], ["c"], []) == compare_parameters(lambda a, *, b: None, lambda a, *, c: None)
    assert ([], ["b"], []) == compare_parameters(lambda a: None, lambda a, b=1: None)
    assert ([], [], ["`a` is named `b`"]) == compare_parameters(lambda a: None, lambda b: None)
