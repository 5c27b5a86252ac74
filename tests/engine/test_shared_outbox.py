"""A publisher's shared queue, when a write to one of its members goes wrong."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import bind, eventually, purezmq_only, zmq

from purezmq.engine.burst import flush_thread
from purezmq.engine.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = purezmq_only("it looks into the engine")


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError], ids=lambda error: error.__name__)
def test_trouble_with_one_subscriber_costs_the_others_nothing(
    make_socket: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """All others get the batch; a signal handler's exception comes out after that, and the queue goes on."""
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
    assert 2 == received.count(everything)
