"""Worker processes as the parent sees them: start, talk in JSON lines, kill in every case.

A worker writes one JSON object a line to stdout and reads command words from stdin; the end of its stdin tells
it to finish. What the workers do is in worker.py and the role files.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

__all__ = ["Worker", "WorkerFailedError", "WorkerGroup", "last_line"]

WORKER_MODULE = "purezmq.cli.bench.worker"

#: Seconds that workers under a profiler get to write their profile.
PROFILE_GRACE = 10.0


class WorkerFailedError(Exception):
    """A worker died, reported an error or missed its deadline; the text is the reason."""


def last_line(text: str) -> str:
    """Return the last line of `text` that is not blank: of a traceback, the one that names the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


class Worker:
    """One worker process.

    Args:
        command: Its command line.
        role: Its role, for messages about it.
        deadline: Monotonic second after which waiting for it fails.
    """

    def __init__(self, command: list[str], role: str, deadline: float) -> None:
        self.role = role
        self._deadline = deadline
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, text=True
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # closed under us by close()
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def receive(self) -> dict[str, Any]:
        """Wait for the worker's next report.

        Raises:
            WorkerFailedError: It reported an error, ended without a report, or the deadline passed.
        """
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, self._deadline - time.monotonic()))
            except queue.Empty:
                raise WorkerFailedError(f"{self.role}: timed out") from None
            if line is None:
                raise WorkerFailedError(f"{self.role}: {self._exit_reason()}")
            if not line.startswith("{"):
                continue  # a library's own print
            fields: dict[str, Any] = json.loads(line)
            if "error" in fields:
                raise WorkerFailedError(f"{self.role}: {fields['error']}")
            return fields

    def ask(self, word: str) -> dict[str, Any]:
        """Send the command `word` and return the report that answers it."""
        self.send(word)
        return self.receive()

    def send(self, word: str) -> None:
        """Send the command `word`; a dead worker is noticed by the next `receive`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()

    def finish(self, grace: float) -> None:
        """Tell the worker to finish by closing its stdin and give it `grace` seconds for that."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)

    def close(self) -> None:
        """Kill the process if it still runs and free everything."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5.0)
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _exit_reason(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        text = self._stderr.read().decode(errors="replace")
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}: {last_line(text)}"


class WorkerGroup:
    """The workers of one run of one library: all are dead when the `with` block is left.

    Args:
        library: What they import ("raw" for plain sockets).
        timeout: Seconds for the whole run.
        profile_directory: Where every worker writes its cProfile statistics; None to run unprofiled.

    Attributes:
        directory: A fresh directory for ipc endpoints, removed at the end.
    """

    def __init__(self, library: str, timeout: float, profile_directory: Path | None = None) -> None:
        self.library = library
        self._deadline = time.monotonic() + timeout
        self._profile_directory = profile_directory
        self._workers: list[Worker] = []
        self._temporary = tempfile.TemporaryDirectory(prefix="purezmq-bench-", ignore_cleanup_errors=True)
        self.directory = Path(self._temporary.name)

    def start(self, role: str, options: Mapping[str, Any], library: str | None = None) -> Worker:
        """Start a worker in `role`; `library` replaces the group's for roles that need none."""
        command = [sys.executable, "-m", WORKER_MODULE, "--lib", library or self.library, "--role", role]
        command += ["--options", json.dumps(dict(options))]
        if self._profile_directory is not None:
            path = self._profile_directory / f"{len(self._workers):02}-{role}.profile"
            command += ["--profile", str(path)]
        worker = Worker(command, role, self._deadline)
        self._workers.append(worker)
        return worker

    def bind_endpoint(self, transport: str) -> str:
        """Return an endpoint to bind that nobody else uses."""
        if transport == "tcp":
            return "tcp://127.0.0.1:0"
        return f"ipc://{self.directory}/{len(self._workers)}.sock"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._profile_directory is not None and kind is None:
            self._each(lambda worker: worker.finish(PROFILE_GRACE))
        self._each(lambda worker: worker.close())
        self._temporary.cleanup()

    def _each(self, action: Callable[[Worker], None]) -> None:
        for worker in self._workers:
            action(worker)
