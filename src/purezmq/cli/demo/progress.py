"""The line that shows how far the demo is: on a terminal only, silent everywhere else."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["ProgressLine"]

_BAR_WIDTH = 24
_REFRESH_S = 0.1


class ProgressLine:
    """One line, rewritten in place.

    Args:
        stream: Where it is written, if that is a terminal.
        runs: How many runs there will be.
        seconds: How long messages flow in each.
    """

    def __init__(self, stream: TextIO, runs: int, seconds: float) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._runs = runs
        self._seconds = seconds
        self._done = -1
        self._label = ""
        self._started = self._drawn = 0.0

    def start(self, label: str) -> None:
        """Begin the next run, called `label`."""
        self._done += 1
        self._label = label
        self._started = self._drawn = monotonic()
        self._draw("starting", 0.0)

    def tick(self, messages: int) -> None:
        """Say that `messages` went out in this run so far; cheap enough to be called every few hundred."""
        now = monotonic()
        if now - self._drawn >= _REFRESH_S:
            self._drawn = now
            self._draw(f"{messages:,} messages", min(1.0, (now - self._started) / self._seconds))

    def clear(self) -> None:
        """Remove the line."""
        if self._is_shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _draw(self, text: str, part: float) -> None:
        if not self._is_shown:
            return
        filled = round(_BAR_WIDTH * (self._done + part) / self._runs)
        bar = "#" * filled + "." * (_BAR_WIDTH - filled)
        self._stream.write(f"\r\x1b[K[{bar}] {self._done + 1}/{self._runs} {self._label}: {text}")
        self._stream.flush()
