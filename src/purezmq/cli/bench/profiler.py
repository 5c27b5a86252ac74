"""cProfile around a worker, its threads included, and the printing of what it found."""

from __future__ import annotations

import cProfile
import marshal
import pstats
import threading
from pathlib import Path
from typing import Any

__all__ = ["Profiler", "print_profiles"]


class Profiler:
    """Profiles the calling thread and every `threading.Thread` that starts later.

    Args:
        path: Where `dump` writes; further threads go to `path` with ".1", ".2", ... behind it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._profiles = [cProfile.Profile()]
        self._run_thread = threading.Thread.run

    def start(self) -> None:
        """Begin to profile."""
        profiler = self

        def run_profiled(thread: threading.Thread) -> None:
            profile = cProfile.Profile()
            try:
                profile.enable()
            except ValueError:  # from 3.12 on one profiler sees all threads and a second one is refused
                profiler._run_thread(thread)
                return
            profiler._profiles.append(profile)
            try:
                profiler._run_thread(thread)
            finally:
                profile.disable()

        threading.Thread.run = run_profiled  # type: ignore[assignment, method-assign]
        self._profiles[0].enable()

    def dump(self) -> None:
        """Write what was seen so far; from any thread, while the profiled ones still run."""
        for index, profile in enumerate(self._profiles):
            source: Any = profile
            source.snapshot_stats()  # unlike create_stats, leaves a profiler of another thread alone
            name = f"{self._path}.{index}" if index else str(self._path)
            Path(name).write_bytes(marshal.dumps(source.stats))


def print_profiles(directory: Path, rows: int = 25) -> None:
    """Print the `rows` functions with most own time of every profile in `directory`."""
    for path in sorted(directory.iterdir()):
        print(f"\n=== {path.name.replace('.profile', '')}")
        try:
            pstats.Stats(str(path)).sort_stats("tottime").print_stats(rows)
        except TypeError:
            print("(this thread ran no Python function)")
