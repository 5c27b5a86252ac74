"""The other modules of eventloop: what they export, and what they say when tornado is not installed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support import LIBRARY, library_module, purezmq_only, zmq
from tornado.ioloop import IOLoop, PeriodicCallback

ROOT = Path(__file__).parents[3]


def test_package_gives_tornados_loop() -> None:
    """zmq.eventloop.IOLoop is tornado's."""
    assert library_module("eventloop").IOLoop is IOLoop


def test_ioloop_is_tornados_and_deprecated() -> None:
    """Importing ioloop and installing it warn, and change nothing."""
    sys.modules.pop(f"{LIBRARY}.eventloop.ioloop", None)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        ioloop = importlib.import_module(f"{LIBRARY}.eventloop.ioloop")
    assert ioloop.IOLoop is ioloop.ZMQIOLoop is IOLoop
    assert ioloop.PeriodicCallback is PeriodicCallback
    with pytest.warns(DeprecationWarning, match="deprecated"):
        ioloop.install()


def test_future_sockets_are_awaitable() -> None:
    """zmq.eventloop.future has Context, Socket and Poller whose methods can be awaited in tornado coroutines."""
    import asyncio

    future = library_module("eventloop.future")

    async def body() -> Any:
        with future.Context() as context, context.socket(zmq.PUSH) as push, context.socket(zmq.PULL) as pull:
            assert isinstance(push, future.Socket)
            push.linger = 0
            pull.bind("inproc://future")
            push.connect("inproc://future")
            await push.send(b"x")
            poller = future.Poller()
            poller.register(pull, zmq.POLLIN)
            assert [(pull, zmq.POLLIN)] == await poller.poll(5000)
            return await pull.recv()

    assert b"x" == asyncio.run(body())


def test_stream_of_an_asynchronous_socket_uses_a_plain_handle() -> None:
    """An asynchronous socket is taken with a warning: callbacks get messages, not futures."""
    import asyncio

    front = library_module("asyncio")
    stream_class = library_module("eventloop.zmqstream").ZMQStream

    async def body() -> Any:
        context = front.Context()
        push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
        pull.bind("inproc://plain")
        push.connect("inproc://plain")
        with pytest.warns(RuntimeWarning, match="ZMQStream"):
            stream = stream_class(pull)
        got: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        stream.on_recv(got.set_result)
        await push.send(b"x")
        message = await asyncio.wait_for(got, 5)
        stream.close(0)
        push.close(0)
        pull.close(0)
        context.term()
        return message

    assert [b"x"] == asyncio.run(body())


@purezmq_only("it is about purezmq's own extras")
@pytest.mark.parametrize("name", ["eventloop", "eventloop.zmqstream", "eventloop.future", "green.eventloop"])
def test_missing_tornado_names_the_extra(name: str) -> None:
    """Without tornado the import says what to install."""
    program = f"import sys; sys.modules['tornado'] = None; import {LIBRARY}.{name}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environment, timeout=40, capture_output=True, text=True
    )
    assert "pip install purezmq[stream]" in done.stderr
