"""Cancelling what waits: no message is lost, doubled or reordered, and what was withdrawn is not sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import TIMEOUT_S, library_module, purezmq_only, zmq

MakeSocket = Callable[..., Any]
Run = Callable[..., Any]
Link = Callable[..., None]


async def cancel_in_the_turn_of(receivers: list[asyncio.Task[Any]], future: Any) -> None:
    """Cancel tasks in the very turn in which `future`, which the first of them awaits, is given its message."""
    while not future.done():  # noqa: ASYNC110 - turn by turn, on purpose
        await asyncio.sleep(0)
    for receiver in receivers:
        receiver.cancel()
    await asyncio.wait(receivers)


def awaiting(future: Any) -> asyncio.Task[Any]:
    """A task that awaits nothing but this future."""

    async def receive() -> Any:
        return await future

    return asyncio.get_running_loop().create_task(receive())


def test_p19_cancelled_recv_leaves_its_message_to_the_next(run: Run, push_pull: Any) -> None:
    """A message that comes after the cancellation goes to the next in line."""
    push, pull = push_pull

    async def main() -> None:
        first, second, third = pull.recv(), pull.recv(), pull.recv_string()
        assert second.cancel()
        assert second.cancelled()
        await push.send(b"1")
        await push.send(b"2")
        assert b"1" == await first
        assert "2" == await third
        with pytest.raises(asyncio.CancelledError):
            await second

    run(main())


@purezmq_only("pyzmq loses the message")
@pytest.mark.parametrize("method", ["recv", "recv_multipart", "recv_string", "recv_many"])
def test_p19_message_of_a_task_cancelled_in_the_same_turn_is_kept(run: Run, push_pull: Any, method: str) -> None:
    """The task was woken with a message and cancelled at once: the next one gets that message, in its own form."""
    push, pull = push_pull

    async def main() -> None:
        future = getattr(pull, method)()
        task = awaiting(future)
        await asyncio.sleep(0)
        for number in range(5):
            await push.send(b"%d" % number)
        await cancel_in_the_turn_of([task], future)
        assert task.cancelled()
        assert [b"%d" % number for number in range(5)] == [await pull.recv() for _ in range(5)]

    run(main())


@purezmq_only("it has no recv_many")
def test_subscriptions_of_a_cancelled_recv_many_are_kept(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """An XPUB gives the next one what a cancelled recv_many was given, and counts it as unread until then."""
    xpub, sub = make_socket(zmq.XPUB), make_socket(zmq.SUB)
    topics = [b"a", b"bb", b"ccc", b"dddd"]

    async def main() -> None:
        future = xpub.recv_many()
        task = awaiting(future)
        await asyncio.sleep(0)
        for topic in topics:
            sub.subscribe(topic)
        link(xpub, sub)
        await cancel_in_the_turn_of([task], future)
        assert [b"\x01" + topic for topic in topics] == [await xpub.recv() for _ in topics]
        assert 0 == xpub._pattern._unread.total

    run(main())


@purezmq_only("pyzmq loses the message")
def test_messages_shift_to_the_receivers_that_are_left(run: Run, push_pull: Any) -> None:
    """Of four that were given messages in one turn the first two are cancelled: the others get the first messages."""
    push, pull = push_pull

    async def main() -> None:
        futures = [pull.recv() for _ in range(4)]
        tasks = [awaiting(future) for future in futures]
        await asyncio.sleep(0)
        await push.send_many([b"0", b"1", b"2", b"3", b"4"])
        await cancel_in_the_turn_of(tasks[:2], futures[0])
        assert [b"0", b"1"] == await asyncio.gather(*tasks[2:])
        assert [b"2", b"3", b"4"] == [await pull.recv() for _ in range(3)]

    run(main())


@purezmq_only("pyzmq loses the message")
def test_kept_message_goes_to_a_waiting_receiver(run: Run, push_pull: Any) -> None:
    """Who waits already gets the message of a task that was cancelled."""
    push, pull = push_pull

    async def main() -> None:
        first, second = pull.recv(), pull.recv_multipart()
        task, waiting = awaiting(first), awaiting(second)
        await asyncio.sleep(0)
        await push.send(b"x")
        await cancel_in_the_turn_of([task], first)
        assert [b"x"] == await asyncio.wait_for(waiting, TIMEOUT_S)

    run(main())


@purezmq_only("pyzmq loses the part")
def test_p19_part_of_a_cancelled_task_stays_at_its_place(run: Run, push_pull: Any) -> None:
    """The first part of a message: it is received next, before the others."""
    push, pull = push_pull

    async def main() -> None:
        future = pull.recv()
        task = awaiting(future)
        await asyncio.sleep(0)
        await push.send_multipart([b"a", b"b", b"c"])
        await cancel_in_the_turn_of([task], future)
        assert b"a" == await pull.recv()
        assert [b"b", b"c"] == await pull.recv_multipart()

    run(main())


@purezmq_only("pyzmq loses the reply")
def test_p19_reply_of_a_cancelled_task_is_kept(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """REQ and REP, too: their state went on with the message, the socket keeps it for the next recv."""
    req, rep = make_socket(zmq.REQ), make_socket(zmq.REP)
    link(rep, req)

    async def main() -> None:
        for sender, receiver in ((req, rep), (rep, req)):
            future = receiver.recv()
            task = awaiting(future)
            await asyncio.sleep(0)
            await sender.send(b"x")
            await cancel_in_the_turn_of([task], future)
            assert zmq.POLLIN == await receiver.poll(0)
            assert b"x" == await receiver.recv()

    run(main())


def test_cancelled_send_is_not_sent(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """What waits for room and is cancelled never leaves; what waits behind it does."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)

    async def main() -> None:
        sends = [push.send(b"%d" % number) for number in range(4)]
        assert not any(send.done() for send in sends)
        sends[1].cancel()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sends[2], 0.01)
        link(pull, push)
        await asyncio.wait_for(asyncio.gather(sends[0], sends[3]), TIMEOUT_S)
        await push.send(b"4")
        assert [b"0", b"3", b"4"] == [await pull.recv() for _ in range(3)]

    run(main())


def test_cancelled_poll_takes_nothing(run: Run, push_pull: Any) -> None:
    """A poll may be given up."""
    push, pull = push_pull

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pull.poll(), 0.01)
        waiting = pull.poll()
        waiting.cancel()
        await push.send(b"x")
        assert b"x" == await pull.recv()

    run(main())


def test_many_timeouts_leave_nothing_behind(run: Run, push_pull: Any) -> None:
    """Futures that were cancelled are forgotten, not collected until a message comes."""
    push, pull = push_pull

    async def main() -> None:
        for _ in range(300):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pull.recv(), 0)
            pull.recv().cancel()
        await push.send(b"x")
        assert b"x" == await asyncio.wait_for(pull.recv(), TIMEOUT_S)

    run(main())


def test_receivers_are_served_in_turn(run: Run, push_pull: Any) -> None:
    """Ten tasks that receive on one socket each get every tenth message."""
    push, pull = push_pull

    async def receive(own: list[int]) -> None:
        for _ in range(20):
            own.append(int(await pull.recv()))
            await asyncio.sleep(0)

    async def main() -> None:
        received: list[list[int]] = [[] for _ in range(10)]
        tasks = [asyncio.create_task(receive(own)) for own in received]
        await asyncio.sleep(0)
        for turn in range(20):
            for number in range(10):
                await push.send(b"%d" % (10 * turn + number))
            while sum(map(len, received)) < 10 * (turn + 1):  # noqa: ASYNC110 - turn by turn, on purpose
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)
        assert [list(range(first, 200, 10)) for first in range(10)] == received

    run(main())


@purezmq_only("pyzmq loses messages")
@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_random_cancellations_lose_nothing(seed: int, tasks: int) -> None:
    """P19: Whatever is cancelled and whenever: each message arrives once, and each task gets its share in order."""
    rng = random.Random(seed)
    context = library_module("asyncio").Context()
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    pull.bind("inproc://random")
    push.connect("inproc://random")
    received: list[int] = []

    async def receive() -> None:
        while True:
            try:
                async with asyncio.timeout(rng.choice([0, 0.0001, 0.01])):
                    message = await (pull.recv() if rng.random() < 0.7 else pull.recv_multipart())
                received.append(int(message if isinstance(message, bytes) else message[0]))
            except TimeoutError:
                pass
            await asyncio.sleep(0)

    async def main() -> None:
        receivers = [asyncio.create_task(receive()) for _ in range(tasks)]
        for number in range(60):
            await push.send(b"%d" % number)
            for _ in range(rng.randrange(3)):
                await asyncio.sleep(0)
        async with asyncio.timeout(TIMEOUT_S):
            while len(received) < 60:  # noqa: ASYNC110 - turn by turn, on purpose
                await asyncio.sleep(0.001)
        for receiver in receivers:
            receiver.cancel()
        await asyncio.wait(receivers)

    try:
        asyncio.run(main())
    finally:
        context.destroy(0)
    assert list(range(60)) == sorted(received)
    assert tasks > 1 or sorted(received) == received
