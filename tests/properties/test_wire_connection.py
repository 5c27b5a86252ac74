"""The connection under any input: every state has two outcomes, and none of them is an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purezmq.wire import Connection, ConnectionConfig, ConnectionFailed, HandshakeSucceeded
from purezmq.wire.framing import encode_batch, encode_frame
from purezmq.wire.state import State

SIGNATURE = b"\xff\0\0\0\0\0\0\0\x01\x7f"
GREETING = SIGNATURE + b"\x03\x01NULL" + bytes(48)
READY = encode_frame(4, b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH")

# What has been received before, by the state that it leads to.
PREFIXES = {
    "greeting": b"",
    "greeting, signature there": SIGNATURE,
    "handshake": GREETING,
    "handshake of 2.0": SIGNATURE + b"\x01\x08",
    "handshake of 1.0": SIGNATURE + b"\x00\x08",
    "ready": GREETING + READY,
    "ready, 2.0": SIGNATURE + b"\x01\x08\x00\x00",
    "ready, unversioned": b"\x01\x00",
    "ready, inside a message": GREETING + READY + b"\x01\x01a",
    "ready, inside a body": GREETING + READY + b"\x00\x09abc",
}

frames = st.builds(
    encode_frame,
    st.sampled_from([0, 1, 4, 5, 64]),
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"\x04PING\x00\x05x", b"\x05READY", b"\x05ERROR\x03400", b"\x09SUBSCRIBEa", b"\x06CANCELa"]),
    ),
)
inputs = st.lists(st.one_of(st.binary(max_size=80), frames, st.just(READY), st.just(GREETING)), max_size=12)


@pytest.mark.parametrize("socket_type", ["PULL", "XPUB"])
@pytest.mark.parametrize("state", PREFIXES)
@given(data=inputs, limit=st.one_of(st.integers(1, 5), st.just(1 << 30)))
def test_receive_any_bytes_in_any_state_has_two_outcomes(socket_type, state, data, limit) -> None:
    """Whatever comes in whatever state: messages and events, or closed with one ConnectionFailed as the last event."""
    accepts = frozenset({"PUSH", "SUB"})
    connection = Connection(ConnectionConfig(socket_type, accepts, max_message_size=1000), bound=True)
    connection.start(0.0)
    connection.receive_data(PREFIXES[state], 0.0)
    for now, piece in enumerate(data):
        for message in connection.receive_data(piece, float(now), limit):
            assert isinstance(message, bytes | list)
        turns = 0
        while connection.has_buffered:
            before = connection.has_buffered
            connection.receive_data(b"", float(now), limit)
            turns += 1
            assert before
            assert turns <= len(piece) + 100
        connection.handle_timer(float(now))
        assert b"".join(connection.data_to_send()) is not None
        assert connection.read_size > 0
    events = []
    while (event := connection.next_event()) is not None:
        events.append(event)
    failures = [event for event in events if isinstance(event, ConnectionFailed)]
    if connection.closed:
        assert [events[-1]] == failures
        assert State.CLOSED is connection.state
    else:
        assert [] == failures
    if any(isinstance(event, HandshakeSucceeded) for event in events):
        assert isinstance(events[0], HandshakeSucceeded)


@given(
    st.lists(
        st.one_of(st.binary(max_size=300), st.lists(st.binary(max_size=300), min_size=2, max_size=4)), max_size=30
    ),
    st.lists(st.integers(1, 400), min_size=1, max_size=10),
)
def test_handshake_and_messages_in_any_chunking_give_the_messages(messages, sizes) -> None:
    """Greeting, READY and messages may be cut anywhere."""
    connection = Connection(ConnectionConfig("PULL", frozenset({"PUSH"})), bound=True)
    connection.start(0.0)
    data = GREETING + READY + b"".join(encode_batch(messages))
    received, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        received += connection.receive_data(data[at : at + size], 0.0)
        at, turn = at + size, turn + 1
    assert messages == received
    assert connection.ready
