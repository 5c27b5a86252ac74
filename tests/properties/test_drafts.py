"""Whatever a peer of a draft type sends: nothing raises, and only well-formed messages reach the application."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import SocketType
from purezmq.patterns.compatibility import pattern_for
from purezmq.wire import Connection, HandshakeSucceeded, Joined, Left
from purezmq.wire.config import ConnectionConfig
from purezmq.wire.framing import encode_frame

MORE, COMMAND = 1, 4
DRAFTS = ["SERVER", "CLIENT", "RADIO", "DISH", "GATHER", "SCATTER", "PEER", "CHANNEL"]
GROUPS = [b"", b"g", b"h", b"g" * 255, b"g" * 256]

BODIES = st.one_of(st.sampled_from(GROUPS), st.binary(max_size=300))
COMMANDS = st.builds(
    lambda name, data: bytes([len(name)]) + name + data,
    st.sampled_from([b"JOIN", b"LEAVE", b"SUBSCRIBE", b"CANCEL", b"PING", b"PONG", b"NONSENSE"]),
    BODIES,
)
FRAMES = st.one_of(
    st.tuples(st.sampled_from([0, MORE]), BODIES), st.tuples(st.just(COMMAND), st.one_of(COMMANDS, BODIES))
)


def connect(name: str) -> Connection:
    """A connection behind its handshake."""
    kind = pattern_for(SocketType[name])
    connection = Connection(ConnectionConfig(name, kind.peer_types), bound=True)
    connection.start(0.0)
    peer = next(iter(kind.peer_types)).encode()
    ready = b"\x05READY\x0bSocket-Type" + len(peer).to_bytes(4, "big") + peer
    connection.receive_data(b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48) + encode_frame(COMMAND, ready), 0.0)
    assert isinstance(connection.next_event(), HandshakeSucceeded)
    return connection


def is_well_formed(pattern: Any, message: Any) -> bool:
    """What the socket relies on when it opens a message."""
    if pattern.addressing == "routing_id":
        return type(message) is list and [int, bytes] == list(map(type, message))
    if pattern.addressing == "group":
        return type(message) is list and [bytes, bytes] == list(map(type, message)) and message[0] in pattern.groups
    return type(message) is bytes


@pytest.mark.parametrize("name", DRAFTS)
@given(frames=st.lists(FRAMES, max_size=12), limit=st.integers(1, 5), step=st.integers(1, 400))
def test_frames_of_peer_never_raise(name: str, frames: list[tuple[int, bytes]], limit: int, step: int) -> None:
    """In pieces of any size, with any limit."""
    connection, pattern = connect(name), make_pattern(SocketType[name])
    if name == "DISH":
        pattern.join(b"")
        pattern.join(b"g")
    peer = ScriptedPeer(pattern)
    stream = b"".join(encode_frame(flags, body) for flags, body in frames)
    for start in range(0, len(stream), step):
        data = stream[start : start + step]
        while data or connection.has_buffered:
            peer.bring(*connection.receive_data(data, 0.0, limit))
            data = b""
            while (event := connection.next_event()) is not None:
                if isinstance(event, Joined | Left):
                    pattern.handle_subscription(peer.pipe, event.group, isinstance(event, Joined))
    assert all(is_well_formed(pattern, message) for message in texts(pattern))


@pytest.mark.parametrize("name", DRAFTS)
@given(messages=st.lists(st.one_of(BODIES, st.lists(BODIES, min_size=2, max_size=4)), max_size=8))
def test_messages_of_wrong_inproc_peer_never_raise(name: str, messages: list[Any]) -> None:
    """Over inproc nobody checks types: anything may lie in the queue of a type that looks at each message."""
    pattern = make_pattern(SocketType[name])
    if name == "DISH":
        pattern.join(b"g")
    ScriptedPeer(pattern, direct=True).bring(*messages)
    received = texts(pattern)
    if pattern.addressing:
        assert all(is_well_formed(pattern, message) for message in received)
