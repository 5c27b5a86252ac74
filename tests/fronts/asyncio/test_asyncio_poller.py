"""The asynchronous Poller: 0MQ sockets of both kinds and descriptors, mixed."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket as stdlib_socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, library_module, purezmq_only, zmq

MakeSocket = Callable[..., Any]
Run = Callable[..., Any]
Link = Callable[..., None]


@pytest.fixture
def poller() -> Any:
    """An asynchronous poller."""
    return library_module("asyncio").Poller()


@pytest.fixture
def plain_pair() -> Iterator[tuple[stdlib_socket.socket, stdlib_socket.socket]]:
    """Two connected sockets of the system."""
    first, second = stdlib_socket.socketpair()
    with first, second:
        first.setblocking(False)
        second.setblocking(False)
        yield first, second


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_poller_tells_which_socket_is_ready(
    run: Run, make_socket: MakeSocket, link: Link, poller: Any, transport: str
) -> None:
    """Events there already, and those that come while it waits."""
    pulls = [make_socket(zmq.PULL) for _ in range(3)]
    pushes = [make_socket(zmq.PUSH) for _ in range(3)]
    for pull, push in zip(pulls, pushes, strict=True):
        link(pull, push, transport=transport)
        poller.register(pull, zmq.POLLIN)

    async def main() -> None:
        assert [] == await poller.poll(0)
        assert [] == await poller.poll(10)
        waiting = poller.poll()
        assert isinstance(waiting, asyncio.Future)
        await pushes[1].send(b"x")
        assert [(pulls[1], zmq.POLLIN)] == await waiting
        assert [(pulls[1], zmq.POLLIN)] == await poller.poll(None if transport == "tcp" else -1)
        await pulls[1].recv()
        poller.register(pushes[0], zmq.POLLOUT)
        assert [(pushes[0], zmq.POLLOUT)] == await poller.poll(TIMEOUT_S * 1000)

    run(main())


def test_poller_takes_synchronous_sockets(run: Run, make_socket: MakeSocket, poller: Any) -> None:
    """A blocking socket among asynchronous ones; it is told as it was registered."""
    context = zmq.Context()
    sync_pull, sync_push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    sync_push.connect(f"tcp://127.0.0.1:{sync_pull.bind_to_random_port('tcp://127.0.0.1')}")
    poller.register(sync_pull, zmq.POLLIN)
    poller.register(make_socket(zmq.PULL), zmq.POLLIN)

    async def main() -> None:
        for _ in range(3):
            waiting = poller.poll()
            await asyncio.sleep(0.001)
            sync_push.send(b"x")
            assert [(sync_pull, zmq.POLLIN)] == await asyncio.wait_for(waiting, TIMEOUT_S)
            assert b"x" == sync_pull.recv()

    run(main())
    poller.unregister(sync_pull)
    sync_pull.close(0)
    sync_push.close(0)
    context.term()


def test_poller_takes_descriptors(run: Run, push_pull: Any, poller: Any, plain_pair: Any) -> None:
    """Numbers, objects with fileno() and 0MQ sockets in one poll; whichever comes first ends it."""
    push, pull = push_pull
    first, second = plain_pair
    poller.register(pull, zmq.POLLIN)
    poller.register(first, zmq.POLLIN)
    poller.register(second.fileno(), zmq.POLLIN)

    async def main() -> None:
        waiting = poller.poll()
        second.send(b"x")
        assert [(first.fileno(), zmq.POLLIN)] == await asyncio.wait_for(waiting, TIMEOUT_S)
        first.recv(1)
        waiting = poller.poll()
        await push.send(b"y")
        assert [(pull, zmq.POLLIN)] == await asyncio.wait_for(waiting, TIMEOUT_S)
        first.send(b"z")
        assert b"y" == await pull.recv()
        assert [(second.fileno(), zmq.POLLIN)] == await asyncio.wait_for(poller.poll(), TIMEOUT_S)
        poller.modify(first, zmq.POLLOUT)
        assert (first.fileno(), zmq.POLLOUT) in await poller.poll(0)

    run(main())


def test_cancelled_poll_leaves_no_trace(run: Run, push_pull: Any, poller: Any, plain_pair: Any) -> None:
    """After a poll was cancelled the loop watches nothing for it, and the next one works."""
    push, pull = push_pull
    first, _ = plain_pair
    poller.register(pull, zmq.POLLIN)
    poller.register(first, zmq.POLLIN)

    async def main() -> None:
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(poller.poll(), 0.002)
        assert not asyncio.get_running_loop().remove_reader(first.fileno())
        waiting = poller.poll()
        await push.send(b"x")
        assert [(pull, zmq.POLLIN)] == await asyncio.wait_for(waiting, TIMEOUT_S)

    run(main())


@purezmq_only("pyzmq tells nothing of it")
def test_poll_of_a_closed_socket_fails(run: Run, make_socket: MakeSocket, poller: Any) -> None:
    """ENOTSOCK is the future's."""
    pull = make_socket(zmq.PULL)
    poller.register(pull, zmq.POLLIN)
    pull.close()

    async def main() -> None:
        with pytest.raises(zmq.ZMQError) as caught:
            await poller.poll(0)
        assert zmq.ENOTSOCK == caught.value.errno

    run(main())


@purezmq_only("pyzmq's poll is cancelled, and its callback raises")
def test_closing_a_socket_ends_its_poll(run: Run, make_socket: MakeSocket, poller: Any) -> None:
    """Who polls a socket that is closed is cancelled."""
    pull = make_socket(zmq.PULL)
    poller.register(pull, zmq.POLLIN)

    async def main() -> None:
        waiting = poller.poll()
        pull.close()
        await asyncio.wait([waiting], timeout=TIMEOUT_S)
        assert waiting.cancelled()

    run(main())


class CountingSelector(selectors.DefaultSelector):
    """A selector that counts the turns of its loop."""

    turns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        return super().select(timeout)


@pytest.mark.skipif(sys.platform == "win32", reason="select() on Windows doesn't tell the end as an error")
@pytest.mark.parametrize("flags", [zmq.POLLERR, zmq.POLLPRI, zmq.POLLERR | zmq.POLLOUT])
def test_poller_of_exceptions_sleeps_while_data_lie(
    poller: Any, plain_pair: tuple[stdlib_socket.socket, stdlib_socket.socket], flags: int
) -> None:
    """Data that nobody asked for don't wake the loop again and again; an end of the connection does, once."""
    first, second = plain_pair
    with contextlib.suppress(BlockingIOError):
        while True:
            first.send(bytes(65536))
    second.send(b"x")
    poller.register(first, flags)
    selector = CountingSelector()

    async def main() -> list[tuple[Any, int]]:
        assert [] == await poller.poll(50)
        future = poller.poll(1000 * TIMEOUT_S)
        await asyncio.sleep(0.02)
        second.close()
        events: list[tuple[Any, int]] = await future
        return events

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        events = runner.run(main())
    assert [first.fileno()] == [number for number, _ in events]
    assert events[0][1] & zmq.POLLERR
    # A descriptor that stays readable would make thousands of turns.
    assert 100 > selector.turns
