"""Small programs as users write them for pyzmq, run unmodified: the idioms of the guide."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from tests.support import library_module, zmq


def test_hello_world_program() -> None:
    """The guide's first example, server in a thread, with context managers."""
    with zmq.Context() as context:
        server = context.socket(zmq.REP)
        port = server.bind_to_random_port("tcp://127.0.0.1")

        def serve() -> None:
            for _ in range(3):
                assert "Hello" == server.recv_string()
                server.send_string("World")

        thread = threading.Thread(target=serve)
        thread.start()
        with context.socket(zmq.REQ) as client:
            client.connect(f"tcp://127.0.0.1:{port}")
            for _ in range(3):
                client.send_string("Hello")
                assert "World" == client.recv_string()
        thread.join(5)
        server.close()


def test_decorated_program() -> None:
    """@zmq.decorators.context and .socket."""
    decorators = library_module("decorators")

    @decorators.context()
    @decorators.socket(zmq.PAIR)
    @decorators.socket(zmq.PAIR)
    def talk(_context: Any, a: Any, b: Any) -> bytes:
        a.bind("inproc://decorated")
        b.connect("inproc://decorated")
        b.send(b"x")
        return a.recv()

    assert b"x" == talk()


def test_lazy_pirate_program() -> None:
    """A client that gives up on a request, closes its socket and asks again."""
    with zmq.Context() as context:
        server = context.socket(zmq.ROUTER)
        port = server.bind_to_random_port("tcp://127.0.0.1")
        for attempt in range(3):
            client = context.socket(zmq.REQ)
            client.connect(f"tcp://127.0.0.1:{port}")
            client.send(b"%d" % attempt)
            peer, _, body = server.recv_multipart()
            assert b"%d" % attempt == body
            if attempt == 2:
                server.send_multipart([peer, b"", b"answer"])
            if client.poll(5000 if attempt == 2 else 10) & zmq.POLLIN:
                assert b"answer" == client.recv()
                client.close()
                break
            client.setsockopt(zmq.LINGER, 0)
            client.close()
        else:
            raise AssertionError("no answer")
        server.close(linger=0)


def test_subclass_with_attributes_of_its_own() -> None:
    """Programs derive from Socket and Context and put attributes on the class."""

    class Counting(zmq.Socket):
        sent = 0

        def send(self, data: Any, flags: int = 0, **kwargs: Any) -> Any:
            Counting.sent += 1
            return super().send(data, flags, **kwargs)

    class Mine(zmq.Context):
        _socket_class = Counting

    with Mine() as context:
        a, b = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        a.bind("inproc://subclass")
        b.connect("inproc://subclass")
        a.send_string("x")
        assert "x" == b.recv_string()
        assert 1 == Counting.sent
        a.close()
        b.close()


def test_sockets_are_hashable_and_usable_as_keys() -> None:
    """dict(poller.poll()) and sets of sockets."""
    with zmq.Context() as context, context.socket(zmq.PULL) as one, context.socket(zmq.PULL) as two:
        assert {one: 1, two: 2}[two] == 2
        assert one == one  # noqa: PLR0124
        assert one != two


def test_queue_device_program() -> None:
    """A broker of clients and workers as a device in a thread."""
    devices = library_module("devices")
    context = zmq.Context()
    broker = devices.ThreadDevice(zmq.QUEUE, zmq.ROUTER, zmq.DEALER)
    broker.context_factory = lambda: context
    front = broker.bind_in_to_random_port("tcp://127.0.0.1")
    back = broker.bind_out_to_random_port("tcp://127.0.0.1")
    broker.start()
    with context.socket(zmq.REP) as worker, context.socket(zmq.REQ) as client:
        worker.connect(f"tcp://127.0.0.1:{back}")
        client.connect(f"tcp://127.0.0.1:{front}")
        client.send_string("Hello")
        assert "Hello" == worker.recv_string()
        worker.send_string("World")
        assert "World" == client.recv_string()
    context.term()
    broker.join(5)
    assert broker.done


def test_logging_program() -> None:
    """A program that publishes its log, and another part of it that collects."""
    handlers = library_module("log.handlers")
    with zmq.Context() as context, context.socket(zmq.XPUB) as publisher, context.socket(zmq.SUB) as collector:
        publisher.bind("inproc://log")
        collector.connect("inproc://log")
        collector.subscribe("app.ERROR")
        publisher.recv()
        logger = logging.getLogger("tests.compat.logging_program")
        logger.propagate = False
        handler = handlers.PUBHandler(publisher)
        handler.root_topic = "app"
        logger.addHandler(handler)
        logger.error("db::no connection")
        logger.warning("not wanted")
        topic, text = collector.recv_multipart()
        assert "app.ERROR.db" == topic.decode()
        assert "no connection" in text.decode()
        assert 0 == collector.poll(0)
        logger.removeHandler(handler)


def test_subclass_with_its_own_send_and_recv_sees_each_part() -> None:
    """send_multipart and recv_multipart go through what a subclass overrides."""
    seen = []

    class Watching(zmq.Socket):
        def send(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(data)
            return super().send(data, *args, **kwargs)

        def recv(self, *args: Any, **kwargs: Any) -> Any:
            data = super().recv(*args, **kwargs)
            seen.append(data)
            return data

    with (
        zmq.Context() as context,
        context.socket(zmq.PAIR, socket_class=Watching) as one,
        context.socket(zmq.PAIR) as other,
    ):
        one.bind("inproc://watched")
        other.connect("inproc://watched")
        one.send_multipart([b"a", b"b"])
        assert [b"a", b"b"] == other.recv_multipart()
        other.send_multipart([b"c", b"d"])
        assert [b"c", b"d"] == one.recv_multipart()
    assert [b"a", b"b", b"c", b"d"] == seen


def test_asyncio_is_reached_through_the_front() -> None:
    """Programs say zmq.asyncio.asyncio.get_event_loop()."""
    assert asyncio is library_module("asyncio").asyncio
