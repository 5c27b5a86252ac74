"""Waiting for peers, and requests that recover, block the calling greenlet only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, library_module, purezmq_only

pytestmark = purezmq_only("pyzmq has no such calls")

green: Any = library_module("green")
MakeSocket = Callable[..., Any]
Spawn = Callable[..., Any]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_publisher_and_subscribers_of_one_thread(make_socket: MakeSocket, spawn: Spawn, transport: str) -> None:
    """Both sides wait for each other; what is published then arrives."""
    publisher, subscribers = make_socket(green.PUB), [make_socket(green.SUB) for _ in range(3)]
    endpoint = bind(publisher, transport)
    waiting = spawn(publisher.wait_for_subscribers, 3, b"x", TIMEOUT_S)

    def subscribe(subscriber: Any) -> None:
        subscriber.subscribe(b"x")
        subscriber.connect(endpoint, wait=TIMEOUT_S)
        subscriber.wait_subscribed(TIMEOUT_S)

    gevent.joinall([spawn(subscribe, subscriber) for subscriber in subscribers], raise_error=True)
    assert 3 == waiting.get(timeout=TIMEOUT_S)
    publisher.send(b"x")
    assert [b"x"] * 3 == [subscriber.recv() for subscriber in subscribers]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_requests_of_greenlets_take_turns_and_a_killed_one_ends_its_own(
    make_socket: MakeSocket, spawn: Spawn, transport: str
) -> None:
    """Whoever is killed leaves the socket usable; a late reply answers nobody."""
    rep, req = make_socket(green.REP), make_socket(green.REQ)
    req.connect(bind(rep, transport), wait=TIMEOUT_S)
    killed = spawn(req.request, b"killed")
    assert b"killed" == rep.recv()
    asking = [spawn(req.request, b"%d" % number, TIMEOUT_S) for number in range(10)]
    killed.kill()
    rep.send(b"late")

    def serve() -> None:
        while True:
            rep.send(rep.recv())

    spawn(serve)
    assert [b"%d" % number for number in range(10)] == [greenlet.get(timeout=TIMEOUT_S) for greenlet in asking]


def test_term_with_a_time_limit(context: Any, make_socket: MakeSocket, capfd: pytest.CaptureFixture[str]) -> None:
    """Again without a word on stderr; then the context ends when the socket is closed."""
    socket = make_socket(green.PULL)
    with pytest.raises(green.Again, match="an open PULL socket"):
        context.term(timeout=0.02)
    socket.close()
    context.term(timeout=TIMEOUT_S)
    assert context.closed
    assert "" == capfd.readouterr().err
