"""ZMTP frames, frame by frame: the plain reference of both directions, and the codec of everything that isn't hot.

Used for ZMTP 1.0 peers; :mod:`purezmq.wire.framing_fast` is its twin for ZMTP 2.0 and 3.x, together with
:mod:`purezmq.wire.framing_sealed` where a mechanism seals frames, and one test suite runs on all. No state of a
connection may live here.

::

    ZMTP 2.0, 3.x (RFC 15, 23, 37)   flags(1) size(1) body            size <= 255
                                     flags(1) size(8) body            LONG set
                                     flags: 1 MORE, 2 LONG, 4 COMMAND
    ZMTP 1.0 (RFC 13)                size(1) flags(1) body            size counts flags, 1..254
                                     FF size(8) flags(1) body
                                     flags: 1 MORE

What a decoder accepts and refuses:

===================================  ==========  ==========================================================
what the peer sends                  verdict     why
===================================  ==========  ==========================================================
reserved flag bits (v2)              refused     RFC 37: "must be zero"; garbage is found early
COMMAND with MORE                    refused     RFC 37: commands are single frames
command between parts of a message   refused     RFC 37 traffic grammar; as COMMAND with MORE
size with its top bit set            refused     RFC 37: 0 to 2^63-1
LONG with a size below 256           accepted    RFC 37 doesn't forbid it, old ports send it
size 0 (v1)                          refused     the size counts the flags
other flag bits (v1)                 ignored     libzmq's own signature has 7F there
frame larger than MAXMSGSIZE         refused     before a byte of its body is kept
command over MAX_COMMAND_SIZE        refused     likewise
message of too many parts or bytes   refused     at the header of the part that is too much
===================================  ==========  ==========================================================
"""

from __future__ import annotations

from purezmq.limits import MAX_PARTS
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.limits import MAX_COMMAND_SIZE, MIN_COMMAND_ALLOWANCE, READ_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

    from purezmq.wire.mechanisms.cipher import FrameCipher

    Message = bytes | list[bytes]

__all__ = [
    "COMMAND",
    "LONG",
    "MORE",
    "FrameDecoder",
    "FrameDecoderV1",
    "check_frame",
    "check_parts",
    "encode_batch",
    "encode_batch_v1",
    "encode_frame",
    "encode_frame_v1",
]

MORE = 1
LONG = 2
COMMAND = 4

_SHORT_MAX = 255
_SIZE_MAX = 0x7FFF_FFFF_FFFF_FFFF
_V1_LONG = 0xFF


def encode_frame(flags: int, body: Buffer) -> bytes:
    """Encode one frame of ZMTP 2.0 or 3.x.

    Args:
        flags: MORE or COMMAND or 0; LONG is set here.
        body: the body.

    Returns:
        Header and body.
    """
    raw = bytes(body)
    if len(raw) <= _SHORT_MAX:
        return bytes((flags, len(raw))) + raw
    return bytes((flags | LONG,)) + len(raw).to_bytes(8, "big") + raw


def encode_frame_v1(flags: int, body: Buffer) -> bytes:
    """Encode one frame of ZMTP 1.0.

    Args:
        flags: MORE or 0.
        body: the body.

    Returns:
        Header and body.
    """
    raw = bytes(body)
    size = len(raw) + 1
    if size < _V1_LONG:
        return bytes((size, flags)) + raw
    return bytes((_V1_LONG,)) + size.to_bytes(8, "big") + bytes((flags,)) + raw


def encode_batch(messages: Sequence[Message], cipher: FrameCipher | None = None) -> list[Buffer]:
    """Encode messages for ZMTP 2.0 or 3.x.

    Args:
        messages: each a single body or a list of parts.
        cipher: seals each frame, if given.

    Returns:
        Chunks to send, in order.
    """
    chunks: list[Buffer] = []
    for message in messages:
        parts = message if isinstance(message, list) else [message]
        for index, part in enumerate(parts, 1):
            flags = MORE if index < len(parts) else 0
            body: Buffer = part
            if cipher is not None:
                flags, body = cipher.encode_frame(flags, bytes(part))
            chunks.append(encode_frame(flags, body))
    return [b"".join(chunks)]


def encode_batch_v1(messages: Sequence[Message]) -> list[Buffer]:
    """Encode messages for ZMTP 1.0.

    Args:
        messages: each a single body or a list of parts.

    Returns:
        Chunks to send, in order.
    """
    chunks: list[Buffer] = []
    for message in messages:
        parts = message if isinstance(message, list) else [message]
        chunks += [encode_frame_v1(MORE, part) for part in parts[:-1]]
        chunks.append(encode_frame_v1(0, parts[-1]))
    return [b"".join(chunks)]


def check_frame(flags: int, size: int, max_size: int, *, inside_message: bool, is_sealed: bool = False) -> None:
    """Check a frame's header before anything of its body is kept.

    Args:
        flags: the flags as received.
        size: the declared size of the body.
        max_size: MAXMSGSIZE, or -1.
        inside_message: the last frame of a message had MORE.
        is_sealed: any message may be inside, even if it is a command by its flags.

    Raises:
        RemoteProtocolError: see the table of this module.
    """
    if flags & ~(MORE | LONG | COMMAND):
        raise RemoteProtocolError(FailureReason.PROTOCOL, f"reserved frame flags are set: 0x{flags:02x}")
    if flags & COMMAND:
        if flags & MORE or inside_message:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "command inside a multipart message")
        if not is_sealed:
            allowed = MAX_COMMAND_SIZE if max_size < 0 else max(max_size, MIN_COMMAND_ALLOWANCE)
            max_size = min(allowed, MAX_COMMAND_SIZE)
    if size > _SIZE_MAX:
        raise RemoteProtocolError(FailureReason.PROTOCOL, "frame size is beyond 2^63-1")
    if 0 <= max_size < size:
        text = f"frame of {size} bytes is over the limit of {max_size} bytes"
        raise RemoteProtocolError(
            FailureReason.TOO_BIG, text, limit="max_command_size" if flags & COMMAND else "maxmsgsize"
        )


def check_parts(count: int, size: int, max_parts: int, max_bytes: int) -> None:
    """Check an unfinished message when another part of it comes.

    Args:
        count: the parts it has.
        size: bytes of these parts, and of the one that comes as far as its header is known.
        max_parts: most parts of a message, or 0.
        max_bytes: most bytes of a message of several parts, or 0.

    Raises:
        RemoteProtocolError: it gets too many.
    """
    if 0 < max_parts <= count:
        text = f"a message has more than {max_parts} parts"
        raise RemoteProtocolError(FailureReason.LIMIT, text, limit="max_parts")
    if 0 < max_bytes < size:
        text = f"the parts of a message have more than {max_bytes} bytes"
        raise RemoteProtocolError(FailureReason.LIMIT, text, limit="max_multipart_bytes")


class FrameDecoder:
    """Bytes to messages, frame by frame. ZMTP 2.0 and 3.x.

    Stops after a command, which is then in ``command`` until the owner takes it, and at a violation, which is in
    ``failure`` for ever.

    Args:
        max_size: largest body of a frame in bytes, or -1. May be set at any time between calls.
        cipher: opens each frame, if given.

    Attributes:
        max_parts: most parts of a message, or 0.
        max_multipart_bytes: most bytes of a message of several parts, or 0.
    """

    __slots__ = (
        "_buffer", "_parts", "_parts_size", "cipher", "command", "failure", "has_buffered", "max_multipart_bytes",
        "max_parts", "max_size", "read_size",
    )  # fmt: skip

    def __init__(self, max_size: int = -1, cipher: FrameCipher | None = None) -> None:
        self.max_size = max_size
        self.max_parts = MAX_PARTS
        self.max_multipart_bytes = 0
        self._parts_size = 0
        self.command: bytes | None = None
        self.failure: RemoteProtocolError | None = None
        self.has_buffered = False
        self.read_size = READ_SIZE
        self._buffer = bytearray()
        self.cipher = cipher
        self._parts: list[bytes] | None = None

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
        self._buffer += data
        position = 0
        self.has_buffered = False
        try:
            while self.command is None:
                if len(messages) >= limit:
                    self.has_buffered = True
                    break
                header = self._decode_header(position)
                if header is None:
                    break
                flags, size, start = header
                end = start + size
                if end > len(self._buffer):
                    break
                body = bytes(self._buffer[start:end])
                position = end
                self._take_frame(flags, body, messages)
        except RemoteProtocolError as error:
            self.failure = error
            position = len(self._buffer)
        del self._buffer[:position]
        self.has_buffered = bool(self._buffer) and (self.has_buffered or self.command is not None)
        return messages

    def _take_frame(self, flags: int, body: bytes, messages: list[Message]) -> None:
        if self.cipher is not None:
            flags, body = self.cipher.decode_frame(flags, body)
            check_frame(flags, len(body), -1, inside_message=self._parts is not None)
        if flags & COMMAND:
            self.command = body
        elif flags & MORE:
            if self._parts is None:
                self._parts = []
                self._parts_size = 0
            self._parts.append(body)
            self._parts_size += len(body)
        elif self._parts is not None:
            self._parts.append(body)
            messages.append(self._parts)
            self._parts = None
        else:
            messages.append(body)

    def _decode_header(self, position: int) -> tuple[int, int, int] | None:
        """Return flags, size of the body and its offset, or None when the header is incomplete."""
        buffer = self._buffer
        if position >= len(buffer):
            return None
        flags = buffer[position]
        start = position + (9 if flags & LONG else 2)
        # A wrong flag byte is refused at once, and not only when the rest of its header has come.
        inside_message, is_sealed = self._parts is not None, self.cipher is not None
        self._check_parts(0)
        check_frame(flags, 0, -1, inside_message=inside_message, is_sealed=is_sealed)
        if start > len(buffer):
            return None
        size = int.from_bytes(buffer[position + 1 : start], "big")
        check_frame(flags, size, self.max_size, inside_message=inside_message, is_sealed=is_sealed)
        self._check_parts(size)
        return flags, size, start

    def _check_parts(self, size: int) -> None:
        """Check the message in progress, if any, before the next part of ``size`` bytes, as far as that is known."""
        if self._parts is not None:
            check_parts(len(self._parts), self._parts_size + size, self.max_parts, self.max_multipart_bytes)


class FrameDecoderV1(FrameDecoder):
    """Bytes to messages for ZMTP 1.0 peers."""

    __slots__ = ()

    def _decode_header(self, position: int) -> tuple[int, int, int] | None:
        buffer = self._buffer
        if position >= len(buffer):
            return None
        size, start = buffer[position], position + 2
        self._check_parts(0)
        if size == 0:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "ZMTP 1.0 frame of size 0")
        if size == _V1_LONG:
            start = position + 10
            size = int.from_bytes(buffer[position + 1 : position + 9], "big")
        if start > len(buffer):
            return None
        if size == 0:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "ZMTP 1.0 frame of size 0")
        flags = buffer[start - 1] & MORE
        check_frame(flags, size - 1, self.max_size, inside_message=self._parts is not None)
        self._check_parts(size - 1)
        return flags, size - 1, start
