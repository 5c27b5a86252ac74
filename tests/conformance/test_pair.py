"""PAIR: exclusive, and able to take a new peer after the old one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import (
    EventWatch,
    bind,
    bind_again,
    eventually,
    link,
    purezmq_only,
    run_in_thread,
    try_recv,
    try_send,
    zmq,
)

MakeSocket = Callable[..., Any]

REAPED_LATE = "libzmq rejects the new peer for ever where the old one was not reaped by a call (A.3)"


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_next_peer_is_served_after_a_call_in_between(make_socket: MakeSocket, transport: str) -> None:
    """A bound PAIR whose peer left serves the next one."""
    bound, first, second = (make_socket(zmq.PAIR) for _ in range(3))
    endpoint = link(bound, first, transport=transport)
    with EventWatch(bound) as events:
        first.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    eventually(lambda: not bound.poll(0, zmq.POLLOUT))
    link(bound, second, endpoint=endpoint)
    second.send(b"hello")
    assert b"hello" == bound.recv()
    bound.send(b"back")
    assert b"back" == second.recv()


@purezmq_only(REAPED_LATE)
@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_next_peer_is_served_without_a_call_in_between(make_socket: MakeSocket, transport: str) -> None:
    """A.3 case A: the new peer's first message arrives although the bound side did nothing."""
    bound, first, second = (make_socket(zmq.PAIR) for _ in range(3))
    endpoint = link(bound, first, transport=transport)
    first.close()
    second.connect(endpoint)
    second.send(b"hello")
    assert b"hello" == bound.recv()
    bound.send(b"back")
    assert b"back" == second.recv()


@purezmq_only(REAPED_LATE)
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_unread_messages_of_old_peer_come_first(make_socket: MakeSocket, transport: str) -> None:
    """A.3 case B: what the old peer sent is delivered, then the new peer's messages."""
    bound, first, second = (make_socket(zmq.PAIR) for _ in range(3))
    endpoint = link(bound, first, transport=transport)
    for number in range(5):
        first.send(b"old %d" % number)
    with EventWatch(bound) as events:
        first.close(1000)
        events.wait_for(zmq.EVENT_DISCONNECTED)
    second.connect(endpoint)
    second.send(b"new")
    assert [*(b"old %d" % number for number in range(5)), b"new"] == [bound.recv() for _ in range(6)]


@purezmq_only(REAPED_LATE)
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_second_peer_waits_until_first_leaves(make_socket: MakeSocket, transport: str) -> None:
    """A.3 case C: a second peer is refused while the first lives, and served afterwards; nothing is lost."""
    bound, first = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    second = make_socket(zmq.PAIR, reconnect_ivl=10)
    endpoint = link(bound, first, transport=transport)
    with EventWatch(second) as events:
        second.connect(endpoint)
        second.send(b"patient")
        events.wait_for(zmq.EVENT_DISCONNECTED)
    first.send(b"alive")
    assert b"alive" == bound.recv()
    assert try_recv(bound, 50) is None
    bound.send(b"for the first")
    assert b"for the first" == first.recv()
    first.close()
    assert b"patient" == bound.recv()
    bound.send(b"for the second")
    assert b"for the second" == second.recv()


def test_connected_pair_outlives_restart_of_bound_side(make_socket: MakeSocket) -> None:
    """A.3 case D: what is sent while the bound side is away is delivered after its return."""
    bound, connected = make_socket(zmq.PAIR), make_socket(zmq.PAIR, reconnect_ivl=10)
    endpoint = link(bound, connected)
    with EventWatch(connected) as events:
        bound.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    for number in range(3):
        connected.send(b"%d" % number)
    again = make_socket(zmq.PAIR)
    bind_again(again, endpoint)
    assert [b"0", b"1", b"2"] == [again.recv() for _ in range(3)]


def test_second_inproc_peer_gets_nothing(make_socket: MakeSocket) -> None:
    """An inproc PAIR in use doesn't mix a second peer in."""
    bound, first, second = (make_socket(zmq.PAIR) for _ in range(3))
    endpoint = link(bound, first, transport="inproc")
    second.connect(endpoint)
    bound.send(b"x")
    assert b"x" == first.recv()
    assert try_recv(second) is None


def test_bound_pair_without_peer_blocks_until_one_comes(make_socket: MakeSocket) -> None:
    """A send waits for the first peer."""
    bound, peer = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    endpoint = bind(bound, "tcp")
    assert not try_send(bound, b"x")
    call = run_in_thread(bound.send, b"waited")
    assert call.still_runs_after(0.05)
    peer.connect(endpoint)
    assert b"waited" == peer.recv()
    call.result()
