"""What one datagram of ``udp://`` holds, without I/O.

* RADIO and DISH: ``u8 length of the group, group, body``; one datagram is one message, and nothing is shaken or
  acknowledged. At most `MAX_GROUP_DATAGRAM_SIZE` bytes, since libzmq's receivers read no more.
* DGRAM: the body as it is; the peer's address is a message part beside it, as text that ends in NUL (libzmq's form).

Addresses of the system (sockaddr) and options may not appear here: what a text stands for is the transport's business.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

__all__ = [
    "MAX_DATAGRAM_BODY_SIZE",
    "MAX_GROUP_DATAGRAM_SIZE",
    "MAX_GROUP_SIZE",
    "decode_group_datagram",
    "decode_peer",
    "encode_group_datagram",
    "encode_peer",
    "group_datagram_size",
]

MAX_GROUP_DATAGRAM_SIZE = 8192
"""Largest RADIO/DISH datagram in bytes, its group included: what libzmq's receivers read."""

MAX_GROUP_SIZE = 255
"""Largest group in bytes: its length is one octet (RFC 48)."""

MAX_DATAGRAM_BODY_SIZE = 65507
"""Largest body of a DGRAM message in bytes: 64 KiB less 1, less the headers of UDP and IPv4."""

#: Longer texts are no address: "[", 45 characters of IPv6, "%", a zone, "]:", a port.
_MAX_PEER_SIZE = 128


def group_datagram_size(group: Buffer, body: Buffer) -> int:
    """How many bytes the datagram of a message has."""
    return 1 + len(group) + len(body)


def encode_group_datagram(group: Buffer, body: Buffer) -> bytes:
    """Make the datagram of a RADIO message.

    Args:
        group: at most `MAX_GROUP_SIZE` bytes.
        body: anything bytes-like.

    Returns:
        The datagram, whatever its size.

    Raises:
        ValueError: the group is too long.
    """
    if len(group) > MAX_GROUP_SIZE:
        text = f"a group has at most {MAX_GROUP_SIZE} bytes, not {len(group)}"
        raise ValueError(text)
    return b"".join((len(group).to_bytes(1), group, body))


def decode_group_datagram(data: bytes) -> list[bytes] | None:
    """Read a datagram that a DISH received.

    Args:
        data: the whole datagram; anybody may have sent it.

    Returns:
        ``[group, body]``; None when it is none: empty, or shorter than its group.
    """
    if not data:
        return None
    end = 1 + data[0]
    if len(data) < end:
        return None
    return [data[1:end], data[end:]]


def encode_peer(text: str) -> bytes:
    """Make the first part of a received DGRAM message of ``"ip:port"``: with a NUL at its end, as libzmq does."""
    return text.encode("ascii", "replace") + b"\0"


def decode_peer(part: bytes) -> str | None:
    """Read the first part of a DGRAM message that is to be sent.

    Args:
        part: ``b"ip:port"``, with a NUL at its end or without.

    Returns:
        The text without NUL; None when it can't be an address: empty, too long, or no ASCII.
    """
    if len(part) > _MAX_PEER_SIZE or not part.isascii():
        return None
    text = part.removesuffix(b"\0").decode("ascii")
    return text or None
