"""pyzmq's ``zmq._typing``."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["TypeAlias"]
