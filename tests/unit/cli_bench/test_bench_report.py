"""The report: table, JSON object, panels of the plot."""

from __future__ import annotations

import json

import pytest

from purezmq.cli.bench.cases import select_cases
from purezmq.cli.bench.plot import group_panels
from purezmq.cli.bench.report import format_table, format_value, missed_bars, report_object
from purezmq.cli.bench.schedule import CaseResult


def result_of(name: str, **columns: list[float]) -> CaseResult:
    """Return a result in which each library has the given values of the case's main metric."""
    case = select_cases(name)[0]
    runs = {library: [{case.metrics[0]: value} for value in column] for library, column in columns.items()}
    return CaseResult(case, runs)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(1_250_000.0, "/s", "1.25 M/s"), (12.0, "/s", "12 /s"), (143.27, "us", "143.3 us"), (8.361, "us", "8.36 us")],
)
def test_format_value_keeps_three_digits_or_four(value, unit, expected):
    """Rates get a prefix; other units stay as they are."""
    assert format_value(value, unit) == expected


def test_format_table_shows_median_ratio_bar_and_reason_of_failure():
    """The table has all that the reader needs, and why a library has no figure."""
    result = result_of("push_pull/tcp/10B", purezmq=[1e6, 3e6, 4e6], pyzmq=[1e6], pyomq=[], raw=[1e8])
    result.failures["pyomq"] = "receiver: killed by signal 11"
    table = format_table([result], ["purezmq", "pyzmq", "pyomq"])
    row = table.splitlines()[2].split()
    assert row[:6] == ["push_pull/tcp/10B", "3", "M/s", "~", "1", "M/s"]
    assert "3.00  0.03  >=1.5x best: ok (3)" in table
    assert "~ push_pull/tcp/10B: purezmq rounds from 1e+06 to 4e+06" in table
    assert "push_pull/tcp/10B: pyomq failed: receiver: killed by signal 11" in table


def test_missed_bars_names_case_and_figure():
    """Only bars that were measured and missed are listed."""
    results = [result_of("import", purezmq=[30.0], pyzmq=[20.0]), result_of("broker/*", pyzmq=[1.0])]
    assert missed_bars(results) == ["import import_ms <=1x pyzmq: MISSED (1.5)"]


def test_report_object_is_json_with_every_run():
    """The JSON keeps each round beside the median."""
    result = result_of("req_rep/tcp/10B", purezmq=[80.0, 90.0, 130.0], pyzmq=[100.0], raw=[60.0])
    case = json.loads(json.dumps(report_object([result], {"date": "today"})))["cases"][0]
    expected = {"median": 90.0, "minimum": 80.0, "maximum": 130.0, "runs": [80.0, 90.0, 130.0]}
    assert case["libraries"]["purezmq"]["p50_us"] == expected
    assert [bar["met"] for bar in case["bars"]] == [True, False]


def test_group_panels_joins_cases_that_differ_in_the_last_part():
    """Sizes of one transport share a panel; every metric has its own."""
    results = [result_of(name) for name in ("push_pull/tcp/10B", "push_pull/tcp/1MB", "req_rep/tcp/10B", "import")]
    assert [(title, metric, len(cases)) for title, metric, cases in group_panels(results)] == [
        ("push_pull/tcp", "rate", 2),
        ("req_rep/tcp", "p50_us", 1),
        ("req_rep/tcp", "p99_us", 1),
        ("import", "import_ms", 1),
    ]
