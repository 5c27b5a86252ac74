"""pyzmq's import path of Stopwatch."""

from __future__ import annotations

from purezmq.sockets.stopwatch import Stopwatch

__all__ = ["Stopwatch"]
