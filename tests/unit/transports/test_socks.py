"""The SOCKS5 handshake, sans-I/O."""

from __future__ import annotations

import errno

import pytest

from purezmq.transports.socks import SocksHandshake


def converse(handshake: SocksHandshake, answer: bytes) -> bytes:
    """Take what the client says, then give it an answer in pieces of what it asks for."""
    said = handshake.data_to_send()
    while answer:
        piece, answer = answer[: handshake.missing], answer[handshake.missing :]
        handshake.receive_data(piece)
    return said


@pytest.mark.parametrize("bound", [b"\x01" + bytes(4), b"\x03\x03abc", b"\x04" + bytes(16), b"\x03\x00"])
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_handshake_reads_exactly_its_own_bytes(bound: bytes, step: int) -> None:
    """Whatever address the reply carries and however it is cut, what follows stays unread."""
    handshake = SocksHandshake("example.com", 80)
    stream = b"\x05\x00" + b"\x05\x00\x00" + bound + b"\x00\x50" + b"the target's"
    while not handshake.done:
        size = min(step, handshake.missing)
        piece, stream = stream[:size], stream[size:]
        handshake.receive_data(piece)
    assert b"the target's" == stream


def test_handshake_without_password_says_rfc_1928() -> None:
    """Methods, then CONNECT with the name."""
    handshake = SocksHandshake("example.com", 258)
    assert b"\x05\x01\x00" == converse(handshake, b"\x05\x00")
    assert b"\x05\x01\x00\x03\x0bexample.com\x01\x02" == handshake.data_to_send()


def test_handshake_with_password_says_rfc_1929() -> None:
    """Both methods are offered; name and password follow when they're wanted."""
    handshake = SocksHandshake("example.com", 1, b"me", b"")
    assert b"\x05\x02\x00\x02" == converse(handshake, b"\x05\x02")
    assert b"\x01\x02me\x00" == converse(handshake, b"\x01\x00")
    assert b"\x05\x01\x00\x03" == handshake.data_to_send()[:4]


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (b"\x04\x00", errno.EPROTO),
        (b"\x05\xff", errno.EACCES),
        (b"\x05\x02", errno.EACCES),
        (b"\x05\x01", errno.EPROTO),
        (b"\x05\x00\x04\x00\x00\x01\x00", errno.EPROTO),
        (b"\x05\x00\x05\x00\x00\x09\x00", errno.EPROTO),
        (b"\x05\x00\x05\x05\x00\x01\x00", errno.ECONNREFUSED),
    ],
)
def test_handshake_refusal_or_nonsense_raises(answer: bytes, number: int) -> None:
    """Each has its error number."""
    handshake = SocksHandshake("example.com", 1)
    with pytest.raises(OSError) as caught:
        converse(handshake, answer)
    assert number == caught.value.errno


def test_handshake_end_of_stream_raises() -> None:
    """A proxy that closes has reset the connection."""
    with pytest.raises(OSError) as caught:
        SocksHandshake("example.com", 1).receive_data(b"")
    assert errno.ECONNRESET == caught.value.errno


@pytest.mark.parametrize("host", ["x" * 256, "\u00e4" * 64])
def test_handshake_name_too_long_raises(host: str) -> None:
    """A name has one octet for its length."""
    with pytest.raises(OSError) as caught:
        SocksHandshake(host, 1)
    assert errno.EINVAL == caught.value.errno


def test_handshake_other_script_is_sent_as_idna() -> None:
    """Names of the proxy's network may be in any script."""
    handshake = SocksHandshake("b\u00fccher.example", 1)
    converse(handshake, b"\x05\x00")
    assert b"xn--bcher-kva.example" in handshake.data_to_send()
