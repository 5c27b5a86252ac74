"""pyzmq's path of `purezmq.eventloop.ioloop` for green programs. Deprecated: use tornado's own module."""

from __future__ import annotations

from purezmq.eventloop.ioloop import IOLoop, PeriodicCallback, ZMQIOLoop, install

__all__ = ["IOLoop", "PeriodicCallback", "ZMQIOLoop", "install"]
