"""Greetings, byte for byte and in libzmq's order."""

from __future__ import annotations

import pytest

from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.greeting import V1, V2, V3_0, V3_1, Greeting, encode_signature

SIGNATURE = b"\xff\0\0\0\0\0\0\0\x01\x7f"
NULL = b"NULL" + bytes(16)


def greeting_of(major: int, minor: int, mechanism: bytes = NULL, as_server: int = 0) -> bytes:
    return SIGNATURE + bytes((major, minor)) + mechanism + bytes((as_server,)) + bytes(31)


def test_encode_signature_carries_routing_id_size() -> None:
    """The signature is the header of a ZMTP 1.0 frame with our routing id."""
    assert SIGNATURE == encode_signature(b"")
    assert b"\xff\0\0\0\0\0\0\0\x04\x7f" == encode_signature(b"abc")
    assert b"\xff\0\0\0\0\0\0\x01\x00\x7f" == encode_signature(bytes(255))


def test_receive_version_is_sent_only_after_signature(config) -> None:
    """The version goes out when the peer's ten bytes are there, the rest when its version is."""
    greeting, sent = Greeting(config("PUSH")), []
    assert greeting.receive(SIGNATURE[:9], sent.append) is None
    assert [] == sent
    assert greeting.receive(SIGNATURE[9:], sent.append) is None
    assert [b"\x03"] == sent
    assert greeting.receive(b"\x03", sent.append) is None
    assert [b"\x03", b"\x01" + NULL + bytes(32)] == sent
    assert greeting.receive(greeting_of(3, 1)[11:] + b"rest", sent.append) == b"rest"
    assert 2 == len(sent)


@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
def test_whole_greeting_is_sent_at_once_where_no_old_peer_may_come(config, mechanism) -> None:
    """Nothing follows it, however the peer's greeting comes; one that shows itself as old is refused."""
    name = mechanism.encode().ljust(20, b"\0")
    whole = greeting_of(3, 1, name)
    greeting, sent = Greeting(config("PUSH", mechanism=mechanism)), []
    assert whole == greeting.encode_start()
    assert [] == [step for step in whole[:-1] if greeting.receive(bytes((step,)), sent.append) is not None]
    assert b"rest" == greeting.receive(whole[-1:] + b"rest", sent.append)
    assert [] == sent
    old = Greeting(config("PUSH", mechanism=mechanism))
    old.encode_start()
    with pytest.raises(RemoteProtocolError):
        old.receive(SIGNATURE + b"\x01\x08", sent.append)
    assert [] == sent


def test_greeting_starts_with_the_signature_alone_where_an_old_peer_may_come(config) -> None:
    """To it, it's the header of our routing id."""
    assert SIGNATURE == Greeting(config("PUSH")).encode_start()


@pytest.mark.parametrize("step", [1, 7, 64, 70])
@pytest.mark.parametrize(
    ("data", "version"),
    [
        (greeting_of(3, 0), V3_0),
        (greeting_of(3, 1), V3_1),
        (greeting_of(3, 9), V3_1),
        (greeting_of(2, 0), V3_1),
        (greeting_of(4, 0), V3_1),
        (greeting_of(3, 1, as_server=1), V3_1),
        (SIGNATURE + b"\x01\x08", V2),
        (SIGNATURE + b"\x00\x08", V1),
    ],
)
def test_receive_version_by_table(config, data, version, step) -> None:
    """Every version byte gives the version that libzmq would speak; as-server doesn't matter."""
    greeting, sent = Greeting(config("PULL")), []
    stream, rest = data + b"rest", None
    for at in range(0, len(stream), step):
        piece = stream[at : at + step]
        if rest is None:
            rest = greeting.receive(piece, sent.append)
        else:
            rest += piece
    assert version == greeting.version
    assert b"rest" == rest
    expected = b"\x03\x01" + NULL + bytes(32) if version >= V3_0 else b"\x03\x07"
    assert expected == b"".join(sent)
    assert ("" if version >= V3_0 else "PUSH") == greeting.socket_type


@pytest.mark.parametrize("data", [b"\x01\x00", b"\x04\x00abc", b"\xff" + bytes(7) + b"\x04\x00abc"])
def test_receive_unversioned_returns_everything(config, data) -> None:
    """An unversioned peer's bytes are frames from the first on, and nothing more is sent to it before our identity."""
    greeting, sent = Greeting(config("PULL")), []
    rest = None
    for at in range(len(data)):
        rest = greeting.receive(data[at : at + 1], sent.append) if rest is None else rest + data[at : at + 1]
    assert data == rest
    assert greeting.unversioned
    assert V1 == greeting.version
    assert [] == sent


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"SSH-2.0", b"\x00", b"\x00\x00"])
def test_receive_other_protocols_raise(config, data) -> None:
    """HTTP, TLS, SSH and zeros are no ZMTP."""
    with pytest.raises(RemoteProtocolError):
        Greeting(config("PULL")).receive(data, [].append)


def test_receive_other_mechanism_raises(config) -> None:
    """Both must want the same mechanism."""
    with pytest.raises(RemoteProtocolError, match="CURVE"):
        Greeting(config("PULL")).receive(greeting_of(3, 1, b"CURVE" + bytes(15)), [].append)


@pytest.mark.parametrize("data", [b"\x01\x00", SIGNATURE + b"\x00", SIGNATURE + b"\x01"])
def test_receive_old_peer_with_security_raises(config, data) -> None:
    """A peer that can't authenticate isn't let in where a mechanism is wanted."""
    with pytest.raises(RemoteProtocolError, match="PLAIN"):
        Greeting(config("PULL", mechanism="PLAIN")).receive(data, [].append)


def test_receive_nothing_returns_none(config) -> None:
    """No byte decides nothing."""
    assert Greeting(config("PULL")).receive(b"", [].append) is None
