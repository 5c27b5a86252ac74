"""pyzmq's path of tornado's IOLoop. Deprecated: sockets work in tornado's own loop, nothing need be installed."""

from __future__ import annotations

import warnings

from purezmq.eventloop.tornado_loop import IOLoop, PeriodicCallback

__all__ = ["IOLoop", "PeriodicCallback", "ZMQIOLoop", "install"]

#: There was a loop of pyzmq's own once.
ZMQIOLoop = IOLoop

_TEXT = "zmq.eventloop.ioloop is deprecated: sockets work in tornado's and asyncio's own loops"
warnings.warn(_TEXT, DeprecationWarning, stacklevel=2)


def install() -> None:
    """Do nothing: every loop serves sockets. Deprecated."""
    warnings.warn(_TEXT, DeprecationWarning, stacklevel=2)
