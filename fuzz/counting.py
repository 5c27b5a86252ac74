"""Counts executions in a file's memory, so that however a process ends nothing is lost, and the next one goes on."""

from __future__ import annotations

import mmap
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["count_in", "counted"]

_SIZE = 8
_NAME = "executions"


def counted(run: Callable[[bytes], None], folder: Path) -> Callable[[bytes], None]:
    """Return what runs an input and counts it.

    Args:
        run: runs an input.
        folder: where the count is kept.
    """
    path = folder / _NAME
    if not path.exists():
        path.write_bytes(bytes(_SIZE))
    with path.open("r+b") as file:
        counter = memoryview(mmap.mmap(file.fileno(), _SIZE)).cast("Q")

    def run_counted(data: bytes) -> None:
        counter[0] += 1
        run(data)

    return run_counted


def count_in(folder: Path) -> int:
    """Return how many inputs were run since the folder was made.

    Args:
        folder: where the count is kept.
    """
    path = folder / _NAME
    return int.from_bytes(path.read_bytes(), sys.byteorder) if path.exists() else 0
