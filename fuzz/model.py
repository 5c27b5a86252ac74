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


def read_v2(stream: bytes, max_size: int) -> Reading:
    """Read frames of ZMTP 2.0 and 3.x.

    Args:
        stream: the frames.
        max_size: largest body in bytes, -1 for any.

    Returns:
        What they say.
    """
    of_command = min(max(max_size, limits.MIN_COMMAND_ALLOWANCE), limits.MAX_COMMAND_SIZE)
    if max_size < 0:
        of_command = limits.MAX_COMMAND_SIZE
    at, end, failure = 0, len(stream), ""
    parts: list[bytes] | None = None
    items: list[bytes | list[bytes] | Command] = []
    while at < end:
        flags = stream[at]
        # Reserved bits; a command of several parts, or between those of a message.
        if flags >= 8 or (flags & 4 and (flags & 1 or parts is not None)):
            failure = PROTOCOL
            break
        start = at + (9 if flags & 2 else 2)
        if start > end:
            break
        size = int.from_bytes(stream[at + 1 : start], "big")
        if size >= 2**63:
            failure = PROTOCOL
            break
        if size > (of_command if flags & 4 else max_size) and (flags & 4 or max_size >= 0):
            failure = TOO_BIG
            break
        if start + size > end:
            break
        at = start + size
        body = stream[start:at]
        if flags & 4:
            items.append(Command(body))
        elif flags & 1:
            parts = parts or []
            parts.append(body)
        else:
            if parts is not None:
                parts.append(body)
            items.append(parts or body)
            parts = None
    return Reading(items, failure, end - at + sum(map(len, parts or ())))


def read_v1(stream: bytes, max_size: int) -> Reading:
    """Read frames of ZMTP 1.0.

    Args:
        stream: the frames.
        max_size: largest body in bytes, -1 for any.

    Returns:
        What they say.
    """
    at, end, failure = 0, len(stream), ""
    parts: list[bytes] | None = None
    items: list[bytes | list[bytes] | Command] = []
    while at < end:
        size = stream[at]  # with the flags, which are the last byte of the header
        start = at + (10 if size == 255 else 2)
        if size and start > end:
            break
        if size == 255:
            size = int.from_bytes(stream[at + 1 : at + 9], "big")
        if size == 0 or size > 2**63:
            failure = PROTOCOL
            break
        size -= 1
        if 0 <= max_size < size:
            failure = TOO_BIG
            break
        if start + size > end:
            break
        at = start + size
        body = stream[start:at]
        if stream[start - 1] & 1:
            parts = parts or []
            parts.append(body)
        else:
            if parts is not None:
                parts.append(body)
            items.append(parts or body)
            parts = None
    return Reading(items, failure, end - at + sum(map(len, parts or ())))


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
