"""Bars: the arithmetic of ratios and what counts as met."""

from __future__ import annotations

import pytest

from purezmq.cli.bench.bar import METRICS, Bar, speed_ratio


@pytest.mark.parametrize(
    ("metric", "ours", "other", "expected"),
    [("rate", 300.0, 200.0, 1.5), ("p50_us", 50.0, 100.0, 2.0), ("rate", 1.0, 0.0, None)],
)
def test_speed_ratio_of_either_direction_is_above_one_when_ours_is_better(metric, ours, other, expected):
    """A higher rate and a lower latency both give a ratio above 1."""
    assert speed_ratio(METRICS[metric], ours, other) == expected


@pytest.mark.parametrize(
    ("bar", "values", "expected"),
    [
        (Bar("rate", "best", 1.5), {"purezmq": 300.0, "pyzmq": 100.0, "pyomq": 200.0}, True),
        (Bar("rate", "best", 1.5), {"purezmq": 299.0, "pyzmq": 100.0, "pyomq": 200.0}, False),
        (Bar("rate", "best", 1.5), {"purezmq": 300.0, "pyzmq": 100.0}, True),
        (Bar("p50_us", "best", 1.0), {"purezmq": 90.0, "pyzmq": 100.0, "pyomq": 80.0}, False),
        (Bar("p50_us", "raw", 1.15), {"purezmq": 115.0, "raw": 100.0}, True),
        (Bar("kb_per_connection", "", 12.0), {"purezmq": 12.5}, False),
        (Bar("rate", "pyzmq", 1.0), {"purezmq": 1.0, "pyomq": 1.0}, None),
        (Bar("rate", "best", 1.0), {"pyzmq": 1.0}, None),
    ],
)
def test_bar_check_compares_with_its_reference(bar, values, expected):
    """A bar is met by its limit itself, and undecided when a value is missing."""
    assert expected is bar.check(values).met


def test_bar_result_missed_says_limit_and_value():
    """The text of a missed bar has the bar and the figure."""
    result = Bar("p50_us", "raw", 1.15).check({"purezmq": 130.0, "raw": 100.0})
    assert str(result) == "<=1.15x raw: MISSED (1.3)"
