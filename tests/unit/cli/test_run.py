"""How a line of `purezmq run` becomes a command line of Python."""

from __future__ import annotations

import os
import sys

import pytest

from purezmq.cli import run as run_module
from purezmq.cli.run import make_command, run, split_python_options
from purezmq.install.child_processes import STARTUP_FOLDER, make_child_environment


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["app.py", "-m", "x"], ([], ["app.py", "-m", "x"], "")),
        (["-u", "-W", "error", "app.py"], (["-u", "-W", "error"], ["app.py"], "u")),
        (["-Werror", "-Xdev", "app.py"], (["-Werror", "-Xdev"], ["app.py"], "")),
        (["-X", "dev", "-m", "mod", "-m"], (["-X", "dev"], ["-m", "mod", "-m"], "")),
        (["-um", "mod"], ([], ["-um", "mod"], "u")),
        (["-mmod"], ([], ["-mmod"], "")),
        (["-c", "code", "-I"], ([], ["-c", "code", "-I"], "")),
        (["-OO", "-", "x"], (["-OO"], ["-", "x"], "OO")),
        (["--check-hash-based-pycs", "always", "a"], (["--check-hash-based-pycs", "always"], ["a"], "")),
        (["-uW", "error", "app.py"], (["-uW", "error"], ["app.py"], "u")),
        ([], ([], [], "")),
    ],
)
def test_split_finds_the_program(words, expected):
    """Python's options end where Python ends them: at the program, at `-`, at -m and -c."""
    assert expected == split_python_options(words)


def test_command_of_a_file_is_this_python(tmp_path):
    """A file runs by the Python of the command, with the options that it was started with in front."""
    program = tmp_path / "app.py"
    program.touch()
    expected = [sys.executable, "-X", "dev", "-u", str(program), "-I"]
    assert expected == make_command(["-u", str(program), "-I"], ["-X", "dev"])


def test_run_becomes_the_program(monkeypatch):
    """The process is replaced, by a Python whose environment finds purezmq as zmq."""
    calls = []
    monkeypatch.setattr(os, "execve", lambda *call: calls.append(call))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "purezmq"])
    run(["-c", "pass"])
    ((path, command, environment),) = calls
    assert (sys.executable, [sys.executable, "-c", "pass"]) == (path, command)
    assert environment["PYTHONPATH"].startswith(STARTUP_FOLDER)


def test_run_where_processes_cant_be_replaced_returns_the_status(monkeypatch):
    """On Windows the program is a child, and its status is returned."""
    monkeypatch.setattr(run_module.os, "name", "nt")
    monkeypatch.setattr(run_module.subprocess, "call", lambda command, env: 7)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "purezmq"])
    assert 7 == run(["-c", "pass"])


@pytest.mark.parametrize(("before", "after"), [(None, []), ("", []), ("/a", ["/a"]), (f"/a:{STARTUP_FOLDER}", ["/a"])])
def test_environment_has_the_folder_once_and_first(before, after):
    """The folder stands in front of what was there, and once."""
    environment = {"HOME": "/h"} | ({} if before is None else {"PYTHONPATH": before})
    made = make_child_environment(environment)
    assert {"HOME": "/h", "PYTHONPATH": os.pathsep.join([STARTUP_FOLDER, *after])} == made
