"""The demo as a whole, with real processes, and how it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from purezmq.cli.demo import content, request_reply, runner
from purezmq.cli.demo.stage import Stage, StageError


def crash(actor):
    """Role: an actor that fails."""
    raise ValueError("no idea of my lines")


def vanish(actor):
    """Role: an actor whose process ends without a word."""
    raise SystemExit(3)


def show_to_processes(role, monkeypatch):
    """Let processes import this file, so that they can play `role`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    monkeypatch.setattr(role, "__module__", Path(__file__).stem)


@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_demo_every_pattern_loses_nothing(transport, capsys):
    """Every scene plays over every transport without a lost or wrong message."""
    status = runner.run(["--seconds", "0.05", "--transport", transport])
    output = capsys.readouterr().out
    assert (0, True) == (status, "none lost, none wrong" in output), output


def test_demo_wrong_reply_is_found(monkeypatch, capsys):
    """A reply that is not the expected one makes the demo fail."""
    monkeypatch.setattr(runner, "_SCENES", {request_reply: ("tcp",)})
    monkeypatch.setattr(request_reply, "make_reply", lambda request: content.make_reply(request) + b"!")
    assert 1 == runner.run(["--seconds", "0.05"])
    assert "1 of 1 runs FAILED" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["0", "-1", "61", "soon"])
def test_demo_wrong_seconds_are_refused(seconds, capsys):
    """A length that makes no sense ends with status 2."""
    with pytest.raises(SystemExit) as end:
        runner.run([f"--seconds={seconds}"])
    assert 2 == end.value.code
    assert "--seconds" in capsys.readouterr().err


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_stage_actor_fails_says_why(transport, tmp_path, monkeypatch):
    """What an actor raises ends the scene at once, with the actor's words."""
    show_to_processes(crash, monkeypatch)
    with pytest.raises(StageError, match="crash: ValueError: no idea of my lines"):  # noqa: SIM117 (the exit is meant)
        with Stage(transport, str(tmp_path), 0.05, lambda count: None) as stage:
            stage.start(crash)
            stage.wait_hello(1)


def test_stage_process_ends_early_is_noticed(tmp_path, monkeypatch):
    """A process that ends without a word ends the scene at once, with its status."""
    show_to_processes(vanish, monkeypatch)
    with pytest.raises(StageError, match="ended with status 3"):  # noqa: SIM117 (the exit is meant)
        with Stage("tcp", str(tmp_path), 0.05, lambda count: None) as stage:
            stage.start(vanish)
            stage.wait_hello(1)
