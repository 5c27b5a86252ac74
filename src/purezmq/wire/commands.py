"""ZMTP commands as pure functions: fields to body, body to fields (RFC 37). No framing and no state may live here.

A command body is ``name-size name data``. The name table of RFC 37 as it is used here::

    READY      properties                          end of the handshake
    ERROR      reason-size reason                  refusal
    PING       ttl (u16, 0.1 s) context (<= 16 B)  heartbeat
    PONG       context                             its echo
    SUBSCRIBE  topic                               ZMTP 3.1
    CANCEL     topic                               ZMTP 3.1
    JOIN       group                               RADIO-DISH
    LEAVE      group                               RADIO-DISH
"""

from __future__ import annotations

from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.limits import HEARTBEAT_CONTEXT_SIZE, MAX_PROPERTY_NAME_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "decode_error",
    "decode_ping",
    "decode_properties",
    "encode_cancel",
    "encode_error",
    "encode_join",
    "encode_leave",
    "encode_ping",
    "encode_pong",
    "encode_properties",
    "encode_ready",
    "encode_subscribe",
    "split_command",
]

_PING_TTL_SIZE = 2
_MAX_TTL = 0xFFFF
_VALUE_SIZE = 4


def split_command(body: bytes) -> tuple[bytes, bytes]:
    """Split a command body into its name and its data.

    Args:
        body: body of a command frame.

    Returns:
        The name and what follows it.

    Raises:
        RemoteProtocolError: the body is empty, the name is empty, or the name runs over the end.
    """
    if not body:
        raise RemoteProtocolError(FailureReason.PROTOCOL, "empty command")
    end = 1 + body[0]
    if end == 1 or end > len(body):
        raise RemoteProtocolError(FailureReason.PROTOCOL, "command name is empty or longer than its frame")
    return body[1:end], body[end:]


def encode_properties(properties: Iterable[tuple[str, bytes]]) -> bytes:
    """Encode metadata: name-size (1) name value-size (4) value, for each property (RFC 37).

    Args:
        properties: names (ASCII, 1 to 255 characters) and values.

    Returns:
        The metadata of a READY command.

    Raises:
        ValueError: a name has a wrong length or isn't ASCII.
    """
    parts: list[bytes] = []
    for name, value in properties:
        raw = name.encode("ascii")
        if not 1 <= len(raw) <= MAX_PROPERTY_NAME_SIZE:
            text = f"property name must have 1 to {MAX_PROPERTY_NAME_SIZE} characters, not {len(raw)}"
            raise ValueError(text)
        parts += (bytes((len(raw),)), raw, len(value).to_bytes(_VALUE_SIZE, "big"), value)
    return b"".join(parts)


def decode_properties(data: bytes) -> list[tuple[str, bytes]]:
    """Decode the metadata of a READY command.

    Args:
        data: what follows the command's name.

    Returns:
        Names as the peer wrote them, and values, in order. Names are compared without case by the receiver (RFC 37).

    Raises:
        RemoteProtocolError: a name or value runs over the end, or a name is empty or not ASCII.
    """
    properties: list[tuple[str, bytes]] = []
    position, end = 0, len(data)
    while position < end:
        name_end = position + 1 + data[position]
        value_start = name_end + _VALUE_SIZE
        name = data[position + 1 : name_end]
        if not name or value_start > end or not name.isascii():
            raise RemoteProtocolError(FailureReason.PROTOCOL, "malformed property name in metadata")
        position = value_start + int.from_bytes(data[name_end:value_start], "big")
        if position > end:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "property value is longer than its command")
        properties.append((name.decode("ascii"), data[value_start:position]))
    return properties


def encode_ready(properties: Iterable[tuple[str, bytes]]) -> bytes:
    """Encode READY with ``properties``."""
    return b"\x05READY" + encode_properties(properties)


def encode_error(reason: bytes) -> bytes:
    """Encode ERROR with ``reason`` (at most 255 bytes)."""
    return b"\x05ERROR" + bytes((len(reason),)) + reason


def decode_error(data: bytes) -> RemoteProtocolError:
    """Decode the data of an ERROR command.

    Args:
        data: what follows the command's name.

    Returns:
        The refusal: AUTH with a status for "300", "400" and "500" (RFC 27), otherwise NO_DETAIL with the text.
        A malformed ERROR is a PROTOCOL failure.
    """
    if not data or 1 + data[0] > len(data):
        return RemoteProtocolError(FailureReason.PROTOCOL, "malformed ERROR command")
    reason = data[1 : 1 + data[0]]
    if reason in (b"300", b"400", b"500"):
        status = int(reason)
        return RemoteProtocolError(FailureReason.AUTH, f"the peer refused the handshake with status {status}", status)
    text = ascii(reason.decode("utf-8", "replace"))
    return RemoteProtocolError(FailureReason.NO_DETAIL, f"the peer refused us: {text}")


def encode_ping(ttl: float, context: bytes = b"") -> bytes:
    """Encode PING.

    Args:
        ttl: seconds after which the peer may take us for dead, sent in 0.1 s, at most 6553.5; 0 means no wish.
        context: bytes that the peer echoes.
    """
    tenths = min(round(ttl * 10), _MAX_TTL)
    return b"\x04PING" + tenths.to_bytes(_PING_TTL_SIZE, "big") + context


def decode_ping(data: bytes) -> tuple[float, bytes]:
    """Decode the data of a PING command.

    Args:
        data: what follows the command's name.

    Returns:
        The peer's TTL in seconds (0 = none), and its context.

    Raises:
        RemoteProtocolError: the TTL is missing, or the context is longer than 16 bytes (RFC 37, ping-context).
    """
    if len(data) < _PING_TTL_SIZE:
        raise RemoteProtocolError(FailureReason.PROTOCOL, "PING without TTL")
    if len(data) > _PING_TTL_SIZE + HEARTBEAT_CONTEXT_SIZE:
        raise RemoteProtocolError(FailureReason.PROTOCOL, f"PING context is over {HEARTBEAT_CONTEXT_SIZE} bytes")
    return int.from_bytes(data[:_PING_TTL_SIZE], "big") / 10, data[_PING_TTL_SIZE:]


def encode_pong(context: bytes) -> bytes:
    """Encode PONG echoing ``context``."""
    return b"\x04PONG" + context


def encode_subscribe(topic: bytes) -> bytes:
    """Encode SUBSCRIBE to ``topic``."""
    return b"\x09SUBSCRIBE" + topic


def encode_cancel(topic: bytes) -> bytes:
    """Encode CANCEL of ``topic``."""
    return b"\x06CANCEL" + topic


def encode_join(group: bytes) -> bytes:
    """Encode JOIN of ``group`` (RFC 48)."""
    return b"\x04JOIN" + group


def encode_leave(group: bytes) -> bytes:
    """Encode LEAVE of ``group``."""
    return b"\x05LEAVE" + group
