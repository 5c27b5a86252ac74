"""pyzmq's import path of MessageTracker."""

from __future__ import annotations

from purezmq.message import FINISHED_TRACKER as _FINISHED_TRACKER
from purezmq.message import MessageTracker

__all__ = ["_FINISHED_TRACKER", "MessageTracker"]
