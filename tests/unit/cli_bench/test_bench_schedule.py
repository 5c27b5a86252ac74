"""The schedule: interleaving, calibration, failures; with a fake in place of real runs."""

from __future__ import annotations

import pytest

from purezmq.cli.bench.cases import Case, all_cases, select_cases
from purezmq.cli.bench.process import WorkerFailedError
from purezmq.cli.bench.scenarios import SCENARIOS
from purezmq.cli.bench.schedule import CaseResult, Settings, calibrate, choose_count, rotate, run_case

RATES = {"purezmq": 400.0, "pyzmq": 100.0, "pyomq": 200.0, "raw": 1000.0}


class FakeRuns:
    """Stands for the processes: returns fixed rates and notes who ran with how many messages."""

    def __init__(self, failing: str = "") -> None:
        self.calls: list[tuple[str, int]] = []
        self._failing = failing

    def __call__(self, library, plan):
        self.calls.append((library, plan.count))
        if library == self._failing:
            raise WorkerFailedError("it broke")
        rate = RATES[library]
        return {"rate": rate, "elapsed_s": plan.count / rate, "cpu_send_us": 1.0, "cpu_receive_us": 2.0}


def stream_case() -> Case:
    return select_cases("push_pull/tcp/10B")[0]


def finish(runs) -> CaseResult:
    """Exhaust the generator and return the result it kept yielding."""
    return list(runs)[-1][2]


def test_all_cases_have_distinct_names_and_a_scenario():
    """Every case can be run and be selected by its name."""
    names = [case.name for case in all_cases()]
    assert sorted(set(names)) == sorted(names)
    assert {case.scenario for case in all_cases()} == set(SCENARIOS)


def test_run_case_leaves_out_who_can_not_take_part():
    """A case may be for some libraries only."""
    result = finish(
        run_case(select_cases("curve/handshakes")[0], ["purezmq", "pyzmq", "pyomq"], Settings(1), FakeRuns())
    )
    assert {"purezmq", "pyzmq"} == set(result.runs)


def test_select_cases_by_several_globs_returns_all_that_match():
    """Globs are separated by commas."""
    assert [case.name for case in select_cases("import,fan_out/*")] == ["fan_out/tcp/4", "fan_out/tcp/32", "import"]


def test_rotate_by_round_puts_each_library_first_in_turn():
    """The order of the rounds is rotated."""
    assert [rotate("abc", number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_choose_count_with_a_much_slower_library_is_bounded_by_it():
    """The slowest library bounds the count at four spans."""
    assert choose_count({"a": 1000.0, "b": 500.0}, 1.0) == 1000
    assert choose_count({"a": 1000.0, "b": 50.0}, 1.0) == 200


def test_run_case_gives_every_library_the_same_count_and_interleaves_rounds():
    """In a round all libraries send the same number of messages; the raw floor has its own."""
    fake = FakeRuns()
    result = finish(run_case(stream_case(), ["purezmq", "pyzmq", "pyomq"], Settings(rounds=2), fake))
    counts = {library: result.counts[library] for library in RATES}
    assert counts == {"purezmq": 400, "pyzmq": 400, "pyomq": 400, "raw": 1000}
    assert [library for library, _ in fake.calls[-8:]] == [
        *("purezmq", "pyzmq", "pyomq", "raw"),
        *("pyzmq", "pyomq", "raw", "purezmq"),
    ]


def test_run_case_with_a_failing_library_measures_the_others():
    """A failure is noted with its reason and the run goes on without that library."""
    fake = FakeRuns(failing="pyomq")
    result = finish(run_case(stream_case(), ["purezmq", "pyzmq", "pyomq"], Settings(rounds=3), fake))
    assert result.failures == {"pyomq": "it broke"}
    assert result.medians("rate") == {"purezmq": 400.0, "pyzmq": 100.0, "raw": 1000.0}
    assert result.ratio_to_best_peer("rate") == 4.0
    assert [library for library, _ in fake.calls].count("pyomq") == 1


def test_calibrate_with_a_short_first_run_repeats_it_longer():
    """A run of a few milliseconds measures the start, so the count grows until the run is long enough."""
    counts: list[int] = []

    def attempt(library, count):
        counts.append(count)
        elapsed = 0.05 + count / 1e6  # a fixed cost that hides the speed of short runs
        return {"rate": count / elapsed, "elapsed_s": elapsed}

    rate = calibrate("purezmq", stream_case(), 1.0, attempt)
    assert counts == sorted(set(counts))
    assert rate == pytest.approx(1e6, rel=0.15)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([{"rate": 10.0, "elapsed_s": 1.0}, {"rate": 12.0, "elapsed_s": 0.9}], []),
        ([{"rate": 10.0, "elapsed_s": 0.05}], ["ran only 0.05 s"]),
        ([{"rate": 10.0, "elapsed_s": 1.0}, {"rate": 16.0, "elapsed_s": 0.6}], ["rounds from 10 to 16"]),
    ],
)
def test_doubts_name_short_runs_and_rounds_far_apart(values, expected):
    """A figure that can't be trusted says why."""
    assert CaseResult(stream_case(), {"purezmq": values}).doubts("purezmq") == expected
