"""pyzmq's ``zmq.log``: logging over PUB sockets. `handlers` publishes, ``python -m purezmq.log`` shows."""

from __future__ import annotations

__all__: list[str] = []
