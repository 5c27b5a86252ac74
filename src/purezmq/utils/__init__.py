"""pyzmq's ``zmq.utils``, name by name; nothing else may live here."""

from __future__ import annotations

__all__: list[str] = []
