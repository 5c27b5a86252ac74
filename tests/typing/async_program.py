"""A user's asyncio program, checked with mypy --strict and pyright's strict mode, never run."""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

import purezmq as zmq
import purezmq.asyncio as azmq


async def receive(context: azmq.Context) -> bytes:
    """Each call is typed by what it will give."""
    async with context.socket(zmq.PULL) as socket:
        assert_type(socket, azmq.Socket)
        socket.bind("tcp://127.0.0.1:*")
        data = await socket.recv()
        assert_type(data, bytes)
        frame = await socket.recv(copy=False)
        assert_type(frame, zmq.Frame)
        parts = await socket.recv_multipart()
        assert_type(parts, list[bytes])
        frames = await socket.recv_multipart(copy=False)
        assert_type(frames, list[zmq.Frame])
        text = await socket.recv_string()
        assert_type(text, str)
        value: Any = await socket.recv_json()
        events = await socket.poll(timeout=100)
        assert_type(events, int)
        print(value)
        return data


async def send(socket: azmq.Socket) -> None:
    """Trackers come when asked for."""
    await socket.send(b"data")
    tracker = await socket.send(b"data", copy=False, track=True)
    assert_type(tracker, zmq.MessageTracker)
    await socket.send_multipart([b"several", b"parts"])
    await socket.send_string("text")
    await asyncio.wait_for(socket.send(b"soon"), timeout=1.0)


async def iterate(socket: azmq.Socket) -> int:
    """Messages of one part are bytes, others lists."""
    count = 0
    async for message in socket:
        count += len(message)
    return count


async def poll(first: azmq.Socket, second: zmq.Socket) -> list[tuple[Any, int]]:
    """A poller takes sockets of both kinds, and descriptors."""
    poller = azmq.Poller()
    poller.register(first, zmq.POLLIN)
    poller.register(second, zmq.POLLOUT)
    poller.register(0)
    return await poller.poll(timeout=10)


def generic() -> None:
    """A context is generic in the sockets it makes."""
    sync: zmq.Context[zmq.Socket] = zmq.Context()
    assert_type(sync.socket(zmq.PAIR), zmq.Socket)
    assert_type(zmq.Context.instance().socket(zmq.PAIR), zmq.Socket)
    asynchronous = azmq.Context()
    assert_type(asynchronous.socket(zmq.PAIR), azmq.Socket)
    assert_type(azmq.Context.instance().socket(zmq.PAIR), azmq.Socket)
    shadow = azmq.Context(sync)
    assert_type(shadow.socket(zmq.PAIR), azmq.Socket)
    alias: zmq.SyncContext = sync
    either(alias)
    either(asynchronous)


def either(context: zmq.Context[Any]) -> None:
    """A helper that takes contexts of every kind."""
    context.destroy(linger=0)


def both_ways(socket: azmq.Socket) -> zmq.Socket:
    """An asynchronous socket is a socket; a shadow of it is synchronous."""
    shadow = zmq.Socket.shadow(socket.underlying)
    assert_type(shadow, zmq.Socket)
    twin = azmq.Socket.from_socket(shadow)
    assert_type(twin, azmq.Socket)
    return twin


async def ready(context: azmq.Context) -> bytes | list[bytes]:
    """Readiness, time limits and recovering requests."""
    publisher, subscriber, req = context.socket(zmq.PUB), context.socket(zmq.SUB), context.socket(zmq.REQ)
    with subscriber.connect("tcp://127.0.0.1:5555") as at_once:
        assert_type(at_once, azmq.Socket)
    with await subscriber.connect("tcp://127.0.0.1:5555", wait=1.0) as connected:
        assert_type(connected, azmq.Socket)
    await subscriber.wait_subscribed(timeout=1.0)
    assert_type(await publisher.wait_for_subscribers(2, "topic", timeout=1.0), int)
    assert_type(await subscriber.recv_into(bytearray(10), timeout=0.5), int)
    assert_type(await subscriber.recv_string(timeout=0.5), str)
    assert_type(await subscriber.recv_serialized(len, timeout=0.5), int)
    await req.send_string("text", timeout=0.5)
    await req.send_json({}, timeout=0.5)
    task = asyncio.create_task(req.request(b"question", timeout=1.0, retries=3))
    context.term(timeout=0.0)
    return await task


async def observe(socket: azmq.Socket) -> None:
    """What happens to a socket, for tasks."""
    async for event in socket.events(timeout=1.0):
        assert_type(event, zmq.SocketEvent)
        assert_type(event.kind, str)
    async with socket.events(max_events=10) as stream:
        assert_type(await stream.get(timeout=0.5), zmq.SocketEvent)
        assert_type(stream.dropped, int)
