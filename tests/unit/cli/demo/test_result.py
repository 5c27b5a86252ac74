"""Counting what arrived, and the table of it."""

from __future__ import annotations

import pytest

from purezmq.cli.demo.result import Result, format_table


@pytest.mark.parametrize(
    ("right", "wrong", "expected", "lost_and_wrong"),
    [(10, 0, 10, (0, 0)), (9, 0, 10, (1, 0)), (9, 1, 10, (0, 1)), (11, 0, 10, (0, 1)), (0, 0, 10, (10, 0))],
)
def test_count_finds_what_is_lost_or_wrong(right, wrong, expected, lost_and_wrong):
    """A missing message is lost; a changed one, or one too many, is wrong."""
    result = Result("pipeline", "tcp")
    result.count(right=right, wrong=wrong, expected=expected)
    assert lost_and_wrong == (result.lost, result.wrong)
    assert (lost_and_wrong == (0, 0)) == result.is_right


def test_result_without_messages_is_not_right():
    """Nothing sent is no success."""
    assert not Result("pipeline", "tcp").is_right


def test_table_shows_each_result_on_a_line():
    """The table aligns its columns, and shows rates, round trips and verdicts."""
    rows = format_table(
        [
            Result("broker", "ipc", messages=2_000, seconds=0.5, round_trips=[1e-4] * 100),
            Result("pipeline", "inproc", messages=7, seconds=1.0, lost=3),
            Result("signalling", "inproc", failure="Again: nobody came"),
        ]
    ).splitlines()
    assert [
        "pattern     transport  messages  msg/s  p50 us  p99 us  result",
        "----------  ---------  --------  -----  ------  ------  --------------------------",
        "broker      ipc           2,000  4,000   100.0   100.0  ok",
        "pipeline    inproc            7      7       -       -  FAILED: 3 lost, 0 wrong",
        "signalling  inproc            0      -       -       -  FAILED: Again: nobody came",
    ] == rows
