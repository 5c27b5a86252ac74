"""A publisher's shared queue, when a write to one of its members goes wrong."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import bind, eventually, purezmq_only, zmq
from tests.support.interrupting import interrupted_at

from purezmq.engine.burst import flush_thread
from purezmq.engine.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = purezmq_only("it looks into the engine")

MESSAGES = [b"x1", [b"x2", b""], b"x3"]


def test_batch_reaches_every_subscriber_wherever_its_flush_is_interrupted(make_socket: Callable[..., Any]) -> None:
    """A handler raises at moment after moment: each subscriber gets each message once, and every copy is counted.

    But for one whose connection had to end, because nobody knows how much of a write has left.
    """
    pub = make_socket(zmq.PUB, sndhwm=0)
    engine, endpoint = pub._engine, bind(pub, "tcp")
    moment, ended = 0, 0
    reached = ["the first one"]
    while reached:
        subs = [make_socket(zmq.SUB, rcvtimeo=5000, reconnect_ivl=-1) for _ in range(3)]
        for sub in subs:
            sub.connect(endpoint)
            sub.subscribe(b"x")
        eventually(lambda: [{b"x"}] * 3 == [set(pipe.share.topics) for pipe in engine.pipes() if pipe.share])
        before = pub.stats()
        with engine.lease:
            (queue,) = {pipe.share for pipe in engine.pipes()}
            queue.outbound.extend(MESSAGES)
            with interrupted_at(moment) as reached:
                engine.shared.flush_queue(queue, time.monotonic())
            engine.shared.flush(time.monotonic())
        pub.send(b"x last")
        stats = pub.stats()
        gone = 3 - len(stats.peers)
        assert 3 * len(MESSAGES) + 3 - gone == stats.sent - before.sent, reached
        eventually(lambda subs=subs, gone=gone: gone == sum(not sub.peers() for sub in subs))
        for sub in subs:
            received = []
            while (sub.peers() or sub.poll(0)) and received[-1:] != [b"x last"]:
                parts = sub.recv_multipart()
                received.append(parts if len(parts) > 1 else parts[0])
            assert received == [*MESSAGES, b"x last"] or (gone and received == MESSAGES[: len(received)]), reached
        for sub in subs:
            sub.close(0)
        eventually(lambda: not pub.peers())
        moment, ended = moment + 1, ended + gone
    assert moment > 50
    assert ended < moment / 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError], ids=lambda error: error.__name__)
def test_trouble_with_one_subscriber_costs_the_others_nothing(
    make_socket: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """All get the batch, that one too; a signal handler's exception comes out after that, and the queue goes on."""
    pub = make_socket(zmq.PUB)
    subs = [make_socket(zmq.SUB, rcvtimeo=5000) for _ in range(3)]
    endpoint = bind(pub, "tcp")
    for sub in subs:
        sub.connect(endpoint)
        sub.subscribe(b"x")
    eventually(lambda: [{b"x"}] * 3 == [set(pipe.share.topics) for pipe in pub._engine.pipes() if pipe.share])
    original, raised, sender = Session.flush_shared, [], threading.get_ident()

    def flush_shared(self: Session, chunks: list[Any], batch: list[Any], *args: Any) -> None:
        if not raised and threading.get_ident() == sender:
            raised.append(self)
            raise error
        original(self, chunks, batch, *args)

    monkeypatch.setattr(Session, "flush_shared", flush_shared)
    number = 0
    with suppress(KeyboardInterrupt):
        while not raised:
            number += 1
            pub.send(b"x%d" % number)
            flush_thread()
    pub.send(b"x late")
    received = []
    for sub in subs:
        received.append([sub.recv()])
        while received[-1][-1] != b"x late":
            received[-1].append(sub.recv())
    everything = [b"x%d" % one for one in range(1, number + 1)] + [b"x late"]
    assert 3 == received.count(everything)


def test_trouble_with_a_subscriber_that_has_a_queue_of_its_own_loses_nothing(
    make_socket: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for that one alone isn't taken for a part of the batch: it gets all of both."""
    pub, sub = make_socket(zmq.PUB), make_socket(zmq.SUB, rcvtimeo=5000)
    engine = pub._engine
    sub.connect(bind(pub, "tcp"))
    sub.subscribe(b"x")
    eventually(lambda: [pipe for pipe in engine.pipes() if pipe.share and pipe.share.topics])
    original, raised = Session.flush_shared, []

    def flush_shared(self: Session, *args: Any) -> None:
        if not raised:
            raised.append(self)
            raise KeyboardInterrupt
        original(self, *args)

    monkeypatch.setattr(Session, "flush_shared", flush_shared)
    with engine.lease:
        (pipe,) = engine.pipes()
        pipe.outbound.append(b"x own")
        pipe.share.outbound.extend(MESSAGES)
        with suppress(KeyboardInterrupt):
            engine.shared.flush_queue(pipe.share, time.monotonic())
    assert raised
    assert [[b"x own"], [b"x1"], [b"x2", b""], [b"x3"]] == [sub.recv_multipart() for _ in range(4)]
