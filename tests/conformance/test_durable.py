"""`durable`: what is published while a subscriber is away waits for it, within bounds."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import bind, bind_again, eventually, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.peer_process import PeerProcess

pytestmark = purezmq_only("libzmq forgets a subscriber with its connection")

MakeSocket = Callable[..., Any]
TRANSPORTS = ("tcp", "ipc")
#: Bytes and seconds that no test reaches unless it wants to.
PLENTY = (100_000_000, 60.0)


def make_publisher(make_socket: MakeSocket, transport: str = "tcp", **settings: Any) -> tuple[Any, str]:
    """A publisher with durable subscribers, and where it is bound."""
    pub = make_socket(zmq.PUB, sndhwm=0)
    for name, value in {"durable": PLENTY, **settings}.items():
        setattr(pub, name, value)
    return pub, bind(pub, transport)


def make_subscriber(make_socket: MakeSocket, pub: Any, endpoint: str, name: bytes = b"A", topic: bytes = b"") -> Any:
    """A subscriber that the publisher knows."""
    sub = make_socket(zmq.SUB, routing_id=name, rcvhwm=0, reconnect_ivl=5)
    sub.subscribe(topic)
    sub.connect(endpoint)
    eventually(lambda: any(name == peer.routing_id and peer.subscriptions for peer in pub.peers()))
    return sub


def leave(pub: Any, sub: Any) -> None:
    """The subscriber closes, and the publisher has noticed."""
    left = len(pub.peers()) - 1
    sub.close(0)
    eventually(lambda: left == len(pub.peers()))


def publish(pub: Any, numbers: range, size: int = 0) -> None:
    for number in numbers:
        pub.send(b"%d" % number + b" " * size)


def recv_numbers(sub: Any, count: int) -> list[int]:
    return [int(sub.recv()) for _ in range(count)]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_messages_wait_for_subscriber_that_is_away(make_socket: MakeSocket, transport: str) -> None:
    """In order, without a gap, and none of topics that it doesn't want."""
    pub, endpoint = make_publisher(make_socket, transport)
    sub = make_subscriber(make_socket, pub, endpoint, topic=b"1")
    publish(pub, range(10, 20))
    assert list(range(10, 20)) == recv_numbers(sub, 10)
    leave(pub, sub)
    pub.send(b"2")
    publish(pub, range(100, 150))
    stats = pub.stats()
    assert (50, 0) == (stats.queued, stats.dropped)
    assert [(b"A", False, 50)] == [(peer.routing_id, peer.connected, peer.queued) for peer in stats.peers]
    sub = make_subscriber(make_socket, pub, endpoint, topic=b"1")
    publish(pub, range(150, 160))
    assert list(range(100, 160)) == recv_numbers(sub, 60)
    assert try_recv(sub, 10) is None
    after = pub.stats()
    assert (70, 0, 0, 1) == (after.sent, after.queued, after.dropped, after.reconnects)


def test_many_reconnects_while_publishing(make_socket: MakeSocket) -> None:
    """Whatever was published arrives once and in order, but for what was on its way when a connection broke."""
    pub, endpoint = make_publisher(make_socket)
    count, is_over = 0, False

    def publish_all() -> None:
        nonlocal count
        while not is_over:
            pub.send(b"%d" % count)
            count += 1
            if count % 200 == 0:
                time.sleep(0)

    got: list[int] = []
    sub = make_subscriber(make_socket, pub, endpoint)
    call = run_in_thread(publish_all)
    for _ in range(15):
        got.extend(recv_numbers(sub, 50))
        # An orderly end: what has arrived is read, what has not is on its way.
        sub.close(0)
        sub = make_socket(zmq.SUB, routing_id=b"A", rcvhwm=0)
        sub.subscribe(b"")
        sub.connect(endpoint)
    eventually(lambda: 15 == pub.stats().reconnects)
    is_over = True
    call.result()
    while not got or got[-1] != count - 1:
        got.append(int(sub.recv()))
    assert sorted(set(got)) == got
    stats = pub.stats()
    assert 0 == stats.queued
    assert 15 == stats.reconnects
    # What the kernel took and the closed socket didn't read is lost; the publisher counts what it knows of.
    assert count == stats.sent


def test_nothing_is_lost_while_nobody_listens(make_socket: MakeSocket) -> None:
    """A publisher that ends its side of the connection keeps what it couldn't write."""
    pub, endpoint = make_publisher(make_socket)
    sub = make_subscriber(make_socket, pub, endpoint)
    expected = 0
    for _ in range(20):
        publish(pub, range(expected, expected + 10))
        assert list(range(expected, expected + 10)) == recv_numbers(sub, 10)
        leave(pub, sub)
        publish(pub, range(expected + 10, expected + 20))
        sub = make_subscriber(make_socket, pub, endpoint)
        assert list(range(expected + 10, expected + 20)) == recv_numbers(sub, 10)
        expected += 20
    assert {} == dict(pub.stats().dropped_by_reason)


def test_bytes_are_bounded(make_socket: MakeSocket) -> None:
    """The first ones are kept, the others dropped and counted."""
    pub, endpoint = make_publisher(make_socket, durable=(1000, 60), swap=0)
    leave(pub, make_subscriber(make_socket, pub, endpoint))
    for _ in range(30):
        pub.send(b"x" * 100)
    stats = pub.stats()
    assert (10, 1000, {"newest": 20}) == (stats.queued, stats.queued_bytes, dict(stats.dropped_by_reason))
    sub = make_subscriber(make_socket, pub, endpoint)
    assert [b"x" * 100] * 10 == [sub.recv() for _ in range(10)]
    assert try_recv(sub, 10) is None


@pytest.mark.parametrize("was_spilling", [False, True])
def test_swap_is_used_and_bounded(make_socket: MakeSocket, tmp_path: Path, was_spilling: bool) -> None:
    """What exceeds the high-water mark is on disk, and all of it within the bytes for this subscriber."""
    pub, endpoint = make_publisher(
        make_socket, durable=(1_000_000, 60), sndhwm=10, swap=50_000_000, swap_dir=str(tmp_path),
        overflow="spill", sndbuf=20_000,
    )  # fmt: skip
    sub = make_subscriber(make_socket, pub, endpoint)
    if was_spilling:
        sub.rcvhwm_bytes, sub.rcvhwm = 1, 1
        pub.setsockopt(zmq.SNDBUF, 20_000)
        for number in range(700):
            pub.send(b"%d" % number + b" " * 9990)
    leave(pub, sub)
    before = pub.stats()
    for number in range(700, 1000):
        pub.send(b"%d" % number + b" " * 9990)
    stats = pub.stats()
    assert before.sent + 300 == stats.sent
    assert stats.queued_bytes <= max(1_000_000, before.queued_bytes)
    assert before.sent == 700 * was_spilling
    assert stats.spilled
    assert {"newest": stats.dropped - before.dropped} == {
        reason: count - before.dropped_by_reason.get(reason, 0)
        for reason, count in stats.dropped_by_reason.items()
        if reason == "newest"
    }
    sub = make_subscriber(make_socket, pub, endpoint)
    numbers = recv_numbers(sub, stats.queued)
    assert sorted(set(numbers)) == numbers
    assert try_recv(sub, 10) is None
    pub.send(b"1000")
    assert b"1000" == sub.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_subscriber_expires(make_socket: MakeSocket, transport: str) -> None:
    """With its subscriptions and all that waits, which is counted."""
    pub, endpoint = make_publisher(make_socket, transport, durable=(1_000_000, 0.05))
    leave(pub, make_subscriber(make_socket, pub, endpoint))
    publish(pub, range(5))
    eventually(lambda: {"expired": 5} == dict(pub.stats().dropped_by_reason))
    assert () == pub.stats().peers
    publish(pub, range(5))
    assert (5, 0) == (pub.stats().sent, pub.stats().queued)
    sub = make_subscriber(make_socket, pub, endpoint)
    pub.send(b"1")
    assert b"1" == sub.recv()


def test_too_many_are_away(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that has been longest is forgotten for the next."""
    monkeypatch.setattr("purezmq.engine.durable.MAX_PARKED", 3)
    pub, endpoint = make_publisher(make_socket)
    for name in (b"A", b"B", b"C", b"D", b"E"):
        leave(pub, make_subscriber(make_socket, pub, endpoint, name))
        pub.send(b"x")
    assert [b"C", b"D", b"E"] == [peer.routing_id for peer in pub.stats().peers]
    # A had 3 when D came, B had 3 when E came.
    assert {"expired": 6} == dict(pub.stats().dropped_by_reason)


def test_dead_peer_is_replaced(make_socket: MakeSocket, make_peer: Callable[..., PeerProcess]) -> None:
    """Nobody has noticed that the old connection is dead when the subscriber comes again: the newer one counts."""
    pub, endpoint = make_publisher(make_socket)
    peer = make_peer()
    peer.open("sub", "SUB", routing_id=b"A", subscribe=b"")
    peer.connect("sub", endpoint)
    eventually(lambda: pub.peers() and pub.peers()[0].subscriptions)
    pub.send(b"0")
    assert [b"0"] == peer.recv("sub")
    pid = peer._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        sub = make_socket(zmq.SUB, routing_id=b"A")
        sub.subscribe(b"")
        sub.connect(endpoint)
        eventually(lambda: 1 == pub.stats().reconnects)
        assert 1 == len(pub.peers())
        publish(pub, range(1, 20))
        assert list(range(1, 20)) == recv_numbers(sub, 19)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_killed_process_comes_back(make_socket: MakeSocket, make_peer: Callable[..., PeerProcess]) -> None:
    """kill -9 is how subscribers go away, too."""
    pub, endpoint = make_publisher(make_socket)
    peer = make_peer()
    peer.open("sub", "SUB", routing_id=b"A", subscribe=b"")
    peer.connect("sub", endpoint)
    eventually(lambda: pub.peers() and pub.peers()[0].subscriptions)
    publish(pub, range(3))
    assert [[b"0"], [b"1"], [b"2"]] == [peer.recv("sub") for _ in range(3)]
    peer.kill()
    eventually(lambda: not pub.peers())
    publish(pub, range(3, 20))
    sub = make_subscriber(make_socket, pub, endpoint)
    assert list(range(3, 20)) == recv_numbers(sub, 17)


@pytest.mark.parametrize("case", ["default", "no-id", "inproc"])
def test_subscriber_is_not_kept(make_socket: MakeSocket, case: str) -> None:
    """By default; without a routing id; over inproc, where nothing breaks."""
    pub = make_socket(zmq.PUB)
    if case != "default":
        pub.durable = PLENTY
    endpoint = bind(pub, "inproc" if case == "inproc" else "tcp")
    sub = make_socket(zmq.SUB, **({} if case == "no-id" else {"routing_id": b"A"}))
    sub.subscribe(b"")
    sub.connect(endpoint)
    eventually(lambda: any(peer.subscriptions for peer in pub.peers()))
    leave(pub, sub)
    pub.send(b"x")
    assert ((), 0, 0) == (pub.stats().peers, pub.stats().queued, pub.stats().sent)


@pytest.mark.parametrize("how", ["close", "linger", "term", "none"])
def test_end_with_subscribers_away(make_context: Any, make_socket: MakeSocket, tmp_path: Path, how: str) -> None:
    """Nobody will come for it: close and term don't wait, whatever LINGER says; setting None forgets them as well."""
    context = make_context()
    pub = make_socket(zmq.PUB, within=context, linger=-1, sndhwm=5)
    pub.durable, pub.swap_dir = PLENTY, str(tmp_path)
    endpoint = bind(pub, "tcp")
    leave(pub, make_subscriber(make_socket, pub, endpoint))
    publish(pub, range(100))
    if how == "none":
        pub.durable = None
        assert () == pub.stats().peers
        assert {"disconnected": 100} == dict(pub.stats().dropped_by_reason)
    elif how == "close":
        pub.close(0)
    elif how == "linger":
        pub.close()
    if how != "none":
        bind_again(make_socket(zmq.PUB), endpoint) if how != "term" else None
    if how == "term":
        pub.close()
    pub.close()
    run_in_thread(context.term).result()


def test_publisher_is_not_slowed_by_full_absent_subscriber(make_socket: MakeSocket) -> None:
    """A live one gets everything in batches, as from a publisher that looks at each message for another reason."""
    pub, endpoint = make_publisher(make_socket, durable=(1000, 60), swap=0)
    live = make_subscriber(make_socket, pub, endpoint, b"L")

    def measure() -> float:
        began = time.process_time()
        for _ in range(10_000):
            pub.send(b"x" * 50)
        took = time.process_time() - began
        assert {b"x" * 50} == {live.recv() for _ in range(10_000)}
        return took

    pub.last_value_cache = 1
    alone = min(measure() for _ in range(3))
    pub.last_value_cache = 0
    leave(pub, make_subscriber(make_socket, pub, endpoint))
    with_absent = min(measure() for _ in range(3))
    assert with_absent < 10 * alone, (alone, with_absent)


def test_bytes_of_absent_subscriber_count_for_the_context(context: Any, make_socket: MakeSocket) -> None:
    """`max_bytes` is about all queues; the limits follow when they are changed."""
    pub, endpoint = make_publisher(make_socket, swap=0)
    leave(pub, make_subscriber(make_socket, pub, endpoint))
    publish(pub, range(10), 99)
    context.max_bytes = 2000
    eventually(lambda: 1000 == context.budget.used)
    publish(pub, range(10, 30), 98)
    assert 2000 == pub.stats().queued_bytes == context.budget.used
    context.max_bytes = 0
    pub.durable = (3000, 60)
    publish(pub, range(10, 30), 98)
    assert 3000 == pub.stats().queued_bytes
    sub = make_subscriber(make_socket, pub, endpoint)
    assert 30 == len(recv_numbers(sub, 30))


def test_durable_set_after_subscriber_came(make_socket: MakeSocket) -> None:
    """It counts from then on, also for a second connection with the same id."""
    pub = make_socket(zmq.PUB)
    endpoint = bind(pub, "tcp")
    first = make_subscriber(make_socket, pub, endpoint)
    pub.durable = PLENTY
    second = make_socket(zmq.SUB, routing_id=b"A")
    second.subscribe(b"")
    second.connect(endpoint)
    eventually(lambda: 1 == pub.stats().reconnects)
    first.close(0)
    publish(pub, range(10))
    assert list(range(10)) == recv_numbers(second, 10)
    assert 1 == len(pub.stats().peers)


@pytest.mark.parametrize("wrong", [(0, 1), (1, 0), (-1, 5)])
def test_wrong_limits_are_refused(make_socket: MakeSocket, wrong: Any) -> None:
    """EINVAL; and on any type that doesn't publish."""
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.PUB).durable = wrong
    assert zmq.EINVAL == caught.value.errno
    with pytest.raises(zmq.ZMQError, match="PUB"):
        make_socket(zmq.SUB).durable = PLENTY
