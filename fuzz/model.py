"""What the wire must make of a stream: a second, slow reading of RFC 13, 15 and 37, to compare the library with.

Nothing of the library may be imported here but the numbers of its limits: a mistake made there must not be made here
as well. Streams are looked at as a whole, so nothing here knows about pieces.
"""

from __future__ import annotations

from typing import NamedTuple

from purezmq.wire import limits

__all__ = ["Command", "Reading", "read_properties", "read_traffic", "read_v1", "read_v2"]

PROTOCOL, TOO_BIG = "PROTOCOL", "TOO_BIG"
_PING_MIN, _PING_MAX = 2, 18


class Command(NamedTuple):
    """A command frame among messages."""

    body: bytes


class Reading(NamedTuple):
    """What a stream says.

    Attributes:
        items: messages (bytes, or a list of parts) and commands, in order, up to the first violation.
        failure: name of the reason of the violation, or an empty text.
        pending: bytes of the unfinished frame at the end, and of the parts of the unfinished message.
    """

    items: list[bytes | list[bytes] | Command]
    failure: str
    pending: int


class _Violation(Exception):  # it never leaves this module
    pass


class _Reader:
    """Reads frame after frame; each version says what a header is."""

    def __init__(self, stream: bytes, max_size: int) -> None:
        self.stream = stream
        self.max_size = max_size
        self.position = 0
        self.parts: list[bytes] = []
        self.is_inside = False
        self.items: list[bytes | list[bytes] | Command] = []

    def header(self) -> tuple[int, int, int] | None:
        """Flags, size of the body, size of the header; None when it is incomplete."""
        raise NotImplementedError

    def read(self) -> Reading:
        failure = ""
        try:
            while self.position < len(self.stream) and self.frame():
                pass
        except _Violation as violation:
            failure = str(violation)
        rest = len(self.stream) - self.position
        return Reading(self.items, failure, rest + sum(map(len, self.parts)))

    def frame(self) -> bool:
        """Read one frame; whether it was whole."""
        header = self.header()
        if header is None:
            return False
        flags, size, width = header
        allowed = self.max_size
        if flags & 4:
            allowed = max(allowed, limits.MIN_COMMAND_ALLOWANCE) if allowed >= 0 else limits.MAX_COMMAND_SIZE
            allowed = min(allowed, limits.MAX_COMMAND_SIZE)
        if allowed >= 0 and size > allowed:
            raise _Violation(TOO_BIG)
        start = self.position + width
        if len(self.stream) - start < size:
            return False
        body = self.stream[start : start + size]
        self.position = start + size
        if flags & 4:
            self.items.append(Command(body))
        elif flags & 1:
            self.parts.append(body)
            self.is_inside = True
        else:
            self.items.append([*self.parts, body] if self.is_inside else body)
            self.parts, self.is_inside = [], False
        return True


class _ReaderV2(_Reader):
    def header(self) -> tuple[int, int, int] | None:
        flags = self.stream[self.position]
        if flags >= 8:  # reserved bits
            raise _Violation(PROTOCOL)
        if flags & 4 and (flags & 1 or self.is_inside):
            raise _Violation(PROTOCOL)
        width = 9 if flags & 2 else 2
        field = self.stream[self.position + 1 : self.position + width]
        if len(field) < width - 1:
            return None
        if len(field) == 8 and field[0] >= 0x80:
            raise _Violation(PROTOCOL)
        size = 0
        for byte in field:
            size = 256 * size + byte
        return flags, size, width


class _ReaderV1(_Reader):
    def header(self) -> tuple[int, int, int] | None:
        first = self.stream[self.position]
        if first == 0:
            raise _Violation(PROTOCOL)
        width = 10 if first == 255 else 2
        head = self.stream[self.position : self.position + width]
        if len(head) < width:
            return None
        size = first
        if first == 255:
            size = 0
            for byte in head[1:9]:
                size = 256 * size + byte
        if size == 0 or size - 1 >= 2**63:
            raise _Violation(PROTOCOL)
        return head[-1] & 1, size - 1, width


def read_v2(stream: bytes, max_size: int) -> Reading:
    """Read frames of ZMTP 2.0 and 3.x.

    Args:
        stream: the frames.
        max_size: largest body in bytes, -1 for any.

    Returns:
        What they say.
    """
    return _ReaderV2(stream, max_size).read()


def read_v1(stream: bytes, max_size: int) -> Reading:
    """Read frames of ZMTP 1.0.

    Args:
        stream: the frames.
        max_size: largest body in bytes, -1 for any.

    Returns:
        What they say.
    """
    return _ReaderV1(stream, max_size).read()


def read_traffic(stream: bytes, max_size: int, *, takes_subscriptions: bool) -> Reading:
    """Read what comes after the handshake of ZMTP 3.x, on a socket type whose messages all go to the application.

    Args:
        stream: the frames.
        max_size: largest body in bytes, -1 for any.
        takes_subscriptions: an XPUB: messages that begin with 00 or 01 are none.

    Returns:
        The messages, without commands.
    """
    reading = read_v2(stream, max_size)
    messages: list[bytes | list[bytes] | Command] = []
    for item in reading.items:
        if isinstance(item, Command):
            if not _is_good_command(item.body):
                return Reading(messages, "COMMAND", 0)
            continue
        first = item if isinstance(item, bytes) else item[0]
        if not (takes_subscriptions and first[:1] in (b"\0", b"\1")):
            messages.append(item)
    return Reading(messages, reading.failure, reading.pending)


def _is_good_command(body: bytes) -> bool:
    """Whether a connection may go on after this command."""
    if not body or body[0] == 0 or body[0] >= len(body):
        return False
    name, rest = body[1 : 1 + body[0]], body[1 + body[0] :]
    if name == b"PING":
        return _PING_MIN <= len(rest) <= _PING_MAX
    return name not in (b"READY", b"ERROR")


def read_properties(block: bytes) -> list[tuple[bytes, bytes]] | None:
    """Read metadata.

    Args:
        block: name size (1), name, value size (4), value, and so on.

    Returns:
        Names and values; None when it is malformed.
    """
    properties = []
    while block:
        name, rest = block[1 : 1 + block[0]], block[1 + block[0] :]
        if len(name) != block[0] or not name or len(rest) < 4 or max(name) > 127:
            return None
        size = int.from_bytes(rest[:4], "big")
        value, block = rest[4 : 4 + size], rest[4 + size :]
        if len(value) != size:
            return None
        properties.append((name, value))
    return properties
