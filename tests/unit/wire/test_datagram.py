"""Datagrams of RADIO/DISH and the peers' names of DGRAM, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purezmq.wire.datagram import (
    MAX_DATAGRAM_BODY_SIZE,
    MAX_GROUP_DATAGRAM_SIZE,
    MAX_GROUP_SIZE,
    decode_group_datagram,
    decode_peer,
    encode_group_datagram,
    encode_peer,
    group_datagram_size,
)


@pytest.mark.parametrize(
    ("group", "body", "data"),
    [
        (b"g", b"body", b"\x01gbody"),
        (b"", b"", b"\x00"),
        (b"", b"body", b"\x00body"),
        (b"weather", b"", b"\x07weather"),
        (b"a\x00b", b"\xff", b"\x03a\x00b\xff"),
        (b"x" * 255, b"y", b"\xff" + b"x" * 255 + b"y"),
    ],
)
def test_group_datagram_is_length_group_body(group: bytes, body: bytes, data: bytes) -> None:
    """One byte of length, the group, the body, and nothing else."""
    assert data == encode_group_datagram(group, body)
    assert [group, body] == decode_group_datagram(data)
    assert len(data) == group_datagram_size(group, body)


def test_encode_group_datagram_memoryview_body_is_taken() -> None:
    """A body that was sent without copying is any buffer."""
    assert b"\x01gbody" == encode_group_datagram(b"g", memoryview(b"body"))


def test_encode_group_datagram_long_group_raises() -> None:
    """A length is one octet."""
    with pytest.raises(ValueError, match="255 bytes, not 256"):
        encode_group_datagram(b"x" * (MAX_GROUP_SIZE + 1), b"")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x05four", b"\xff" + b"x" * 254])
def test_decode_group_datagram_too_short_is_none(data: bytes) -> None:
    """A datagram that ends before its group does is none."""
    assert decode_group_datagram(data) is None


@given(st.binary(max_size=600))
def test_decode_group_datagram_any_bytes_are_a_message_or_none(data: bytes) -> None:
    """Whatever arrives is either refused or says exactly what it holds."""
    message = decode_group_datagram(data)
    if message is not None:
        assert data == encode_group_datagram(*message)


def test_limits_are_libzmqs_and_udps() -> None:
    """Receivers of libzmq read 8192 bytes; IPv4 carries 65507."""
    assert (8192, 255, 65507) == (MAX_GROUP_DATAGRAM_SIZE, MAX_GROUP_SIZE, MAX_DATAGRAM_BODY_SIZE)


def test_encode_peer_ends_in_nul() -> None:
    """As libzmq gives it."""
    assert b"127.0.0.1:5555\0" == encode_peer("127.0.0.1:5555")


@pytest.mark.parametrize("part", [b"127.0.0.1:5555", b"127.0.0.1:5555\0"])
def test_decode_peer_with_and_without_nul_is_the_same(part: bytes) -> None:
    """An answer goes to what was received, a first message to what a person writes."""
    assert "127.0.0.1:5555" == decode_peer(part)


@pytest.mark.parametrize("part", [b"", b"\0", b"\xff\xfe:1", b"1" * 129])
def test_decode_peer_no_address_is_none(part: bytes) -> None:
    """What can't be an address is not looked at any further."""
    assert decode_peer(part) is None


@given(st.binary(max_size=200))
def test_decode_peer_any_bytes_never_raise(part: bytes) -> None:
    """Anything may be sent as an address."""
    text = decode_peer(part)
    assert text is None or text.isascii()
