"""Poller and zmq_poll block their greenlet only, for sockets, descriptors and gevent's own sockets."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.socket
import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, library_module, purezmq_only

green: Any = library_module("green")
MakeSocket = Callable[..., Any]
Spawn = Callable[..., Any]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe of the system."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def poller_of(*items: tuple[Any, int]) -> Any:
    """A poller with these registered."""
    poller = green.Poller()
    for thing, flags in items:
        poller.register(thing, flags)
    return poller


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_poller_waits_until_one_of_two_sockets_has_a_message(
    make_socket: MakeSocket, spawn: Spawn, transport: str
) -> None:
    """poll() in a greenlet tells the socket that got a message, sent by another greenlet."""
    first, second, push = make_socket(green.PULL), make_socket(green.PULL), make_socket(green.PUSH)
    bind(first, transport)
    push.connect(bind(second, transport))
    poller = poller_of((first, green.POLLIN), (second, green.POLLIN))
    polling = spawn(poller.poll, 10_000)
    gevent.sleep(0.01)
    assert not polling.ready()
    push.send(b"x")
    assert [(second, green.POLLIN)] == polling.get(timeout=TIMEOUT_S)
    assert b"x" == second.recv()


def test_poller_without_events_returns_an_empty_list(make_socket: MakeSocket) -> None:
    """The time of poll() is milliseconds; others run meanwhile."""
    pull = make_socket(green.PULL)
    ticks: list[int] = []
    ticker = gevent.spawn(lambda: [(ticks.append(1), gevent.sleep(0.001)) for _ in range(5)])
    assert [] == poller_of((pull, green.POLLIN)).poll(50)
    assert [] == poller_of((pull, green.POLLIN)).poll(0)
    ticker.join()
    assert 5 == len(ticks)


def test_poller_tells_room_to_send(make_socket: MakeSocket, spawn: Spawn) -> None:
    """POLLOUT of a socket without a peer comes with its first peer."""
    push, pull = make_socket(green.PUSH), make_socket(green.PULL)
    endpoint = bind(push, "tcp")
    polling = spawn(poller_of((push, green.POLLOUT)).poll, 10_000)
    gevent.sleep(0.01)
    assert not polling.ready()
    pull.connect(endpoint)
    assert [(push, green.POLLOUT)] == polling.get(timeout=TIMEOUT_S)


@purezmq_only("libzmq tells room only after half of the queue is read, in its own time")
def test_poller_tells_room_of_a_full_inproc_queue(make_socket: MakeSocket, spawn: Spawn) -> None:
    """POLLOUT comes back when the peer has read."""
    pull, push = make_socket(green.PULL, rcvhwm=2), make_socket(green.PUSH, sndhwm=2)
    push.connect(bind(pull, "inproc"))
    while push.poll(0, green.POLLOUT):
        push.send(b"x")
    polling = spawn(poller_of((push, green.POLLOUT)).poll, 10_000)
    gevent.sleep(0.01)
    assert not polling.ready()
    while pull.poll(0):
        pull.recv()
    assert [(push, green.POLLOUT)] == polling.get(timeout=TIMEOUT_S)


def test_poller_waits_for_descriptors_beside_sockets(
    make_socket: MakeSocket, spawn: Spawn, pipe: tuple[int, int]
) -> None:
    """A descriptor of the system that becomes readable ends poll()."""
    reader, writer = pipe
    polling = spawn(poller_of((make_socket(green.PULL), green.POLLIN), (reader, green.POLLIN)).poll, 10_000)
    gevent.sleep(0.01)
    assert not polling.ready()
    os.write(writer, b"x")
    assert [(reader, green.POLLIN)] == polling.get(timeout=TIMEOUT_S)


def test_poller_waits_for_gevent_sockets(spawn: Spawn) -> None:
    """gevent's own sockets can be registered; poll() tells their descriptor."""
    one, other = gevent.socket.socketpair()
    with one, other:
        polling = spawn(poller_of((one, green.POLLIN)).poll, 10_000)
        gevent.sleep(0.01)
        assert not polling.ready()
        other.send(b"x")
        assert [(one.fileno(), green.POLLIN)] == polling.get(timeout=TIMEOUT_S)


@purezmq_only("zmq.green.zmq_poll blocks the whole thread")
def test_zmq_poll_blocks_its_greenlet_only(make_socket: MakeSocket, spawn: Spawn) -> None:
    """zmq_poll waits as Poller.poll does."""
    pull, push = make_socket(green.PULL), make_socket(green.PUSH)
    push.connect(bind(pull, "tcp"))
    polling = spawn(green.zmq_poll, [(pull, green.POLLIN)], 10_000)
    gevent.sleep(0.01)
    push.send(b"x")
    assert [(pull, green.POLLIN)] == polling.get(timeout=TIMEOUT_S)


@purezmq_only("pyzmq's green poller needs the message to come by the same hub")
def test_poller_is_woken_by_another_thread(make_socket: MakeSocket) -> None:
    """A plain thread that sends over inproc wakes the greenlet that polls."""
    pull, push = make_socket(green.PULL), make_socket(green.PUSH)
    push.connect(bind(pull, "inproc"))

    def send_later() -> None:
        time.sleep(0.02)
        push.send(b"x")

    thread = threading.Thread(target=send_later)
    thread.start()
    assert [(pull, green.POLLIN)] == poller_of((pull, green.POLLIN)).poll(TIMEOUT_S * 1000)
    thread.join()


def test_poll_interrupted_by_timeout_can_be_repeated(make_socket: MakeSocket) -> None:
    """gevent.Timeout ends poll(); the next one works as the first."""
    pull, push = make_socket(green.PULL), make_socket(green.PUSH)
    push.connect(bind(pull, "tcp"))
    poller = poller_of((pull, green.POLLIN))
    for _ in range(3):
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.005):
            poller.poll()
    push.send(b"x")
    assert [(pull, green.POLLIN)] == poller.poll(TIMEOUT_S * 1000)


@purezmq_only("a plain zmq.Socket in a green poller is polled by pyzmq, too, but blocks elsewhere")
def test_poller_takes_plain_sockets(context: Any, spawn: Spawn) -> None:
    """A plain socket among the green ones is waited for in the same way."""
    plain = library_module("sockets.socket").Socket
    with plain(context, green.PULL) as pull, plain(context, green.PUSH) as push:
        push.linger = 0
        push.connect(bind(pull, "tcp"))
        polling = spawn(poller_of((pull, green.POLLIN)).poll, 10_000)
        gevent.sleep(0.01)
        push.send(b"x")
        assert [(pull, green.POLLIN)] == polling.get(timeout=TIMEOUT_S)


@pytest.mark.skipif(sys.platform == "win32", reason="select() takes sockets only on Windows")
@pytest.mark.parametrize("flags", [green.POLLERR, green.POLLPRI])
def test_poller_of_exceptions_sleeps_while_data_lie(pipe: tuple[int, int], spawn: Spawn, flags: int) -> None:
    """Data that nobody asked for don't wake the hub again and again; the end of the pipe does."""
    reader, writer = pipe
    os.write(writer, b"x")
    turns: list[int] = []
    poll = spawn(poller_of((reader, flags)).poll, 1000 * TIMEOUT_S)
    prepare = gevent.get_hub().loop.prepare()
    prepare.start(lambda: turns.append(1))
    gevent.sleep(0.05)
    prepare.stop()
    prepare.close()
    # A descriptor that stays readable would make thousands of turns.
    assert 100 > len(turns)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), writer)  # closes the end that writes, and leaves the fixture one to close
    assert [(reader, green.POLLERR)] == poll.get(timeout=TIMEOUT_S)
