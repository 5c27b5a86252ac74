"""purezmq for asyncio: ``import purezmq.asyncio``, with the API of pyzmq's ``zmq.asyncio``.

The same sockets as everywhere, with methods that return futures. One engine is below both: the event loop's own thread
reads and writes, there is no other thread in between. Works with any event loop (uvloop, too), with several at once in
several threads, and with one after the other.
"""

from __future__ import annotations

import asyncio  # noqa: F401 - programs reach the standard module as zmq.asyncio.asyncio

from purezmq.asyncio.context import Context
from purezmq.asyncio.loop import ZMQEventLoop, install
from purezmq.asyncio.poller import Poller
from purezmq.asyncio.socket import Socket

__all__ = ["Context", "Poller", "Socket", "ZMQEventLoop", "install"]
