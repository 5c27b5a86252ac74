"""Every limit and size threshold of the wire in one place, each with the reason for its value.

No code may live here. Limits protect against a peer; thresholds only tune speed. Limits that a socket can set, and
those of the engine and the patterns, are in `purezmq/limits.py`.
"""

from __future__ import annotations

from purezmq.limits import MAX_TOPIC_SIZE

__all__ = [
    "COALESCE_PIECES",
    "EARLY_READ_SIZE",
    "HEARTBEAT_CONTEXT_SIZE",
    "LARGE_BODY_SIZE",
    "MAX_BODY_READ_SIZE",
    "MAX_CHUNK_SIZE",
    "MAX_COMMAND_SIZE",
    "MAX_ERROR_REASON_SIZE",
    "MAX_GROUP_SIZE",
    "MAX_HANDSHAKE_FRAME_SIZE",
    "MAX_HANDSHAKE_SIZE",
    "MAX_OUTSTANDING_PINGS",
    "MAX_PROPERTY_NAME_SIZE",
    "MAX_READ_SIZE",
    "MAX_ROUTING_ID_SIZE",
    "MIN_COMMAND_ALLOWANCE",
    "MIN_FAST_PARTS",
    "PASS_THROUGH_SIZE",
    "READ_SIZE",
    "UNLIMITED",
]

UNLIMITED = 0x7FFF_FFFF
"""``limit`` of :meth:`Connection.receive_data` that never stops a call."""

# --- protection against a peer -------------------------------------------------------------------

MAX_HANDSHAKE_FRAME_SIZE = 16 * 1024
"""Largest frame of a handshake in bytes. READY of real peers is below 1 KiB; HTTP servers allow 8-16 KiB of headers."""

MAX_HANDSHAKE_SIZE = 64 * 1024
"""Bytes of one peer before the handshake's end: greeting and handshake together are below 2 KiB, CURVE's too."""

MAX_COMMAND_SIZE = MAX_TOPIC_SIZE + 10
"""Largest command in bytes: a SUBSCRIBE to the longest topic; 10 bytes are its name and the size of that."""

MAX_ROUTING_ID_SIZE = 255
"""Largest routing id in bytes (RFC 37, ``Identity`` property; libzmq's ROUTING_ID option)."""

MAX_GROUP_SIZE = 255
"""Largest group of a RADIO message in bytes: over datagrams its length is one octet (RFC 48)."""

MAX_PROPERTY_NAME_SIZE = 255
"""Largest property name in bytes: its length is one octet (RFC 37)."""

MAX_ERROR_REASON_SIZE = 255
"""Largest reason of an ERROR command in bytes: its length is one octet (RFC 37)."""

HEARTBEAT_CONTEXT_SIZE = 16
"""Largest context of a PING in bytes (RFC 37): all of it is echoed."""

MAX_OUTSTANDING_PINGS = 16
"""PINGs with a context whose echo is awaited: the newest ones, and an echo answers for those before it."""

MIN_COMMAND_ALLOWANCE = 512
"""A command of up to this size passes whatever MAXMSGSIZE says: the option is about messages, a PING must not fail."""

MIN_FAST_PARTS = 256
"""Stricter limits of parts than this, or of bytes than one read, are checked frame by frame, by the plain decoder."""

# --- speed ----------------------------------------------------------------------------------------

EARLY_READ_SIZE = 4 * 1024
"""Bytes to read at most before the handshake's end: greeting and handshake are smaller, a few messages may follow."""

READ_SIZE = 64 * 1024
"""Bytes to read next by default: some 5,000 small frames, one system call."""

MAX_READ_SIZE = 256 * 1024
"""Ceiling of the read size that grows while reads come back full."""

MAX_BODY_READ_SIZE = 256 * 1024
"""Ceiling of a read inside a large body: a declared length never decides an allocation, sockets hold little more."""

LARGE_BODY_SIZE = 64 * 1024
"""From this size on, a body has reads of its own, and the next header, so that it needs no copy (but a sealed one)."""

COALESCE_PIECES = 1024
"""Pieces of one body kept before they're joined: bounds the overhead of a peer that sends byte by byte."""

PASS_THROUGH_SIZE = 8 * 1024
"""From this size on, a body is sent as its own chunk; below, a copy is cheaper than one more buffer of a call."""

MAX_CHUNK_SIZE = 128 * 1024
"""About the largest chunk that small frames are joined into: what allocators reuse without new pages of the kernel."""
