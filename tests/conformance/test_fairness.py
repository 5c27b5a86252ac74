"""Fair queueing of what comes in, load balancing of what goes out, whole messages at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, bind, eventually, link, try_send, zmq

MakeSocket = Callable[..., Any]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("sender", "receiver"), [(zmq.PUSH, zmq.PULL), (zmq.DEALER, zmq.DEALER)])
def test_load_balancer_deals_in_turn(make_socket: MakeSocket, sender: int, receiver: int, transport: str) -> None:
    """Each of three connected receivers gets every third message."""
    source = make_socket(sender)
    sinks = [make_socket(receiver) for _ in range(3)]
    link(source, *sinks, transport=transport)
    for number in range(9):
        source.send_multipart([b"%d" % number, b"body"])
    got = [[int(sink.recv_multipart()[0]) for _ in range(3)] for sink in sinks]
    assert [0, 1, 2, 3, 4, 5, 6, 7, 8] == sorted(number for numbers in got for number in numbers)
    assert all(numbers == list(range(numbers[0], 9, 3)) for numbers in got)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_load_balancer_deals_in_turn_over_own_connections(make_socket: MakeSocket, transport: str) -> None:
    """A sender that connects to several receivers deals in turn, too."""
    push, pulls = make_socket(zmq.PUSH), [make_socket(zmq.PULL) for _ in range(3)]
    for pull in pulls:
        link(pull, push, transport=transport)
    for number in range(12):
        push.send(b"%d" % number)
    assert [4, 4, 4] == [len([pull.recv() for _ in range(4)]) for pull in pulls]


def test_load_balancer_skips_full_peer(make_socket: MakeSocket) -> None:
    """While one receiver is full the others go on to get messages."""
    push = make_socket(zmq.PUSH, sndhwm=1)
    full, free = make_socket(zmq.PULL, rcvhwm=1), make_socket(zmq.PULL, rcvhwm=1)
    link(push, full, free, transport="inproc")
    while try_send(push, b"fill"):
        pass
    for _ in range(2):
        free.recv()
    for number in range(10):
        push.send(b"%d" % number)
        assert b"%d" % number == free.recv()
    assert [b"fill"] * 2 == [full.recv() for _ in range(2)]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("sender", "receiver"), [("PUSH", "PULL"), ("DEALER", "DEALER"), ("DEALER", "ROUTER")])
def test_fair_queue_takes_from_peers_in_turn(
    make_socket: MakeSocket, sender: str, receiver: str, transport: str
) -> None:
    """Three peers with full queues lose nothing; where all is there beforehand they are read alternately."""
    sink = make_socket(getattr(zmq, receiver))
    sources = [make_socket(getattr(zmq, sender)) for _ in range(3)]
    link(sink, *sources, transport=transport)
    for number, source in enumerate(sources):
        for _ in range(20):
            source.send_multipart([b"%d" % number, b"body"])
    got = [sink.recv_multipart()[-2] for _ in range(60)]
    assert {b"0": 20, b"1": 20, b"2": 20} == Counter(got)
    if transport == "inproc":
        assert all({b"0", b"1", b"2"} == set(got[n : n + 3]) for n in range(0, 60, 3))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fair_queue_flooding_peer_does_not_starve_quiet_one(make_socket: MakeSocket, transport: str) -> None:
    """A message of a quiet peer comes before the flood of another one is read."""
    pull, flood, quiet = make_socket(zmq.PULL, rcvhwm=50), make_socket(zmq.PUSH), make_socket(zmq.PUSH)
    link(pull, flood, quiet, transport=transport)
    for _ in range(1000):
        flood.send(b"flood" * 200)
    quiet.send(b"quiet")
    eventually(lambda: pull.recv() == b"quiet")
    assert pull.poll(1000)


def test_rep_answers_requesters_in_turn(make_socket: MakeSocket) -> None:
    """Every one of several requesters gets its own answer."""
    rep, reqs = make_socket(zmq.REP), [make_socket(zmq.REQ) for _ in range(4)]
    link(rep, *reqs)
    for number, req in enumerate(reqs):
        req.send(b"%d" % number)
    for _ in reqs:
        rep.send(b"re " + rep.recv())
    assert [b"re 0", b"re 1", b"re 2", b"re 3"] == [req.recv() for req in reqs]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_req_asks_servers_in_turn(make_socket: MakeSocket, transport: str) -> None:
    """A REQ with two servers alternates."""
    req, reps = make_socket(zmq.REQ), [make_socket(zmq.REP), make_socket(zmq.REP)]
    endpoints = [bind(rep, transport) for rep in reps]
    for rep, endpoint in zip(reps, endpoints, strict=True):
        link(rep, req, endpoint=endpoint)
    for number in range(4):
        req.send(b"%d" % number)
        rep = reps[number % 2]
        assert b"%d" % number == rep.recv()
        rep.send(b"ok")
        assert b"ok" == req.recv()
