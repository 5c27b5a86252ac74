"""What is sent: the same bytes for every library, worked out alike in every process."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MIXED_SEED", "mixed_payloads", "payload_sequence"]

MIXED_SEED = 20
MIXED_KINDS = 4096


def mixed_payloads() -> list[bytes]:
    """Return payloads of 1 to 300 bytes in the order in which the mixed case repeats them."""
    generator = random.Random(MIXED_SEED)
    return [b"x" * generator.randint(1, 300) for _ in range(MIXED_KINDS)]


def payload_sequence(size: int, count: int) -> Iterable[bytes]:
    """Return `count` payloads of `size` bytes each, or of mixed sizes if `size` is 0."""
    if size:
        return itertools.repeat(b"x" * size, count)
    return itertools.islice(itertools.cycle(mixed_payloads()), count)
