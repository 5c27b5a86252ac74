"""The connection: handshakes of every version, subscriptions, heartbeats, failures, memory."""

from __future__ import annotations

import gc
import sys

import pytest

from purezmq.wire import (
    Cancelled,
    Connection,
    ConnectionFailed,
    FailureReason,
    HandshakeSucceeded,
    Joined,
    Left,
    Subscribed,
)
from purezmq.wire.events import MessagesDropped
from purezmq.wire.framing import encode_frame
from purezmq.wire.state import TRANSITIONS, Input, State

SIGNATURE = b"\xff\0\0\0\0\0\0\0\x01\x7f"
GREETING = SIGNATURE + b"\x03\x01NULL" + bytes(48)
READY_PUSH = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH"
VERSIONS = {"3.1": (3, 1), "3.0": (3, 0), "2.0": (2, 0), "1.0": (1, 0), "unversioned": (1, 0)}


def events_of(connection: Connection) -> list[object]:
    events = []
    while (event := connection.next_event()) is not None:
        events.append(event)
    return events


def failure_of(connection: Connection) -> ConnectionFailed:
    event = events_of(connection)[-1]
    assert isinstance(event, ConnectionFailed)
    assert connection.closed
    assert not connection.ready
    return event


@pytest.fixture
def ready(config):
    """A function that makes a ready connection out of its peer's bytes."""

    def make(socket_type: str = "PULL", peer_type: bytes = b"PUSH", **options: object) -> Connection:
        connection = Connection(config(socket_type, **options), bound=True)
        connection.start(0.0)
        properties = b"\x0bSocket-Type" + len(peer_type).to_bytes(4, "big") + peer_type
        connection.receive_data(GREETING + encode_frame(4, b"\x05READY" + properties), 0.0)
        assert connection.ready
        connection.data_to_send()
        events_of(connection)
        return connection

    return make


# --- handshake ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [None, 1, 3])
@pytest.mark.parametrize("version", VERSIONS)
def test_handshake_mouth_to_mouth_any_version_carries_messages(pair, exchange, version, step) -> None:
    """Two connections of every version shake hands however the bytes come, and messages flow both ways."""
    left, right = pair("DEALER", "ROUTER", version, step, routing_id=b"me")
    messages = [b"single", [b"", b"two"], bytes(300), [b"a", bytes(70_000), b""]] * 3
    for connection in (left, right):
        (event,) = events_of(connection)
        assert HandshakeSucceeded(connection.peer) == event
        assert VERSIONS[version] == connection.peer.version
        assert b"me" == connection.peer.routing_id
        assert ("NULL" if version >= "3" and version != "unversioned" else "") == connection.peer.mechanism
        assert (version not in {"1.0", "unversioned"}) == connection.shares_encoding
    for sender, receiver in ((left, right), (right, left)):
        data = b"".join(sender.encode(messages))
        size = step and step * 1000
        received = []
        for at in range(0, len(data), size or len(data)):
            received += receiver.receive_data(data[at : at + (size or len(data))], 1.0)
        assert messages == received
    assert ("" if version == "unversioned" else "ROUTER") == left.peer.socket_type


def test_handshake_bytes_are_those_of_libzmq(config) -> None:
    """What goes out, step by step, is what libzmq sends."""
    connection = Connection(config("PULL"), bound=True)
    connection.start(0.0)
    assert [SIGNATURE] == connection.data_to_send()
    connection.receive_data(GREETING, 0.0)
    expected = b"\x03\x01NULL" + bytes(48) + b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PULL"
    assert expected == b"".join(connection.data_to_send())
    assert [] == connection.data_to_send()
    assert not connection.ready
    assert [b"first"] == connection.receive_data(READY_PUSH + b"\x00\x05first", 0.0)
    assert connection.ready


@pytest.mark.parametrize("socket_type", ["REQ", "DEALER", "ROUTER"])
def test_handshake_identity_is_sent_even_if_empty(config, socket_type) -> None:
    """REQ, DEALER and ROUTER tell their routing id, also the empty one; metadata of the application follows."""
    connection = Connection(config(socket_type, metadata=(("X-app", b"1"),)), bound=False)
    connection.start(0.0)
    connection.receive_data(GREETING, 0.0)
    assert b"".join(connection.data_to_send()).endswith(b"\x08Identity\0\0\0\0\x05X-app\0\0\0\x011")


def test_handshake_unknown_properties_are_kept_and_names_have_no_case(config) -> None:
    """Socket-Type is found in any case, and what we don't know is the application's."""
    connection = Connection(config("PULL"), bound=True)
    connection.start(0.0)
    ready = b"\x05READY\x0bsocket-TYPE\0\0\0\x04PUSH\x05X-foo\0\0\0\x03bar\x08IDENTITY\0\0\0\x02id"
    connection.receive_data(GREETING + encode_frame(4, ready), 0.0)
    assert {"X-foo": b"bar"} == connection.peer.properties
    assert b"id" == connection.peer.routing_id


def test_handshake_v2_sends_type_and_identity(config) -> None:
    """To a ZMTP 2.0 peer go our type and an identity frame."""
    connection = Connection(config("DEALER", routing_id=b"me"), bound=False)
    connection.start(0.0)
    connection.receive_data(SIGNATURE + b"\x01\x06\x00\x03you", 0.0)
    assert b"\x03\x05\x00\x02me" == b"".join(connection.data_to_send()[1:])
    assert (b"you", "ROUTER", (2, 0)) == (
        connection.peer.routing_id,
        connection.peer.socket_type,
        connection.peer.version,
    )


def test_handshake_unversioned_sends_identity_body_only(config) -> None:
    """To an unversioned peer our signature was the header already."""
    connection = Connection(config("DEALER", routing_id=b"me"), bound=False)
    connection.start(0.0)
    assert [b"hi"] == connection.receive_data(b"\x01\x00\x03\x00hi", 0.0)
    assert b"\xff\0\0\0\0\0\0\0\x03\x7fme" == b"".join(connection.data_to_send())


@pytest.mark.parametrize("socket_type", ["PUB", "XPUB"])
def test_handshake_unversioned_subscriber_wants_everything(config, socket_type) -> None:
    """ZeroMQ 2.x filters by itself and tells nothing, so a publisher sends it all."""
    connection = Connection(config(socket_type), bound=True)
    connection.start(0.0)
    connection.receive_data(b"\x01\x00", 0.0)
    assert [HandshakeSucceeded(connection.peer), Subscribed(b"")] == events_of(connection)


HANDSHAKE_FAILURES = {
    "incompatible type": (b"\x05READY\x0bSocket-Type\0\0\0\x03PUB", FailureReason.INCOMPATIBLE),
    "no type": (b"\x05READY", FailureReason.PROTOCOL),
    "malformed metadata": (b"\x05READY\x0bSocket-Type\0\0\0\x09PUSH", FailureReason.PROTOCOL),
    "identity too long": (
        b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH\x08Identity\0\0\1\0" + bytes(256),
        FailureReason.PROTOCOL,
    ),
    "unknown command": (b"\x05HELLO", FailureReason.PROTOCOL),
    "empty command": (b"", FailureReason.PROTOCOL),
    "name overrun": (b"\x07READY", FailureReason.PROTOCOL),
    "refused with status": (b"\x05ERROR\x03400", FailureReason.AUTH),
    "refused with text": (b"\x05ERROR\x07go away", FailureReason.NO_DETAIL),
}


@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("name", HANDSHAKE_FAILURES)
def test_handshake_bad_command_fails(config, name, step) -> None:
    """Each wrong command closes the connection with its reason, and what follows is ignored."""
    body, reason = HANDSHAKE_FAILURES[name]
    connection = Connection(config("PULL"), bound=True)
    connection.start(0.0)
    data = GREETING + encode_frame(4, body)
    for at in range(0, len(data), step or len(data)):
        assert [] == connection.receive_data(data[at : at + (step or len(data))], 0.0)
    failure = failure_of(connection)
    assert reason == failure.reason
    assert (400 if reason is FailureReason.AUTH else 0) == failure.status
    assert [] == connection.receive_data(READY_PUSH, 0.0)
    assert connection.next_event() is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        GREETING.replace(b"NULL", b"EVIL"),
        GREETING + b"\x00\x05hello",
        GREETING + b"\x02\x00\x00\x00\x00\x00\x10\x00\x00",
        GREETING + b"\x04\xff",
        SIGNATURE + b"\x01\x08\x04\x02\x01A",
        SIGNATURE + b"\x01\x08\x01\x01a\x00\x01b",
        b"\x01\x01\x03\x00hi",
    ],
)
def test_handshake_garbage_fails_or_waits(config, data) -> None:
    """Garbage never raises; what isn't refused yet waits for more."""
    connection = Connection(config("PULL"), bound=True)
    connection.start(0.0)
    assert [] == connection.receive_data(data, 0.0)
    assert connection.closed == (data != GREETING + b"\x04\xff")


def test_handshake_timeout_fails(config) -> None:
    """A handshake that takes too long ends, and not a moment earlier."""
    connection = Connection(config("PULL", handshake_timeout=5.0), bound=True)
    assert connection.next_timer() is None
    connection.start(100.0)
    assert 105.0 == connection.next_timer()
    connection.handle_timer(104.9)
    assert not connection.closed
    connection.handle_timer(105.0)
    assert FailureReason.TIMEOUT == failure_of(connection).reason
    assert connection.next_timer() is None


def test_handshake_timeout_none_never_ends(config) -> None:
    """No timeout, no timer."""
    connection = Connection(config("PULL", handshake_timeout=None), bound=True)
    connection.start(0.0)
    assert connection.next_timer() is None
    connection.handle_timer(1e9)
    assert not connection.closed


# --- messages -------------------------------------------------------------------------------------


def test_receive_data_limit_keeps_the_rest(ready) -> None:
    """At most ``limit`` messages a call; the rest comes with empty calls, across commands."""
    connection = ready()
    data = b"\x00\x01a" * 3 + b"\x04\x07\x04PING\x00\x00" + b"\x00\x01b" * 3
    assert [b"a"] * 2 == connection.receive_data(data, 0.0, 2)
    assert connection.has_buffered
    assert [b"a", b"b"] == connection.receive_data(b"", 0.0, 2)
    assert [b"b"] * 2 == connection.receive_data(b"", 0.0, 2)
    assert not connection.has_buffered


def test_receive_data_too_big_fails_by_its_header(ready) -> None:
    """MAXMSGSIZE closes the connection; messages before it are returned."""
    connection = ready(max_message_size=10)
    assert [bytes(10)] == connection.receive_data(b"\x00\x0a" + bytes(10) + b"\x00\x0b", 0.0)
    assert FailureReason.TOO_BIG == failure_of(connection).reason


@pytest.mark.parametrize(
    "bad", [b"\x80\x00", b"\x05\x02\x01A", b"\x04\x00", b"\x04\x02\x05A", b"\x04\x06\x05READY", b"\x04\x06\x04PING\x00"]
)
def test_receive_data_violation_returns_messages_before_it(ready, bad) -> None:
    """A violation ends the connection after the good messages."""
    connection = ready()
    assert [b"ok"] == connection.receive_data(b"\x00\x02ok" + bad + b"\x00\x02no", 0.0)
    assert FailureReason.PROTOCOL == failure_of(connection).reason


def test_receive_data_unknown_and_useless_commands_are_ignored(ready) -> None:
    """Commands that we don't know, or that mean nothing to our socket type, change nothing."""
    connection = ready()
    bodies = (b"\x03NEWabc", b"\x09SUBSCRIBEa", b"\x06CANCELa", b"\x04JOINa", b"\x05LEAVEa", b"\x04PONG")
    assert [b"x"] == connection.receive_data(b"".join(encode_frame(4, body) for body in bodies) + b"\x00\x01x", 0.0)
    assert connection.next_event() is None
    assert [] == connection.data_to_send()


def test_receive_data_error_command_fails(ready) -> None:
    """ERROR ends the connection at any time."""
    connection = ready()
    connection.receive_data(encode_frame(4, b"\x05ERROR\x03bye"), 0.0)
    assert FailureReason.NO_DETAIL == failure_of(connection).reason


@pytest.mark.parametrize("version", VERSIONS)
def test_encode_refusal_tells_the_peer_why(pair, version) -> None:
    """An ERROR, cut to what it can carry, where the peer has commands; nothing where it has none."""
    left, right = pair("DEALER", "ROUTER", version)
    refusal = right.encode_refusal("no room" + 300 * "!")
    if VERSIONS[version] < (3, 0):
        assert b"" == refusal
        return
    left.next_event()
    left.receive_data(refusal, 0.0)
    failure = failure_of(left)
    assert (FailureReason.NO_DETAIL, True) == (
        failure.reason,
        failure.text.startswith("the peer refused us: 'no room!"),
    )


def test_encode_refusal_before_ready_is_nothing(config) -> None:
    """A peer whose version isn't known gets no command."""
    assert b"" == Connection(config("ROUTER"), bound=True).encode_refusal("no")


def test_encode_before_ready_raises(config) -> None:
    """Nothing can be encoded for a peer whose version isn't known."""
    connection = Connection(config("PUSH"), bound=False)
    with pytest.raises(RuntimeError):
        connection.encode([b"a"])
    with pytest.raises(RuntimeError):
        connection.encode_subscription(b"a", True)


# --- subscriptions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "subscribe", "cancel"),
    [
        ("3.1", b"\x04\x0b\x09SUBSCRIBEa", b"\x04\x08\x06CANCELa"),
        ("3.0", b"\x00\x02\x01a", b"\x00\x02\x00a"),
        ("2.0", b"\x00\x02\x01a", b"\x00\x02\x00a"),
        ("1.0", b"\x03\x00\x01a", b"\x03\x00\x00a"),
    ],
)
@pytest.mark.parametrize("types", [("SUB", "PUB"), ("XSUB", "XPUB")])
def test_encode_subscription_by_version(pair, types, version, subscribe, cancel) -> None:
    """The peer's version decides between commands and messages, and the publisher understands both."""
    left, right = pair(*types, version)
    assert subscribe == left.encode_subscription(b"a", True)
    assert cancel == left.encode_subscription(b"a", False)
    events_of(right)
    assert [] == right.receive_data(subscribe + cancel, 0.0)
    assert [Subscribed(b"a"), Cancelled(b"a")] == events_of(right)


def test_encode_subscription_topic_of_255_bytes_is_long(pair) -> None:
    """The size counts the command's name."""
    left, right = pair("SUB", "PUB")
    events_of(right)
    right.receive_data(left.encode_subscription(bytes(255), True), 0.0)
    assert [Subscribed(bytes(255))] == events_of(right)


@pytest.mark.parametrize("limit", [1, 1 << 30])
@pytest.mark.parametrize(("socket_type", "kept"), [("XPUB", [b"user", [b"u", b"v"], b""]), ("PUB", [])])
def test_receive_data_subscriptions_become_events_in_order(ready, socket_type, kept, limit) -> None:
    """Commands and messages of both encodings are events in order; an XPUB gets other messages, a PUB doesn't."""
    connection = ready(socket_type, b"XSUB")
    data = b"".join(
        (
            b"\x00\x02\x01a",
            encode_frame(4, b"\x09SUBSCRIBEb"),
            b"\x00\x04user",
            b"\x00\x02\x00a",
            encode_frame(4, b"\x06CANCELb"),
            b"\x01\x01u\x00\x01v",
            b"\x01\x02\x01c\x00\x01x",
            b"\x00\x00",
        )
    )
    messages = connection.receive_data(data, 0.0, limit)
    while connection.has_buffered:
        messages += connection.receive_data(b"", 0.0, limit)
    assert kept == messages
    expected = [Subscribed(b"a"), Subscribed(b"b"), Cancelled(b"a"), Cancelled(b"b"), Subscribed(b"c")]
    events = events_of(connection)
    assert expected == [event for event in events if not isinstance(event, MessagesDropped)]
    dropped = sum(event.count for event in events if isinstance(event, MessagesDropped))
    assert 3 == dropped + len(kept)


def test_receive_data_groups_become_events_of_radio(ready) -> None:
    """JOIN and LEAVE are events of a RADIO."""
    connection = ready("RADIO", b"DISH")
    connection.receive_data(encode_frame(4, b"\x04JOINg") + encode_frame(4, b"\x05LEAVEg"), 0.0)
    assert [Joined(b"g"), Left(b"g")] == events_of(connection)


# --- heartbeats -----------------------------------------------------------------------------------


def test_heartbeat_ping_and_pong(pair, exchange) -> None:
    """A PING goes out at the interval, the peer's PONG keeps the connection, silence ends it."""
    left, right = pair("PUSH", "PULL", heartbeat_interval=1.0, heartbeat_timeout=2.0, heartbeat_ttl=6.0)
    assert 1.0 == left.next_timer()
    left.handle_timer(1.0)
    assert [b"\x04\x07\x04PING\x00\x3c"] == left.data_to_send()
    right.receive_data(b"\x04\x0a\x04PING\x00\x3cctx", 1.1)
    assert [b"\x04\x08\x04PONGctx"] == right.data_to_send()
    left.receive_data(b"\x04\x08\x04PONGctx", 1.2)
    left.handle_timer(2.0)
    left.handle_timer(3.9)
    assert left.ready
    left.handle_timer(4.0)
    events_before_failure = events_of(left)
    assert isinstance(events_before_failure[-1], ConnectionFailed)
    assert FailureReason.HEARTBEAT == events_before_failure[-1].reason


def test_heartbeat_peer_ttl_is_ours(ready) -> None:
    """The peer's TTL ends the connection exactly when it says, also beyond 655 s and without heartbeats of our own."""
    connection = ready()
    assert connection.next_timer() is None
    connection.receive_data(b"\x04\x07\x04PING" + (7000).to_bytes(2, "big"), 10.0)
    assert 710.0 == connection.next_timer()
    connection.receive_data(b"\x00", 20.0)
    assert 720.0 == connection.next_timer()
    connection.handle_timer(719.9)
    assert connection.ready
    connection.handle_timer(720.0)
    assert FailureReason.HEARTBEAT == failure_of(connection).reason


@pytest.mark.parametrize("version", ["2.0", "1.0"])
def test_heartbeat_old_peers_get_none(pair, version) -> None:
    """PING is of ZMTP 3.x."""
    left, _ = pair("PUSH", "PULL", version, heartbeat_interval=1.0)
    assert left.next_timer() is None


# --- states ---------------------------------------------------------------------------------------


def test_transitions_closed_is_final() -> None:
    """Nothing leads out of CLOSED, and closing is always allowed."""
    assert all(target is State.CLOSED for (state, _), target in TRANSITIONS.items() if state is State.CLOSED)
    assert all((state, Input.CLOSE) in TRANSITIONS for state in State)


def test_start_twice_raises(config) -> None:
    """Starting twice is the caller's error."""
    connection = Connection(config("PUSH"), bound=False)
    connection.start(0.0)
    with pytest.raises(RuntimeError, match="GREETING"):
        connection.start(0.0)


def test_receive_data_before_start_raises(config) -> None:
    """Receiving before the greeting went out is the caller's error."""
    with pytest.raises(RuntimeError, match="start"):
        Connection(config("PUSH"), bound=False).receive_data(b"x", 0.0)


def test_unknown_mechanism_raises(config) -> None:
    """A mechanism that doesn't exist is the caller's error."""
    connection = Connection(config("PULL", mechanism="ROT13"), bound=False)
    connection.start(0.0)
    with pytest.raises(ValueError, match="ROT13"):
        connection.receive_data(GREETING.replace(b"NULL\0", b"ROT13"), 0.0)


def test_config_long_routing_id_raises(config) -> None:
    """A routing id has at most 255 bytes."""
    with pytest.raises(ValueError, match="256"):
        config("DEALER", routing_id=bytes(256))


@pytest.mark.parametrize("handshake", [False, True])
def test_close_is_idempotent_and_silent(config, ready, handshake) -> None:
    """Closing tells nothing, and twice is once."""
    connection = ready() if handshake else Connection(config("PULL"), bound=True)
    connection.close()
    connection.close()
    assert connection.closed
    assert State.CLOSED is connection.state
    assert connection.next_event() is None
    assert [] == connection.receive_data(b"x", 0.0)
    assert connection.next_timer() is None
    assert not connection.has_buffered
    assert connection.read_size > 0
    connection.handle_timer(1e9)


def test_repr_tells_type_side_and_state(ready) -> None:
    """The representation says what one wants to know in a debugger."""
    assert "<Connection PULL bound READY peer=<PeerInfo PUSH ZMTP 3.1 NULL b''>>" == repr(ready())


def test_idle_connection_is_small(ready) -> None:
    """After the handshake a connection keeps at most 1.5 kB of its own."""
    connection = ready("DEALER", b"ROUTER", routing_id=b"me")
    shared = {id(connection.config), id(connection.config.__class__)}
    seen, todo, total = set(), [connection], 0
    while todo:
        item = todo.pop()
        if id(item) in seen or id(item) in shared or isinstance(item, type) or callable(item):
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        todo += [other for other in gc.get_referents(item) if type(other).__module__ != "enum"]
    assert total <= 1500
