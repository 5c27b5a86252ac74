"""pyzmq's import path of Context."""

from __future__ import annotations

from purezmq.sockets.context import Context
from purezmq.sockets.socket import Socket

__all__ = ["Context", "SyncContext"]

SyncContext = Context[Socket]
