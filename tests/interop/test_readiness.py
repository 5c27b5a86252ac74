"""Readiness with a real libzmq in another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, free_endpoint, purezmq_only, zmq
from tests.support.fronts import Front
from tests.support.peer_process import PeerProcess

pytestmark = purezmq_only("libzmq can't wait for its peers")

WIRE = [name for name in TRANSPORTS if name != "inproc"]


@pytest.mark.parametrize("transport", WIRE)
def test_first_publication_reaches_subscribers_of_libzmq(front: Front, libzmq: PeerProcess, transport: str) -> None:
    """Fresh subscribers, one publication, all of them have it; again and again."""
    publisher = front.socket(zmq.PUB)
    endpoint = bind(publisher, transport)
    for number in range(40):
        topic = b"%d." % number
        for name in ("one", "two"):
            libzmq.open(name, "SUB", subscribe=topic)
            libzmq.connect(name, endpoint)
        front.call(publisher.wait_for_subscribers, 2, topic, TIMEOUT_S)
        front.call(publisher.send, topic)
        for name in ("one", "two"):
            assert [topic] == libzmq.recv(name)
            libzmq.close(name)


@pytest.mark.parametrize("transport", WIRE)
def test_publisher_of_libzmq_confirms(front: Front, libzmq: PeerProcess, transport: str) -> None:
    """Its I/O thread confirms; the thread that publishes knows of it within milliseconds, so soon after that."""
    subscriber = front.socket(zmq.SUB)
    libzmq.open("pub", "PUB")
    subscriber.connect(libzmq.bind("pub", free_endpoint(transport)))
    for number in range(20):
        topic = b"%d." % number
        subscriber.subscribe(topic)
        front.call(subscriber.wait_subscribed, TIMEOUT_S)
        for _ in range(100):
            libzmq.send("pub", [topic])
            if front.call(subscriber.poll, 10):
                break
        assert topic == front.call(subscriber.recv, timeout=TIMEOUT_S)
        while front.call(subscriber.poll, 10):
            assert topic == front.call(subscriber.recv)


@pytest.mark.parametrize("transport", WIRE)
def test_connect_waits_for_libzmq(front: Front, libzmq: PeerProcess, transport: str) -> None:
    """Its handshake, and its refusals."""
    libzmq.open("pull", "PULL")
    endpoint = libzmq.bind("pull", free_endpoint(transport))
    push = front.socket(zmq.PUSH)
    front.call(push.connect, endpoint, wait=TIMEOUT_S)
    front.call(push.send, b"x")
    assert [b"x"] == libzmq.recv("pull")
    with pytest.raises(zmq.ZMQError, match="handshake"):
        front.call(front.socket(zmq.SUB).connect, endpoint, wait=TIMEOUT_S)


def test_late_reply_of_libzmq_has_nowhere_to_go(front: Front, make_peer: Callable[..., Any]) -> None:
    """A REP of libzmq answers requests that were given up; each later request gets its own reply."""
    server = make_peer("zmq")
    server.open("rep", "REP")
    req = front.socket(zmq.REQ)
    front.call(req.connect, server.bind("rep", "tcp://127.0.0.1:*"), wait=TIMEOUT_S)
    for number in range(20):
        with pytest.raises(zmq.Again):
            front.call(req.request, b"late %d" % number, timeout=0.02)
        server.start("echo", "rep", 2)
        assert b"%d" % number == front.call(req.request, b"%d" % number, timeout=TIMEOUT_S)
        server.finish()
