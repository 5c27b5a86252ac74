"""device, proxy and proxy_steerable run in a greenlet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from tests.support import TIMEOUT_S, bind, library_module, purezmq_only

green: Any = library_module("green")
MakeSocket = Callable[..., Any]
Spawn = Callable[..., Any]


def test_device_passes_requests_and_replies(make_socket: MakeSocket, spawn: Spawn) -> None:
    """A QUEUE between clients and a worker, all greenlets of one thread."""
    frontend, backend, worker = make_socket(green.ROUTER), make_socket(green.DEALER), make_socket(green.REP)
    endpoint = bind(frontend, "tcp")
    worker.connect(bind(backend, "tcp"))
    spawn(green.device, green.QUEUE, frontend, backend)

    def work() -> None:
        while True:
            worker.send(worker.recv().upper())

    def ask(number: int) -> bytes:
        client = make_socket(green.REQ)
        client.connect(endpoint)
        for _ in range(20):
            client.send(b"abc%d" % number)
            answer = client.recv()
        return bytes(answer)

    spawn(work)
    asking = [spawn(ask, number) for number in range(5)]
    assert [b"ABC%d" % number for number in range(5)] == [one.get(timeout=TIMEOUT_S) for one in asking]


@purezmq_only("pyzmq's device ends with AssertionError: only one greenlet may wait")
def test_device_of_one_socket_echoes(make_socket: MakeSocket, spawn: Spawn) -> None:
    """Both sides may be the same socket, as Jupyter's heartbeat uses it."""
    router, client = make_socket(green.ROUTER), make_socket(green.REQ)
    client.connect(bind(router, "tcp"))
    spawn(green.device, green.QUEUE, router, router)
    client.send(b"ping")
    assert b"ping" == client.recv()


def test_device_ends_when_a_socket_is_closed(make_socket: MakeSocket, spawn: Spawn) -> None:
    """Closing a side ends the greenlet with an error."""
    frontend, backend = make_socket(green.PULL), make_socket(green.PUSH)
    running = spawn(green.device, green.STREAMER, frontend, backend)
    gevent.sleep(0.01)
    frontend.close()
    running.join(TIMEOUT_S)
    assert isinstance(running.exception, green.ZMQError)


@purezmq_only("zmq.green.proxy is the plain one, which blocks the whole thread")
def test_busy_proxy_lets_other_greenlets_run(make_socket: MakeSocket, spawn: Spawn) -> None:
    """A proxy under constant load gives way after each batch."""
    frontend, backend, capture = make_socket(green.PULL), make_socket(green.PUSH), make_socket(green.PUSH)
    push, pull, copies = make_socket(green.PUSH), make_socket(green.PULL), make_socket(green.PULL)
    push.connect(bind(frontend, "tcp"))
    pull.connect(bind(backend, "tcp"))
    copies.connect(bind(capture, "inproc"))
    spawn(green.proxy, frontend, backend, capture)

    def send_all() -> None:
        for number in range(2000):
            push.send(b"%d" % number)

    def take_all(socket: Any) -> list[int]:
        return [int(socket.recv()) for _ in range(2000)]

    spawn(send_all)
    taking = [spawn(take_all, pull), spawn(take_all, copies)]
    for one in taking:
        assert list(range(2000)) == one.get(timeout=TIMEOUT_S)


@purezmq_only("zmq.green.proxy_steerable is the plain one, which blocks the whole thread")
def test_steerable_proxy_obeys_and_ends(make_socket: MakeSocket, spawn: Spawn) -> None:
    """TERMINATE ends the greenlet of a steerable proxy."""
    frontend, backend = make_socket(green.PULL), make_socket(green.PUSH)
    control, steering = make_socket(green.PAIR), make_socket(green.PAIR)
    steering.connect(bind(control, "inproc"))
    running = spawn(green.proxy_steerable, frontend, backend, None, control)
    steering.send(b"TERMINATE")
    running.get(timeout=TIMEOUT_S)


@pytest.mark.parametrize("name", ["Context", "Socket", "Poller", "device"])
def test_namespace_replaces_what_blocks(name: str) -> None:
    """``import zmq.green as zmq`` gives everything of the plain library, with green classes."""
    plain = library_module("constants").__package__
    assert getattr(green, name) is not getattr(__import__(str(plain)), name)
    assert green.PULL == __import__(str(plain)).PULL


def test_instance_is_not_the_plain_one() -> None:
    """Context.instance() of green is a green context of its own."""
    plain = __import__(str(library_module("constants").__package__))
    one, other = plain.Context.instance(), green.Context.instance()
    assert one is not other
    assert isinstance(other, green.Context)
    assert other is green.Context.instance()
    other.term()
    one.term()
