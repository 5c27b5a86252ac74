"""A tornado client on ZMQStream, and on the sockets of tornado's coroutines.

``stream_client.py REPLIES PUBLICATIONS SINK``
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
import warnings

import zmq
from facts import library_name, tell
from tornado.ioloop import IOLoop
from zmq.eventloop.zmqstream import ZMQStream

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import zmq.eventloop.future

ECHOES = 500


async def ask_by_stream(endpoint: str) -> None:
    """Ask through callbacks: the next request goes out when the last answer came."""
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.connect(endpoint)
    stream = ZMQStream(socket)
    answers: asyncio.Queue[list[bytes]] = asyncio.Queue()
    stream.on_recv(answers.put_nowait)

    async def ask(*parts: bytes) -> list[bytes]:
        stream.send_multipart(list(parts))
        return await asyncio.wait_for(answers.get(), 20)

    tell("echoes", [await ask(b"echo", b"%d" % n) == [b"echo", b"echo", b"%d" % n] for n in range(ECHOES)].count(True))
    tell("text", (await ask(b"text"))[0].decode("utf8"))
    tell("object", pickle.loads((await ask(b"object", b"1"))[0]) == {"parts": [b"object", b"1"]})
    stream.stop_on_recv()
    assert not stream.receiving()
    stream.close()


async def listen(endpoint: str) -> None:
    """Subscribe, look at publications in order, then hear no more of them."""
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.connect(endpoint)
    socket.subscribe(b"tick")
    stream = ZMQStream(socket)
    ticks: list[int] = []
    topics = set()
    enough = asyncio.Event()

    def heard(parts: list[bytes]) -> None:
        topics.add(parts[0].decode())
        ticks.append(int(parts[1]))
        if len(ticks) == 50:
            stream.on_recv(None)
            enough.set()

    stream.on_recv(heard)
    await asyncio.wait_for(enough.wait(), 20)
    tell("ticks_in_order", ticks == list(range(ticks[0], ticks[0] + 50)))
    tell("topics", sorted(topics))
    stream.close(linger=0)


async def feed(endpoint: str, replies: str) -> None:
    """Push messages of mixed sizes through a stream, with futures of the coroutine API to ask for what arrived."""
    socket = zmq.Context.instance().socket(zmq.PUSH)
    socket.connect(endpoint)
    stream = ZMQStream(socket)
    sent = []
    stream.on_send(lambda message, status: sent.append(len(message)))
    sizes = [1, 100, 30_000, 300_000] * 50
    for size in sizes:
        stream.send_multipart([b"h", b"x" * size], copy=size < 1000)
    context = zmq.eventloop.future.Context()
    asker = context.socket(zmq.REQ)
    asker.connect(replies)
    state = {}
    while state.get("absorbed") != len(sizes):
        await asker.send(b"state")
        state = json.loads(await asker.recv())
    tell("sink", [state["absorbed"], state["bytes"] == sum(sizes) + len(sizes)])
    tell("libraries", [library_name(), state["library"]])
    tell("sent", len(sent))
    poller = zmq.eventloop.future.Poller()
    poller.register(asker, zmq.POLLIN)
    tell("poll_nothing", await poller.poll(10))
    await asker.send(b"stop")
    tell("stop", (await asker.recv()).decode())
    asker.close()
    stream.close()
    context.term()


async def main(replies: str, publications: str, sink: str) -> None:
    """Run all parts."""
    await asyncio.gather(ask_by_stream(replies), listen(publications))
    await feed(sink, replies)
    zmq.Context.instance().term()
    tell("terminated", True)


if __name__ == "__main__":
    IOLoop.current().run_sync(lambda: main(*sys.argv[1:]))
