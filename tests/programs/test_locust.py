"""Locust's distributed mode (gevent, ROUTER and DEALER), its master and workers on purezmq or pyzmq, unmodified."""

from __future__ import annotations

import csv

import pytest
from tests.programs.launching import MIXES, SCRIPTS, Stage, free_port

USERS = 10
REQUESTS = 50 * USERS


def run_load_test(stage: Stage, master_library: str, worker_libraries: list[str]) -> list[dict]:
    """Run the load test with one worker per library and return the facts of the master and of each worker."""
    port = str(free_port())
    locust = ("-m", "locust", "-f", SCRIPTS / "locustfile.py", "--headless", "--loglevel", "DEBUG")
    where = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--csv", "load")
    plan = ("-u", str(USERS), "-r", str(USERS), "-t", "2s", "--expect-workers", str(len(worker_libraries)))
    master = stage.start(master_library, *locust, "--master", *where, *plan, "--exit-code-on-error", "0", name="master")
    towards = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    workers = [
        stage.start(library, *locust, *towards, name=f"worker-{number}")
        for number, library in enumerate(worker_libraries)
    ]
    facts = [program.check() for program in (master, *workers)]
    for program in (master, *workers):
        assert "Traceback" not in program.err, program.report()
    stage.wait_until_empty()
    return facts


@pytest.mark.parametrize(("master", "second_worker"), MIXES)
def test_locust_master_adds_up_what_its_workers_report(stage, master, second_worker):
    """A master and two workers: every request is counted once, messages reach each worker, all end with exit code 0."""
    facts = run_load_test(stage, master, [master, second_worker])
    assert [fact["library"] for fact in facts] == [master, master, second_worker]
    assert facts[0]["shares"] == [0, 1]
    with (stage.folder / "load_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    assert [rows["/page"]["Request Count"], rows["/page"]["Failure Count"]] == [str(REQUESTS), str(REQUESTS // 10)]
    assert rows["/page"]["Max Response Time"].split(".")[0] == "50"
    with (stage.folder / "load_failures.csv").open() as file:
        assert [str(REQUESTS // 10)] == [row["Occurrences"] for row in csv.DictReader(file)]
