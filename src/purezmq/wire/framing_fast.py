"""ZMTP 2.0 and 3.x frames in bulk: the hot twin of :mod:`purezmq.wire.framing`, which tells what is accepted.

The budget is about 60 ns for a message of 10 bytes, so that no line here may run once per message where C can
run once per batch:

- Messages of one shape that follow each other (a *run*) are found by comparing strided slices of the buffer,
  one per byte of header, and cut by one cached ``struct``. What isn't a run takes a loop, and the search for runs backs
  off while it finds none.
- Nothing is joined to find a frame: what straddles two reads is completed by itself, the rest is decoded in place.
- Large bodies get reads of their own (``read_size``), so that a body can be the very object that was received.

No state of a connection may live here. Encoding is :mod:`purezmq.wire.encoding_fast`.
"""

from __future__ import annotations

from struct import Struct

from purezmq.limits import MAX_PARTS
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.framing import COMMAND, LONG, MORE, check_frame, check_parts
from purezmq.wire.limits import (
    COALESCE_PIECES,
    LARGE_BODY_SIZE,
    MAX_BODY_READ_SIZE,
    MAX_READ_SIZE,
    READ_SIZE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = bytes | list[bytes]

__all__ = ["FastFrameDecoder"]

_SHORT_MAX = 255
_SIZE_MAX = 0x7FFF_FFFF_FFFF_FFFF
_LONG_HEADER_SIZE = 9
_MIN_RUN = 8
"""Messages of one shape from which on they're cut as a run."""
_MIN_RUN_SIZE = 256
"""Bytes below which no run is looked for: a few frames are faster one by one."""
_MAX_RUN = 256
"""Messages cut by one ``struct``, a power of two: more gains nothing, and its compiled form takes 32 bytes per part."""
_MAX_RUN_PARTS = 4
"""Parts of a message up to which runs are looked for: envelopes and bodies of REQ, DEALER and ROUTER."""
_MAX_SHAPES = 64
"""Bound of the table of compiled shapes, at most 32 kB each and mostly far below."""
_MAX_BACKOFF = 256
"""Frames to decode one by one after many searches that found no run."""


_SHAPES: dict[bytes, dict[int, Any]] = {}
"""``unpack_from`` by headers of a message and number of messages. Shared by threads: each step on it is atomic."""


def _unpack_for(key: bytes, form: str, count: int) -> Any:  # a bound method of Struct
    """Return a function that cuts ``count`` messages of the shape ``form`` out of a buffer."""
    shape = _SHAPES.get(key)
    if shape is None:
        if len(_SHAPES) >= _MAX_SHAPES:
            _SHAPES.clear()
        shape = _SHAPES[key] = {}
    unpack = shape.get(count)
    if unpack is None:
        unpack = shape[count] = Struct(form * count).unpack_from
    return unpack


class FastFrameDecoder:
    """Bytes to messages, in bulk. Same outcome as :class:`~purezmq.wire.framing.FrameDecoder`, frame for frame.

    Stops after a command, which is then in ``command`` until the owner takes it, and at a violation, which is in
    ``failure`` for ever.

    Args:
        max_size: largest body of a frame in bytes, or -1. May be set at any time between calls.

    Attributes:
        is_sealed: see ``check_frame``.
        max_parts: most parts of a message, or 0; at least MIN_FAST_PARTS, which is more than one step decodes.
        max_multipart_bytes: most bytes of a message of several parts, or 0; at least what one read brings.
        read_size: how many bytes to read next.
        has_buffered: bytes are waiting that a limit or a command kept from being decoded.
    """

    __slots__ = (
        "_backoff",
        "_counted",
        "_flags",
        "_missing",
        "_offset",
        "_parts",
        "_parts_size",
        "_pieces",
        "_rest",
        "_size",
        "_skip",
        "command",
        "failure",
        "has_buffered",
        "is_sealed",
        "max_multipart_bytes",
        "max_parts",
        "max_size",
        "read_size",
    )

    def __init__(self, max_size: int = -1) -> None:
        self.max_size = max_size
        self.is_sealed = False
        self.max_parts = MAX_PARTS
        self.max_multipart_bytes = 0
        self.command: bytes | None = None
        self.failure: RemoteProtocolError | None = None
        self.has_buffered = False
        self.read_size = READ_SIZE
        # Frames to decode one by one before the next search for a run, and how many after a search in vain.
        self._skip = 0
        self._backoff = _MIN_RUN
        self._parts: list[bytes] | None = None
        # How many of them were counted, and their bytes: what begins and ends in one read is not.
        self._counted = self._parts_size = 0
        # What is left of the last read: undecoded bytes from _offset on if has_buffered, else less than a header.
        self._rest = b""
        self._offset = 0
        # The body in progress, if any: bytes missing of _size, and the pieces that have come.
        self._flags = 0
        self._size = 0
        self._missing = 0
        self._pieces: list[bytes] | None = None

    @property
    def is_inside_message(self) -> bool:
        """The last frame had MORE, and the message that it begins isn't complete."""
        return self._parts is not None

    def decode(self, data: bytes, limit: int) -> list[Message]:
        """Decode what is there.

        Args:
            data: bytes received, or nothing to go on after a limit or a command.
            limit: most messages to return, at least 1.

        Returns:
            The messages; ``has_buffered`` tells whether the limit or a command left bytes behind.
        """
        size = len(data) - 2
        if (
            0 <= size <= _SHORT_MAX
            and data[1] == size
            and not (data[0] or self._missing or self._rest or self._parts or self.failure)
            and self.command is None
            and (size <= self.max_size or self.max_size < 0)
        ):
            # One short message and nothing else: round trips live here.
            self.read_size = READ_SIZE
            return [data[2:]]
        messages: list[Message] = []
        if self.failure is not None or self.command is not None:
            if self.failure is None and data:
                self._keep(self._rest[self._offset :] + data, 0)
            return messages
        try:
            if len(data) < _MIN_RUN_SIZE <= limit and not (self._missing or self._rest or self._parts):
                # A few frames, fewer than the limit: no search for runs, no loop around.
                self._size = 0
                position = self._decode_frames(data, 0, limit, messages)
                if position < len(data):
                    self._keep(data, position)
            else:
                self._decode(data, limit, messages)
        except RemoteProtocolError as error:
            self.failure = error
            self.has_buffered = False
            self._rest, self._pieces, self._missing = b"", None, 0
            if not self.is_sealed:  # there, a part before what is wrong is wrong itself
                self._parts = None
        if data and (self._size or len(data) >= self.read_size or self.read_size != READ_SIZE):
            self._adapt_read_size(len(data))
        return messages

    def take_rest(self, data: bytes) -> tuple[bytes, int, int] | None:
        """Give away what is undecoded, for somebody who decodes it himself and brings back (`keep`) what he leaves.

        Args:
            data: bytes received, which follow what is here.

        Returns:
            Bytes, where in them this decoder had stopped, and how many from there on belong to a frame that is here in
            part. None when that can't be told, or there is nothing to give away; then nothing has changed.
        """
        if self.failure is not None or self.command is not None or self._parts is not None:
            return None
        if self.has_buffered:
            rest, offset = self._rest, self._offset
            self._rest, self._offset, self.has_buffered = b"", 0, False
            return (rest[offset:] + data, 0, 0) if data else (rest, offset, 0)
        return None if self._rest or self._missing >= len(data) else (data, 0, self._missing)

    def keep(self, data: bytes, position: int, received: int) -> None:
        """Take back what somebody else has left to decode.

        Args:
            data: bytes.
            position: where in them to go on.
            received: bytes of the last read, by which the next one's size is chosen; 0 if there was none.
        """
        if received:
            self._size = 0
        if position < len(data):
            if len(data) - position < self._first_size(data, position):
                self._keep_incomplete(data, position)
            else:
                self._keep(data, position)
        if received:
            self._adapt_read_size(received)

    def note_whole(self, size: int) -> None:
        """What was decoded last is a sealed frame of ``size`` bytes, and nothing has come behind it.

        When it was opened it was copied, so that its body needs no read of its own, and the next one may be like it.
        """
        if LARGE_BODY_SIZE <= size <= MAX_BODY_READ_SIZE:
            self.read_size = size

    @staticmethod
    def _first_size(data: bytes, position: int) -> int:
        """Size of the frame at ``position``, as far as its header tells."""
        start = position + (_LONG_HEADER_SIZE if data[position] & LONG else 2)
        if start > len(data):
            return start - position
        return start - position + int.from_bytes(data[position + 1 : start], "big")

    def _adapt_read_size(self, received: int) -> None:
        """Choose the size of the next read; ``received`` is that of the last one."""
        if self._size >= LARGE_BODY_SIZE:
            # Inside a large body read what is missing; after one, its successor's header alone, to do so again.
            self.read_size = min(self._missing, MAX_BODY_READ_SIZE) or _LONG_HEADER_SIZE
            if self.is_sealed and not self._missing:
                self.note_whole(_LONG_HEADER_SIZE + self._size)
        elif received >= self.read_size >= READ_SIZE:
            self.read_size = min(2 * self.read_size, MAX_READ_SIZE)
        elif received < self.read_size // 4 or self.read_size < READ_SIZE:
            self.read_size = READ_SIZE

    def _decode(self, data: bytes, limit: int, messages: list[Message]) -> None:
        begun = self._parts
        if self.has_buffered:
            rest, position = self._rest, self._offset
            if data:
                data, position = rest[position:] + data, 0
            else:
                data = rest
            self._rest, self._offset, self.has_buffered = b"", 0, False
        elif not data:
            return
        elif self._missing:
            position = self._continue_body(data, messages)
        elif self._rest:
            position = self._complete_header(data, messages)
        else:
            position = 0
        end = len(data)
        if position < end:
            self._size = 0  # whatever large body ended, it didn't end with the data
        while position < end and self.command is None:
            budget = limit - len(messages)
            if budget <= 0:
                break
            parts = self._parts
            if parts is not None:
                # Stop where the next part would be one too many; what begins in this step can't get that far.
                check_parts(len(parts), 0, self.max_parts, 0)
                if self.max_parts:
                    budget = min(budget, self.max_parts - len(parts))
            elif self._skip <= 0 and end - position >= _MIN_RUN_SIZE:
                position = self._decode_run(data, position, budget, messages)
                budget = limit - len(messages)
            budget = min(budget, max(self._skip, _MIN_RUN))
            self._skip -= budget
            position = self._decode_frames(data, position, budget, messages)
        if position < end:
            self._keep(data, position)
        if self._parts is not None or begun is not None:
            self._count_parts(begun, messages)

    def _count_parts(self, begun: list[bytes] | None, messages: list[Message]) -> None:
        """Count the bytes of a message that one read didn't bring whole: ``begun`` was there before this one."""
        parts = self._parts
        if begun is not None and parts is not begun:  # it was completed, and is the first of the messages
            try:
                self._count(begun, 0)
            except RemoteProtocolError:
                messages.clear()
                raise
            self._counted = self._parts_size = 0
        if parts is not None:
            self._count(parts, self._size if self._missing else 0)

    def _count(self, parts: list[bytes], coming: int) -> None:
        self._parts_size += sum(map(len, parts[self._counted :]))
        self._counted = len(parts)
        check_parts(0, self._parts_size + coming, 0, self.max_multipart_bytes)

    def _keep(self, data: bytes, position: int) -> None:
        """Keep what a limit or a command leaves; by an offset, because a limit may stop in it many times."""
        self._rest, self._offset, self.has_buffered = data, position, True

    def _decode_frames(self, data: bytes, position: int, budget: int, messages: list[Message]) -> int:
        """Decode at most ``budget`` frames one by one; return the new position, the end if a frame is incomplete."""
        parts, max_size, end = self._parts, self.max_size, len(data)
        append = messages.append
        any_short_fits = not 0 <= max_size < _SHORT_MAX
        ceiling = _SIZE_MAX if max_size < 0 else max_size
        for _ in range(budget):
            if position + 2 > end:
                break
            flags = data[position]
            if flags <= MORE and any_short_fits:
                start = position + 2
                stop = start + data[position + 1]
                if parts is None and not flags and stop <= end:
                    append(data[start:stop])
                    position = stop
                    continue
            else:
                start = position + (_LONG_HEADER_SIZE if flags & LONG else 2)
                if start > end:
                    break
                size = int.from_bytes(data[position + 1 : start], "big")
                if flags > MORE | LONG or size > ceiling:
                    self._parts = parts
                    check_frame(flags, size, max_size, inside_message=parts is not None, is_sealed=self.is_sealed)
                stop = start + size
            if stop > end:
                break
            body = data[start:stop]
            position = stop
            if not flags & (MORE | COMMAND):
                if parts is None:
                    append(body)
                else:
                    parts.append(body)
                    append(parts)
                    parts = None
            elif flags & MORE:
                if parts is None:
                    parts = [body]
                else:
                    parts.append(body)
            else:
                self.command = body
                self._parts = parts
                return position
        else:
            self._parts = parts
            return position
        self._parts = parts
        return end if position == end else self._keep_incomplete(data, position)

    def _decode_run(self, data: bytes, position: int, budget: int, messages: list[Message]) -> int:
        """Decode the messages that follow in the shape of the first, if they're many; return the new position."""
        shape = self._find_shape(data, position)
        if shape is None:
            self._back_off()
            return position
        stride, key, form, width, columns = shape
        count = min((len(data) - position) // stride, budget)
        if count < _MIN_RUN:
            return position
        start = position
        while count >= _MIN_RUN:
            window = run = min(count, _MAX_RUN)
            stop = position + window * stride
            for offset, value in columns:
                column = data[position + offset : stop : stride]
                run = min(run, window - len(column.lstrip(value)))
            count = count - window if run == window else 0
            power = _MAX_RUN
            while run >= _MIN_RUN:
                if run < power:
                    power >>= 1
                    continue
                bodies = _unpack_for(key, form, power)(data, position)
                messages += bodies if width == 1 else map(list, zip(*[iter(bodies)] * width, strict=True))
                position += power * stride
                run -= power
        if position == start:
            self._back_off()
        else:
            self._backoff, self._skip = _MIN_RUN, 0
        return position

    def _back_off(self) -> None:
        self._skip = self._backoff
        self._backoff = min(2 * self._backoff, _MAX_BACKOFF)

    def _find_shape(self, data: bytes, position: int) -> tuple[int, bytes, str, int, list[tuple[int, bytes]]] | None:
        """Look at the message at ``position``.

        Returns:
            Its size, its headers, its ``struct`` format, the number of its parts, and offset and value of every byte of
            its headers. None if it's incomplete, has too many parts, or needs the checks of a loop.
        """
        end, max_size = len(data), self.max_size
        stride, key, form = 0, b"", ""
        columns: list[tuple[int, bytes]] = []
        for width in range(1, _MAX_RUN_PARTS + 1):
            flags = data[position + stride] if position + stride < end else COMMAND
            header_size = _LONG_HEADER_SIZE if flags & LONG else 2
            at = position + stride
            header = data[at : at + header_size]
            size = int.from_bytes(header[1:], "big")
            if flags > MORE | LONG or at + header_size + size > end or 0 <= max_size < size:
                return None
            columns += [(stride + index, header[index : index + 1]) for index in range(header_size)]
            key += header
            form += f"{header_size}x{size}s"
            stride += header_size + size
            if not flags & MORE:
                return stride, key, form, width, columns
        return None

    # What straddles two reads.

    def _keep_incomplete(self, data: bytes, position: int) -> int:
        """Keep the incomplete frame at ``position``, checked as far as it's there; return the end of ``data``."""
        end = len(data)
        if position < end:
            flags = data[position]
            check_frame(flags, 0, -1, inside_message=self._parts is not None, is_sealed=self.is_sealed)
            start = position + (_LONG_HEADER_SIZE if flags & LONG else 2)
            if start > end:
                self._rest = data[position:]
            else:
                self._begin_body(flags, int.from_bytes(data[position + 1 : start], "big"), data[start:])
        return end

    def _complete_header(self, data: bytes, messages: list[Message]) -> int:
        """Complete the header in ``_rest``; return the position in ``data`` after its frame, or the end."""
        flags = self._rest[0]
        needed = (_LONG_HEADER_SIZE if flags & LONG else 2) - len(self._rest)
        header = self._rest + data[:needed]
        if needed > len(data):
            self._rest = header
            return len(data)
        self._rest = b""
        size = int.from_bytes(header[1:], "big")
        check_frame(flags, size, self.max_size, inside_message=self._parts is not None, is_sealed=self.is_sealed)
        stop = needed + size
        if stop > len(data):
            self._begin_body(flags, size, data[needed:])
            return len(data)
        self._take_body(flags, data[needed:stop], messages)
        return stop

    def _begin_body(self, flags: int, size: int, piece: bytes) -> None:
        check_frame(flags, size, self.max_size, inside_message=self._parts is not None, is_sealed=self.is_sealed)
        self._flags, self._size, self._missing = flags, size, size - len(piece)
        self._pieces = [piece] if piece else None

    def _continue_body(self, data: bytes, messages: list[Message]) -> int:
        """Add ``data`` to the body in progress; return the position after it."""
        missing, pieces = self._missing, self._pieces
        if len(data) < missing:
            self._missing = missing - len(data)
            if pieces is None:
                self._pieces = [data]
            else:
                if len(pieces) >= COALESCE_PIECES:
                    pieces[:] = [b"".join(pieces)]
                pieces.append(data)
            return len(data)
        last = data if len(data) == missing else data[:missing]
        if pieces is not None:
            pieces.append(last)
            last = b"".join(pieces)
        self._missing, self._pieces = 0, None
        self._take_body(self._flags, last, messages)
        return missing

    def _take_body(self, flags: int, body: bytes, messages: list[Message]) -> None:
        parts = self._parts
        if flags & COMMAND:
            self.command = body
        elif flags & MORE:
            if parts is None:
                self._parts = [body]
            else:
                parts.append(body)
        elif parts is None:
            messages.append(body)
        else:
            parts.append(body)
            self._parts = None
            messages.append(parts)
