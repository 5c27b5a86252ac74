"""wait_for_subscribers and wait_subscribed: after them the next publication arrives, each time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, eventually, free_endpoint, purezmq_only, run_in_thread, zmq
from tests.support.fronts import Front

pytestmark = purezmq_only("libzmq loses what is sent before a subscription has arrived, and nobody can tell when")

#: Rounds of each test that repeats: 10,000 when asked for, else as many as fit into `ROUNDS_S` seconds.
ROUNDS = int(os.environ.get("PUREZMQ_TEST_ROUNDS", "0"))
ROUNDS_S = 0.5
PEERS = 2


def rounds() -> Iterator[int]:
    """Numbers of rounds, until it is enough."""
    end = time.monotonic() + ROUNDS_S
    number = 0
    while number < ROUNDS or (not ROUNDS and time.monotonic() < end):
        yield number
        number += 1


@pytest.mark.timeout(3600 if ROUNDS else 60)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", ["PUB", "XPUB"])
def test_first_publication_reaches_every_subscriber(front: Front, transport: str, kind: str) -> None:
    """Fresh subscribers in another thread, one publication, and all of them have it: always."""
    publisher = front.socket(getattr(zmq, kind))
    endpoint = bind(publisher, transport)
    context = zmq.Context.shadow(front.context.underlying)
    for number in rounds():
        topic = b"%d." % number

        def subscribe(topic: bytes = topic) -> list[bytes]:
            got = []
            with context.socket(zmq.SUB) as first, context.socket(zmq.SUB) as second:
                for subscriber in (first, second):
                    subscriber.linger = 0
                    subscriber.rcvtimeo = int(TIMEOUT_S * 1000)
                    subscriber.subscribe(topic)
                    subscriber.connect(endpoint)
                got += [first.recv(), second.recv()]
            return got

        receiving = run_in_thread(subscribe)
        assert PEERS == front.call(publisher.wait_for_subscribers, PEERS, topic, TIMEOUT_S)
        front.call(publisher.send, topic)
        assert [topic] * PEERS == receiving.result()


@pytest.mark.timeout(3600 if ROUNDS else 60)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bound", ["publisher", "subscriber"])
def test_first_publication_after_confirmation_arrives(front: Front, transport: str, bound: str) -> None:
    """One subscription after the other: each is known to the publisher when the wait is over."""
    publisher, subscriber = front.plain(zmq.PUB), front.socket(zmq.SUB)
    binder, connector = (publisher, subscriber) if bound == "publisher" else (subscriber, publisher)
    connector.connect(bind(binder, transport))
    for number in rounds():
        topic = b"%d." % number
        subscriber.subscribe(topic)
        front.call(subscriber.wait_subscribed, TIMEOUT_S)
        publisher.send(topic)
        assert topic == front.call(subscriber.recv, timeout=TIMEOUT_S)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_prefixes_count(front: Front, transport: str) -> None:
    """A peer counts when one of its subscriptions begins the topic; without a topic when it has any."""
    publisher = front.socket(zmq.PUB)
    endpoint = bind(publisher, transport)
    subscribers = [front.plain(zmq.SUB) for _ in range(4)]
    for subscriber, topics in zip(subscribers, ([b"a"], [b"ab", b"a"], [b""], []), strict=True):
        for topic in topics:
            subscriber.subscribe(topic)
        subscriber.connect(endpoint)
        subscriber.wait_subscribed(TIMEOUT_S)
    counts = {b"": 3, b"a": 3, b"ab": 3, b"b": 1}
    for topic, count in counts.items():
        assert count == front.call(publisher.wait_for_subscribers, count, topic, TIMEOUT_S)
        with pytest.raises(zmq.Again, match=f"{count} of {count + 1} subscribers") as caught:
            front.call(publisher.wait_for_subscribers, count + 1, topic, 0)
        assert (repr(topic) in str(caught.value)) == bool(topic)
    subscribers[0].unsubscribe(b"a")
    eventually(lambda: front.call(publisher.wait_for_subscribers, 0, "a") == 2)
    subscribers[1].close()
    eventually(lambda: front.call(publisher.wait_for_subscribers, 0, "a") == 1)


def test_inverted_matching_counts_whoever_gets_it(front: Front) -> None:
    """INVERT_MATCHING: those who did not ask for the topic."""
    publisher, subscriber = front.socket(zmq.PUB, invert_matching=1), front.plain(zmq.SUB)
    subscriber.subscribe(b"a")
    subscriber.connect(bind(publisher, "tcp"))
    subscriber.wait_subscribed(TIMEOUT_S)
    assert 1 == front.call(publisher.wait_for_subscribers, 1, b"b", 0)
    with pytest.raises(zmq.Again):
        front.call(publisher.wait_for_subscribers, 1, b"a", 0)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_groups_count(front: Front, transport: str) -> None:
    """RADIO and DISH: names match as a whole."""
    radio, dish = front.socket(zmq.RADIO), front.plain(zmq.DISH)
    endpoint = bind(radio, transport)
    dish.join("group")

    def connect() -> None:
        dish.connect(endpoint)
        dish.wait_subscribed(TIMEOUT_S)

    connecting = run_in_thread(connect)
    assert 1 == front.call(radio.wait_for_subscribers, 1, "group", TIMEOUT_S)
    connecting.result()
    with pytest.raises(zmq.Again, match="group b'group2'"):
        front.call(radio.wait_for_subscribers, 1, "group2", 0)
    front.call(radio.send, b"x", group="group")
    assert b"x" == dish.recv()


def test_xsub_waits_for_what_it_sent(front: Front) -> None:
    """Subscriptions that were sent as messages."""
    xpub, xsub = front.plain(zmq.XPUB), front.socket(zmq.XSUB)
    xsub.connect(bind(xpub, "tcp"))
    front.call(xsub.send, b"\1topic")
    front.call(xsub.wait_subscribed, TIMEOUT_S)
    xpub.send(b"topic")
    assert b"topic" == front.call(xsub.recv, timeout=TIMEOUT_S)


def test_every_publisher_is_waited_for(front: Front) -> None:
    """The text names who is missing; when that one comes the wait is over."""
    subscriber, here, later = front.socket(zmq.SUB, reconnect_ivl=10), front.plain(zmq.PUB), front.plain(zmq.PUB)
    subscriber.subscribe(b"")
    with pytest.raises(zmq.Again, match="no publisher is connected"):
        front.call(subscriber.wait_subscribed, 0.02)
    endpoint = free_endpoint()
    subscriber.connect(bind(here, "tcp"))
    subscriber.connect(endpoint)
    subscriber.connect("inproc://later")
    with pytest.raises(zmq.Again) as caught:
        front.call(subscriber.wait_subscribed, 0.2)
    assert f"{endpoint} is not connected, inproc://later is not connected" in str(caught.value)
    later.bind("inproc://later")
    later.bind(endpoint)
    front.call(subscriber.wait_subscribed, TIMEOUT_S)


def test_publisher_that_does_not_answer(front: Front) -> None:
    """Connected is not confirmed."""
    from tests.support.raw_peer import RawPeer

    subscriber = front.socket(zmq.SUB)
    endpoint = bind(subscriber, "tcp")
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("PUB")
        subscriber.subscribe(b"x")
        with pytest.raises(zmq.Again, match=f"{endpoint} has not confirmed"):
            front.call(subscriber.wait_subscribed, 0.05)
        assert (4, b"\x09SUBSCRIBEx") == peer.receive_frame()
        flags, ping = peer.receive_frame()
        waiting = run_in_thread(zmq.Socket.shadow(subscriber).wait_subscribed, TIMEOUT_S)
        peer.send_frame(b"\x04PONG" + ping[7:], flags)
        waiting.result()


def test_reconnect_starts_the_wait_again(front: Front) -> None:
    """A publisher that was replaced confirms for itself."""
    subscriber, first, second = front.socket(zmq.SUB, reconnect_ivl=10), front.plain(zmq.PUB), front.plain(zmq.PUB)
    endpoint = bind(first, "tcp")
    subscriber.subscribe(b"")
    subscriber.connect(endpoint)
    front.call(subscriber.wait_subscribed, TIMEOUT_S)
    first.close(0)
    eventually(lambda: not subscriber._engine.sessions)
    with pytest.raises(zmq.Again, match="not connected"):
        front.call(subscriber.wait_subscribed, 0)
    second.bind(endpoint)
    front.call(subscriber.wait_subscribed, TIMEOUT_S)
    second.send(b"x")
    assert b"x" == front.call(subscriber.recv, timeout=TIMEOUT_S)


@pytest.mark.parametrize("call", ["wait_for_subscribers", "wait_subscribed"])
def test_other_types_are_refused(front: Front, call: str) -> None:
    """ENOTSUP, with the types that can."""
    socket = front.socket(zmq.PUSH)
    arguments = (1,) if call == "wait_for_subscribers" else ()
    with pytest.raises(zmq.ZMQError, match="PUSH") as caught:
        front.call(getattr(socket, call), *arguments)
    assert zmq.ENOTSUP == caught.value.errno


def test_termination_ends_the_wait(front: Front) -> None:
    """As any call of the socket."""
    publisher = front.plain(zmq.PUB)
    bind(publisher, "tcp")
    waiting = run_in_thread(publisher.wait_for_subscribers, 1)
    assert waiting.still_runs_after(0.05)
    ending = run_in_thread(front.context.term)
    with pytest.raises(zmq.ContextTerminated):
        waiting.result()
    publisher.close(0)
    ending.result()


def test_many_waits_at_once(front: Front) -> None:
    """Each waits for its own number."""
    publisher = front.plain(zmq.PUB)
    endpoint = bind(publisher, "tcp")
    waiting = [run_in_thread(publisher.wait_for_subscribers, count, b"", TIMEOUT_S) for count in range(1, 6)]
    made: list[Any] = []
    for _ in range(5):
        subscriber = front.plain(zmq.SUB)
        made.append(subscriber)
        subscriber.subscribe(b"")
        subscriber.connect(endpoint)
    for count, call in enumerate(waiting, 1):
        assert count <= call.result()
