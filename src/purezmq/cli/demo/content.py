"""What the demo's messages contain: a function of their index, so that any of them can be checked anywhere.

Nothing here knows sockets.
"""

from __future__ import annotations

from zlib import crc32

__all__ = ["make_content", "make_reply", "make_result", "parse_index"]

_INDEX_SIZE = 8
#: Bodies are cut from here: they differ in length and in content.
_TEXT = bytes(range(256)) * 2
_LONGEST_BODY = 200


def make_content(index: int) -> bytes:
    """Return the message number `index`: the number itself (8 bytes) and a body of 0 to 199 bytes."""
    start = index % 251
    return index.to_bytes(_INDEX_SIZE) + _TEXT[start : start + index % _LONGEST_BODY]


def parse_index(content: bytes) -> int:
    """Return the number of a message made by `make_content` or of a result made by `make_result`."""
    return int.from_bytes(content[:_INDEX_SIZE])


def make_reply(request: bytes) -> bytes:
    """Return the one right reply to `request`."""
    return b"reply to " + request


def make_result(task: bytes) -> bytes:
    """Return what a pipeline's worker makes of `task`: its number and the checksum of the whole."""
    return task[:_INDEX_SIZE] + crc32(task).to_bytes(4)
