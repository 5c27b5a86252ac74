"""What ``importlib.metadata`` answers about "pyzmq" once purezmq is installed as zmq."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path

from purezmq.sockets.version import pyzmq_version

__all__ = ["MatchedPyzmq"]


class MatchedPyzmq(Distribution):
    """A distribution named pyzmq in the version whose API purezmq matches; it has no files of its own."""

    def read_text(self, filename: str) -> str | None:
        """Return the text of ``METADATA``; there is no other file."""
        if filename != "METADATA":
            return None
        return (
            f"Metadata-Version: 2.1\nName: pyzmq\nVersion: {pyzmq_version()}\n"
            "Summary: purezmq, installed as zmq in this process\n"
        )

    def locate_file(self, path: object) -> Path:
        """Return where `path` would be, beside the package."""
        return Path(__file__).parents[2] / str(path)
