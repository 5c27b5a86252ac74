"""High-water marks count whole messages; each pattern has its own answer to a full queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import (
    bind,
    free_endpoint,
    link,
    purezmq_only,
    run_in_thread,
    subscribe_and_wait,
    try_recv,
    try_send,
    zmq,
)
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


def count_sends(socket: Any, *parts: bytes, limit: int = 100) -> int:
    """How many messages `socket` takes before it would block."""
    socket.getsockopt(zmq.EVENTS)  # libzmq learns only here, at once, what the reader took
    return next((n for n in range(limit) if not try_send(socket, *parts)), limit)


def drain(socket: Any, timeout_ms: int = 0) -> list[list[bytes]]:
    """Everything that `socket` has to give."""
    return list(iter(lambda: try_recv(socket, timeout_ms), None))


@effect_of("SNDHWM", "RCVHWM")
@pytest.mark.parametrize(("sender", "receiver"), [(zmq.PUSH, zmq.PULL), (zmq.PAIR, zmq.PAIR), (zmq.DEALER, zmq.DEALER)])
@pytest.mark.parametrize("sender_connects", [True, False])
def test_inproc_capacity_is_sum_of_both_marks(
    make_socket: MakeSocket, sender: int, receiver: int, sender_connects: bool
) -> None:
    """Over inproc SNDHWM of the one and RCVHWM of the other side add up, to the message."""
    a, b = make_socket(sender, sndhwm=4), make_socket(receiver, rcvhwm=7)
    link(*((b, a) if sender_connects else (a, b)), transport="inproc")
    assert 11 == count_sends(a, b"x")


@pytest.mark.parametrize(("sndhwm", "rcvhwm"), [(0, 3), (3, 0), (0, 0)])
def test_inproc_capacity_is_infinite_when_either_mark_is_zero(
    make_socket: MakeSocket, sndhwm: int, rcvhwm: int
) -> None:
    """A mark of 0 on one side of an inproc pipe lifts the limit."""
    push, pull = make_socket(zmq.PUSH, sndhwm=sndhwm), make_socket(zmq.PULL, rcvhwm=rcvhwm)
    link(pull, push, transport="inproc")
    assert 2000 == count_sends(push, b"x", limit=2000)


def test_inproc_multipart_counts_as_one(make_socket: MakeSocket) -> None:
    """A message of five parts takes one place."""
    push, pull = make_socket(zmq.PUSH, sndhwm=2), make_socket(zmq.PULL, rcvhwm=2)
    link(pull, push, transport="inproc")
    assert 4 == count_sends(push, *[b"part"] * 5)


def test_inproc_unbound_connection_holds_own_mark_only(make_socket: MakeSocket) -> None:
    """Before the bind, a connecting socket has its own mark only; the bind adds the other one."""
    push, pull = make_socket(zmq.PUSH, sndhwm=3), make_socket(zmq.PULL, rcvhwm=5)
    push.connect("inproc://hwm-before-bind")
    assert 3 == count_sends(push, b"x")
    pull.bind("inproc://hwm-before-bind")
    assert 5 == count_sends(push, b"x")
    assert 8 == len(drain(pull))


def test_inproc_full_pipe_has_room_again_after_half_was_read(make_socket: MakeSocket) -> None:
    """A reader that took everything makes the whole capacity free."""
    push, pull = make_socket(zmq.PUSH, sndhwm=5), make_socket(zmq.PULL, rcvhwm=5)
    link(pull, push, transport="inproc")
    assert 10 == count_sends(push, b"x")
    assert 10 == len(drain(pull))
    assert 10 == count_sends(push, b"x")


def test_inproc_publisher_drops_for_full_subscriber(make_socket: MakeSocket) -> None:
    """PUB drops the newest messages of a subscriber whose pipe is full, and never blocks."""
    pub, sub = make_socket(zmq.XPUB, sndhwm=5), make_socket(zmq.SUB, rcvhwm=5)
    link(pub, sub, transport="inproc")
    subscribe_and_wait(pub, sub)
    for number in range(100):
        assert try_send(pub, b"%d" % number)
    received = drain(sub)
    assert [[b"%d" % number] for number in range(len(received))] == received
    assert 5 <= len(received) <= 10


def test_inproc_publisher_drop_hits_only_full_subscriber(make_socket: MakeSocket) -> None:
    """Another subscriber with room gets every message."""
    pub = make_socket(zmq.XPUB, sndhwm=2)
    slow, fast = make_socket(zmq.SUB, rcvhwm=2), make_socket(zmq.SUB, rcvhwm=1000)
    link(pub, slow, fast, transport="inproc")
    for sub in (slow, fast):
        sub.setsockopt(zmq.SUBSCRIBE, b"")
    assert b"\x01" == pub.recv()
    received = []
    for number in range(50):
        pub.send(b"%d" % number)
        received.append(fast.recv())
    assert [b"%d" % number for number in range(50)] == received
    assert len(drain(slow)) < 50


def test_inproc_nodrop_publisher_would_block_for_full_subscriber(make_socket: MakeSocket) -> None:
    """With XPUB_NODROP a full matching subscriber gives EAGAIN instead of a loss."""
    pub, sub = make_socket(zmq.XPUB, sndhwm=4, xpub_nodrop=1), make_socket(zmq.SUB, rcvhwm=4)
    link(pub, sub, transport="inproc")
    subscribe_and_wait(pub, sub, b"a")
    sent = count_sends(pub, b"a", limit=100)
    assert 8 == sent
    assert try_send(pub, b"other topic")
    assert [[b"a"]] * sent == drain(sub)


def test_inproc_router_drops_for_full_peer(make_socket: MakeSocket) -> None:
    """A plain ROUTER drops what a full peer can't take."""
    router, dealer = make_socket(zmq.ROUTER, sndhwm=3), make_socket(zmq.DEALER, rcvhwm=3, routing_id=b"D")
    link(router, dealer, transport="inproc")
    for number in range(20):
        assert try_send(router, b"D", b"%d" % number)
    assert [[b"%d" % number] for number in range(6)] == drain(dealer)


def test_inproc_mandatory_router_would_block_for_full_peer(make_socket: MakeSocket) -> None:
    """With ROUTER_MANDATORY a full peer gives EAGAIN, an unknown one EHOSTUNREACH."""
    router = make_socket(zmq.ROUTER, sndhwm=3, router_mandatory=1)
    dealer = make_socket(zmq.DEALER, rcvhwm=3, routing_id=b"D")
    link(router, dealer, transport="inproc")
    assert 6 == count_sends(router, b"D", b"x")
    with pytest.raises(zmq.ZMQError) as caught:
        router.send_multipart([b"nobody", b"x"])
    assert zmq.EHOSTUNREACH == caught.value.errno
    assert 6 == len(drain(dealer))


@pytest.mark.parametrize("kind", ["PUSH", "DEALER", "PAIR", "REQ"])
def test_sender_without_peer_would_block(make_socket: MakeSocket, kind: str) -> None:
    """With nobody connected the blocking patterns wait."""
    socket = make_socket(getattr(zmq, kind))
    bind(socket, "inproc")
    assert not try_send(socket, b"x")
    assert 0 == socket.poll(0, zmq.POLLOUT)


@pytest.mark.parametrize("kind", ["PUB", "XPUB", "XSUB"])
def test_sender_without_peer_drops(make_socket: MakeSocket, kind: str) -> None:
    """With nobody connected the publishing patterns drop."""
    socket = make_socket(getattr(zmq, kind))
    bind(socket, "inproc")
    assert try_send(socket, b"x")
    assert zmq.POLLOUT == socket.poll(0, zmq.POLLOUT)


@effect_of("SNDHWM")
def test_connected_tcp_sender_queues_up_to_mark_without_peer(make_socket: MakeSocket) -> None:
    """A connecting PUSH has a pipe before anyone listens; it holds SNDHWM messages."""
    push = make_socket(zmq.PUSH, sndhwm=5)
    push.connect(free_endpoint())
    assert 5 == count_sends(push, b"x")


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_stream_transport_blocks_sender_at_last(make_socket: MakeSocket, transport: str) -> None:
    """Marks of both sides and the kernel's buffers fill up; then the sender waits, and nothing is lost."""
    push, pull = make_socket(zmq.PUSH, sndhwm=5), make_socket(zmq.PULL, rcvhwm=5)
    link(pull, push, transport=transport)
    push.sndtimeo = 200
    sent = 0
    with pytest.raises(zmq.Again):
        while sent < 1000:
            push.send_multipart([b"%d" % sent, bytes(100_000)])
            sent += 1
    assert 10 <= sent
    assert [b"%d" % n for n in range(sent)] == [pull.recv_multipart()[0] for _ in range(sent)]
    assert not pull.poll(50)


def test_mark_raised_on_live_socket_makes_room(make_socket: MakeSocket) -> None:
    """Setting SNDHWM updates the pipes that exist."""
    push, pull = make_socket(zmq.PUSH, sndhwm=2), make_socket(zmq.PULL, rcvhwm=2)
    link(pull, push, transport="inproc")
    assert 3 == count_sends(push, b"x", limit=3)
    push.setsockopt(zmq.SNDHWM, 6)
    assert 5 == count_sends(push, b"x")


@purezmq_only("libzmq lets a full pipe go on only when the reader has read")
def test_mark_raised_on_full_socket_makes_room(make_socket: MakeSocket) -> None:
    """Setting SNDHWM makes room in a pipe that is full."""
    push, pull = make_socket(zmq.PUSH, sndhwm=2), make_socket(zmq.PULL, rcvhwm=2)
    link(pull, push, transport="inproc")
    assert 4 == count_sends(push, b"x")
    push.setsockopt(zmq.SNDHWM, 6)
    assert 4 == count_sends(push, b"x")


def test_blocked_sender_goes_on_when_reader_makes_room(make_socket: MakeSocket) -> None:
    """A send that blocks on a full pipe is woken by the reader."""
    push, pull = make_socket(zmq.PUSH, sndhwm=1), make_socket(zmq.PULL, rcvhwm=1)
    link(pull, push, transport="inproc")
    assert 2 == count_sends(push, b"x")
    call = run_in_thread(push.send, b"last")
    assert call.still_runs_after(0.05)
    received = [pull.recv() for _ in range(2)]
    call.result()
    assert [b"x", b"x", b"last"] == [*received, pull.recv()]


def test_tcp_router_drops_for_stalled_peer_and_serves_others(make_socket: MakeSocket) -> None:
    """A peer that does not read costs its own messages only."""
    router = make_socket(zmq.ROUTER, sndhwm=10)
    stalled = make_socket(zmq.DEALER, rcvhwm=1, routing_id=b"S")
    alive = make_socket(zmq.DEALER, routing_id=b"A")
    link(router, stalled, alive)
    for _ in range(300):
        assert try_send(router, b"S", bytes(100_000))
    router.send_multipart([b"A", b"served"])
    assert b"served" == alive.recv()
    assert len(drain(stalled, 50)) < 300


def test_tcp_mandatory_router_polls_writable_while_any_peer_has_room(make_socket: MakeSocket) -> None:
    """POLLOUT of a mandatory ROUTER means that some peer can take a message."""
    router = make_socket(zmq.ROUTER, sndhwm=1, router_mandatory=1)
    assert 0 == router.poll(0, zmq.POLLOUT)
    dealer = make_socket(zmq.DEALER, rcvhwm=1, routing_id=b"D")
    link(router, dealer, transport="inproc")
    assert zmq.POLLOUT == router.poll(0, zmq.POLLOUT)
    assert 2 == count_sends(router, b"D", b"x")
    assert 0 == router.poll(0, zmq.POLLOUT)


@purezmq_only("libzmq's reader acknowledges in batches of half its mark, see A.1 rule 2")
def test_inproc_full_pipe_has_room_after_one_was_read(make_socket: MakeSocket) -> None:
    """Each message that is read makes room for one."""
    push, pull = make_socket(zmq.PUSH, sndhwm=5), make_socket(zmq.PULL, rcvhwm=5)
    link(pull, push, transport="inproc")
    assert 10 == count_sends(push, b"x")
    pull.recv()
    assert 1 == count_sends(push, b"x")
