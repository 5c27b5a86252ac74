"""The progress line."""

from __future__ import annotations

from io import StringIO

from purezmq.cli.demo.progress import ProgressLine


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Answer as a terminal does."""
        return True


def play(stream):
    """Show two runs on `stream` and return what was written."""
    progress = ProgressLine(stream, runs=2, seconds=1e-9)
    for label in ("pipeline over tcp", "broker over ipc"):
        progress.start(label)
        progress._drawn = 0.0  # as if a tenth of a second had passed
        progress.tick(1_234)
    progress.clear()
    return stream.getvalue()


def test_progress_on_a_terminal_rewrites_one_line():
    """Each step replaces the line, the bar grows, and at the end the line is gone."""
    lines = play(Terminal()).split("\r\x1b[K")
    assert [
        "",
        "[........................] 1/2 pipeline over tcp: starting",
        "[############............] 1/2 pipeline over tcp: 1,234 messages",
        "[############............] 2/2 broker over ipc: starting",
        "[########################] 2/2 broker over ipc: 1,234 messages",
        "",
    ] == lines


def test_progress_elsewhere_is_silent():
    """A pipe or a file gets no progress line."""
    assert "" == play(StringIO())
