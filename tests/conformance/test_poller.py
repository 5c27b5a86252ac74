"""Poller, select and the descriptor of a socket, alone and mixed with those of the operating system."""

from __future__ import annotations

import asyncio
import os
import select
import socket as stdlib_socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import TRANSPORTS, bind, link, purezmq_only, run_in_thread, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="select() takes sockets only on Windows")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Descriptors of a pipe of the operating system."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def linked(make_socket: MakeSocket, transport: str = "tcp") -> tuple[Any, Any]:
    """PUSH and PULL."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport=transport)
    return push, pull


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_poller_tells_what_is_ready(make_socket: MakeSocket, transport: str) -> None:
    """Only sockets with an event that was asked for are in the answer."""
    push, pull = linked(make_socket, transport)
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    assert {} == dict(poller.poll(0))
    poller.register(push)
    assert {push: zmq.POLLOUT} == dict(poller.poll(1000))
    push.send(b"x")
    poller.unregister(push)
    assert {pull: zmq.POLLIN} == dict(poller.poll(5000))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_poller_wakes_when_message_comes(make_socket: MakeSocket, transport: str) -> None:
    """A blocked poll of several sockets ends with the first message."""
    pushes, pulls = zip(*(linked(make_socket, transport) for _ in range(4)), strict=True)
    poller = zmq.Poller()
    for pull in pulls:
        poller.register(pull, zmq.POLLIN)
    call = run_in_thread(poller.poll, 5000)
    assert call.still_runs_after(0.02)
    pushes[2].send(b"x")
    assert [(pulls[2], zmq.POLLIN)] == call.result()


@needs_pipes
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_poller_mixes_sockets_and_descriptors(make_socket: MakeSocket, pipe: tuple[int, int], transport: str) -> None:
    """Numbers of descriptors, objects with fileno(), and zmq sockets in one poll."""
    push, pull = linked(make_socket, transport)
    left, right = stdlib_socket.socketpair()
    with left, right:
        poller = zmq.Poller()
        for item in (pull, pipe[0], left):
            poller.register(item, zmq.POLLIN)
        assert [] == poller.poll(0)
        os.write(pipe[1], b"x")
        assert [(pipe[0], zmq.POLLIN)] == poller.poll(5000)
        os.read(pipe[0], 1)
        right.send(b"y")
        events = dict(poller.poll(5000))
        assert zmq.POLLIN == events.pop(left.fileno(), None) or zmq.POLLIN == events.pop(left)
        left.recv(1)
        push.send(b"z")
        assert [(pull, zmq.POLLIN)] == poller.poll(5000)


@needs_pipes
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_blocked_mixed_poller_wakes_for_either(make_socket: MakeSocket, pipe: tuple[int, int], transport: str) -> None:
    """While it blocks, a mixed poll sees a message and a descriptor alike."""
    push, pull = linked(make_socket, transport)
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    poller.register(pipe[0], zmq.POLLIN)
    call = run_in_thread(poller.poll, None)
    assert call.still_runs_after(0.02)
    push.send(b"x")
    assert [(pull, zmq.POLLIN)] == call.result()
    pull.recv()
    call = run_in_thread(poller.poll, None)
    assert call.still_runs_after(0.02)
    os.write(pipe[1], b"x")
    assert [(pipe[0], zmq.POLLIN)] == call.result()


def test_poller_forgets_and_changes(make_socket: MakeSocket) -> None:
    """register, modify, unregister, `in`, sockets."""
    push, _ = linked(make_socket)
    poller = zmq.Poller()
    poller.register(push, zmq.POLLIN)
    assert push in poller
    assert [(push, zmq.POLLIN)] == poller.sockets
    assert [] == poller.poll(0)
    poller.modify(push, zmq.POLLOUT)
    assert [(push, zmq.POLLOUT)] == poller.poll(1000)
    poller.register(push, 0)
    assert push not in poller
    with pytest.raises(KeyError):
        poller.unregister(push)


def test_poller_takes_inproc_and_stream_sockets_together(make_socket: MakeSocket) -> None:
    """Sockets of all transports in one poll."""
    links = [linked(make_socket, transport) for transport in TRANSPORTS]
    poller = zmq.Poller()
    for _, pull in links:
        poller.register(pull, zmq.POLLIN)
    for push, pull in links:
        push.send(b"x")
        assert [(pull, zmq.POLLIN)] == poller.poll(5000)
        pull.recv()


def test_select_sorts_by_direction(make_socket: MakeSocket) -> None:
    """zmq.select like select.select, with seconds."""
    push, pull = linked(make_socket)
    assert ([], [push], []) == zmq.select([pull, push], [pull, push], [], 0)
    push.send(b"x")
    assert ([pull], [], []) == zmq.select([pull], [], [pull], 5)


def read_ready(pull: Any, wait: Callable[[], Any], count: int) -> list[bytes]:
    """Read as programs do that use FD: wait for it, then read until EVENTS has no POLLIN left."""
    received: list[bytes] = []
    while len(received) < count:
        while pull.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            received.append(pull.recv(zmq.DONTWAIT))
        if len(received) < count:
            assert wait(), "the descriptor does not tell of a message"
    return received


def fd_waiters() -> dict[str, Callable[[int], Callable[[], Any]]]:
    """Ways to wait five seconds for a descriptor to be readable."""

    def with_poll(fd: int) -> Callable[[], Any]:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return lambda: poll.poll(5000)

    def with_epoll(fd: int) -> Callable[[], Any]:
        epoll = select.epoll()
        epoll.register(fd, select.EPOLLIN)
        return lambda: epoll.poll(5)

    waiters: dict[str, Callable[[int], Callable[[], Any]]] = {
        "select": lambda fd: lambda: select.select([fd], [], [], 5)[0]
    }
    if hasattr(select, "poll"):
        waiters["poll"] = with_poll
    if hasattr(select, "epoll"):
        waiters["epoll"] = with_epoll
    return waiters


@effect_of("FD")
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", fd_waiters())
def test_descriptor_tells_of_messages(make_socket: MakeSocket, name: str, transport: str) -> None:
    """FD becomes readable when EVENTS may have changed; with EVENTS in the loop no message is missed."""
    push, pull = linked(make_socket, transport)
    wait = fd_waiters()[name](pull.getsockopt(zmq.FD))
    assert pull.fileno() == pull.getsockopt(zmq.FD) == pull.FD

    def send_slowly() -> None:
        for number in range(200):
            push.send(b"%d" % number)
            push.poll(1 if number % 20 == 0 else 0, zmq.POLLIN)

    call = run_in_thread(send_slowly)
    assert [b"%d" % number for number in range(200)] == read_ready(pull, wait, 200)
    call.result()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_descriptor_works_in_asyncio(make_socket: MakeSocket, transport: str) -> None:
    """loop.add_reader(FD) with a drain until EVENTS is empty."""
    push, pull = linked(make_socket, transport)
    received: list[bytes] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def drain() -> None:
            while pull.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                received.append(pull.recv(zmq.DONTWAIT))
            if len(received) == 100 and not done.done():
                done.set_result(None)

        loop.add_reader(pull.fileno(), drain)
        for number in range(100):
            push.send(b"%d" % number)
            if number % 10 == 0:
                await asyncio.sleep(0)
        drain()
        await asyncio.wait_for(done, 5)
        loop.remove_reader(pull.fileno())

    asyncio.run(main())
    assert [b"%d" % number for number in range(100)] == received


@purezmq_only("libzmq's FD is edge-triggered")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_descriptor_is_readable_while_a_message_waits(make_socket: MakeSocket, transport: str) -> None:
    """Without any look at EVENTS, select() sees a message as long as it is not taken."""
    push, pull = linked(make_socket, transport)
    push.send(b"x")
    for _ in range(3):
        assert [pull] == select.select([pull], [], [], 5)[0]
    assert b"x" == pull.recv()


def test_idle_socket_does_not_spin(make_socket: MakeSocket) -> None:
    """After everything was read and EVENTS asked, the descriptor is quiet."""
    push, pull = linked(make_socket)
    for _ in range(10):
        push.send(b"x")
    for _ in range(10):
        pull.recv()
    assert 0 == pull.getsockopt(zmq.EVENTS) & zmq.POLLIN
    assert [] == select.select([pull.fileno()], [], [], 0.03)[0] or not pull.getsockopt(zmq.EVENTS) & zmq.POLLIN
    assert [] == select.select([pull.fileno()], [], [], 0.03)[0]


def test_poll_of_socket_that_connects_later(make_socket: MakeSocket) -> None:
    """A poll that blocks before there is any peer sees the first message."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = bind(pull, "tcp")
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    call = run_in_thread(poller.poll, 5000)
    assert call.still_runs_after(0.02)
    push.connect(endpoint)
    push.send(b"x")
    assert [(pull, zmq.POLLIN)] == call.result()


@needs_pipes
@pytest.mark.parametrize("flags", [zmq.POLLIN, zmq.POLLOUT, zmq.POLLERR, zmq.POLLPRI])
def test_poller_of_a_pipe_whose_writer_is_gone_tells_pollerr(pipe: tuple[int, int], flags: int) -> None:
    """Nothing more can come: that is told as POLLERR, whatever was asked for, and ends the wait."""
    reader, writer = pipe
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), writer)  # closes the end that writes, and leaves the fixture one to close
    poller = zmq.Poller()
    poller.register(reader, flags)
    assert [(reader, zmq.POLLERR)] == poller.poll(5000)
