"""Programs of others as child processes: started through ``purezmq run``, read line by line, always cleaned up.

A program writes its findings to stdout as lines ``fact NAME JSON``. What a single program needs must not live here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psutil
from tests.support.library import LIBRARY

__all__ = ["LIBRARIES", "MIXES", "SCRIPTS", "Program", "Stage", "free_port", "python_command"]

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"

# How long any single wait may take; only failing tests ever wait that long.
PATIENCE_S = 40.0

# (library of the first program, library of the second one): ours at both ends, then at either end with pyzmq as peer.
MIXES = [("zmq", "zmq")] if LIBRARY == "zmq" else [("purezmq", "purezmq"), ("purezmq", "zmq"), ("zmq", "purezmq")]
LIBRARIES = [LIBRARY]

# Every process that descends from a stage has it in its environment, whatever session or group it is in.
MARKER = "PUREZMQ_TEST_STAGE"


def python_command(library: str) -> list[str]:
    """Return the words that start a Python program on `library`, before the script or ``-m MODULE``.

    ``-E`` keeps whatever ``purezmq run`` says to its children through PYTHON* variables from a program that is to run
    on the real pyzmq.
    """
    return [sys.executable, "-E"] if library == "zmq" else [sys.executable, "-m", "purezmq", "run"]


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return int(reserved.getsockname()[1])


class Program:
    """One program, with its output in files so that it never blocks on a full pipe."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], name: str) -> None:
        self.name = name
        self._paths = {kind: folder / f"{name}.{kind}" for kind in ("out", "err")}
        with self._paths["out"].open("wb") as out, self._paths["err"].open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        """What the program has written to stdout so far."""
        return self._paths["out"].read_text(errors="replace")

    @property
    def err(self) -> str:
        """What the program has written to stderr so far."""
        return self._paths["err"].read_text(errors="replace")

    @property
    def facts(self) -> dict[str, Any]:
        """The ``fact NAME JSON`` lines written so far; a line that is still being written is left out."""
        words = (line.split(" ", 2) for line in self.out.splitlines(keepends=True) if line.endswith("\n"))
        return {word[1]: json.loads(word[2]) for word in words if word[0] == "fact"}

    def wait_for(self, text: str, stream: str = "out", timeout: float = PATIENCE_S) -> None:
        """Wait until the program has written `text`; fail when it ends, or time is up, before."""
        deadline = time.monotonic() + timeout
        while text not in getattr(self, stream):
            ended = self.process.poll() is not None
            if ended and text in getattr(self, stream):
                return
            assert not ended, f"ended without {text!r}: {self.report()}"
            assert time.monotonic() < deadline, f"no {text!r} within {timeout} s: {self.report()}"
            time.sleep(0.02)

    def finish(self, timeout: float = PATIENCE_S) -> int:
        """Wait until the program ends and return its exit code; fail with its output when it doesn't end."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            # A program of ours registered faulthandler for this signal; any other just dies of it.
            self.process.send_signal(signal.SIGUSR1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
            raise AssertionError(f"still running after {timeout} s: {self.report()}") from None

    def check(self, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the end, which must be a success, and return the program's facts."""
        code = self.finish(timeout)
        assert code == 0, self.report()
        return self.facts

    def report(self) -> str:
        """Describe the program's state for a failure message."""
        code = self.process.poll()
        return f"{self.name} (exit code {code})\n--- stdout\n{self.out[-4000:]}\n--- stderr\n{self.err[-8000:]}"


class Stage:
    """A scratch directory (short, since ipc paths are limited) and all processes that were started in it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="zq"))
        self._programs: list[Program] = []
        self.environment = {
            **os.environ,
            MARKER: str(self.folder),
            "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(ROOT / "src")])),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
        }

    def start(self, library: str, *words: str | Path, name: str = "", **variables: str) -> Program:
        """Start a Python program on `library`.

        Args:
            library: "purezmq" or "zmq".
            words: the script and its arguments, or "-m", the module and its arguments.
            name: names the output files; else the script's or the module's name with a number.
            variables: additions to the environment.
        """
        command = [*python_command(library), *map(str, words)]
        stem = Path(str(words[1] if words[0] == "-m" else words[0])).stem
        name = name or f"{stem}-{len(self._programs)}"
        self._programs.append(Program(command, self.folder, {**self.environment, **variables}, name))
        return self._programs[-1]

    def processes(self) -> list[psutil.Process]:
        """Return the live processes that descend from this stage, also those in sessions of their own."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process.environ().get(MARKER) == str(self.folder):
                    found.append(process)
        return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

    def wait_until_empty(self, timeout: float = 10.0) -> None:
        """Wait until no process of the stage is left; fail with their command lines otherwise."""
        deadline = time.monotonic() + timeout
        while left := self.processes():
            lines = []
            for process in left:
                with contextlib.suppress(psutil.Error):
                    lines.append(" ".join(process.cmdline()))
            assert time.monotonic() < deadline, f"left over: {lines}"
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        for program in self._programs:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)
