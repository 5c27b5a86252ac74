"""Programs written for pyzmq, as its documentation and the guide write them, print the same with purezmq.

Each program of the folder `guide_programs` is run twice, unmodified: by Python with pyzmq, which says what is
right, and by `purezmq run`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(Path(__file__).with_name("guide_programs").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program_for_pyzmq_prints_the_same_with_purezmq(program):
    """Output and exit code are those that pyzmq gives; nothing is said on stderr."""
    code, output, errors = finish(start(str(program)))
    assert 0 == code, errors
    assert (0, output, "") == finish(start("-m", "purezmq", "run", str(program)))


def start(*words: str) -> subprocess.Popen[str]:
    """Start Python; what is deprecated in pyzmq may be used without a warning."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    command = [sys.executable, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a program, and return its exit code and what it printed."""
    with process:
        try:
            output, errors = process.communicate(timeout=25)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += "\nit did not end in time"
    return process.returncode, output, errors
