"""The page of what holds in adversity is what its generator writes, and every row has its tests."""

from __future__ import annotations

import pytest
from tests.docs.claims import CLAIMS, NOT_HERE
from tests.docs.claims_table import PAGE, find_tests, make_page


def test_page_is_current() -> None:
    assert PAGE.read_text() == make_page(), "run: python tests/docs/claims_table.py"


@pytest.mark.parametrize("number", [number for number in CLAIMS if number not in NOT_HERE])
def test_each_row_is_held_by_a_test(number: str) -> None:
    assert find_tests().get(number), f"no test carries {number.lower()} in its name"


def test_no_test_names_a_row_that_is_not_there() -> None:
    unknown = set(find_tests()) - set(CLAIMS)
    assert not unknown
    assert not set(NOT_HERE) & set(find_tests()), "a row that is said to be missing has a test"
