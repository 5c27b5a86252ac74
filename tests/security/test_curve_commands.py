"""Commands under CURVE: sealed inside MESSAGE, their flag with them, for ZMTP 3.0 and 3.1 (V48)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import EventWatch, bind, link, purezmq_only, subscribe_and_wait, zmq
from tests.support.relay import Relay
from tests.support.security import security_options
from tests.unit.wire.curve_pair import CLIENT_PUBLIC, CLIENT_SECRET, SERVER_PUBLIC, SERVER_SECRET

from purezmq.wire import Cancelled, Connection, ConnectionConfig, Joined, Left, Ponged, Subscribed
from purezmq.wire.framing import encode_frame
from purezmq.wire.heartbeat import Heartbeat

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("the wire under test is ours")
MINORS = {"3.0": 0, "3.1": 1}


def curve_config(socket_type: str, peer: str, *, server: bool, **options: Any) -> ConnectionConfig:
    """Settings of one side."""
    keys = (SERVER_PUBLIC, SERVER_SECRET) if server else (CLIENT_PUBLIC, CLIENT_SECRET, SERVER_PUBLIC)
    return ConnectionConfig(
        socket_type, frozenset({peer}), mechanism="CURVE", as_server=server, credentials=keys, **options
    )


class Pair:
    """Two connections mouth to mouth, whose greetings tell a version."""

    def __init__(self, left: ConnectionConfig, right: ConnectionConfig, version: str) -> None:
        self.left, self.right = Connection(left, bound=False), Connection(right, bound=True)
        self.sent = {self.left: bytearray(), self.right: bytearray()}
        self._minor = MINORS[version]
        self.left.start(0.0)
        self.right.start(0.0)
        self.pump()
        assert (self.left.ready, self.right.ready) == (True, True)
        self.events(self.left)
        self.events(self.right)

    def pump(self) -> None:
        """Pass on what either side's control plane has to say, until silence."""
        moving = True
        while moving:
            moving = False
            for sender, receiver in ((self.left, self.right), (self.right, self.left)):
                data = bytearray(b"".join(sender.data_to_send()))
                if data:
                    moving = True
                    start = len(self.sent[sender])
                    if start <= 11 < start + len(data):
                        data[11 - start] = self._minor
                    self.sent[sender] += data
                    receiver.receive_data(bytes(data), 0.0)

    @staticmethod
    def events(connection: Connection) -> list[Any]:
        """The events of a side since the last call."""
        return list(iter(connection.next_event, None))


@pytest.mark.parametrize("version", MINORS)
@pytest.mark.parametrize("we_are_server", [True, False])
def test_v48_subscribe_and_cancel(version: str, we_are_server: bool) -> None:
    """As commands from 3.1 on, as messages before: the publisher's events are the same, and nothing is readable."""
    pair = Pair(
        curve_config("SUB", "XPUB", server=not we_are_server),
        curve_config("XPUB", "SUB", server=we_are_server), version,
    )  # fmt: skip
    assert tuple(map(int, version.split("."))) == pair.left.peer.version
    for subscribe, kind in ((True, Subscribed), (False, Cancelled)):
        data = pair.left.encode_subscription(b"topic", subscribe)
        assert b"topic" not in data
        assert data.startswith(encode_frame(0, bytes(len(data) - 2))[:2] + b"\x07MESSAGE")
        assert [] == pair.right.receive_data(data, 0.0)
        (event,) = pair.events(pair.right)
        assert (kind, b"topic") == (type(event), event.topic)


@pytest.mark.parametrize("version", MINORS)
def test_v48_ping_and_pong(version: str) -> None:
    """A PING with a context comes back as the event of its echo, and both are sealed."""
    pair = Pair(curve_config("PUSH", "PULL", server=False), curve_config("PULL", "PUSH", server=True), version)
    before = len(pair.sent[pair.left])
    pair.left.send_ping(b"are you there")
    pair.pump()
    (event,) = pair.events(pair.left)
    assert (Ponged, b"are you there") == (type(event), event.context)
    for side in (pair.left, pair.right):
        assert b"PING" not in pair.sent[side]
        assert b"PONG" not in pair.sent[side]
    assert len(pair.sent[pair.left]) > before


@pytest.mark.parametrize("version", MINORS)
def test_v48_join_and_leave(version: str) -> None:
    """Groups of a DISH are sealed, too."""
    pair = Pair(curve_config("DISH", "RADIO", server=False), curve_config("RADIO", "DISH", server=True), version)
    for join, kind in ((True, Joined), (False, Left)):
        data = pair.left.encode_subscription(b"group", join)
        assert b"group" not in data
        assert [] == pair.right.receive_data(data, 0.0)
        (event,) = pair.events(pair.right)
        assert (kind, b"group") == (type(event), event.group)


def test_v48_command_queued_before_messages_may_leave_after_them() -> None:
    """A PONG that waits is sealed when it leaves: its nonce is larger than those of what went before it."""
    pair = Pair(curve_config("DEALER", "ROUTER", server=False), curve_config("ROUTER", "DEALER", server=True), "3.1")
    pair.right._heartbeat = Heartbeat(0.0, None, 0.0)
    pair.left.send_ping(b"first")
    assert pair.left.has_control
    messages = b"".join(pair.left.encode([b"a", b"b"]))
    assert [b"a", b"b"] == pair.right.receive_data(messages, 0.0)
    assert [] == pair.right.receive_data(b"".join(pair.left.data_to_send()), 0.0)
    answers = b"".join(pair.right.encode([b"c"]))
    assert [b"c"] == pair.left.receive_data(answers, 0.0)
    pair.pump()
    assert [b"first"] == [event.context for event in pair.events(pair.left)]
    assert (False, False) == (pair.left.closed, pair.right.closed)


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    """A function that starts a relay in front of an endpoint."""
    relays: list[Relay] = []

    def make(endpoint: str, minor: int) -> Relay:
        relays.append(Relay(endpoint, minor))
        return relays[-1]

    yield make
    for started in relays:
        started.close()


@pytest.mark.parametrize("we_are_server", [True, False], ids=["we-are-server", "we-are-client"])
@pytest.mark.parametrize("version", MINORS)
def test_v48_our_subscriptions_at_libzmq(
    make_socket: MakeSocket, libzmq: Any, relay: Callable[..., Relay], version: str, we_are_server: bool
) -> None:
    """libzmq's XPUB reads our subscription and its end, and we get what we subscribed to."""
    sub = make_socket(zmq.SUB, **security_options("CURVE", server=we_are_server))
    libzmq.open("s", "XPUB", **security_options("CURVE", server=not we_are_server))
    sub.connect(relay(libzmq.bind("s", "tcp://127.0.0.1:*"), MINORS[version]).endpoint)
    sub.setsockopt(zmq.SUBSCRIBE, b"news")
    assert [b"\x01news"] == libzmq.recv("s")
    libzmq.send("s", [b"weather", b"rain"])
    libzmq.send("s", [b"news", b"good"])
    assert [b"news", b"good"] == sub.recv_multipart()
    sub.setsockopt(zmq.UNSUBSCRIBE, b"news")
    assert [b"\x00news"] == libzmq.recv("s")


@pytest.mark.parametrize("we_are_server", [True, False], ids=["we-are-server", "we-are-client"])
@pytest.mark.parametrize("version", MINORS)
def test_v48_libzmqs_subscriptions_at_ours(
    make_socket: MakeSocket, libzmq: Any, relay: Callable[..., Relay], version: str, we_are_server: bool
) -> None:
    """Our XPUB reads libzmq's subscription and its end."""
    xpub = make_socket(zmq.XPUB, **security_options("CURVE", server=we_are_server))
    libzmq.open("s", "SUB", **security_options("CURVE", server=not we_are_server))
    libzmq.connect("s", relay(bind(xpub, "tcp"), MINORS[version]).endpoint)
    libzmq.set("s", "SUBSCRIBE", b"news")
    assert b"\x01news" == xpub.recv()
    xpub.send_multipart([b"news", b"good"])
    assert [b"news", b"good"] == libzmq.recv("s")
    libzmq.set("s", "UNSUBSCRIBE", b"news")
    assert b"\x00news" == xpub.recv()


@pytest.mark.parametrize("we_are_server", [True, False], ids=["we-are-server", "we-are-client"])
@pytest.mark.parametrize("version", MINORS)
def test_v48_heartbeats_with_libzmq(
    make_socket: MakeSocket, libzmq: Any, relay: Callable[..., Relay], version: str, we_are_server: bool
) -> None:
    """Both sides ping several times, and neither takes the other for dead or for a forger."""
    options = {"heartbeat_ivl": 20, "heartbeat_timeout": 2000}
    ours = make_socket(zmq.DEALER, **options, **security_options("CURVE", server=we_are_server))
    libzmq.open("s", "DEALER", **options, **security_options("CURVE", server=not we_are_server))
    endpoint = relay(bind(ours, "tcp"), MINORS[version]).endpoint
    with EventWatch(ours) as events:
        libzmq.connect("s", endpoint)
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        assert events.next(0.3) is None  # some fifteen PINGs each way, and no end of the connection
        for number in range(5):
            ours.send(b"%d" % number)
            assert [b"%d" % number] == libzmq.recv("s")
            libzmq.send("s", [b"back"])
            assert b"back" == ours.recv()


def test_v48_radio_and_dish_over_curve(make_socket: MakeSocket) -> None:
    """JOIN and LEAVE between sockets of ours; libzmq's wheel has no draft types."""
    radio = make_socket(zmq.RADIO, **security_options("CURVE", server=True))
    dish = make_socket(zmq.DISH, **security_options("CURVE", server=False))
    link(radio, dish)
    dish.join("group")
    for _ in range(500):
        radio.send(b"hello", group="group")
        if dish.poll(10):
            break
    assert b"hello" == dish.recv()


def test_v48_fan_out_over_curve(make_socket: MakeSocket) -> None:
    """A PUB's messages are sealed for each subscriber alone, and all of them arrive in order."""
    pub = make_socket(zmq.PUB, **security_options("CURVE", server=True))
    subs = [make_socket(zmq.SUB, **security_options("CURVE", server=False)) for _ in range(3)]
    link(pub, *subs)
    for sub in subs:
        subscribe_and_wait(pub, sub, b"t")
    for number in range(500):
        pub.send(b"topic %d" % number)
    for sub in subs:
        got: list[bytes] = []
        while not got or got[-1] != b"topic 499":
            got.append(sub.recv())
        assert [b"topic %d" % number for number in range(500)] == got[-500:]
