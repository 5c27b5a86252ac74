"""pyzmq's import path of Socket."""

from __future__ import annotations

from purezmq.sockets.socket import EndpointContext as _SocketContext
from purezmq.sockets.socket import Socket

__all__ = ["Socket", "SyncSocket", "_SocketContext"]

SyncSocket = Socket
