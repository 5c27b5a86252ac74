"""Stage: where a demonstration plays. It names endpoints, starts processes, and leaves nothing behind.

It has nothing to do with the patterns: their programs import it so that they can kill real processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import SpawnProcess

__all__ = ["Stage"]

_SPAWN = multiprocessing.get_context("spawn")  # a fresh interpreter each, as if started from a shell


class Stage:
    """Processes and ipc endpoints of one demonstration; on exit every process is killed and joined."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="guide-")
        self._processes: list[SpawnProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            self.kill(process)
        self._folder.cleanup()

    @property
    def folder(self) -> str:
        """A folder that lives as long as the stage."""
        return self._folder.name

    def endpoint(self, name: str) -> str:
        """Return the ipc endpoint of this name; a process that takes another's place binds it again."""
        return f"ipc://{self._folder.name}/{name}"

    def start(self, target: Callable[..., object], *args: Any) -> SpawnProcess:
        """Run `target(*args)` in a process of its own."""
        process = _SPAWN.Process(target=target, args=args)
        process.start()
        self._processes.append(process)
        return process

    def kill(self, process: SpawnProcess) -> None:
        """End a process without giving it the chance to say goodbye, and wait until it is gone."""
        process.kill()
        process.join()

    def freeze(self, process: SpawnProcess) -> None:
        """Stop a process in its tracks: its connections stay, but it is silent."""
        os.kill(_pid(process), signal.SIGSTOP)

    def thaw(self, process: SpawnProcess) -> None:
        """Let a frozen process go on, as if no time had passed for it."""
        os.kill(_pid(process), signal.SIGCONT)


def _pid(process: SpawnProcess) -> int:
    if process.pid is None:
        raise ValueError("the process has not been started")
    return process.pid
