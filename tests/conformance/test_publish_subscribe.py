"""PUB, SUB, XPUB, XSUB: matching, reference counts, and the options of XPUB."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import (
    TIMEOUT_S,
    TRANSPORTS,
    bind,
    bind_again,
    eventually,
    link,
    purezmq_only,
    subscribe_and_wait,
    try_recv,
    try_send,
    zmq,
)
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


def xpub_and_sub(make_socket: MakeSocket, kind: int = zmq.SUB, transport: str = "tcp", **options: Any) -> Any:
    """An XPUB with options and one linked subscriber."""
    xpub, sub = make_socket(zmq.XPUB, **options), make_socket(kind)
    link(xpub, sub, transport=transport)
    return xpub, sub


@effect_of("SUBSCRIBE")
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("publisher", ["PUB", "XPUB"])
def test_only_matching_prefixes_arrive(make_socket: MakeSocket, publisher: str, transport: str) -> None:
    """A subscription is a prefix of the first part, compared by bytes."""
    pub, sub = make_socket(getattr(zmq, publisher)), make_socket(zmq.SUB)
    link(pub, sub, transport=transport)
    subscribe_and_wait(pub, sub, b"ab")
    for topic in (b"", b"a", b"b", b"xab", b"ab", b"abc"):
        pub.send_multipart([topic, b"ab"])
    assert [b"ab", b"ab"] == sub.recv_multipart()
    assert [b"abc", b"ab"] == sub.recv_multipart()
    assert try_recv(sub, 20) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_overlapping_subscriptions_deliver_once(make_socket: MakeSocket, transport: str) -> None:
    """A message that matches several subscriptions of a socket comes once."""
    xpub, sub = xpub_and_sub(make_socket, transport=transport)
    for topic in (b"", b"a", b"ab"):
        subscribe_and_wait(xpub, sub, topic)
    for message in (b"abc", b"end"):
        xpub.send(message)
    assert [b"abc", b"end"] == [sub.recv(), sub.recv()]


def test_each_subscriber_gets_own_topics(make_socket: MakeSocket) -> None:
    """Subscribers of one publisher don't see one another's topics."""
    xpub, subs = make_socket(zmq.XPUB), [make_socket(zmq.SUB) for _ in range(3)]
    link(xpub, *subs)
    for number, sub in enumerate(subs):
        subscribe_and_wait(xpub, sub, b"%d" % number)
    for number in range(3):
        xpub.send(b"%d" % number)
    assert [b"0", b"1", b"2"] == [sub.recv() for sub in subs]
    assert [None] * 3 == [try_recv(sub) for sub in subs]


def test_subscriber_of_two_publishers_gets_both(make_socket: MakeSocket) -> None:
    """A subscription holds for every publisher, also for one that is connected later."""
    sub, early, late = make_socket(zmq.SUB), make_socket(zmq.XPUB), make_socket(zmq.XPUB)
    link(early, sub)
    subscribe_and_wait(early, sub, b"t")
    link(late, sub)
    assert b"\x01t" == late.recv()
    early.send(b"t early")
    late.send(b"t late")
    assert {b"t early", b"t late"} == {sub.recv(), sub.recv()}


@effect_of("UNSUBSCRIBE")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_subscriptions_are_counted(make_socket: MakeSocket, transport: str) -> None:
    """A topic subscribed twice is given up with the second unsubscribe; XPUB sees the first and the last."""
    xpub, sub = xpub_and_sub(make_socket, transport=transport)
    sub.setsockopt(zmq.SUBSCRIBE, b"t")
    sub.setsockopt(zmq.SUBSCRIBE, b"t")
    assert b"\x01t" == xpub.recv()
    sub.setsockopt(zmq.UNSUBSCRIBE, b"t")
    xpub.send(b"t1")
    assert b"t1" == sub.recv()
    sub.setsockopt(zmq.UNSUBSCRIBE, b"t")
    assert b"\x00t" == xpub.recv()
    xpub.send(b"t2")
    assert try_recv(sub, 20) is None


def test_unsubscribe_of_unknown_topic_is_ignored(make_socket: MakeSocket) -> None:
    """No error, and nothing happens to the other topics."""
    xpub, sub = xpub_and_sub(make_socket)
    subscribe_and_wait(xpub, sub, b"t")
    sub.setsockopt(zmq.UNSUBSCRIBE, b"never")
    xpub.send(b"t")
    assert b"t" == sub.recv()


def test_xpub_sees_subscriber_leave(make_socket: MakeSocket) -> None:
    """The topics of a subscriber that closes are cancelled for it."""
    xpub, sub = xpub_and_sub(make_socket)
    subscribe_and_wait(xpub, sub, b"a")
    sub.close()
    assert b"\x00a" == xpub.recv()


def test_xpub_tells_topic_of_two_subscribers_once(make_socket: MakeSocket) -> None:
    """Only the first subscription to a topic and the last cancellation surface."""
    xpub, subs = make_socket(zmq.XPUB), [make_socket(zmq.SUB), make_socket(zmq.SUB)]
    link(xpub, *subs, transport="inproc")
    for sub in subs:
        sub.setsockopt(zmq.SUBSCRIBE, b"t")
    assert b"\x01t" == xpub.recv()
    subs[0].setsockopt(zmq.UNSUBSCRIBE, b"t")
    assert try_recv(xpub) is None
    subs[1].setsockopt(zmq.UNSUBSCRIBE, b"t")
    assert b"\x00t" == xpub.recv()


@effect_of("XPUB_VERBOSE", "XPUB_VERBOSER")
@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("xpub_verbose", [b"\x01t", b"\x01t", b"\x00t"]),
        ("xpub_verboser", [b"\x01t", b"\x01t", b"\x00t", b"\x00t"]),
    ],
)
def test_verbose_xpub_tells_duplicates(make_socket: MakeSocket, option: str, expected: list[bytes]) -> None:
    """XPUB_VERBOSE surfaces every subscription, XPUB_VERBOSER every cancellation, too."""
    xpub, subs = make_socket(zmq.XPUB, **{option: 1}), [make_socket(zmq.SUB), make_socket(zmq.SUB)]
    link(xpub, *subs, transport="inproc")
    received = []
    for name in (zmq.SUBSCRIBE, zmq.UNSUBSCRIBE):
        for sub in subs:
            sub.setsockopt(name, b"t")
        received += iter(lambda: try_recv(xpub), None)
    assert [[message] for message in expected] == received


@effect_of("XPUB_MANUAL")
def test_manual_xpub_decides_on_subscriptions(make_socket: MakeSocket) -> None:
    """With XPUB_MANUAL the application's answer is what the subscriber gets."""
    xpub, sub = xpub_and_sub(make_socket, xpub_manual=1)
    sub.setsockopt(zmq.SUBSCRIBE, b"A")
    assert b"\x01A" == xpub.recv()
    xpub.setsockopt(zmq.SUBSCRIBE, b"XA")
    sub.setsockopt(zmq.SUBSCRIBE, b"XA")  # past the subscriber's own filter
    assert b"\x01XA" == xpub.recv()
    for message in (b"A", b"XA"):
        xpub.send(message)
    assert b"XA" == sub.recv()
    xpub.setsockopt(zmq.UNSUBSCRIBE, b"XA")
    xpub.send(b"XA")
    assert try_recv(sub, 20) is None


@effect_of("XPUB_WELCOME_MSG")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_welcome_message_greets_subscriber(make_socket: MakeSocket, transport: str) -> None:
    """XPUB_WELCOME_MSG reaches each new subscriber that lets it through its filter."""
    xpub = make_socket(zmq.XPUB, xpub_welcome_msg=b"W")
    endpoint = bind(xpub, transport)
    sub = make_socket(zmq.SUB, subscribe=b"W")
    sub.connect(endpoint)
    assert b"\x01W" == xpub.recv()
    assert b"W" == sub.recv()


@effect_of("INVERT_MATCHING")
def test_inverted_matching_delivers_the_others(make_socket: MakeSocket) -> None:
    """With INVERT_MATCHING on both sides a subscription excludes."""
    xpub, sub = make_socket(zmq.XPUB, invert_matching=1), make_socket(zmq.SUB, invert_matching=1)
    link(xpub, sub)
    subscribe_and_wait(xpub, sub, b"no")
    for message in (b"no1", b"yes", b"no2", b"n"):
        xpub.send(message)
    assert [b"yes", b"n"] == [sub.recv(), sub.recv()]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_xsub_message_reaches_xpub_application(make_socket: MakeSocket, transport: str) -> None:
    """A message of an XSUB that is no subscription is a user message to XPUB."""
    xpub, xsub = xpub_and_sub(make_socket, zmq.XSUB, transport)
    xsub.send_multipart([b"user", b"message"])
    assert [b"user", b"message"] == xpub.recv_multipart()


def test_xsub_does_not_filter_itself(make_socket: MakeSocket) -> None:
    """What the publisher sends arrives at an XSUB, whatever it asked for."""
    xpub, xsub = xpub_and_sub(make_socket, zmq.XSUB, xpub_manual=1)
    xsub.send(b"\x01other")
    assert b"\x01other" == xpub.recv()
    xpub.setsockopt(zmq.SUBSCRIBE, b"topic")
    xpub.send(b"topic")
    assert b"topic" == xsub.recv()


def test_xsub_forwards_last_cancellation_only(make_socket: MakeSocket) -> None:
    """XSUB counts; a cancellation goes out when the count is zero."""
    xpub, xsub = xpub_and_sub(make_socket, zmq.XSUB, "inproc", xpub_verboser=1)
    for message in (b"\x01t", b"\x01t", b"\x00t", b"\x00t", b"\x01end"):
        xsub.send(message)
    assert [b"\x01t", b"\x01t", b"\x00t", b"\x01end"] == [xpub.recv() for _ in range(4)]


@pytest.mark.parametrize(("kind", "call"), [("PUB", "recv"), ("SUB", "send"), ("PUSH", "recv"), ("PULL", "send")])
def test_one_way_type_refuses_other_direction(make_socket: MakeSocket, kind: str, call: str) -> None:
    """PUB can't receive, SUB can't send: ENOTSUP."""
    socket = make_socket(getattr(zmq, kind))
    bind(socket, "inproc")
    with pytest.raises(zmq.ZMQError) as caught:
        socket.send(b"x") if call == "send" else socket.recv()
    assert zmq.ENOTSUP == caught.value.errno


def test_long_topics_match(make_socket: MakeSocket) -> None:
    """Topics around the 255 bytes of a short frame work."""
    xpub, sub = xpub_and_sub(make_socket)
    for length in (243, 244, 245, 246, 247, 253, 254, 256, 1000):
        topic = bytes([length % 251]) * length
        subscribe_and_wait(xpub, sub, topic)
        xpub.send(topic + b"!")
        assert topic + b"!" == sub.recv()


def test_many_topics_match_exactly(make_socket: MakeSocket) -> None:
    """A thousand subscriptions; each message comes once, and none that was not asked for."""
    xpub, sub = xpub_and_sub(make_socket, transport="inproc")
    for number in range(0, 1000, 2):
        subscribe_and_wait(xpub, sub, b"%04d" % number)
    for number in range(1000):
        assert try_send(xpub, b"%04d" % number)
    assert [b"%04d" % number for number in range(0, 1000, 2)] == [sub.recv() for _ in range(500)]


def test_subscriptions_return_after_reconnect(make_socket: MakeSocket) -> None:
    """A publisher that is bound again learns all subscriptions that are still held."""
    xpub, sub = make_socket(zmq.XPUB), make_socket(zmq.SUB, reconnect_ivl=10)
    endpoint = link(xpub, sub)
    for topic in (b"a", b"b", b"c"):
        subscribe_and_wait(xpub, sub, topic)
    sub.setsockopt(zmq.UNSUBSCRIBE, b"b")
    assert b"\x00b" == xpub.recv()
    xpub.close()
    again = make_socket(zmq.XPUB)
    bind_again(again, endpoint)
    eventually(lambda: sub.poll(0) or again.poll(10))  # libzmq's SUB subscribes again inside a call only
    assert {b"\x01a", b"\x01c"} == {again.recv(), again.recv()}
    again.send(b"c")
    assert b"c" == sub.recv()


@purezmq_only("libzmq's SUB subscribes again only when the application calls it")
def test_subscriptions_return_after_reconnect_without_a_call(make_socket: MakeSocket) -> None:
    """A publisher that is bound again learns the subscriptions though the subscriber does nothing."""
    xpub, sub = make_socket(zmq.XPUB), make_socket(zmq.SUB, reconnect_ivl=10)
    endpoint = link(xpub, sub)
    subscribe_and_wait(xpub, sub, b"a")
    xpub.close()
    again = make_socket(zmq.XPUB)
    again.bind(endpoint)
    assert b"\x01a" == again.recv()


@purezmq_only("libzmq sends the subscriptions of a bound SUB only when the application calls it")
def test_bound_subscriber_subscribes_without_a_call(make_socket: MakeSocket) -> None:
    """A publisher that connects to a bound SUB learns its subscriptions at once."""
    sub, xpub = make_socket(zmq.SUB, subscribe=b"t"), make_socket(zmq.XPUB)
    xpub.connect(bind(sub, "tcp"))
    assert b"\x01t" == xpub.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_message_comes_once_after_others_were_for_nobody(make_socket: Any, transport: str) -> None:
    """What a publisher sent to nobody leaves no trace on what it sends later, one by one, to a subscriber."""
    pub, sub = make_socket(zmq.PUB), make_socket(zmq.SUB)
    pub.send(b"to nobody")
    link(pub, sub, transport=transport)
    pub.send(b"to nobody yet")
    subscribe_and_wait(pub, sub)
    for number in range(5):
        assert not sub.poll(2)
        pub.send(b"%d" % number)
        assert b"%d" % number == sub.recv()
    assert not sub.poll(20)


@purezmq_only("libzmq loses it when its own threads did not have their turn either")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_subscription_that_has_arrived_counts_though_nobody_read_it(make_socket: Any, transport: str) -> None:
    """A thread that is busy right up to its send publishes to who subscribed meanwhile."""
    pub, sub = make_socket(zmq.PUB), make_socket(zmq.SUB)
    link(pub, sub, transport=transport)
    for number in range(50):
        topic = b"%d" % number
        pub.poll(1)  # the thread that waits reads by itself: no other one reads for the next ten milliseconds
        sub.setsockopt(zmq.SUBSCRIBE, topic)
        deadline = time.perf_counter() + 0.0003  # busy: nobody looks
        while time.perf_counter() < deadline:
            pass
        pub.send(topic)
        assert sub.poll(TIMEOUT_S * 1000), number
        assert topic == sub.recv()
