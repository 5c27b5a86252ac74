"""pyzmq's path of `ZMQStream` for green programs: where gevent has patched, tornado's loop runs on greenlets."""

from __future__ import annotations

from purezmq.eventloop import zmqstream as _zmqstream

__all__ = ["ZMQStream"]


class ZMQStream(_zmqstream.ZMQStream):
    """`purezmq.eventloop.zmqstream.ZMQStream`, which also takes green sockets."""
