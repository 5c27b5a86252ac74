"""How the messages of a block lie in a file: no frames, but an index behind them.

::

    large part | large part | ... | small parts, end to end | size of each part | how many parts each message has

A large part is a piece of the file of its own: it goes to the system as it is, and comes back as the very object that
the system filled. All the others are one piece, with the index, of which they are cut; so a block of small messages is
one read, one checksum, and a slice for each message. Sizes in the index are two bytes, and a mark stands for each large
part; the second table is there only if a message has more than one part, both only if there is anything to tell.

Nothing here reads or writes, and nothing is checked that a checksum has vouched for, but that the index fits.
"""

from __future__ import annotations

from array import array
from itertools import islice
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Buffer

    from purezmq.message import Message

__all__ = ["LARGE_PART_SIZE", "Layout", "buffer_size", "lay_out", "restore"]

#: A part of this size (bytes) is worth a system call of its own, rather than a copy.
LARGE_PART_SIZE = 32 << 10
#: In the place of a large part's size.
_LARGE = 0xFFFF
_SIZES, _COUNTS = "H", "I"


class Layout:
    """What of a block's layout isn't in the file.

    Attributes:
        reads: sizes of the pieces, one after another (bytes).
        count: how many messages there are.
        parts: how many parts they have, if the last piece has an index; else 0.
        is_flat: each message has one part.
    """

    __slots__ = ("count", "is_flat", "parts", "reads")

    def __init__(self, reads: tuple[int, ...], count: int, parts: int, is_flat: bool) -> None:
        self.reads = reads
        self.count = count
        self.parts = parts
        self.is_flat = is_flat


def lay_out(messages: Sequence[Message]) -> tuple[list[Buffer], Layout]:
    """Lay out a block.

    Args:
        messages: at least one, of contiguous parts.

    Returns:
        The pieces to write one after another, and what `restore` needs to know.
    """
    parts, counts = _flatten(messages)
    sizes = list(map(len if set(map(type, parts)) == {bytes} else buffer_size, parts))
    large: list[Buffer] = []
    small: Sequence[Buffer] = parts
    if max(sizes) >= LARGE_PART_SIZE:
        large = [part for part, size in zip(parts, sizes, strict=True) if size >= LARGE_PART_SIZE]
        if len(large) == len(parts) and counts is None:
            return large, Layout(tuple(sizes), len(messages), 0, True)
        small = [part for part, size in zip(parts, sizes, strict=True) if size < LARGE_PART_SIZE]
        reads = [size for size in sizes if size >= LARGE_PART_SIZE]
        sizes = [size if size < LARGE_PART_SIZE else _LARGE for size in sizes]
    else:
        reads = []
    rest = b"".join((*small, array(_SIZES, sizes), array(_COUNTS, counts or ())))
    return [*large, rest], Layout((*reads, len(rest)), len(messages), len(sizes), counts is None)


def restore(pieces: list[bytes], layout: Layout) -> list[Message]:
    """Return the messages of a block, all parts as `bytes`, those of one part without a list.

    Args:
        pieces: as they were read.
        layout: from `lay_out`.

    Raises:
        ValueError: the index doesn't fit.
    """
    if not layout.parts:
        return [*pieces]
    rest = pieces.pop()
    sizes, counts = array(_SIZES), array(_COUNTS)
    counts_at = len(rest) - (0 if layout.is_flat else layout.count * counts.itemsize)
    end = counts_at - layout.parts * sizes.itemsize
    with memoryview(rest) as view:
        sizes.frombytes(view[end:counts_at])
        counts.frombytes(view[counts_at:])
    parts = _cut(rest, end, sizes) if not pieces else _merge(rest, end, sizes, pieces)
    if layout.is_flat:
        return parts
    if sum(counts) != layout.parts:
        raise ValueError("the counts of parts don't fit")
    left = iter(parts)
    return [next(left) if count == 1 else list(islice(left, count)) for count in counts]


def _cut(rest: bytes, end: int, sizes: Sequence[int]) -> list[Any]:
    """The small parts before `end`: what unpacks a record of so many strings is the fastest way to slice."""
    first = sizes[0] if sizes else 0
    is_uniform = sizes.count(first) == len(sizes)
    record = Struct(f"{first}s" * len(sizes) if is_uniform else "%ds" * len(sizes) % tuple(sizes))
    if record.size != end:
        raise ValueError("the sizes of parts don't fit")
    return [*record.unpack_from(rest)]


def _merge(rest: bytes, end: int, sizes: array[int], large: list[bytes]) -> list[Any]:
    """The small parts before `end`, and the large ones where their marks are."""
    if sizes.count(_LARGE) != len(large):
        raise ValueError("the marks of large parts don't fit")
    small = iter(_cut(rest, end, array(_SIZES, (size for size in sizes if size != _LARGE))))
    others = iter(large)
    return [next(others) if size == _LARGE else next(small) for size in sizes]


def _flatten(messages: Sequence[Message]) -> tuple[Sequence[Any], list[int] | None]:
    """All parts, and how many each message has if any has more than one."""
    if not any(issubclass(kind, list) for kind in set(map(type, messages))):
        return messages, None
    parts: list[Any] = []
    counts: list[int] = []
    for message in messages:
        if isinstance(message, list):
            parts += message
            counts.append(len(message))
        else:
            parts.append(message)
            counts.append(1)
    return parts, counts if len(parts) > len(messages) else None


def buffer_size(buffer: Any) -> int:
    """Bytes of a buffer."""
    return len(buffer) if type(buffer) is bytes else memoryview(buffer).nbytes
