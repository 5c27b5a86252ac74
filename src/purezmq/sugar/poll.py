"""pyzmq's import path of Poller and select."""

from __future__ import annotations

from purezmq.sockets.poller import Poller, select

__all__ = ["Poller", "select"]
