"""Each overflow policy has its picture, on the page that explains it."""

from __future__ import annotations

from pathlib import Path

import pytest

from purezmq.pipe import POLICIES

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
#: Pages shall load fast, and the repository stay small.
MAX_BYTES = 60_000


@pytest.mark.parametrize("policy", POLICIES)
def test_policy_has_a_small_picture_on_the_page(policy):
    """`python docs/pictures/overflow.py` was run for it."""
    picture = FOLDER / "pictures" / f"{policy}.png"
    assert 0 < picture.stat().st_size < MAX_BYTES
    assert f"](pictures/{picture.name})" in (FOLDER / "tune-queues.md").read_text(encoding="utf-8")


def test_pictures_all_are_shown():
    """No picture of the folder is left over."""
    page = (FOLDER / "tune-queues.md").read_text(encoding="utf-8")
    assert [] == [path.name for path in FOLDER.glob("pictures/*") if f"](pictures/{path.name})" not in page]
