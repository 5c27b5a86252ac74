"""The draft types on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, library_module, zmq

zmq_asyncio = library_module("asyncio")


def run(test: Callable[[Callable[[int], Any]], Any]) -> None:
    """Run a test for a limited time; it gets a function that makes sockets, which are closed after it."""

    async def limited() -> None:
        context = zmq_asyncio.Context()
        sockets = []

        def make(kind: int) -> Any:
            sockets.append(context.socket(kind))
            return sockets[-1]

        try:
            await asyncio.wait_for(test(make), TIMEOUT_S)
        finally:
            context.destroy(0)

    asyncio.run(limited())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_server_answers_client_by_number(transport: str) -> None:
    """Whether the message was there, or is waited for; however it is received."""

    async def exchange(make: Callable[[int], Any]) -> None:
        server, client = make(zmq.SERVER), make(zmq.CLIENT)
        client.connect(bind(server, transport))
        waiting = asyncio.ensure_future(server.recv(copy=False))
        await asyncio.sleep(0)
        await client.send(b"1")
        routing_id = (await waiting).routing_id
        for number in range(3):
            await client.send(b"%d" % number)
        (frame,) = await server.recv_multipart(copy=False)
        assert (b"0", routing_id) == (frame.bytes, frame.routing_id)
        assert (b"1", [b"2"]) == (await server.recv(), await server.recv_multipart())
        await server.send(b"answer", routing_id=routing_id)
        assert b"answer" == await client.recv()

    run(exchange)


def test_cancelled_receive_gives_message_back() -> None:
    """The next receive gets it, with its number."""

    async def exchange(make: Callable[[int], Any]) -> None:
        server, client = make(zmq.SERVER), make(zmq.CLIENT)
        client.connect(bind(server, "inproc"))
        cancelled = asyncio.ensure_future(server.recv(copy=False))
        await asyncio.sleep(0)
        client.send(b"1")
        cancelled.cancel()
        frame = await server.recv(copy=False)
        assert b"1" == frame.bytes
        await server.send(b"2", routing_id=frame.routing_id)
        assert b"2" == await client.recv()

    run(exchange)


def test_groups_arrive() -> None:
    """RADIO to DISH."""

    async def exchange(make: Callable[[int], Any]) -> None:
        radio, dish = make(zmq.RADIO), make(zmq.DISH)
        dish.join("g")
        dish.connect(bind(radio, "inproc"))
        await radio.send(b"other", group="h")
        await radio.send(b"body", group="g")
        frame = await dish.recv(copy=False)
        assert (b"body", "g") == (frame.bytes, frame.group)

    run(exchange)


def test_several_parts_fail() -> None:
    """EINVAL, as without a loop."""

    async def exchange(make: Callable[[int], Any]) -> None:
        scatter = make(zmq.SCATTER)
        with pytest.raises(zmq.ZMQError) as caught:
            await scatter.send_multipart([b"a", b"b"])
        assert zmq.EINVAL == caught.value.errno

    run(exchange)
