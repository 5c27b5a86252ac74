"""Connections that say nothing, or never finish their handshake: no peer that does is kept waiting by them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from tests.faults.length import choose
from tests.support import bind, run_in_thread, zmq
from tests.support.raw_peer import RawPeer, greeting
from tests.support.security import security_options

MakeSocket = Callable[..., Any]

SILENT = choose(300, 1000)
MESSAGES = choose(1000, 10_000)
MECHANISMS = ("NULL", "CURVE")
#: Below this a round trip is quick, whatever it was without the silent ones (seconds).
QUICK_S = 0.02


@contextmanager
def silent_peers(endpoint: str, mechanism: str = "NULL") -> Iterator[None]:
    """Connections that send nothing, and as many that send half of the handshake."""
    with ExitStack() as stack:
        for number in range(SILENT):
            peer = stack.enter_context(RawPeer.connect(endpoint))
            if number % 2:
                peer.send(greeting(mechanism=mechanism.encode()))
        yield


def percentile(times: list[float]) -> float:
    """What 99 of 100 don't exceed."""
    return sorted(times)[len(times) * 99 // 100]


def ask(client: Any, server: Any, count: int) -> list[float]:
    """Make round trips, the client's message first; how long each took."""
    times = []
    for number in range(count):
        started = time.monotonic()
        client.send(b"%d" % number)
        message = server.recv_multipart()
        assert b"%d" % number == message[-1]
        server.send_multipart(message)
        assert b"%d" % number == client.recv()
        times.append(time.monotonic() - started)
    return times


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("kind", "peer"), [("ROUTER", "DEALER"), ("REP", "REQ"), ("DEALER", "DEALER")])
def test_v06_silent_peers_do_not_starve_a_good_one(
    make_socket: MakeSocket, kind: str, peer: str, mechanism: str
) -> None:
    """Every message of the good peer is answered, and about as quickly as without the silent ones."""
    server = make_socket(getattr(zmq, kind), **security_options(mechanism, server=True))
    client = make_socket(getattr(zmq, peer), **security_options(mechanism, server=False))
    endpoint = bind(server, "tcp")
    client.connect(endpoint)
    ask(client, server, 50)
    quiet = percentile(ask(client, server, MESSAGES))
    with silent_peers(endpoint, mechanism):
        crowded = percentile(ask(client, server, MESSAGES))
    assert crowded <= max(2 * quiet, QUICK_S)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("kind", ["PUSH", "DEALER", "REQ"])
def test_v06_nothing_is_sent_to_a_silent_peer(make_socket: MakeSocket, kind: str, mechanism: str) -> None:
    """A peer that has not finished its handshake is no peer yet: its turn never comes."""
    server = make_socket(getattr(zmq, kind), **security_options(mechanism, server=True))
    endpoint = bind(server, "tcp")
    good = make_socket(
        zmq.PULL if kind == "PUSH" else zmq.REP if kind == "REQ" else zmq.DEALER,
        **security_options(mechanism, server=False),
    )
    with silent_peers(endpoint, mechanism):
        good.connect(endpoint)
        for number in range(100):
            server.send(b"%d" % number)
            assert b"%d" % number == good.recv()
            if kind == "REQ":
                good.send(b"")
                server.recv()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_v06_pull_gets_everything(make_socket: MakeSocket, mechanism: str) -> None:
    """A flood of a good peer beside the silent ones: everything arrives, in order."""
    pull = make_socket(zmq.PULL, **security_options(mechanism, server=True))
    push = make_socket(zmq.PUSH, **security_options(mechanism, server=False))
    endpoint = bind(pull, "tcp")
    with silent_peers(endpoint, mechanism):
        push.connect(endpoint)
        sending = run_in_thread(lambda: [push.send(b"%d" % number) for number in range(10_000)])
        assert [b"%d" % number for number in range(10_000)] == [pull.recv() for _ in range(10_000)]
        sending.result()
