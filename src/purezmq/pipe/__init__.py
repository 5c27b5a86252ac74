"""Pipes: the bounded queues between a pattern and one peer, and what happens when they are full. Sans-I/O."""

from __future__ import annotations

from purezmq.pipe.keyed_queue import KeyedQueue, keep_last, key_function
from purezmq.pipe.meter import Budget, Meter
from purezmq.pipe.overflow import BLOCK, DROP_NEWEST, DROP_OLDEST, DROPPING, ERROR, POLICIES, SPILL, DropReason
from purezmq.pipe.pipe import (
    BATCH_MESSAGES,
    NO_BATCH,
    WRITE_BATCH_MESSAGES,
    Pipe,
    RoomMarker,
    message_size,
    queued_bytes,
)
from purezmq.pipe.small_queue import SmallQueue, shrink_inbound

__all__ = [
    "BATCH_MESSAGES",
    "BLOCK",
    "DROPPING",
    "DROP_NEWEST",
    "DROP_OLDEST",
    "ERROR",
    "NO_BATCH",
    "POLICIES",
    "SPILL",
    "WRITE_BATCH_MESSAGES",
    "Budget",
    "DropReason",
    "KeyedQueue",
    "Meter",
    "Pipe",
    "RoomMarker",
    "SmallQueue",
    "keep_last",
    "key_function",
    "message_size",
    "queued_bytes",
    "shrink_inbound",
]
