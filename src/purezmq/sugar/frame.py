"""pyzmq's import path of Frame."""

from __future__ import annotations

from purezmq.message import Frame

__all__ = ["Frame", "Message"]

Message = Frame
