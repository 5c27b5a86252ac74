"""The one place that imports gevent."""

from __future__ import annotations

try:
    from gevent import get_hub, sleep
    from gevent.hub import Waiter
except ImportError as error:
    text = "purezmq.green needs gevent: pip install purezmq[green]"
    raise ImportError(text) from error

__all__ = ["Waiter", "get_hub", "sleep"]
