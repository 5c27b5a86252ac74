"""What subscribers may ask of a publisher: any topics in any order, up to the limits, and nothing of it is kept."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import bind, eventually, link, purezmq_only, try_recv, zmq
from tests.support.echo_process import EchoProcess
from tests.support.memory import resident_bytes
from tests.support.raw_peer import RawPeer
from tests.support.scale import scaled

from purezmq import limits
from purezmq.patterns.topic_limits import UnreadTopics

MakeSocket = Callable[..., Any]


def subscribe(topic: bytes) -> bytes:
    """The frame of a SUBSCRIBE command."""
    return frame(b"\x09SUBSCRIBE" + topic, 4)


def cancel(topic: bytes) -> bytes:
    """The frame of a CANCEL command."""
    return frame(b"\x06CANCEL" + topic, 4)


def frame(body: bytes, flags: int = 0) -> bytes:
    """A frame."""
    size = len(body)
    return (bytes([flags, size]) if size < 256 else bytes([flags | 2]) + size.to_bytes(8, "big")) + body


class PeerOfType:
    """What the limits ask of a pipe."""

    def __init__(self, socket_type: str) -> None:
        self.peer = self
        self.socket_type = socket_type


def wait_until_read(raw: RawPeer) -> None:
    """The other side has handled everything that was sent."""
    raw.send(frame(b"\x04PING\0\0sync", 4))
    while raw.receive_frame() != (4, b"\x04PONGsync"):
        pass


@pytest.fixture
def low_recursion() -> Iterator[None]:
    """A stack on which nothing can recurse by the length of a topic."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len_of_stack() + 80)
    yield
    sys.setrecursionlimit(before)


def len_of_stack() -> int:
    """How deep this call is."""
    frame = sys._getframe()
    depth = 0
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return depth


@pytest.mark.parametrize("kind", ["SUBSCRIBE", "message"])
def test_v10_v51_topics_of_every_length(make_socket: MakeSocket, low_recursion: None, kind: str) -> None:
    """V10, V51: from nothing to 64 KiB; each is told to the application of an XPUB, and its end, too."""
    xpub = make_socket(zmq.XPUB, rcvhwm=0)
    with RawPeer.connect(bind(xpub, "tcp")) as raw:
        raw.shake_hands("SUB")
        for size in (0, 1, 2, 15_000, 15 << 10, 65_535, limits.MAX_TOPIC_SIZE):
            topic = b"t" * size
            raw.send(subscribe(topic) if kind == "SUBSCRIBE" else frame(b"\x01" + topic))
            assert b"\x01" + topic == xpub.recv()
            xpub.send(topic + b"!")
            assert topic + b"!" == raw.receive_frame()[1]
            raw.send(cancel(topic) if kind == "SUBSCRIBE" else frame(b"\x00" + topic))
            assert b"\x00" + topic == xpub.recv()


@purezmq_only("libzmq has no such limit")
@pytest.mark.parametrize("size", [limits.MAX_TOPIC_SIZE + 1, 8 << 20])
@pytest.mark.parametrize("kind", ["SUBSCRIBE", "message"])
def test_v10_topic_over_the_limit_ends_the_connection(
    make_socket: MakeSocket, low_recursion: None, size: int, kind: str
) -> None:
    """V10: closed, with an event and a count; a command by its header, before its body came."""
    pub = make_socket(zmq.PUB)
    with pub.events() as events, RawPeer.connect(bind(pub, "tcp")) as raw:
        raw.shake_hands("SUB")
        topic = bytes(size)
        raw.send(subscribe(topic)[:100] if kind == "SUBSCRIBE" else frame(b"\x01" + topic))
        raw.wait_until_closed()
        event = events.get(timeout=5)
        while event.kind != "limit_exceeded":
            event = events.get(timeout=5)
    assert event.reason == ("max_command_size" if kind == "SUBSCRIBE" else "max_topic_size")
    assert {event.reason: 1} == pub.stats().refusals


@purezmq_only("libzmq doesn't count them")
def test_v11_messages_of_subscribers_are_dropped_and_counted(start_server: Callable[..., EchoProcess]) -> None:
    """V11: a million messages to a PUB: memory stays, all are counted."""
    server = start_server()
    count = scaled(1_000_000, least=10_000) // 1000 * 1000
    with RawPeer.connect(server.pub_endpoint) as raw:
        raw.shake_hands("SUB")
        raw.send(frame(b"junk" + bytes(50)) * 1000)
        eventually(lambda: 1000 == server.stats()["pub_dropped"])
        before = resident_bytes(server.pid)
        for _ in range(count // 1000):
            raw.send(frame(b"junk" + bytes(50)) * 999 + b"\x01\x01u\x00\x01v")
        eventually(lambda: count + 1000 == server.stats()["pub_dropped"], 30)
    assert resident_bytes(server.pid) - before < 2 << 20


@settings(max_examples=30)  # each with sockets of its own
@given(
    st.lists(
        st.tuples(st.sampled_from([subscribe, cancel]), st.sampled_from([b"", b"a", b"ab", b"b", b"never"])),
        max_size=30,
    )
)
def test_v27_cancels_of_what_was_never_subscribed(steps: list[tuple[Callable[[bytes], bytes], bytes]]) -> None:
    """V27: any order of SUBSCRIBE and CANCEL gives what a set gives; a CANCEL of what isn't there is only counted."""
    context = zmq.Context()
    try:
        xpub = context.socket(zmq.XPUB, linger=0, rcvtimeo=5000)
        with RawPeer.connect(bind(xpub, "tcp")) as raw:
            raw.shake_hands("SUB")
            model: set[bytes] = set()
            unknown = 0
            for step, topic in steps:
                unknown += step is cancel and topic not in model
                (model.add if step is subscribe else model.discard)(topic)
            raw.send(b"".join(step(topic) for step, topic in steps) + subscribe(b"end"))
            while xpub.recv() != b"\x01end":
                pass
            assert tuple(sorted({*model, b"end"})) == xpub.peers()[0].subscriptions
            assert unknown == xpub.stats().refusals.get("unknown_cancel", 0)
    finally:
        context.destroy(0)


@pytest.mark.parametrize("kind", [zmq.PUB, zmq.XPUB])
def test_v28_empty_subscriptions_in_every_form(make_socket: MakeSocket, kind: int) -> None:
    """V28: empty SUBSCRIBE and CANCEL, 01 and 00 alone, more often than once, and cancels before subscriptions."""
    pub = make_socket(kind)
    with RawPeer.connect(bind(pub, "tcp")) as raw:
        raw.shake_hands("SUB")
        raw.send(cancel(b"") + frame(b"\x00") + subscribe(b"") + frame(b"\x01") + cancel(b"") + frame(b"\x00"))
        raw.send(frame(b"\x01") + frame(b""))
        wait_until_read(raw)
        pub.send(b"heard")
        assert (0, b"heard") == raw.receive_frame()


def test_v29_unexpected_messages_on_an_xpub(make_socket: MakeSocket) -> None:
    """V29: messages of any parts, subscriptions within them or not, reach the application or are understood."""
    randomness = random.Random(29)
    xpub = make_socket(zmq.XPUB, rcvhwm=0)
    with RawPeer.connect(bind(xpub, "tcp")) as raw:
        raw.shake_hands("XSUB")
        for _ in range(scaled(10_000, least=200)):
            parts = [
                randomness.choice([b"", b"\0", b"\1", b"\1a", b"\0a", b"u", b"\2"])
                for _ in range(randomness.randint(1, 6))
            ]
            raw.send(b"".join(frame(part, 1) for part in parts[:-1]) + frame(parts[-1]))
        raw.send(frame(b"last"))
        while (message := xpub.recv_multipart()) != [b"last"]:
            assert all(isinstance(part, bytes) for part in message)
        xpub.send(b"works")


@purezmq_only("libzmq has no such limits")
@pytest.mark.parametrize(("kind", "manual"), [(zmq.PUB, 0), (zmq.XPUB, 0), (zmq.XPUB, 1)])
def test_p12_topics_of_a_peer_and_of_a_socket(make_socket: MakeSocket, kind: int, manual: int) -> None:
    """P12: one more than either limit ends that subscriber's connection; the others keep theirs."""
    pub = make_socket(kind, xpub_manual=manual if kind == zmq.XPUB else 0)
    pub.max_topics_per_peer, pub.max_topics = 3, 5
    endpoint = bind(pub, "tcp")
    raws = []
    for topics in (b"abc", b"cde"):
        raw = RawPeer.connect(endpoint)
        raw.shake_hands("SUB")
        raw.send(b"".join(subscribe(bytes([topic])) for topic in topics) * 2)
        wait_until_read(raw)
        raws.append(raw)
    with RawPeer.connect(endpoint) as greedy:
        greedy.shake_hands("SUB")
        greedy.send(b"".join(subscribe(b"a%d" % index) for index in range(4)))
        greedy.wait_until_closed()
    # With XPUB_MANUAL no topic is anybody's before the application says so.
    limit = "max_topics_per_peer" if manual else "max_topics"
    assert {limit: 1} == pub.stats().refusals
    assert 2 == len(pub.peers())
    for raw in raws:
        raw.socket.close()


@purezmq_only("libzmq has no such limits")
def test_p12_proxy_has_the_topics_of_all_its_subscribers(make_socket: MakeSocket) -> None:
    """P12: an XSUB may have more than a SUB, in number and in bytes, but not all that there may be."""
    pub = make_socket(zmq.PUB)
    pub.max_topics_per_peer, pub.max_topics_per_proxy, pub.max_topics = 3, 5, 6
    pub.max_topic_bytes_per_peer, pub.max_topic_bytes_per_proxy = 4, 6
    with RawPeer.connect(bind(pub, "tcp")) as proxy:
        proxy.shake_hands("XSUB")
        proxy.send(b"".join(subscribe(b"%d" % index) for index in range(5)))
        wait_until_read(proxy)
        assert 5 == pub.topics_count
        proxy.send(subscribe(b"5"))
        proxy.wait_until_closed()
    eventually(lambda: 0 == pub.topics_count)
    with RawPeer.connect(pub.last_endpoint.decode()) as proxy, RawPeer.connect(pub.last_endpoint.decode()) as other:
        for raw in (proxy, other):
            raw.shake_hands("XSUB" if raw is proxy else "SUB")
        proxy.send(b"".join(subscribe(b"%d" % index) for index in range(5)))
        wait_until_read(proxy)
        other.send(subscribe(b"mine"))  # the proxy has left room
        wait_until_read(other)
        proxy.send(cancel(b"0") + subscribe(b"xy") + cancel(b"1") + subscribe(b"xy2"))
        proxy.wait_until_closed()
        pub.send(b"mine")
        assert (0, b"mine") == other.receive_frame()
    assert {"max_topics_per_proxy": 1, "max_topic_bytes_per_proxy": 1} == pub.stats().refusals


@purezmq_only("libzmq has no such limit")
def test_p12_bytes_of_topics_of_a_peer(make_socket: MakeSocket) -> None:
    """P12: 16 MiB of topics; what is cancelled makes room."""
    pub = make_socket(zmq.PUB)
    with RawPeer.connect(bind(pub, "tcp")) as raw:
        raw.shake_hands("SUB")
        size = limits.MAX_TOPIC_SIZE
        count = limits.MAX_TOPIC_BYTES_PER_PEER // size
        for index in range(count):
            raw.send(subscribe(b"%04d" % index + bytes(size - 4)))
        raw.send(cancel(b"0000" + bytes(size - 4)) + subscribe(bytes(size)))
        wait_until_read(raw)
        raw.send(subscribe(b"x"))
        raw.wait_until_closed()
    assert {"max_topic_bytes_per_peer": 1} == pub.stats().refusals
    eventually(lambda: 0 == pub.topics_count)


def test_p12_subscribers_of_our_own_process_are_free(make_socket: MakeSocket) -> None:
    """P12: over inproc no limit is checked."""
    pub, sub = make_socket(zmq.PUB), make_socket(zmq.SUB)
    pub.max_topics_per_peer = pub.max_topics = 2
    link(pub, sub, transport="inproc")
    for index in range(10):
        sub.subscribe(b"%d" % index)
    eventually(lambda: 10 == pub.topics_count)


@purezmq_only("libzmq keeps them without a limit")
def test_p12_xpub_whose_application_never_receives(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """P12: subscriptions that come and go are bounded in memory: those that don't fit are dropped and counted."""
    monkeypatch.setattr("purezmq.patterns.topic_limits.MAX_UNREAD_TOPIC_BYTES", 6600)
    xpub = make_socket(zmq.XPUB)
    with RawPeer.connect(bind(xpub, "tcp")) as raw:
        raw.shake_hands("SUB")
        raw.send((subscribe(b"t") + cancel(b"t")) * 100 + subscribe(b"t"))
        eventually(lambda: 101 == xpub.stats().dropped_by_reason.get("newest"))
        xpub.send(b"topic")  # the subscriptions took effect
        assert (0, b"topic") == raw.receive_frame()
        for index in range(100):
            assert (b"\x01t", b"\x00t")[index % 2] == xpub.recv()
        assert try_recv(xpub) is None
        raw.send(cancel(b"t"))
        assert b"\x00t" == xpub.recv()


@purezmq_only("libzmq keeps them without a limit")
def test_p12_peer_that_asks_and_cancels_takes_no_room_of_others(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P12: what waits of one peer is bounded; with XPUB_MANUAL, where a lost one would have no effect, it's cut off."""
    monkeypatch.setattr("purezmq.patterns.topic_limits.MAX_UNREAD_TOPIC_BYTES", 6600)
    monkeypatch.setattr("purezmq.patterns.topic_limits.MAX_UNREAD_TOPIC_BYTES_PER_PEER", 660)
    for manual in (0, 1):
        xpub = make_socket(zmq.XPUB, xpub_manual=manual)
        endpoint = bind(xpub, "tcp")
        with RawPeer.connect(endpoint) as greedy, RawPeer.connect(endpoint) as other:
            for raw in (greedy, other):
                raw.shake_hands("SUB")
            greedy.send((subscribe(b"t") + cancel(b"t")) * 100)
            if manual:
                greedy.wait_until_closed()
                eventually(lambda xpub=xpub: len(xpub.peers()) == 1)
                assert {"max_unread_topic_bytes": 1} == xpub.stats().refusals
            else:
                eventually(lambda xpub=xpub: 190 == xpub.stats().dropped_by_reason.get("newest"))
            other.send(subscribe(b"other"))
            told = []
            while told[-1:] != [b"\1other"]:
                told.append(xpub.recv())
            assert [(b"\1t", b"\0t")[index % 2] for index in range(10)] == told[:10]
            # What the greedy one had asked for when it was cut off is cancelled.
            assert told[10:-1] in ([], [b"\0t"])
            if manual:
                xpub.subscribe(b"other")
            xpub.send(b"other")
            assert (0, b"other") == other.receive_frame()
            assert 0 == xpub._pattern._unread.total


@purezmq_only("libzmq keeps them without a limit")
def test_p12_proxy_has_room_for_all_that_it_may_ask_for(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P12: while the application looks away nothing of it is lost: it would be missing upstream."""
    monkeypatch.setattr("purezmq.patterns.topic_limits.MAX_UNREAD_TOPIC_BYTES_PER_PEER", 680)
    xpub = make_socket(zmq.XPUB)
    topics = [b"%03d" % number for number in range(100)]
    with RawPeer.connect(bind(xpub, "tcp")) as raw:
        raw.shake_hands("XSUB")
        raw.send(b"".join(map(subscribe, topics)))
        wait_until_read(raw)
        assert [b"\1" + topic for topic in topics] == [xpub.recv() for _ in topics]
        assert "newest" not in xpub.stats().dropped_by_reason


@purezmq_only("libzmq keeps them without a limit")
@pytest.mark.parametrize("of_whom", ["PEER", "PROXY"])
def test_p12_limits_do_not_contradict_each_other(of_whom: str) -> None:
    """P12: what one may ask for has room while it's unread, and leaves as much for others."""
    most = getattr(limits, f"MAX_TOPICS_PER_{of_whom}")
    size = getattr(limits, f"MAX_TOPIC_BYTES_PER_{of_whom}") // most
    unread, pipe = UnreadTopics(), cast("Any", PeerOfType({"PEER": "SUB", "PROXY": "XSUB"}[of_whom]))
    body = b"\1" + bytes(size)
    cost = limits.UNREAD_TOPIC_CHARGE + len(body)
    unread.add(pipe, bytes((most - 1) * cost - limits.UNREAD_TOPIC_CHARGE))
    assert (most - 1) * cost == unread.total
    assert unread.has_room(pipe, body)
    assert 2 * (unread.total + cost) <= limits.MAX_UNREAD_TOPIC_BYTES


@pytest.mark.timeout(300)
def test_p12_flood_of_topics_is_cut_and_memory_comes_back(start_server: Callable[..., EchoProcess]) -> None:
    """P12: 500,000 random topics of one peer: cut at 100,000 with 64 MiB at most; after that they're gone."""
    limit = scaled(100_000, least=5000)
    server = start_server(0, {"max_topics_per_peer": limit})
    server.stats()
    randomness = random.Random(12)
    with RawPeer.connect(server.pub_endpoint) as raw:
        raw.shake_hands("SUB")
        raw.send(b"".join(subscribe(randomness.randbytes(size)) for size in range(8, 41)))
        wait_until_read(raw)
        quiet = float(server.ask(b"publish"))
    before = resident_bytes(server.pid)
    with RawPeer.connect(server.pub_endpoint) as raw:
        raw.shake_hands("SUB")
        flood = [
            b"".join(subscribe(randomness.randbytes(randomness.randint(8, 40))) for _ in range(1000))
            for _ in range(5 * limit // 1000)
        ]
        for piece in flood[: limit // 1000]:
            raw.send(piece)
        raw.socket.settimeout(100)
        wait_until_read(raw)
        assert limit <= server.stats()["topics"] + 5  # hardly two of them are the same
        peak = resident_bytes(server.pid) - before
        loaded = float(server.ask(b"publish"))
        for piece in flood[limit // 1000 :]:
            raw.send(piece)
        raw.wait_until_closed()
    eventually(lambda: 0 == server.stats()["topics"], 30)
    assert {"max_topics_per_peer": 1} == server.stats()["pub_refusals"]
    after = resident_bytes(server.pid) - before
    figures = f"{peak / (1 << 20):.1f} MiB, then {after / (1 << 20):.1f} MiB"
    print(f"{limit} topics: {figures}; p99 of a send {quiet * 1e6:.1f} us without them, {loaded * 1e6:.1f} us with")
    assert peak <= 64 << 20
    assert after <= 8 << 20
    assert loaded <= 2 * quiet + 0.000_02
