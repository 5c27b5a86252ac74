"""What happens to queued messages when peers come and go: connect side, bind side, IMMEDIATE, CONFLATE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, bind_again, eventually, free_endpoint, link, try_recv, try_send, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize(("sender", "receiver"), [("PUSH", "PULL"), ("DEALER", "ROUTER"), ("PAIR", "PAIR")])
def test_messages_queued_before_bind_arrive(
    make_socket: MakeSocket, sender: str, receiver: str, transport: str
) -> None:
    """A connecting socket keeps what it can't send yet."""
    endpoint = free_endpoint(transport)
    source = make_socket(getattr(zmq, sender), reconnect_ivl=10)
    source.connect(endpoint)
    for number in range(20):
        source.send(b"%d" % number)
    sink = make_socket(getattr(zmq, receiver))
    bind_again(sink, endpoint)
    assert [b"%d" % number for number in range(20)] == [sink.recv_multipart()[-1] for _ in range(20)]


def test_inproc_messages_queued_before_bind_arrive(make_socket: MakeSocket) -> None:
    """Connect before bind works over inproc."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    push.connect("inproc://later")
    for number in range(20):
        push.send_multipart([b"%d" % number, b"x"])
    pull.bind("inproc://later")
    assert [[b"%d" % number, b"x"] for number in range(20)] == [pull.recv_multipart() for _ in range(20)]


def test_inproc_many_connect_before_bind(make_socket: MakeSocket) -> None:
    """Several sockets may wait for one bind, requests and replies included."""
    reqs = [make_socket(zmq.REQ) for _ in range(3)]
    for number, req in enumerate(reqs):
        req.connect("inproc://server-later")
        req.send(b"%d" % number)
    rep = make_socket(zmq.REP)
    rep.bind("inproc://server-later")
    for _ in reqs:
        rep.send(b"re " + rep.recv())
    assert [b"re 0", b"re 1", b"re 2"] == [req.recv() for req in reqs]


@pytest.mark.parametrize("sender", ["PUSH", "DEALER"])
def test_connect_side_queue_outlives_disconnect(make_socket: MakeSocket, sender: str) -> None:
    """What is sent while the peer is away goes to the next peer at the endpoint."""
    receiver = zmq.PULL if sender == "PUSH" else zmq.DEALER
    sink, source = make_socket(receiver), make_socket(getattr(zmq, sender), reconnect_ivl=10)
    endpoint = link(sink, source)
    with EventWatch(source) as events:
        sink.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    for number in range(50):
        assert try_send(source, b"%d" % number)
    again = make_socket(receiver)
    bind_again(again, endpoint)
    assert [b"%d" % number for number in range(50)] == [again.recv() for _ in range(50)]


@pytest.mark.parametrize("sender", ["PUSH", "DEALER"])
def test_bind_side_queue_ends_with_connection(make_socket: MakeSocket, sender: str) -> None:
    """A bound sender without a peer has no queue: it would block."""
    source = make_socket(getattr(zmq, sender))
    sink = make_socket(zmq.PULL if sender == "PUSH" else zmq.DEALER)
    link(source, sink)
    assert try_send(source, b"x")
    assert b"x" == sink.recv()
    with EventWatch(source) as events:
        sink.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    eventually(lambda: not source.poll(0, zmq.POLLOUT))
    assert not try_send(source, b"y")


def test_connected_publisher_keeps_queue_of_absent_subscriber(make_socket: MakeSocket) -> None:
    """A PUB that connects keeps the subscriptions and the queue of its endpoint over a disconnect."""
    sub, xpub = make_socket(zmq.SUB, subscribe=b""), make_socket(zmq.XPUB, reconnect_ivl=10)
    endpoint = link(sub, xpub)
    assert b"\x01" == xpub.recv()
    with EventWatch(xpub) as events:
        sub.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    for number in range(20):
        xpub.send(b"%d" % number)
    again = make_socket(zmq.SUB, subscribe=b"")
    bind_again(again, endpoint)
    assert [b"%d" % number for number in range(20)] == [again.recv() for _ in range(20)]


@effect_of("IMMEDIATE")
@pytest.mark.parametrize("kind", ["PUSH", "DEALER", "REQ"])
def test_immediate_has_no_queue_without_connection(make_socket: MakeSocket, kind: str) -> None:
    """IMMEDIATE=1: a connecting socket without a live peer would block."""
    source = make_socket(getattr(zmq, kind), immediate=1)
    source.connect(free_endpoint("tcp"))
    assert 0 == source.poll(50, zmq.POLLOUT)
    assert not try_send(source, b"x")


def test_immediate_load_balancer_uses_live_peers_only(make_socket: MakeSocket) -> None:
    """With IMMEDIATE everything goes to the one of two endpoints that answers."""
    push, pull = make_socket(zmq.PUSH, immediate=1), make_socket(zmq.PULL)
    push.connect(free_endpoint("tcp"))
    link(pull, push)
    for number in range(10):
        push.send(b"%d" % number)
    assert [b"%d" % number for number in range(10)] == [pull.recv() for _ in range(10)]


def test_immediate_sender_waits_for_reconnect(make_socket: MakeSocket) -> None:
    """After a disconnect an IMMEDIATE sender would block until its peer is back."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, immediate=1, reconnect_ivl=10)
    endpoint = link(pull, push)
    with EventWatch(push) as events:
        pull.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    eventually(lambda: not push.poll(0, zmq.POLLOUT))
    again = make_socket(zmq.PULL)
    bind_again(again, endpoint)
    assert zmq.POLLOUT == push.poll(5000, zmq.POLLOUT)
    push.send(b"x")
    assert b"x" == again.recv()


@effect_of("CONFLATE")
@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_conflate_keeps_newest_message(make_socket: MakeSocket, transport: str) -> None:
    """A conflating receiver that was slow gets the newest message only."""
    push, pull = make_socket(zmq.PUSH, conflate=1), make_socket(zmq.PULL, conflate=1)
    link(pull, push, transport=transport)
    for number in range(200):
        push.send(b"%d" % number)
    received = [int(pull.recv())]
    while received[-1] != 199:
        received.append(int(pull.recv()))
    assert sorted(set(received)) == received
    assert try_recv(pull, 20) is None


def test_conflating_subscriber_gets_last_value(make_socket: MakeSocket) -> None:
    """Over inproc the newest of a thousand messages is the only one."""
    xpub, sub = make_socket(zmq.XPUB, conflate=0), make_socket(zmq.SUB, conflate=1)
    link(xpub, sub, transport="inproc")
    sub.setsockopt(zmq.SUBSCRIBE, b"")
    assert b"\x01" == xpub.recv()
    for number in range(1000):
        xpub.send(b"%d" % number)
    assert b"999" == sub.recv()
    assert try_recv(sub) is None


@effect_of("LINGER")
def test_linger_delivers_after_close(make_socket: MakeSocket, make_context: Callable[[], Any]) -> None:
    """What was sent before close() and term() arrives, with the default LINGER."""
    pull, other = make_socket(zmq.PULL), make_context()
    endpoint = bind(pull, "tcp")
    push = other.socket(zmq.PUSH)
    push.connect(endpoint)
    for number in range(500):
        push.send(b"%d" % number * 100)
    push.close()
    other.term()
    assert [b"%d" % number * 100 for number in range(500)] == [pull.recv() for _ in range(500)]


@effect_of("LINGER")
def test_linger_zero_drops_at_close(make_socket: MakeSocket, make_context: Callable[[], Any]) -> None:
    """With LINGER=0 close() and term() return at once though messages wait for a peer."""
    endpoint, other = free_endpoint("tcp"), make_context()
    push = make_socket(zmq.PUSH, within=other)
    push.connect(endpoint)
    push.send(b"lost")
    push.close(0)
    other.term()


@effect_of("LINGER")
def test_linger_limits_wait_of_term(make_socket: MakeSocket, make_context: Callable[[], Any]) -> None:
    """LINGER is the longest that term() waits for an absent peer."""
    endpoint, other = free_endpoint("tcp"), make_context()
    push = make_socket(zmq.PUSH, within=other)
    push.connect(endpoint)
    push.send(b"lost")
    push.setsockopt(zmq.LINGER, 50)
    push.close()
    other.term()
