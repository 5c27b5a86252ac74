"""Frames that a mechanism sealed: found in bulk by :mod:`purezmq.wire.framing_fast`, opened in bulk by the cipher.

What is sealed, and how, may not live here.
"""

from __future__ import annotations

from itertools import takewhile

from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.framing import COMMAND, MORE, check_frame
from purezmq.wire.limits import MIN_COMMAND_ALLOWANCE, UNLIMITED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.wire.framing_fast import FastFrameDecoder
    from purezmq.wire.mechanisms.cipher import FrameCipher

    Message = bytes | list[bytes]

__all__ = ["SealedFrameDecoder"]


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
    """

    __slots__ = ("_cipher", "_frames", "_opened", "_parts", "command", "failure", "has_buffered", "max_size")

    def __init__(self, frames: FastFrameDecoder, cipher: FrameCipher, max_size: int) -> None:
        # The sealed body of a command that is allowed whatever MAXMSGSIZE says has to pass, too.
        frames.max_size = -1 if max_size < 0 else max(max_size, MIN_COMMAND_ALLOWANCE) + cipher.overhead
        self.max_size = max_size
        self.command: bytes | None = None
        self.failure: RemoteProtocolError | None = None
        self.has_buffered = frames.has_buffered
        self._frames = frames
        self._cipher = cipher
        self._parts: list[bytes] | None = None
        # What was opened and stood behind a command: flags, bodies, and what is wrong with the frame after them.
        self._opened: tuple[bytes, list[bytes], RemoteProtocolError | None] | None = None

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

    def _decode(self, data: bytes, limit: int, messages: list[Message]) -> None:
        while self.command is None and len(messages) < limit:
            opened, self._opened = self._opened, None
            if opened is None:
                opened = self._open(data, limit - len(messages))
                data = b""
            flags, bodies, failure = opened
            if not flags and failure is None:
                return
            if (
                self._parts is None
                and flags.count(0) == len(flags) <= limit - len(messages)
                and (self.max_size < 0 or not bodies or max(map(len, bodies)) <= self.max_size)
            ):
                messages += bodies
            elif self._take_frames(opened, limit, messages):
                return
            if failure is not None:
                raise failure
            if not self._frames.has_buffered:
                return

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
        self, opened: tuple[bytes, list[bytes], RemoteProtocolError | None], limit: int, messages: list[Message]
    ) -> bool:
        """Sort opened frames one by one; True when a command or the limit ended that before the last."""
        flags, bodies, failure = opened
        parts = self._parts
        for index, flag in enumerate(flags):
            if len(messages) >= limit:
                self._opened = (flags[index:], bodies[index:], failure)
                self._parts = parts
                return True
            body = bodies[index]
            check_frame(flag, len(body), self.max_size, inside_message=parts is not None)
            if flag & COMMAND:
                self.command = body
                if index + 1 < len(flags) or failure is not None:
                    self._opened = (flags[index + 1 :], bodies[index + 1 :], failure)
                self._parts = parts
                return True
            if flag & MORE:
                if parts is None:
                    parts = []
                parts.append(body)
            elif parts is not None:
                parts.append(body)
                messages.append(parts)
                parts = None
            else:
                messages.append(body)
        self._parts = parts
        return False
