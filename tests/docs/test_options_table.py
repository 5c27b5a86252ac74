"""The page of options is what the library's table gives, and leaves nothing out."""

from __future__ import annotations

import pytest
from tests.docs.option_effects import CONTEXT_EFFECTS, SETTINGS, SOCKET_EFFECTS
from tests.docs.options_table import PAGE, find_differences, find_when, make_page, make_row

from purezmq.option_table import SOCKET_OPTIONS, OptionSpec


def test_page_committed_is_what_would_be_written():
    """`python tests/docs/options_table.py` was run after the last change."""
    assert make_page() == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("subject", find_differences())
def test_every_option_and_setting_has_a_line(subject):
    """Nothing is left out, nothing is told twice, no line is of an option that isn't there."""
    assert set() == find_differences()[subject]


def test_every_line_says_something():
    """An effect is a phrase, not a word."""
    effects = [text for section in SOCKET_EFFECTS.values() for text in section.values()]
    effects += [*CONTEXT_EFFECTS.values(), *(setting.effect for setting in SETTINGS)]
    assert [] == [text for text in effects if len(text.split()) < 3]


def test_row_tells_unit_range_and_why_there_is_no_effect():
    """Whatever the table knows of an option is in its row."""
    spec = OptionSpec("X", 1, "int", 100, 0, 9, hint="milliseconds, 0 = never", note="not there")
    row = "| `X` | int | milliseconds | rw | 100 | 0..9; 0 = never | all |  | waits (no effect: not there) |"
    assert row == make_row(spec, "all", find_when(spec), "waits")


def test_when_follows_the_table():
    """What acts on live connections is told; read-only options act never."""
    whens = {spec.name: find_when(spec) for spec in SOCKET_OPTIONS.values()}
    assert ("at once", "later connections", "next call", "") == (
        whens["SNDHWM"], whens["MAXMSGSIZE"], whens["RCVTIMEO"], whens["FD"]
    )  # fmt: skip
