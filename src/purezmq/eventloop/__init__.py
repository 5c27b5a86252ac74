"""Sockets in tornado's event loop: `zmqstream.ZMQStream`, and pyzmq's older names `ioloop` and `future`.

Tornado's loop is asyncio's, so `purezmq.asyncio` works in it, too.
"""

from __future__ import annotations

from purezmq.eventloop.tornado_loop import IOLoop

__all__ = ["IOLoop"]
