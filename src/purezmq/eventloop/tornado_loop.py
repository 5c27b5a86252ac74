"""The one place that imports tornado."""

from __future__ import annotations

try:
    from tornado.ioloop import IOLoop, PeriodicCallback
    from tornado.log import gen_log
except ImportError as error:
    text = "purezmq.eventloop needs tornado: pip install purezmq[stream]"
    raise ImportError(text) from error

__all__ = ["IOLoop", "PeriodicCallback", "gen_log"]
