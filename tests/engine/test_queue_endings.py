"""Queues at the end of a connection, a socket, a policy: nothing is lost, or it is counted; nobody waits for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, run_in_thread, zmq

MakeSocket = Callable[..., Any]
COUNT = 100


def make_stalled_pair(make_socket: MakeSocket, transport: str, *, spills: str) -> tuple[Any, Any]:
    """PUSH and PULL with marks of 5, of which one side spills."""
    push, pull = make_socket(zmq.PUSH, sndhwm=5), make_socket(zmq.PULL, rcvhwm=5)
    (push if spills == "sender" else pull).overflow = "spill"
    push.connect(bind(pull, transport))
    eventually(lambda: pull.peers() and push.peers())
    return push, pull


def numbers(pull: Any, count: int = COUNT) -> list[int]:
    return [int(pull.recv()) for _ in range(count)]


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
@pytest.mark.parametrize("spills", ["sender", "receiver"])
@pytest.mark.parametrize("how", ["close", "disconnect"])
def test_what_is_on_disk_is_read_after_the_sender_has_gone(
    make_socket: MakeSocket, transport: str, spills: str, how: str
) -> None:
    """Whoever has it on disk; a reader that has nothing in memory doesn't sleep."""
    push, pull = make_stalled_pair(make_socket, transport, spills=spills)
    push.linger = -1
    for number in range(COUNT):
        push.send(b"%d" % number)
    if how == "close":
        push.close()
    else:
        push.disconnect(pull.last_endpoint.decode())
    assert list(range(COUNT)) == numbers(pull)
    stats = pull.stats()
    assert (COUNT, 0, 0) == (stats.received, stats.unread, stats.dropped)
    if how == "disconnect":
        eventually(lambda: 0 == push.stats().queued)
        assert (COUNT, 0) == (push.stats().sent, push.stats().dropped)


@pytest.mark.parametrize("policy", ["block", "drop-newest", "drop-oldest"])
def test_policy_changed_while_messages_are_on_disk_keeps_order(make_socket: MakeSocket, policy: str) -> None:
    """What arrives goes behind what is on disk, until that is read."""
    push, pull = make_stalled_pair(make_socket, "tcp", spills="receiver")
    for number in range(COUNT):
        push.send(b"%d" % number)
    eventually(lambda: COUNT == pull.stats().unread)
    pull.overflow = policy
    for number in range(COUNT, COUNT + 10):
        push.send(b"%d" % number)
    eventually(lambda: COUNT + 10 == pull.stats().unread)
    assert list(range(COUNT + 10)) == numbers(pull, COUNT + 10)
    push.send(b"0")
    assert [0] == numbers(pull, 1)


def test_key_function_that_raises_ends_a_send_and_nothing_else(make_socket: MakeSocket) -> None:
    """The publisher is told, and its next messages reach everybody."""
    pub, sub = make_socket(zmq.PUB), make_socket(zmq.SUB)
    pub.conflate_key = lambda parts: json.loads(parts[0])["k"]
    sub.subscribe(b"")
    sub.connect(bind(pub, "tcp"))
    pub.wait_for_subscribers(1, timeout=5)
    pub.send(b'{"k": 1}')
    with pytest.raises(json.JSONDecodeError):
        pub.send(b"bad")
    pub.send(b'{"k": 2}')
    assert [b'{"k": 1}', b'{"k": 2}'] == [sub.recv(), sub.recv()]


def test_disconnected_endpoint_that_never_connected_counts_its_loss(make_socket: MakeSocket, context: Any) -> None:
    """And gives back its bytes and its disk."""
    context.max_bytes = 1 << 20
    push = make_socket(zmq.PUSH, sndhwm=5)
    push.overflow, push.linger = "spill", 0
    push.connect("tcp://127.0.0.1:1")
    for _ in range(COUNT):
        push.send(b"x" * 100)
    assert COUNT == push.stats().queued
    push.disconnect("tcp://127.0.0.1:1")
    stats = eventually(lambda: (counted := push.stats()).dropped and counted)
    assert (COUNT, COUNT, 0, {"disconnected": COUNT}) == (
        stats.sent, stats.dropped, stats.queued, stats.dropped_by_reason
    )  # fmt: skip
    assert 0 == context.budget.used


@pytest.mark.parametrize("setting", ["CONFLATE", "conflate_key"])
def test_conflated_message_is_the_readers_after_disconnect(make_socket: MakeSocket, setting: str) -> None:
    """As any other message over inproc."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    for socket in (push, pull):
        setattr(socket, setting.lower(), 1 if setting == "CONFLATE" else 0)
    endpoint = bind(pull, "inproc")
    push.connect(endpoint)
    push.send(b"a")
    push.send(b"a")
    push.disconnect(endpoint)
    assert b"a" == pull.recv()


def test_reply_that_cant_be_sent_may_be_sent_again(make_socket: MakeSocket) -> None:
    """A REP whose policy says `error` is in the same state as before, and its reply is whole."""
    rep, dealer = make_socket(zmq.REP, sndhwm=1), make_socket(zmq.DEALER, rcvhwm=1)
    rep.overflow = "error"
    dealer.connect(bind(rep, "inproc"))
    for number in range(3):
        dealer.send_multipart([b"", b"%d" % number])
    for _ in range(2):
        rep.send_multipart([b"reply to", rep.recv()])
    third = rep.recv()
    with pytest.raises(zmq.Again, match="full"):
        rep.send_multipart([b"reply to", third])
    assert [b"", b"reply to", b"0"] == dealer.recv_multipart()
    rep.send_multipart([b"reply to", third])
    assert [[b"", b"reply to", b"%d" % number] for number in (1, 2)] == [dealer.recv_multipart() for _ in range(2)]


def test_raw_router_with_limit_in_bytes_closes_connections(make_socket: MakeSocket) -> None:
    """An empty part closes, whatever limits there are."""
    router, stream = make_socket(zmq.ROUTER, router_raw=1), make_socket(zmq.STREAM)
    router.sndhwm_bytes = 1000
    stream.connect(bind(router, "tcp"))
    peer, _ = stream.recv_multipart()
    stream.send_multipart([peer, b"hello"])
    name, body = router.recv_multipart()
    while not body:
        name, body = router.recv_multipart()
    router.send_multipart([name, b""])
    assert [peer, b""] == stream.recv_multipart()


def test_budget_counts_for_sockets_made_after_it(make_socket: MakeSocket, context: Any) -> None:
    """Bytes that were read count no more, at once."""
    context.max_bytes = 1 << 20
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    push.connect(bind(pull, "tcp"))
    for number in range(20):
        push.send(b"%d" % number)
    assert list(range(20)) == numbers(pull, 20)
    eventually(lambda: 0 == context.budget.used)


def test_last_values_for_a_full_subscriber_are_dropped_and_counted(make_socket: MakeSocket) -> None:
    """The policy `error` has nobody to raise to when a subscription comes: its connection stays."""
    pub, sub = make_socket(zmq.PUB, sndhwm=2), make_socket(zmq.SUB, rcvhwm=2)
    pub.last_value_cache, pub.overflow = 60, "error"
    for number in range(60):
        pub.send_multipart([b"k%d" % number, b"x"])
    sub.connect(bind(pub, "inproc"))
    sub.subscribe(b"k")
    assert b"k0" == sub.recv_multipart()[0]
    eventually(lambda: 56 == pub.stats().dropped)


def test_receiver_that_waits_for_the_disk_is_woken(make_socket: MakeSocket) -> None:
    """Messages come while it sleeps, then from disk, then the peer goes."""
    push, pull = make_stalled_pair(make_socket, "tcp", spills="receiver")
    reading = run_in_thread(numbers, pull, 3 * COUNT)
    for number in range(3 * COUNT):
        push.send(b"%d" % number)
    push.close()
    assert list(range(3 * COUNT)) == reading.result()
