"""pyzmq's import path of Socket."""

from __future__ import annotations

from purezmq.sockets.socket import Socket

__all__ = ["Socket", "SyncSocket"]

SyncSocket = Socket
