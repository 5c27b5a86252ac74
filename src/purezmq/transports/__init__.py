"""Transports: bytes to and from the operating system, and messages between threads (``inproc``).

The engine meets them through :mod:`purezmq.transports.base` and :mod:`purezmq.transports.registry` only; the modules
of the transports are imported on first use.
"""

from __future__ import annotations

__all__: list[str] = []
