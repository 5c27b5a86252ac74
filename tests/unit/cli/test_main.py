"""The dispatch of the command line."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from purezmq import cli
from purezmq._version import __version__
from purezmq.cli.main import COMMANDS, main


@pytest.fixture
def command(monkeypatch):
    """A subcommand `demo` that notes its words and ends with the status or error that the test sets."""
    fake = types.ModuleType("purezmq.cli.demo")
    fake.seen = []
    fake.outcome = 0

    def run(argv):
        fake.seen.append(list(argv))
        if isinstance(fake.outcome, BaseException):
            raise fake.outcome
        return fake.outcome

    fake.run = run
    monkeypatch.setitem(sys.modules, "purezmq.cli.demo", fake)
    monkeypatch.setattr(cli, "demo", fake, raising=False)
    return fake


def test_main_version_prints_it(capsys):
    """`purezmq --version` prints the version of the package and succeeds."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (0, f"purezmq {__version__}\n") == (end.value.code, capsys.readouterr().out)


def test_main_help_lists_every_command(capsys):
    """`purezmq --help` says what each command does."""
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert 0 == end.value.code
    output = capsys.readouterr().out
    assert all(text in output for pair in COMMANDS.items() for text in pair)


@pytest.mark.parametrize("words", [[], ["fly"], ["--fly"]])
def test_main_wrong_words_fail_with_status_2(words, capsys):
    """A line without a known command ends with status 2 and says which commands there are."""
    with pytest.raises(SystemExit) as end:
        main(words)
    assert 2 == end.value.code
    assert "usage: purezmq" in capsys.readouterr().err


def test_main_command_gets_the_rest_of_the_line(command):
    """Everything after the command is the command's, even options that `purezmq` itself knows."""
    command.outcome = 1
    assert 1 == main(["demo", "--version", "--seconds", "2"])
    assert [["--version", "--seconds", "2"]] == command.seen


def test_main_interrupt_ends_with_status_130(command):
    """Ctrl-C ends a command without a traceback."""
    command.outcome = KeyboardInterrupt()
    assert 130 == main(["demo"])


def test_package_as_program_is_the_command():
    """`python -m purezmq` is the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "purezmq", "--version"], capture_output=True, check=True, text=True, timeout=30
    )
    assert f"purezmq {__version__}\n" == done.stdout
