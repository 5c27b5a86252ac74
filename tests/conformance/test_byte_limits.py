"""Limits in bytes: per queue (`sndhwm_bytes`, `rcvhwm_bytes`) and for all queues of a context (`max_bytes`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, library_module, link, purezmq_only, run_in_thread, try_recv, zmq

pytestmark = purezmq_only("libzmq counts messages, never bytes")

MakeSocket = Callable[..., Any]
TRANSPORTS = ("tcp", "ipc", "inproc")
LIMIT = 100_000
SIZE = 10_000
#: Where the kernel's buffers are set so small that they hold few messages.
SMALL = {"sndbuf": 20_000, "rcvbuf": 20_000}
#: A full TCP connection takes a little more when a late acknowledgement comes.
SETTLE_MS = 100


def make_pair(make_socket: MakeSocket, transport: str, **settings: Any) -> tuple[Any, Any]:
    """A PUSH and a PULL that know each other and have no other limits than those given."""
    push, pull = make_socket(zmq.PUSH, sndhwm=0, **SMALL), make_socket(zmq.PULL, rcvhwm=0, **SMALL)
    for name, value in settings.items():
        setattr(pull if name.startswith("rcv") else push, name, value)
    endpoint = bind(pull, transport)
    push.connect(endpoint)
    eventually(lambda: push.peers() and pull.peers())
    return push, pull


def send_until_again(socket: Any, *parts: bytes, most: int = 2000) -> int:
    """How many messages are taken without waiting."""
    for count in range(most):
        try:
            socket.send_multipart(parts, zmq.DONTWAIT)
        except zmq.Again:
            return count
    return most


def fill(socket: Any, *parts: bytes) -> int:
    """As `send_until_again`, until the system's buffers take no more, either."""
    count = 0
    while True:
        more = send_until_again(socket, *parts)
        count += more
        if not more and not socket.poll(SETTLE_MS, zmq.POLLOUT):
            return count


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("parts", [(b"x" * SIZE,), (b"y" * (SIZE - 10), b"", b"z" * 10)], ids=["single", "multipart"])
def test_send_limit_is_exact(make_socket: MakeSocket, transport: str, parts: tuple[bytes, ...]) -> None:
    """As many messages as fit wait, a multipart by the bytes of its parts; all of them arrive."""
    push, pull = make_pair(make_socket, transport, sndhwm_bytes=LIMIT, rcvhwm_bytes=1 if transport != "inproc" else 0)
    taken = fill(push, *parts)
    with pytest.raises(zmq.Again, match="limit in bytes"):
        push.send_multipart(parts, zmq.DONTWAIT)
    stats = push.stats()
    assert LIMIT == stats.queued_bytes
    assert LIMIT // SIZE == stats.queued
    if transport == "inproc":
        assert LIMIT // SIZE == taken
    assert [list(parts)] * taken == [pull.recv_multipart() for _ in range(taken)]
    assert 0 == push.stats().queued_bytes


def test_limits_of_both_sides_add_up_over_inproc(make_socket: MakeSocket) -> None:
    """There is one queue; as with the high-water marks."""
    push, _ = make_pair(make_socket, "inproc", sndhwm_bytes=LIMIT, rcvhwm_bytes=LIMIT)
    assert 2 * LIMIT // SIZE == send_until_again(push, b"x" * SIZE)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_larger_message_than_limit_passes_empty_queue(make_socket: MakeSocket, transport: str) -> None:
    """Alone: the next one waits until the queue is empty again."""
    push, pull = make_pair(make_socket, transport, sndhwm_bytes=10, rcvhwm_bytes=10)
    bodies = [bytes([number]) * 300_000 for number in range(5)]
    sender = run_in_thread(lambda: [push.send(body) for body in bodies])
    assert bodies == [pull.recv() for _ in bodies]
    sender.result()


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_receive_limit_pauses_reading(make_socket: MakeSocket, transport: str) -> None:
    """At the limit one more read is all: the rest stays with the sender, and comes when there is room."""
    push, pull = make_pair(make_socket, transport, sndhwm_bytes=LIMIT, rcvhwm_bytes=LIMIT)
    taken = send_until_again(push, b"x" * 1000)
    stats = eventually(lambda: (stats := pull.stats()).unread_bytes >= LIMIT and stats)
    assert stats.unread_bytes <= LIMIT + (1 << 20)
    assert taken < 2000
    for number in range(taken):
        assert 1000 == len(pull.recv()), number
    assert 0 == pull.stats().unread_bytes
    assert try_recv(pull, 20) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_limit_changes_live(make_socket: MakeSocket, transport: str) -> None:
    """Raised, a blocked sender goes on; lowered, the next one waits; removed, nobody does."""
    push, pull = make_pair(make_socket, transport, sndhwm_bytes=LIMIT, rcvhwm_bytes=1 if transport != "inproc" else 0)
    first = fill(push, b"x" * SIZE)
    blocked = run_in_thread(push.send, b"x" * SIZE)
    assert blocked.still_runs_after(0.02)
    push.sndhwm_bytes = LIMIT + 2 * SIZE
    blocked.result()
    assert 1 == send_until_again(push, b"x" * SIZE)
    push.sndhwm_bytes = SIZE
    assert 0 == send_until_again(push, b"x")
    push.sndhwm_bytes = 0
    assert 50 == send_until_again(push, b"x" * SIZE, most=50)
    assert {SIZE} == {len(pull.recv()) for _ in range(first + 52)}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("policy", ["block", "drop-newest", "drop-oldest", "error", "spill"])
def test_policy_decides_at_limit_in_bytes(make_socket: MakeSocket, transport: str, policy: str, tmp_path: Any) -> None:
    """As it does at the high-water mark."""
    push, pull = make_pair(
        make_socket, transport, sndhwm_bytes=LIMIT, rcvhwm_bytes=1 if transport != "inproc" else 0,
        overflow=policy, swap_dir=str(tmp_path),
    )  # fmt: skip
    count = 100
    if policy in {"block", "error"}:
        count = send_until_again(push, b"x" * SIZE)
        assert count < 100
    else:
        for number in range(count):
            push.send(b"%d " % number + b"x" * (SIZE - 4), zmq.DONTWAIT)
    stats = push.stats()
    assert stats.queued_bytes - (LIMIT if policy != "spill" else count * SIZE) <= 0
    messages = [pull.recv() for _ in range(count - stats.dropped)]
    assert try_recv(pull, 20) is None
    if policy == "spill":
        assert list(range(count)) == [int(message.split(b" ")[0]) for message in messages]
        assert stats.spilled
    elif policy == "drop-oldest":
        assert {"oldest": stats.dropped} == dict(stats.dropped_by_reason)
        assert list(range(91, 100)) == [int(message.split(b" ")[0]) for message in messages][-9:]
    elif policy == "drop-newest":
        assert {"newest": stats.dropped} == dict(stats.dropped_by_reason)
        assert list(range(10)) == [int(message.split(b" ")[0]) for message in messages][:10]


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize("policy", ["drop-newest", "drop-oldest", "spill"])
def test_receiving_policy_at_limit_in_bytes(
    make_socket: MakeSocket, transport: str, policy: str, tmp_path: Any
) -> None:
    """What arrived and doesn't fit is treated as the receiver's policy says, and never exceeds the limit."""
    push, pull = make_pair(make_socket, transport, rcvhwm_bytes=LIMIT)
    pull.swap_dir, pull.overflow = str(tmp_path), policy
    for number in range(100):
        push.send(b"%d " % number + b"x" * (SIZE - 4))
    eventually(lambda: 100 == (stats := pull.stats()).unread + stats.dropped)
    dropped = pull.stats().dropped
    if policy != "spill":
        assert pull.stats().unread_bytes <= LIMIT
        assert dropped >= 89
    numbers = [int(pull.recv().split(b" ")[0]) for _ in range(100 - dropped)]
    expected = list(range(100))
    if policy == "drop-newest":
        expected = expected[: 100 - dropped]
    elif policy == "drop-oldest":
        expected = expected[dropped:]
    assert expected == numbers


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_poll_waits_when_only_the_size_does_not_fit(make_socket: MakeSocket, transport: str) -> None:
    """After Again the socket is writable when there was news, so a loop of poll and send waits and doesn't spin."""
    push, pull = make_pair(make_socket, transport, sndhwm_bytes=LIMIT, rcvhwm_bytes=1 if transport != "inproc" else 0)
    taken = fill(push, b"x" * (SIZE - 1))  # a little room is left
    assert not push.poll(30, zmq.POLLOUT)
    poller = zmq.Poller()
    poller.register(push, zmq.POLLOUT)
    assert [] == poller.poll(0)
    assert not push.getsockopt(zmq.EVENTS) & zmq.POLLOUT

    def send_when_writable() -> int:
        rounds = 0
        while True:
            rounds += 1
            assert push.poll(5000, zmq.POLLOUT)
            try:
                push.send(b"y" * (SIZE - 1), zmq.DONTWAIT)
            except zmq.Again:
                continue
            return rounds

    call = run_in_thread(send_when_writable)
    for _ in range(taken):
        assert pull.recv().startswith(b"x")
    assert call.result() <= taken
    assert pull.recv().startswith(b"y")


def test_poll_sees_room_made_before_it(make_socket: MakeSocket) -> None:
    """Over inproc a reader tells nobody, unless it was asked to before the last try."""
    push, pull = make_pair(make_socket, "inproc", sndhwm_bytes=LIMIT)
    taken = send_until_again(push, b"x" * (SIZE - 1))
    for _ in range(taken):
        pull.recv()
    assert push.poll(2000, zmq.POLLOUT)
    push.send(b"y" * SIZE, zmq.DONTWAIT)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_asyncio_sender_waits_without_spinning(make_context: Any, transport: str) -> None:
    """What `await send` waits for is news, too."""
    import asyncio

    context = library_module("asyncio").Context()
    push, pull = context.socket(zmq.PUSH, sndhwm=0, sndbuf=20_000), context.socket(zmq.PULL, rcvhwm=0, rcvbuf=20_000)
    push.sndhwm_bytes = LIMIT
    if transport != "inproc":
        pull.rcvhwm_bytes = 1

    async def main() -> None:
        push.connect(bind(pull, transport))
        taken = 0
        while True:
            sending = asyncio.ensure_future(push.send(b"x" * (SIZE - 1)))
            done, _ = await asyncio.wait({sending}, timeout=0.05)
            if not done:
                break
            taken += 1
        began = time.process_time()
        await asyncio.wait({sending}, timeout=0.2)
        assert time.process_time() - began < 0.15
        for _ in range(taken + 1):
            await asyncio.wait_for(pull.recv(), 5)
        await asyncio.wait_for(sending, 5)

    try:
        asyncio.run(main())
    finally:
        context.destroy(0)


# -- all queues of a context -------------------------------------------------------------------------------------------


def used(context: Any) -> int:
    """Bytes that count against `max_bytes` now."""
    return context.budget.used


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_context_stays_below_its_limit(context: Any, make_socket: MakeSocket, transport: str) -> None:
    """10,000 messages of 100 kB pass a consumer that stalls again and again."""
    context.max_bytes = 2_000_000
    push, pull = make_pair(make_socket, transport)
    body = b"x" * 100_000
    count = 10_000 if transport == "inproc" else 2_000
    sender = run_in_thread(lambda: [push.send(body) for _ in range(count)])
    most = 0
    for number in range(count):
        if number % (count // 4) == 0:
            eventually(lambda: used(context) > 1_500_000)
        most = max(most, used(context))
        assert 100_000 == len(pull.recv())
    sender.result()
    assert most <= 2_000_000 + 1_000_000 * (transport != "inproc")  # and one read
    eventually(lambda: 0 == used(context))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_sender_wakes_when_other_socket_is_read(context: Any, make_socket: MakeSocket, transport: str) -> None:
    """The limit is common: room that one queue gives back is the other's."""
    context.max_bytes = 1_000_000
    hog, hog_reader = make_pair(make_socket, transport)
    other, _ = make_pair(make_socket, transport)
    hogged = send_until_again(hog, b"x" * 50_000)
    sent = 0

    def send_more() -> None:
        nonlocal sent
        for _ in range(6):
            other.send(b"y" * 50_000)
            sent += 1

    blocked = run_in_thread(send_more)
    assert blocked.still_runs_after(0.05)
    assert sent >= 1  # an empty queue takes one
    for _ in range(hogged):
        hog_reader.recv()
    blocked.result()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_stands_still_at_the_limit(context: Any, make_socket: MakeSocket, transport: str) -> None:
    """Four pairs share a limit that one message exceeds."""
    context.max_bytes = 100
    pairs = [make_pair(make_socket, transport) for _ in range(4)]

    def send_all(push: Any) -> None:
        for number in range(20):
            push.send_multipart([b"%d" % number, b"x" * 1000])

    def recv_all(pull: Any) -> list[int]:
        return [int(pull.recv_multipart()[0]) for _ in range(20)]

    calls = [
        run_in_thread(function, socket)
        for pair in pairs
        for function, socket in zip((send_all, recv_all), pair, strict=True)
    ]
    for index, call in enumerate(calls):
        assert call.result() == (list(range(20)) if index % 2 else None)
    eventually(lambda: 0 == used(context))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_context_limit_changes_live(context: Any, make_socket: MakeSocket, transport: str) -> None:
    """Set on sockets with messages, raised, removed: blocked senders go on at once."""
    push, pull = make_pair(make_socket, transport)
    for _ in range(5):
        push.send(b"x" * 100)
    context.max_bytes = 1_000_000
    taken = 5 + send_until_again(push, b"x" * 50_000)
    for limit in (2_000_000, 0):
        blocked = run_in_thread(lambda: [push.send(b"x" * 50_000) for _ in range(5)])
        blocked.still_runs_after(0.01)
        context.max_bytes = limit
        blocked.result()
        assert limit == context.max_bytes
        taken += 5
        if limit:
            taken += send_until_again(push, b"x" * 50_000)
    for _ in range(taken):
        pull.recv()
    assert try_recv(pull, 20) is None


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("which", ["sender", "receiver", "reader-leaves", "peer-leaves-then-read"])
def test_closing_gives_bytes_back(context: Any, make_socket: MakeSocket, transport: str, which: str) -> None:
    """Whoever closes first, and whether or not the rest is read."""
    context.max_bytes = 1_000_000
    push, pull = make_pair(make_socket, transport)
    for _ in range(10):
        push.send(b"x" * 10_000)
    pull.recv()
    if which == "sender":
        push.close(0)
        pull.close(0)
    elif which == "receiver":
        pull.close(0)
        push.close(0)
    elif which == "reader-leaves":
        pull.close(0)
        if transport != "inproc":
            push.send(b"x" * 10_000)  # it waits for another
        push.close(0)
    else:
        eventually(lambda: 9 == pull.stats().unread)
        push.close(0)
        eventually(lambda: not pull.peers())
        for _ in range(9):
            pull.recv()
    eventually(lambda: 0 == used(context))


def test_dialer_without_peer_gives_bytes_back(context: Any, make_socket: MakeSocket) -> None:
    """What was queued for a peer that never came."""
    context.max_bytes = 1_000_000
    push = make_socket(zmq.PUSH)
    push.connect("tcp://127.0.0.1:1")
    push.send(b"x" * 1000)
    assert 1000 == used(context)
    push.close(0)
    eventually(lambda: 0 == used(context))


def test_publisher_counts_each_subscriber(context: Any, make_socket: MakeSocket) -> None:
    """At the limit the policy decides per subscriber; the one that reads gets everything."""
    context.max_bytes = 1_000_000
    pub = make_socket(zmq.PUB, sndhwm=0, **SMALL)
    stalled, live = make_socket(zmq.SUB, rcvhwm=0, **SMALL), make_socket(zmq.SUB, rcvhwm=0, **SMALL)
    for sub in (stalled, live):
        sub.subscribe(b"")
    link(pub, stalled, live)
    eventually(lambda: 2 == sum(bool(peer.subscriptions) for peer in pub.peers()))
    for number in range(100):
        pub.send(b"%d " % number + b"x" * 50_000)
        assert live.recv().startswith(b"%d " % number)
    stats = pub.stats()
    assert {"newest": stats.dropped} == dict(stats.dropped_by_reason)
    assert stats.dropped
    assert [0] == [peer.dropped for peer in stats.peers if not peer.queued] or 2 == len(stats.peers)
    for _ in range(100 - stats.dropped):
        stalled.recv()
    eventually(lambda: 0 == used(context))


@pytest.mark.parametrize("name", ["sndhwm_bytes", "rcvhwm_bytes"])
def test_wrong_limits_are_refused(make_socket: MakeSocket, name: str) -> None:
    """Negative, or no number."""
    socket = make_socket(zmq.PUSH)
    with pytest.raises(zmq.ZMQError) as caught:
        setattr(socket, name, -1)
    assert zmq.EINVAL == caught.value.errno
    with pytest.raises(TypeError):
        setattr(socket, name, 1.5)


def test_negative_context_limit_is_refused(context: Any) -> None:
    """EINVAL."""
    with pytest.raises(zmq.ZMQError) as caught:
        context.max_bytes = -1
    assert zmq.EINVAL == caught.value.errno
