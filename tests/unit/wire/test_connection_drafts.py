"""The connection with the draft socket types: groups and messages of one part only."""

from __future__ import annotations

import pytest

from purezmq.wire import Connection, ConnectionFailed, FailureReason, HandshakeSucceeded, Joined, Left
from purezmq.wire.config import ConnectionConfig
from purezmq.wire.events import MessagesDropped
from purezmq.wire.framing import encode_frame

MORE, COMMAND = 1, 4
LONG_GROUP = b"g" * 256
PEERS = {
    "CLIENT": "SERVER", "SERVER": "CLIENT", "GATHER": "SCATTER", "PEER": "PEER", "CHANNEL": "CHANNEL",
    "DISH": "RADIO", "RADIO": "DISH",
}  # fmt: skip


def connect(socket_type: str, version: bytes = b"\x03\x01") -> Connection:
    """A connection behind its handshake; the event of that is taken."""
    peer_type = PEERS.get(socket_type, "PUSH")
    connection = Connection(ConnectionConfig(socket_type, frozenset({peer_type})), bound=True)
    connection.start(0.0)
    if version >= b"\x03":
        greeting = b"\xff" + bytes(8) + b"\x7f" + version + b"NULL" + bytes(48)
        name = peer_type.encode()
        body = b"\x05READY\x0bSocket-Type\x00\x00\x00" + bytes([len(name)]) + name
        connection.receive_data(greeting + encode_frame(COMMAND, body), 0.0)
    else:
        connection.receive_data(b"\xff" + bytes(8) + b"\x7f\x01\x08" + encode_frame(0, b""), 0.0)
    assert isinstance(connection.next_event(), HandshakeSucceeded)
    connection.data_to_send()
    return connection


def message(*parts: bytes) -> bytes:
    """The frames of a message."""
    flags = [MORE] * (len(parts) - 1) + [0]
    return b"".join(encode_frame(flag, part) for flag, part in zip(flags, parts, strict=True))


@pytest.mark.parametrize("socket_type", ["CLIENT", "SERVER", "GATHER", "PEER", "CHANNEL"])
def test_multipart_for_single_part_type_is_dropped_and_told(socket_type: str) -> None:
    """What comes before and after it is kept."""
    connection = connect(socket_type)
    data = message(b"1") + message(b"a", b"b") + message(b"", b"", b"c") + message(b"2")
    assert [b"1", b"2"] == connection.receive_data(data, 0.0)
    assert MessagesDropped(2) == connection.next_event()
    assert not connection.closed


def test_limit_never_leaves_messages_behind_dropped_ones() -> None:
    """When a whole batch was dropped, the next is decoded at once: nothing else would ask for it."""
    connection = connect("GATHER")
    data = message(b"a", b"b") * 3 + message(b"1") + message(b"2")
    assert [b"1"] == connection.receive_data(data, 0.0, 2)
    assert connection.has_buffered
    assert [b"2"] == connection.receive_data(b"", 0.0, 2)
    assert [MessagesDropped(2), MessagesDropped(1)] == [connection.next_event(), connection.next_event()]


def test_command_behind_dropped_messages_is_taken() -> None:
    """Nothing that came in the same read is lost."""
    connection = connect("GATHER")
    ping = encode_frame(COMMAND, b"\x04PING\x00\x00ctx")
    assert [b"1"] == connection.receive_data(message(b"a", b"b") + ping + message(b"1"), 0.0)
    assert [encode_frame(COMMAND, b"\x04PONGctx")] == connection.data_to_send()


@pytest.mark.parametrize("version", [b"\x03\x00", b"\x03\x01"], ids=["3.0", "3.1"])
def test_groups_travel_as_commands(version: bytes) -> None:
    """JOIN and LEAVE, as RFC 48 spells them, for every peer that has commands."""
    dish = connect("DISH", version)
    join, leave = dish.encode_subscription(b"news", True), dish.encode_subscription(b"news", False)
    assert b"\x04\x09\x04JOINnews" == join
    assert b"\x04\x0a\x05LEAVEnews" == leave
    radio = connect("RADIO", version)
    assert [] == radio.receive_data(join + leave, 0.0)
    assert [Joined(b"news"), Left(b"news")] == [radio.next_event(), radio.next_event()]


def test_groups_are_not_told_to_peer_without_commands() -> None:
    """ZMTP 2.0 has no word for it."""
    assert b"" == connect("DISH", b"\x02\x00").encode_subscription(b"news", True)


@pytest.mark.parametrize("name", [b"\x04JOIN", b"\x05LEAVE"])
def test_too_long_group_closes_connection(name: bytes) -> None:
    """More than 255 bytes."""
    radio = connect("RADIO")
    assert [] == radio.receive_data(encode_frame(COMMAND, name + LONG_GROUP), 0.0)
    failure = radio.next_event()
    assert isinstance(failure, ConnectionFailed)
    assert (True, FailureReason.PROTOCOL) == (radio.closed, failure.reason)


def test_join_is_ignored_by_other_types() -> None:
    """It has no meaning there."""
    pull = connect("PULL")
    data = encode_frame(COMMAND, b"\x04JOINnews") + message(b"1")
    assert [b"1"] == pull.receive_data(data, 0.0)
    assert (None, False) == (pull.next_event(), pull.closed)


@pytest.mark.parametrize(
    "wrong",
    [(b"body",), (b"g", b"body", b"more"), (LONG_GROUP, b"body")],
    ids=["one-part", "three-parts", "long-group"],
)
def test_what_no_radio_sends_closes_connection_of_dish(wrong: tuple[bytes, ...]) -> None:
    """The messages before it are delivered."""
    dish = connect("DISH")
    data = message(b"g", b"1") + message(*wrong) + message(b"g", b"2") + encode_frame(COMMAND, b"\x04PING\x00\x00")
    assert [[b"g", b"1"]] == dish.receive_data(data, 0.0)
    failure = dish.next_event()
    assert isinstance(failure, ConnectionFailed)
    assert (True, FailureReason.PROTOCOL) == (dish.closed, failure.reason)
