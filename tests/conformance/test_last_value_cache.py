"""`last_value_cache`: who subscribes late gets the last message of each topic first, and then what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.peer_process import PeerProcess

pytestmark = purezmq_only("libzmq's last value caching is a pattern of the guide, to be written by hand")

MakeSocket = Callable[..., Any]
TRANSPORTS = ("tcp", "ipc", "inproc")


def make_publisher(make_socket: MakeSocket, transport: str, kind: int = zmq.PUB, **settings: Any) -> tuple[Any, str]:
    """A publisher with a cache, and where it is bound."""
    pub = make_socket(kind)
    for name, value in {"last_value_cache": 100, **settings}.items():
        setattr(pub, name, value)
    return pub, bind(pub, transport)


def make_subscriber(make_socket: MakeSocket, endpoint: str, *topics: bytes, **options: Any) -> Any:
    """A subscriber that connects after it has subscribed."""
    sub = make_socket(zmq.SUB, **options)
    for topic in topics:
        sub.subscribe(topic)
    sub.connect(endpoint)
    return sub


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", [zmq.PUB, zmq.XPUB])
def test_late_subscriber_gets_last_of_each_topic_once(make_socket: MakeSocket, transport: str, kind: int) -> None:
    """In the order of publication, before anything newer."""
    pub, endpoint = make_publisher(make_socket, transport, kind)
    for number in range(30):
        pub.send_multipart([b"t%d" % (number % 3), b"%d" % number])
    pub.send_multipart([b"other", b"x"])
    sub = make_subscriber(make_socket, endpoint, b"t")
    assert [b"27", b"28", b"29"] == [sub.recv_multipart()[1] for _ in range(3)]
    pub.send_multipart([b"t0", b"30"])
    assert [b"t0", b"30"] == sub.recv_multipart()
    assert try_recv(sub, 10) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_second_subscription_brings_only_what_is_new(make_socket: MakeSocket, transport: str) -> None:
    """What the first one matched the peer has got."""
    pub, endpoint = make_publisher(make_socket, transport)
    for topic in (b"a", b"ab", b"abc", b"b"):
        pub.send(topic)
    sub = make_subscriber(make_socket, endpoint, b"ab")
    assert [b"ab", b"abc"] == [sub.recv(), sub.recv()]
    sub.subscribe(b"abc")
    sub.subscribe(b"a")
    assert b"a" == sub.recv()
    sub.subscribe(b"")
    assert b"b" == sub.recv()
    assert try_recv(sub, 10) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_subscriber_during_publication_misses_and_doubles_nothing(make_socket: MakeSocket, transport: str) -> None:
    """Whenever its subscription comes: from the first number on it gets each, once."""
    pub, endpoint = make_publisher(make_socket, transport, sndhwm=0)
    count = 3000

    def publish() -> None:
        for number in range(count):
            pub.send_multipart([b"t", b"%d" % number])

    call = run_in_thread(publish)
    subs = [make_subscriber(make_socket, endpoint, b"t", rcvhwm=0) for _ in range(5)]
    for sub in subs:
        first = int(sub.recv_multipart()[1])
        assert list(range(first + 1, count)) == [int(sub.recv_multipart()[1]) for _ in range(first + 1, count)]
        assert try_recv(sub) is None
    call.result()


def test_message_that_nobody_heard_comes_once(make_socket: MakeSocket) -> None:
    """A publisher that nobody hears looks for subscriptions and tries again: the cache has given it already."""
    pub, endpoint = make_publisher(make_socket, "tcp")
    for number in range(20):
        sub = make_subscriber(make_socket, endpoint, b"%d." % number)
        topic = b"%d." % number
        rounds = 0
        while not sub.poll(0):
            pub.send_multipart([topic, b"%d" % rounds])
            rounds += 1
        got = [int(sub.recv_multipart()[1])]
        while (message := try_recv(sub, 5)) is not None:
            got.append(int(message[1]))
        assert list(range(got[0], rounds)) == got
        sub.close(0)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cache_is_bounded_and_resized_live(make_socket: MakeSocket, transport: str) -> None:
    """The topics published longest ago are forgotten; 0 forgets all."""
    pub, endpoint = make_publisher(make_socket, transport, last_value_cache=10)
    for number in range(50):
        pub.send(b"%d" % number)
    for size, expected in ((10, 10), (4, 4), (100, 4), (0, 0)):
        pub.last_value_cache = size
        sub = make_subscriber(make_socket, endpoint, b"")
        assert [b"%d" % number for number in range(50 - expected, 50)] == [sub.recv() for _ in range(expected)]
        eventually(lambda: any(peer.subscriptions for peer in pub.peers()))
        assert try_recv(sub, 10) is None
        sub.close(0)
        eventually(lambda: not pub.peers())
    pub.last_value_cache = 5
    pub.send(b"again")
    assert b"again" == make_subscriber(make_socket, endpoint, b"").recv()


def test_topic_is_what_conflate_key_says(make_socket: MakeSocket) -> None:
    """Also when it's set later."""
    pub, endpoint = make_publisher(make_socket, "inproc")
    for number in range(6):
        pub.send_multipart([b"x", b"k%d" % (number % 2), b"%d" % number])
    pub.conflate_key = 1
    for number in range(6, 8):
        pub.send_multipart([b"x", b"k%d" % (number % 2), b"%d" % number])
    sub = make_subscriber(make_socket, endpoint, b"x")
    assert [b"6", b"7"] == [sub.recv_multipart()[2] for _ in range(2)]
    with pytest.raises(IndexError):
        pub.conflate_key = lambda parts: parts[5]
        pub.send(b"x")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_manual_subscription_brings_last_values(make_socket: MakeSocket, transport: str) -> None:
    """Those of the topic that the application chose, when it does."""
    pub, endpoint = make_publisher(make_socket, transport, zmq.XPUB)
    pub.setsockopt(zmq.XPUB_MANUAL, 1)
    pub.send_multipart([b"asked", b"1"])
    pub.send_multipart([b"given", b"2"])
    sub = make_subscriber(make_socket, endpoint, b"")
    assert b"\x01" == pub.recv()
    pub.setsockopt(zmq.SUBSCRIBE, b"given")
    assert [b"given", b"2"] == sub.recv_multipart()
    pub.send_multipart([b"given", b"3"])
    assert [b"given", b"3"] == sub.recv_multipart()
    assert try_recv(sub, 10) is None


@pytest.mark.parametrize("policy", ["", "drop-oldest", "block", "error", "spill"])
@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_more_topics_than_the_queue_takes(make_socket: MakeSocket, transport: str, policy: str, tmp_path: Any) -> None:
    """What doesn't fit is dropped and counted, or spilled: nobody waits, and the connection stays."""
    pub, endpoint = make_publisher(
        make_socket, transport, last_value_cache=500, sndhwm=10, sndbuf=20_000, overflow=policy, swap_dir=str(tmp_path)
    )
    for number in range(500):
        pub.send_multipart([b"%d" % number, b"x" * 5000])
    sub = make_subscriber(make_socket, endpoint, b"", rcvhwm=10, rcvbuf=20_000)
    eventually(lambda: any(peer.subscriptions for peer in pub.peers()))
    eventually(lambda: 500 == pub.stats().sent)
    dropped = pub.stats().dropped
    assert (policy != "spill") == bool(dropped)
    numbers = [int(sub.recv_multipart()[0]) for _ in range(500 - dropped)]
    assert sorted(set(numbers)) == numbers
    assert try_recv(sub, 10) is None
    pub.send(b"after")
    assert b"after" == sub.recv()


def test_libzmq_subscriber_gets_last_values(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """It's nothing but messages."""
    pub, endpoint = make_publisher(make_socket, "tcp")
    for number in range(10):
        pub.send_multipart([b"t%d" % (number % 2), b"%d" % number])
    libzmq.open("sub", "SUB", subscribe=b"t")
    libzmq.connect("sub", endpoint)
    assert [b"t0", b"8"] == libzmq.recv("sub")
    assert [b"t1", b"9"] == libzmq.recv("sub")
    pub.send_multipart([b"t0", b"10"])
    assert [b"t0", b"10"] == libzmq.recv("sub")
    assert not libzmq.poll("sub", 10)


def test_tracked_message_is_free_although_cached(make_socket: MakeSocket) -> None:
    """The cache has a copy of what is the application's."""
    pub, endpoint = make_publisher(make_socket, "tcp")
    data = bytearray(b"x" * 100_000)
    tracker = pub.send(data, copy=False, track=True)
    tracker.wait(5)
    data[:] = bytes(100_000)
    assert b"x" * 100_000 == make_subscriber(make_socket, endpoint, b"").recv()


@pytest.mark.parametrize("kind", [zmq.PUSH, zmq.SUB, zmq.DEALER])
def test_cache_is_for_publishers(make_socket: MakeSocket, kind: int) -> None:
    """EINVAL for all others, and for negative numbers."""
    with pytest.raises(zmq.ZMQError, match="PUB") as caught:
        make_socket(kind).last_value_cache = 5
    assert zmq.EINVAL == caught.value.errno
    with pytest.raises(zmq.ZMQError):
        make_socket(zmq.PUB).last_value_cache = -1
