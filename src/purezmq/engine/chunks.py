"""Chunks of encoded bytes, as a write of several buffers takes them: parts of them, without a copy."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["cut", "skip"]


def cut(chunks: list[Any], size: int) -> list[Any]:
    """The first `size` bytes of chunks; nothing is copied."""
    kept = []
    for chunk in chunks:
        if size <= 0:
            break
        kept.append(chunk if len(chunk) <= size else memoryview(chunk)[:size])
        size -= len(chunk)
    return kept


def skip(chunks: list[Any], taken: int) -> list[Any]:
    """What remains of chunks after the first `taken` bytes; nothing is copied."""
    for index, chunk in enumerate(chunks):
        size = len(chunk)
        if taken < size:
            rest = chunks[index:]
            if taken:
                rest[0] = memoryview(chunk)[taken:]
            return rest
        taken -= size
    return []
