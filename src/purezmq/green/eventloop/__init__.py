"""Tornado's event loop on top of gevent, under pyzmq's name; see `purezmq.eventloop`."""

from __future__ import annotations

from purezmq.eventloop import IOLoop

__all__ = ["IOLoop"]
