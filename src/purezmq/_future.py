"""pyzmq's import path of what its futures-returning classes derive from; the classes themselves are `asyncio`'s."""

from __future__ import annotations

from purezmq.asyncio.poller import Poller as _AsyncPoller
from purezmq.asyncio.socket import Socket as _AsyncSocket

__all__ = ["_AsyncPoller", "_AsyncSocket"]
