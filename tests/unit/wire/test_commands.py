"""Commands: fields to bytes and back."""

from __future__ import annotations

import pytest

from purezmq.wire import commands
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason


def test_encode_ready_gives_bytes_of_rfc() -> None:
    """READY is its name and name-size, name, value-size, value of each property."""
    expected = b"\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH"
    assert expected == commands.encode_ready([("Socket-Type", b"PUSH")])


def test_properties_identity() -> None:
    """What was encoded is decoded, in order, with its case."""
    properties = [("Socket-Type", b"PUSH"), ("X-a", b""), ("x-B", bytes(300))]
    assert properties == commands.decode_properties(commands.encode_properties(properties))


@pytest.mark.parametrize("name", ["", "x" * 256, "\u00e4"])
def test_encode_properties_wrong_name_raises_value_error(name) -> None:
    """A name that the wire can't carry is the caller's error."""
    with pytest.raises(ValueError):
        commands.encode_properties([(name, b"")])


@pytest.mark.parametrize(
    "data",
    [b"\x01", b"\x01a", b"\x01a\x00\x00\x00", b"\x01a\x00\x00\x00\x01", b"\x00\x00\x00\x00\x00", b"\x01\xff\0\0\0\0"],
)
def test_decode_properties_malformed_raises(data) -> None:
    """Whatever runs over the end, or has no or a strange name, is refused."""
    with pytest.raises(RemoteProtocolError):
        commands.decode_properties(data)


def test_split_command_returns_name_and_data() -> None:
    """The name ends where its size says."""
    assert (b"PING", b"\x00\x01ctx") == commands.split_command(b"\x04PING\x00\x01ctx")


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00abc", b"\x05READ"])
def test_split_command_malformed_raises(body) -> None:
    """No name, or one that runs over the end, is refused."""
    with pytest.raises(RemoteProtocolError):
        commands.split_command(body)


@pytest.mark.parametrize("status", [300, 400, 500])
def test_decode_error_status_is_auth(status) -> None:
    """A status code of RFC 27 says that authentication failed."""
    error = commands.decode_error(commands.encode_error(str(status).encode())[6:])
    assert (FailureReason.AUTH, status) == (error.reason, error.status)


def test_decode_error_text_is_kept_escaped() -> None:
    """Any other text is kept, with no raw byte of the peer."""
    error = commands.decode_error(b"\x06no\x1b\xff\n!")
    assert FailureReason.NO_DETAIL == error.reason
    assert error.text.isascii()
    assert error.text.isprintable()


@pytest.mark.parametrize("data", [b"", b"\x03ab"])
def test_decode_error_malformed_is_protocol(data) -> None:
    """An ERROR that's broken itself is a protocol error."""
    assert FailureReason.PROTOCOL == commands.decode_error(data).reason


@pytest.mark.parametrize(
    ("ttl", "seconds"), [(0, 0), (0.1, 0.1), (2.54, 2.5), (700.0, 700.0), (6553.5, 6553.5), (1e9, 6553.5)]
)
def test_ping_ttl_is_tenths_of_seconds(ttl, seconds) -> None:
    """TTL goes in tenths of a second, is cut at its 16 bits, and doesn't overflow on the way back."""
    body = commands.encode_ping(ttl, b"ctx")
    assert (seconds, b"ctx") == commands.decode_ping(body[5:])


def test_decode_ping_context_of_sixteen_bytes_is_kept_and_a_longer_one_raises() -> None:
    """RFC 37: ping-context = 0*16OCTET."""
    assert (0.5, bytes(16)) == commands.decode_ping(b"\x00\x05" + bytes(16))
    with pytest.raises(RemoteProtocolError):
        commands.decode_ping(b"\x00\x05" + bytes(17))


@pytest.mark.parametrize("data", [b"", b"\x00"])
def test_decode_ping_without_ttl_raises(data) -> None:
    """The TTL isn't optional."""
    with pytest.raises(RemoteProtocolError):
        commands.decode_ping(data)


def test_encode_short_commands_give_bytes_of_rfc() -> None:
    """PONG, SUBSCRIBE and CANCEL are a name and data."""
    assert b"\x04PONGabc" == commands.encode_pong(b"abc")
    assert b"\x09SUBSCRIBEnews" == commands.encode_subscribe(b"news")
    assert b"\x06CANCELnews" == commands.encode_cancel(b"news")
