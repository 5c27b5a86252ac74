"""The latest message of each key: `conflate_key`, and CONFLATE as the case of one key for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, library_module, purezmq_only, run_in_thread, try_recv, zmq

pytestmark = purezmq_only("libzmq knows CONFLATE for messages of one part only")

MakeSocket = Callable[..., Any]
#: A full TCP connection takes a little more when a late acknowledgement comes.
SETTLE_MS = 100
TRANSPORTS = ("tcp", "ipc", "inproc")
PAIRS = {
    "PUSH-PULL": (zmq.PUSH, zmq.PULL),
    "DEALER-DEALER": (zmq.DEALER, zmq.DEALER),
    "PUB-SUB": (zmq.PUB, zmq.SUB),
}


def make_pair(
    make_socket: MakeSocket, name: str, transport: str, *, send_key: Any = None, receive_key: Any = None, **options: Any
) -> tuple[Any, Any]:
    """A sender, which binds, and a receiver that know each other."""
    kinds = PAIRS[name]
    sender, receiver = make_socket(kinds[0], **options), make_socket(kinds[1], **options)
    sender.conflate_key, receiver.conflate_key = send_key, receive_key
    if name == "PUB-SUB":
        receiver.subscribe(b"")
    receiver.connect(bind(sender, transport))
    eventually(lambda: sender.peers() and receiver.peers())
    if name == "PUB-SUB":
        eventually(lambda: sender.peers()[0].subscriptions)
    return sender, receiver


def wait_for_all(sender: Any, receiver: Any, count: int) -> None:
    """Until all that was sent is with the receiver, or was dropped for newer messages."""

    def is_all_there() -> bool:
        stats, other = sender.stats(), receiver.stats()
        return count == other.unread + stats.dropped + other.dropped

    eventually(is_all_there)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("key", [0, lambda parts: parts[0][:2]], ids=["part", "function"])
def test_latest_message_of_each_key_arrives(make_socket: MakeSocket, name: str, transport: str, key: Any) -> None:
    """Whole, in the order in which they were sent; the others are counted as conflated."""
    sender, receiver = make_pair(make_socket, name, transport, send_key=key, receive_key=key)
    for number in range(30):
        sender.send_multipart([b"k%d" % (number % 3), b"%d" % number, b"x" * 100])
    sender.send(b"k9")
    wait_for_all(sender, receiver, 31)
    expected = [[b"k%d" % (number % 3), b"%d" % number, b"x" * 100] for number in (27, 28, 29)] + [[b"k9"]]
    assert expected == [receiver.recv_multipart() for _ in range(4)]
    assert try_recv(receiver) is None
    stats, other = sender.stats(), receiver.stats()
    assert 27 == stats.dropped + other.dropped
    assert {"conflated"} == set(stats.dropped_by_reason) | set(other.dropped_by_reason)
    assert (31, 0, 4) == (stats.sent, stats.queued, other.received)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("name", PAIRS)
def test_stalled_receiver_makes_sender_conflate(make_socket: MakeSocket, name: str, transport: str) -> None:
    """What the system doesn't take is conflated here; what has left is on its way and not called back."""
    sender, receiver = make_pair(
        make_socket, name, transport, send_key=0, sndbuf=20_000, rcvbuf=20_000, rcvhwm=1, sndhwm=10
    )
    for number in range(200):
        sender.send_multipart([b"k%d" % (number % 3), b"%d" % number, b"x" * 10_000])
    stats = sender.stats()
    assert {"conflated": stats.dropped} == dict(stats.dropped_by_reason)
    assert stats.dropped
    numbers = [int(receiver.recv_multipart()[1]) for _ in range(200 - stats.dropped)]
    assert sorted(numbers) == numbers
    assert [197, 198, 199] == numbers[-3:]
    after = sender.stats()
    assert (200, 0, stats.dropped) == (after.sent, after.queued, after.dropped)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_marks_count_keys(make_socket: MakeSocket, transport: str) -> None:
    """A key that waits already is always taken; a new one waits for room, which a reader makes."""
    push, pull = make_pair(
        make_socket, "PUSH-PULL", transport, send_key=0, sndhwm=5, rcvhwm=5, sndbuf=20_000, rcvbuf=20_000
    )
    body = b"x" * 20_000
    count = 0
    while True:
        try:
            push.send_multipart([b"%d" % count, body], zmq.DONTWAIT)
            count += 1
        except zmq.Again:
            if not push.poll(SETTLE_MS, zmq.POLLOUT):
                break
    push.send_multipart([b"%d" % (count - 1), b"newer"], zmq.DONTWAIT)
    blocked = run_in_thread(push.send_multipart, [b"new", body])
    assert blocked.still_runs_after(0.02)
    got = [pull.recv_multipart() for _ in range(count)]
    blocked.result()
    assert [b"%d" % number for number in range(count)] == [parts[0] for parts in got]
    assert b"newer" == got[-1][1]
    assert [b"new", body] == pull.recv_multipart()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", PAIRS)
def test_key_function_that_raises_fails_the_send(make_socket: MakeSocket, name: str, transport: str) -> None:
    """The caller gets the error, nothing of the message is sent, and the socket goes on."""
    sender, receiver = make_pair(make_socket, name, transport, send_key=lambda parts: parts[1])
    with pytest.raises(IndexError):
        sender.send(b"no second part")
    sender.send_multipart([b"a", b"key"])
    assert [b"a", b"key"] == receiver.recv_multipart()
    assert try_recv(receiver, 10) is None
    assert (1, 0) == (sender.stats().sent, sender.stats().dropped)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("key", [lambda parts: parts[1], lambda parts: []], ids=["raises", "unhashable"])
def test_message_without_key_is_received(make_socket: MakeSocket, transport: str, key: Any) -> None:
    """There is nobody to tell: it has a key of its own."""
    sender, receiver = make_pair(make_socket, "PUSH-PULL", transport, receive_key=key)
    for number in range(5):
        sender.send(b"%d" % number)
    assert [b"%d" % number for number in range(5)] == [receiver.recv() for _ in range(5)]
    assert 1 == len(receiver.peers())


@pytest.mark.parametrize("policy", ["", "drop-newest", "drop-oldest", "error", "spill"])
@pytest.mark.parametrize("name", PAIRS)
def test_receiver_conflates_whatever_its_policy(make_socket: MakeSocket, name: str, policy: str, tmp_path: Any) -> None:
    """What arrives of a key that waits takes its place."""
    sender, receiver = make_pair(make_socket, name, "tcp", receive_key=0, rcvhwm=3)
    receiver.swap_dir = str(tmp_path)
    if policy != "error" or name == "DEALER-DEALER":
        receiver.overflow = policy
    for number in range(30):
        sender.send_multipart([b"k%d" % (number % 3), b"%d" % number])
    wait_for_all(sender, receiver, 30)
    assert [b"27", b"28", b"29"] == [receiver.recv_multipart()[1] for _ in range(3)]
    assert {"conflated": 27} == dict(receiver.stats().dropped_by_reason)


def test_connections_made_later_conflate(make_socket: MakeSocket) -> None:
    """Those that exist keep what they have."""
    push, before = make_pair(make_socket, "PUSH-PULL", "inproc")
    push.conflate_key = 0
    after = make_socket(zmq.PULL)
    after.connect(push.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode())
    eventually(lambda: 2 == len(push.peers()))
    for number in range(10):
        push.send_multipart([b"k", b"%d" % number])
    assert 5 == before.stats().unread
    assert [b"k", b"9"] == after.recv_multipart()
    assert {"conflated": 4} == dict(push.stats().dropped_by_reason)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("side", ["send", "receive"])
def test_either_side_may_conflate(make_socket: MakeSocket, transport: str, side: str) -> None:
    """Over inproc there is one queue; whoever has a key for it, the connector or the one that is bound."""
    push, pull = make_pair(make_socket, "PUSH-PULL", transport, **{f"{side}_key": 0})
    for number in range(10):
        push.send_multipart([b"k", b"%d" % number])
    if side == "receive" or transport == "inproc":
        wait_for_all(push, pull, 10)
        assert [b"k", b"9"] == pull.recv_multipart()
    else:
        while pull.recv_multipart() != [b"k", b"9"]:
            pass
    assert try_recv(pull) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_conflate_option_keeps_one_whole_message(make_socket: MakeSocket, transport: str) -> None:
    """libzmq's CONFLATE, but a multipart is whole."""
    push, pull = make_socket(zmq.PUSH, conflate=1), make_socket(zmq.PULL, conflate=1)
    push.bind(endpoint := "inproc://conflate") if transport == "inproc" else (endpoint := bind(push, transport))
    pull.connect(endpoint)
    eventually(lambda: push.peers() and pull.peers())
    for number in range(20):
        push.send_multipart([b"a", b"%d" % number, b"c"])
    wait_for_all(push, pull, 20)
    assert [b"a", b"19", b"c"] == pull.recv_multipart()
    assert try_recv(pull) is None
    assert 19 == push.stats().dropped + pull.stats().dropped


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_asyncio_sockets_conflate(make_context: Any, transport: str) -> None:
    """They share the engine."""
    context = library_module("asyncio").Context()
    pub, sub = context.socket(zmq.PUB, conflate_key=0), context.socket(zmq.SUB, conflate_key=0)
    sub.subscribe(b"")

    async def main() -> list[Any]:
        sub.connect(bind(pub, transport))
        await pub.wait_for_subscribers(1, timeout=5)
        for number in range(20):
            await pub.send_multipart([b"k%d" % (number % 2), b"%d" % number])
        # Nothing of it needs this loop's turn: the I/O thread reads.
        eventually(lambda: 20 == sub.stats().unread + pub.stats().dropped + sub.stats().dropped)
        return [await asyncio.wait_for(sub.recv_multipart(), 5) for _ in range(2)]

    try:
        assert [[b"k0", b"18"], [b"k1", b"19"]] == asyncio.run(main())
    finally:
        context.destroy(0)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_reader_never_goes_back(make_socket: MakeSocket, transport: str) -> None:
    """While one thread sends and another receives, the numbers of each key only rise, and the last ones come."""
    sender, receiver = make_pair(make_socket, "PUSH-PULL", transport, send_key=0, receive_key=0)
    count = 5000

    def send_all() -> None:
        for number in range(count):
            sender.send_multipart([b"%d" % (number % 7), b"%d" % number])

    call = run_in_thread(send_all)
    last: dict[bytes, int] = {}
    while not last or min(last.values()) < count - 7 or len(last) < 7:
        key, number = receiver.recv_multipart()
        assert last.get(key, -1) < int(number)
        last[key] = int(number)
    call.result()
    stats, other = sender.stats(), receiver.stats()
    assert count == stats.sent
    assert count == other.received + stats.dropped + other.dropped


@pytest.mark.parametrize("wrong", [1.5, b"x", True])
def test_wrong_key_is_refused(make_socket: MakeSocket, wrong: Any) -> None:
    """TypeError, and the key stays what it was."""
    socket = make_socket(zmq.PUSH)
    socket.conflate_key = 1
    with pytest.raises(TypeError, match="conflate_key"):
        socket.conflate_key = wrong
    assert 1 == socket.conflate_key
