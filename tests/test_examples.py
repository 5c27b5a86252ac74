"""Every program of the examples folder runs alone, ends by itself and prints its result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"

# Program -> what it must print.
OUTPUTS = {
    "broker.py": "sum of the squares below 100: 328,350\n",
    "pipeline.py": "primes below 20,000: 2,262\n",
    "publish_subscribe.py": "sport: 2:1\nweather: sunny, warm\n",
    "request_reply.py": "'hello' -> 'HELLO'\n'is anybody there?' -> 'IS ANYBODY THERE?'\n'' -> 'good bye'\n",
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_example_runs_to_its_end(name):
    """The program prints exactly its result, nothing on stderr (warnings are errors), and succeeds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-X", "dev", "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(command, capture_output=True, check=False, env=environment, text=True, timeout=30)
    assert (0, OUTPUTS[name], "") == (done.returncode, done.stdout, done.stderr)


def test_examples_all_are_run():
    """No program of the folder is left out of the test above."""
    assert set(OUTPUTS) == {path.name for path in EXAMPLES.glob("*.py")}
