"""pyzmq's ``zmq.backend.cython``: it says that it can't be there."""

from __future__ import annotations

__all__: list[str] = []

raise ImportError(
    "purezmq is pure Python: there is no zmq.backend.cython; the names that it has in pyzmq are in zmq.backend"
)
