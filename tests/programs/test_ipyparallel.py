"""An ipyparallel cluster (monitored queues, schedulers, heartbeats, a hub on ZMQStream), unmodified."""

from __future__ import annotations

from tests.programs.launching import SCRIPTS
from tests.support.library import LIBRARY


def test_cluster_runs_tasks_on_its_engines(stage):
    """Direct, balanced and broadcast views run functions on two engines, and the cluster stops without leftovers."""
    variables = {"IPYTHONDIR": str(stage.folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(stage.folder / "run")}
    program = stage.start(LIBRARY, SCRIPTS / "parallel.py", stage.folder / "profile", **variables)
    assert program.check() == {
        "libraries": [LIBRARY] * 3,
        "pushed": True,
        "map": True,
        "balanced": True,
        "tasks": True,
        "bytes": [5_000_000] * 2,
        "errors": ["ZeroDivisionError"] * 2,
        "output": ["out 0\n"] * 2,
        "broadcast": True,
        "queues": [0, 1],
        "stopped": True,
    }
    stage.wait_until_empty()
