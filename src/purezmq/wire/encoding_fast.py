"""Batches of messages to ZMTP 2.0 and 3.x frames: the hot twin of `encode_batch` in :mod:`purezmq.wire.framing`.

The budget is about 60 ns for a message of 10 bytes, so that no line here may run once per message where C can run once
per batch: messages of one size are one ``join`` with the header as separator; mixed sizes are two slice assignments and
a ``join``; multipart messages of one shape are the same by columns; only the rest takes a loop.

Decoding is :mod:`purezmq.wire.framing_fast`.
"""

from __future__ import annotations

from purezmq.wire.framing import LONG, MORE
from purezmq.wire.limits import MAX_CHUNK_SIZE, PASS_THROUGH_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from typing_extensions import Buffer

    Message = bytes | list[bytes]

__all__ = ["encode_batch"]

_SHORT_MAX = 255
_MIN_COLUMNS = 32
"""Multipart messages from which on encoding by columns beats the loop."""
_MAX_HEADERS = 2048
"""Bound of a table of headers; 256 are of short frames."""


class _Headers(dict[int, bytes]):
    """Frame headers by size of the body; fills itself, within a bound."""

    __slots__ = ("_flags",)

    def __init__(self, flags: int) -> None:
        super().__init__((size, bytes((flags, size))) for size in range(_SHORT_MAX + 1))
        self._flags = flags

    def __missing__(self, size: int) -> bytes:
        header = bytes((self._flags | LONG,)) + size.to_bytes(8, "big")
        if len(self) < _MAX_HEADERS:
            self[size] = header
        return header


_LAST = _Headers(0)
_MORE = _Headers(MORE)


def encode_batch(messages: Sequence[Message]) -> list[Buffer]:
    """Encode messages.

    Args:
        messages: a list or tuple; each a single body or a list of parts. A body is bytes, bytearray or a memoryview.

    Returns:
        Chunks to send, in order: few, and at most about MAX_CHUNK_SIZE each, but for large bodies, which are passed on
        as they are.
    """
    count = len(messages)
    if count == 1:
        message = messages[0]
        if type(message) is bytes and len(message) < PASS_THROUGH_SIZE:
            return [_LAST[len(message)] + message]
        if type(message) is list:
            if len(message) == 2:
                first, second = message
                if type(first) is bytes and type(second) is bytes and len(first) + len(second) < PASS_THROUGH_SIZE:
                    # A request or a reply: an envelope and a body.
                    return [b"".join((_MORE[len(first)], first, _LAST[len(second)], second))]
            elif len(message) == 3:
                return _encode_three(message)
    elif count and type(messages[0]) is list:
        return _encode_columns(messages) if count >= _MIN_COLUMNS else _encode_each(messages)
    elif count:
        sizes = list(map(len, messages))
        if max(sizes) < PASS_THROUGH_SIZE:
            try:
                return _encode_small(messages, sizes)
            except (TypeError, ValueError):
                pass  # lists among them: their len was the number of parts; or memoryviews of other items than bytes
    return _encode_each(messages)


def _encode_three(message: list[Any]) -> list[Buffer]:
    """Encode a message of three parts by itself: a request or a reply that a ROUTER passed on."""
    first, second, third = message
    if type(first) is bytes and type(second) is bytes and type(third) is bytes:
        size, more, last = len(first), len(second), len(third)
        if size + more + last < PASS_THROUGH_SIZE:
            return [b"".join((_MORE[size], first, _MORE[more], second, _LAST[last], third))]
    return _encode_each((message,))


def _encode_small(messages: Sequence[Message], sizes: list[int]) -> list[Buffer]:
    """Encode single-part messages of ``sizes``; raise TypeError or ValueError if that's not what they are."""
    count, first = len(sizes), sizes[0]
    if sizes.count(first) == count:
        header = _LAST[first]
        expected = count * (len(header) + first)
        if expected <= MAX_CHUNK_SIZE:
            # The empty message in front makes join write the first header, too.
            chunks: list[Buffer] = [header.join([b"", *messages])]  # type: ignore[list-item]
        else:
            step = MAX_CHUNK_SIZE // (len(header) + first)
            chunks = [header.join([b"", *messages[at : at + step]]) for at in range(0, count, step)]  # type: ignore[list-item]
    else:
        items: list[Any] = [None] * (2 * count)
        items[::2] = map(_LAST.__getitem__, sizes)
        items[1::2] = messages
        expected = sum(sizes) + (2 * count if max(sizes) <= _SHORT_MAX else sum(map(len, items[::2])))
        chunks = _join(items, expected, 2)
    if sum(map(len, chunks)) != expected:  # type: ignore[arg-type]  # all are bytes
        text = "a length isn't in bytes"
        raise ValueError(text)
    return chunks


def _encode_columns(messages: Sequence[Message]) -> list[Buffer]:
    """Encode multipart messages with equal numbers of parts, column by column; leave others to the loop."""
    width = len(messages[0])
    if width == 0 or set(map(type, messages)) != {list} or set(map(len, messages)) != {width}:
        return _encode_each(messages)
    stride = 2 * width
    items: list[Any] = [None] * (stride * len(messages))
    total = 0
    for index, column in enumerate(zip(*messages, strict=True)):
        if set(map(type, column)) != {bytes}:
            return _encode_each(messages)
        sizes = list(map(len, column))
        if max(sizes) >= PASS_THROUGH_SIZE:
            return _encode_each(messages)
        total += sum(sizes)
        items[2 * index :: stride] = map((_MORE if index < width - 1 else _LAST).__getitem__, sizes)
        items[2 * index + 1 :: stride] = column
    return _join(items, total + len(items), stride)


def _join(items: list[Any], size: int, stride: int) -> list[Buffer]:
    """Join ``items`` of about ``size`` bytes into chunks of about MAX_CHUNK_SIZE, cut between messages."""
    if size <= MAX_CHUNK_SIZE:
        return [b"".join(items)]
    step = max(1, len(items) // stride * MAX_CHUNK_SIZE // size) * stride
    return [b"".join(items[at : at + step]) for at in range(0, len(items), step)]


def _encode_each(messages: Sequence[Message]) -> list[Buffer]:
    """Encode whatever the fast paths leave."""
    chunks: list[Buffer] = []
    items: list[Buffer] = []
    pending = 0
    for message in messages:
        parts: Sequence[Buffer] = message if isinstance(message, list) else (message,)
        headers = _MORE
        left = len(parts)
        for part in parts:
            left -= 1
            if not left:
                headers = _LAST
            size = len(part) if type(part) is bytes else memoryview(part).nbytes
            items.append(headers[size])
            if size >= PASS_THROUGH_SIZE:
                chunks += (b"".join(items) if len(items) > 1 else items[0], part)
                items.clear()
                pending = 0
                continue
            items.append(part)
            pending += size
            if pending >= MAX_CHUNK_SIZE:
                chunks.append(b"".join(items))
                items.clear()
                pending = 0
    if items:
        chunks.append(b"".join(items))
    return chunks
