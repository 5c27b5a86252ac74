"""Real worker processes, as few as possible: raw sockets, a failing role, the command line."""

from __future__ import annotations

import json

import pytest

from purezmq.cli.bench import run
from purezmq.cli.bench.cases import select_cases
from purezmq.cli.bench.process import WorkerFailedError, WorkerGroup, last_line
from purezmq.cli.bench.scenarios import SCENARIOS, RunPlan


def tiny_plan(name: str, count: int = 200_000) -> RunPlan:
    return RunPlan(select_cases(name)[0], count, span=0.02, peers=2, repetitions=1)


@pytest.mark.parametrize("name", ["push_pull/tcp/10B", "req_rep/tcp/10B"])
def test_scenario_with_raw_sockets_measures_speed_and_cpu(name):
    """The floor is measured by two processes and all its figures are positive."""
    plan = tiny_plan(name)
    with WorkerGroup("raw", timeout=20.0) as group:
        values = SCENARIOS[plan.case.scenario](group, plan)
    assert values[plan.case.metrics[0]] > 0
    assert set(values) >= {"cpu_send_us", "cpu_receive_us"}


@pytest.mark.parametrize("name", ["curve/tcp/100B", "curve/handshakes"])
def test_scenario_with_curve_measures_both_sides(name):
    """Both processes encrypt, whatever the case counts, and all its figures are positive."""
    plan = tiny_plan(name, count=20)
    with WorkerGroup("purezmq", timeout=20.0) as group:
        values = SCENARIOS["curve"](group, plan)
    assert {"rate", "elapsed_s", "cpu_send_us", "cpu_receive_us"} == set(values)
    assert min(values.values()) > 0


def test_scenario_of_the_swap_measures_both_ways(monkeypatch, tmp_path):
    """One process writes, reads and checks; the rates stand beside those of a file."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    plan = tiny_plan("swap/1MB")
    with WorkerGroup("purezmq", timeout=60.0) as group:
        values = SCENARIOS["swap"](group, plan)
    assert set(plan.case.metrics) == set(values)
    assert min(values.values()) > 0
    assert [] == list(tmp_path.iterdir())


def test_worker_that_raises_fails_with_its_role_and_reason():
    """What a worker raised is the reason that the table shows."""
    with WorkerGroup("raw", timeout=20.0) as group:
        worker = group.start("round_trip", {"endpoint": "tcp://127.0.0.1:1", "size": 1, "span": 0.1})
        with pytest.raises(WorkerFailedError, match=r"^round_trip: ConnectionRefusedError"):
            worker.receive()


def test_worker_past_its_deadline_is_killed():
    """A worker that never reports costs no more than the timeout."""
    with WorkerGroup("raw", timeout=0.0) as group:
        worker = group.start("echo", {"bind": "tcp://127.0.0.1:0"})
        with pytest.raises(WorkerFailedError, match="echo: timed out"):
            worker.receive()
    assert worker._process.returncode is not None


def test_last_line_of_a_traceback_names_the_error():
    """Blank lines at the end don't hide it."""
    assert last_line("Traceback ...\n  x\nValueError: no\n\n") == "ValueError: no"


def test_run_with_one_case_writes_the_json(tmp_path, capsys):
    """The command measures, prints the table and writes the file."""
    arguments = ["--cases", "import", "--libs", "purezmq", "--quick", "--no-plot", "--output", str(tmp_path)]
    assert run(arguments) == 0
    (path,) = tmp_path.glob("*.json")
    case = json.loads(path.read_text(encoding="utf-8"))["cases"][0]
    assert case["libraries"]["purezmq"]["import_ms"]["median"] > 0
    assert "import" in capsys.readouterr().out


def test_run_with_unknown_case_says_so(capsys):
    """A glob that matches nothing is an error of the caller."""
    assert run(["--cases", "nothing"]) == 2
    assert "no case matches" in capsys.readouterr().err


def test_run_without_matplotlib_names_the_extra(monkeypatch, capsys):
    """Nothing is measured for minutes before the missing library is noticed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run(["--cases", "import"]) == 2
    assert "purezmq[bench]" in capsys.readouterr().err
