"""Frames that a mechanism sealed: found in bulk by :mod:`purezmq.wire.framing_fast`, opened in bulk by the cipher.

What is sealed, and how, may not live here.
"""

from __future__ import annotations

from itertools import takewhile

from purezmq.limits import MAX_PARTS
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.framing import COMMAND, LONG, MORE, check_frame, check_parts
from purezmq.wire.limits import LARGE_BODY_SIZE, MIN_COMMAND_ALLOWANCE, UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.wire.framing_fast import FastFrameDecoder
    from purezmq.wire.mechanisms.cipher import FrameCipher

    Message = bytes | list[bytes]

__all__ = ["SealedFrameDecoder", "find_run"]

MIN_RUN = 16
"""Messages of one size from which on they're decoded where they are."""
_MIN_RUN_SIZE = 512
"""Bytes below which no run is looked for."""
_LARGE_SIZE = 8 * 1024
"""Frames larger than this are opened where they are even if it's a single one: the copy costs more than the look."""


def find_run(data: bytes, position: int, max_size: int) -> tuple[int, int, int] | None:
    """Guess from the frame at ``position`` how many like it may follow.

    Returns:
        The distance from frame to frame, the size of a header, and how many there's room for. None when the frame is
        no plain one, or they're few: there is no large one, or not many small ones.
    """
    if position >= len(data):
        return None
    flags = data[position]
    header_size = 9 if flags & LONG else 2
    size = int.from_bytes(data[position + 1 : position + header_size], "big")
    stride = header_size + size
    room = (len(data) - position) // stride
    if flags & ~LONG or 0 <= max_size < size or room < (1 if size > _LARGE_SIZE else MIN_RUN):
        return None
    return stride, header_size, room


class SealedFrameDecoder:
    """Bytes to messages through a cipher. Same outcome as `FrameDecoder` with that cipher, frame for frame.

    Stops after a command, which is then in ``command`` until the owner takes it, and at a violation, which is in
    ``failure`` for ever.

    Args:
        frames: finds the frames; it may hold bytes that came with the end of the handshake.
        cipher: opens them.
        max_size: largest body of a frame in bytes, as its sender had it, or -1.

    Attributes:
        has_buffered: bytes are waiting that a limit or a command kept from being decoded.
        max_parts: most parts of a message, or 0.
        max_multipart_bytes: most bytes of a message of several parts, or 0.
    """

    __slots__ = (
        "_cipher", "_frames", "_opened", "_parts", "_parts_size", "_start", "command", "failure", "has_buffered",
        "max_multipart_bytes", "max_parts", "max_size",
    )  # fmt: skip

    def __init__(self, frames: FastFrameDecoder, cipher: FrameCipher, max_size: int) -> None:
        # The sealed body of a command that is allowed whatever MAXMSGSIZE says has to pass, too.
        frames.max_size = -1 if max_size < 0 else max(max_size, MIN_COMMAND_ALLOWANCE) + cipher.overhead
        frames.is_sealed = True
        self.max_size = max_size
        self.max_parts = MAX_PARTS
        self.max_multipart_bytes = 0
        self.command: bytes | None = None
        self.failure: RemoteProtocolError | None = None
        self.has_buffered = frames.has_buffered
        self._frames = frames
        self._cipher = cipher
        self._parts: list[bytes] | None = None
        self._parts_size = 0
        # What was opened and stood behind a command: flags, bodies, and what is wrong with the frame after them.
        self._opened: tuple[bytes, list[bytes], RemoteProtocolError | None] | None = None
        # How many of these have been taken: a peer that sends commands only shall not have them copied for each one.
        self._start = 0

    @property
    def read_size(self) -> int:
        """How many bytes to read next."""
        return self._frames.read_size

    def decode(self, data: bytes, limit: int) -> list[Message]:
        """Decode what is there.

        Args:
            data: bytes received, or nothing to go on after a limit or a command.
            limit: most messages to return, at least 1.

        Returns:
            The messages; ``has_buffered`` tells whether the limit or a command left bytes behind.
        """
        messages: list[Message] = []
        if self.failure is not None:
            return messages
        if LARGE_BODY_SIZE <= len(data) == self._frames.read_size:
            body = self._open_whole(data)
            if body is not None:
                messages.append(body)
                return messages
        try:
            if data and (self._opened is not None or self.command is not None):
                # Who goes on receiving without having taken what is there: keep the order.
                opened = self._opened or (b"", [], None)
                if opened[2] is None:
                    flags, bodies, failure = self._open(data, UNLIMITED)
                    self._opened = (opened[0] + flags, opened[1] + bodies, failure)
                data = b""
            self._decode(data, limit, messages)
        except RemoteProtocolError as error:
            self.failure = error
            self._opened = self._parts = None
        self.has_buffered = self.failure is None and (self._opened is not None or self._frames.has_buffered)
        return messages

    def _open_whole(self, data: bytes) -> bytes | None:
        """The message of a large frame that came by itself, as the one before did: what stands between is cold code."""
        decoder = self._frames
        if self._opened is not None or self._parts is not None or self.command is not None or decoder.has_buffered:
            return None
        if 0 <= self.max_size < len(data) or decoder.take_rest(data) != (data, 0, 0):
            return None
        return self._cipher.open_whole(data)

    def _decode(self, data: bytes, limit: int, messages: list[Message]) -> None:
        worthwhile = len(data) >= _MIN_RUN_SIZE or self._frames.has_buffered
        if worthwhile and limit >= MIN_RUN and self._opened is None and self._parts is None and self.command is None:
            data = self._decode_runs(data, limit, messages)
            if not (data or self._opened is not None or self._frames.has_buffered):
                return
        while self.command is None and len(messages) < limit:
            opened, self._opened, start, self._start = self._opened, None, self._start, 0
            if opened is None:
                opened = self._open(data, limit - len(messages))
                data = b""
            if not opened[0] and opened[2] is None:
                return
            if not self._take_all(opened, limit, messages, start):
                if self._take_frames(opened, limit, messages, start):
                    return
                if opened[2] is not None:
                    raise opened[2]
            if not self._frames.has_buffered:
                return

    def _decode_runs(self, data: bytes, limit: int, messages: list[Message]) -> bytes:
        """Decode messages of one size where they are, without a copy of each frame; return what is left of `data`."""
        decoder, cipher = self._frames, self._cipher
        was_buffered, wanted = decoder.has_buffered, decoder.read_size
        taken = decoder.take_rest(data)
        if taken is None:
            return data
        received, (data, position, missing) = len(data), taken
        opened: tuple[bytes, list[bytes], RemoteProtocolError | None] | None = None
        is_short, stride = False, 0
        run = find_run(data, position + missing, decoder.max_size)
        if run is not None and missing:
            opened = self._open(data[:missing], 1)  # the frame that the last read had begun
            position = missing
        while run is not None and (opened is None or self._take_all(opened, limit, messages)):
            opened = cipher.open_run(data, position, *run, limit - len(messages))
            if opened is None:
                break
            stride = run[0]
            position += stride * len(opened[0])
            # A cipher may have to stop for a reason of its own; short runs in a row mean that sizes change.
            is_short, was_short = len(opened[0]) < MIN_RUN and stride <= _LARGE_SIZE, is_short
            run = None if is_short and was_short else find_run(data, position, decoder.max_size)
        else:
            if opened is not None and not self._take_all(opened, limit, messages):
                self._opened = opened
        if not (position or was_buffered):
            return data
        decoder.read_size = wanted
        decoder.keep(data, position, received)
        if position == len(data) and stride > _LARGE_SIZE:
            decoder.note_whole(stride)
        return b""

    def _take_all(
        self,
        opened: tuple[bytes, list[bytes], RemoteProtocolError | None],
        limit: int,
        messages: list[Message],
        start: int = 0,
    ) -> bool:
        """Take opened frames from `start` on, if all are messages within every limit; False: none was taken."""
        flags, bodies, failure = opened
        if failure is not None or self._parts is not None or len(flags) - start > limit - len(messages):
            return False
        if len(flags.rstrip(b"\0")) > start:
            return False
        if start:
            bodies = bodies[start:]
        if bodies and 0 <= self.max_size < max(map(len, bodies)):
            return False
        messages += bodies
        return True

    def _open(self, data: bytes, limit: int) -> tuple[bytes, list[bytes], RemoteProtocolError | None]:
        """Find at most `limit` frames (more only in what is complete at once) and open them."""
        decoder = self._frames
        frames = decoder.decode(data, limit)
        command, decoder.command = decoder.command, None
        if command is not None:
            frames.append(command)  # RFC 26 calls MESSAGE a command, libzmq sends it as a plain frame: both are taken
        failure = decoder.failure
        if decoder.is_inside_message or list in set(map(type, frames)):
            frames = list(takewhile(lambda frame: type(frame) is not list, frames))
            failure = RemoteProtocolError(FailureReason.PROTOCOL, "a sealed frame has MORE outside of its seal")
        if not frames:
            return b"", [], failure
        flags, bodies, problem = self._cipher.open_batch(frames)  # type: ignore[arg-type]  # all are bytes
        return flags, bodies, problem or failure

    def _take_frames(
        self,
        opened: tuple[bytes, list[bytes], RemoteProtocolError | None],
        limit: int,
        messages: list[Message],
        start: int,
    ) -> bool:
        """Sort opened frames one by one from `start` on; True when a command or the limit ended that early."""
        flags, bodies, failure = opened
        parts = self._parts
        for index in range(start, len(flags)):
            flag = flags[index]
            if len(messages) >= limit:
                self._opened, self._start = opened, index
                self._parts = parts
                return True
            body = bodies[index]
            check_frame(flag, len(body), self.max_size, inside_message=parts is not None)
            if parts is not None:
                size = self._parts_size = self._parts_size + len(body)
                check_parts(len(parts), size, self.max_parts, self.max_multipart_bytes)
            if flag & COMMAND:
                self.command = body
                if index + 1 < len(flags) or failure is not None:
                    self._opened, self._start = opened, index + 1
                self._parts = parts
                return True
            if flag & MORE:
                if parts is None:
                    parts = []
                    self._parts_size = len(body)
                parts.append(body)
            elif parts is not None:
                parts.append(body)
                messages.append(parts)
                parts = None
            else:
                messages.append(body)
        self._parts = parts
        return False
