"""The front of an LLM server on asyncio: ``llm_front.py FOLDER ENGINES``.

It starts two engines, unless ENGINES is "wait": then it waits for them.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import zlib
from typing import Any

import llm_engine
import zmq
import zmq.asyncio
from facts import library_name, tell
from llm_engine import ABORT, ADD, STOP, TIMEOUT_MS
from llm_sockets import BUFFER_BYTES, Tensor, decode, encode, make_socket

ENGINES = 2
SIZES = [0, 1, 100, 10_000, 70_000, 1_000_000]
REQUESTS = 120
TOKENS = 30


class Front:
    """Sends requests to its engines and collects what they answer."""

    def __init__(self, folder: str) -> None:
        self.addresses = {name: f"ipc://{folder}/{name}" for name in ("handshake", "input", "output", "waves")}
        self.sync_context = zmq.Context(io_threads=2)
        self.context = zmq.asyncio.Context(self.sync_context)
        self.input = make_socket(self.context, self.addresses["input"], zmq.ROUTER)
        self.output = make_socket(self.context, self.addresses["output"], zmq.PULL)
        self.waves = make_socket(self.context, self.addresses["waves"], zmq.XPUB)
        self.answers: dict[int, list[tuple[int, int]]] = {}
        self.finished: dict[int, asyncio.Event] = {}
        self.extra: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.engine_libraries: list[str] = []
        self.identities: list[bytes] = []

    def shake_hands(self, processes: list[Any]) -> None:
        """Wait until each engine is ready; an engine that ends before wakes the poller, too."""
        poller = zmq.Poller()
        ready = 0
        with make_socket(self.sync_context, self.addresses["handshake"], zmq.ROUTER, linger=5000) as socket:
            poller.register(socket, zmq.POLLIN)
            for process in processes:
                poller.register(process.sentinel, zmq.POLLIN)
            while ready < ENGINES:
                events = poller.poll(TIMEOUT_MS)
                assert [found for found, _ in events] == [socket], f"an engine ended, or is too slow: {events}"
                identity, message = socket.recv_multipart()
                status = decode([message])
                if status["status"] == "HELLO":
                    self.engine_libraries.append(status["library"])
                    socket.send_multipart((identity, *encode(self.addresses)), copy=False)
                else:
                    ready += 1

        # The engines' first, empty messages are read through a second handle of the same socket.
        blocking = zmq.Socket.shadow(self.input)
        while len(self.identities) < ENGINES:
            assert blocking.poll(TIMEOUT_MS)
            identity, empty = blocking.recv_multipart()
            assert empty == b""
            self.identities.append(identity)

    async def collect(self) -> None:
        """Receive outputs for ever."""
        while True:
            frames = await self.output.recv_multipart(copy=False)
            output = decode(frames[:1])
            data = frames[1].buffer
            assert len(data) == output["size"]
            if "number" not in output:
                await self.extra.put(output)
            elif output.get("finished"):
                self.finished[output["number"]].set()
            else:
                if output["token"] == 0:
                    assert zlib.crc32(data) == output["crc"], "an output was overwritten before it was sent"
                self.answers[output["number"]].append((output["token"], output["crc"]))

    async def ask(self, number: int) -> bool:
        """Send one request; whether all tokens came back in order, computed from the right data."""
        tensor = Tensor.of(number, SIZES[number % len(SIZES)])
        self.answers[number], self.finished[number] = [], asyncio.Event()
        identity = self.identities[number % ENGINES]
        request = {"number": number, "tensor": tensor, "tokens": TOKENS}
        tracker = await self.input.send_multipart((identity, ADD, *encode(request)), copy=False, track=True)
        await asyncio.wait_for(self.finished[number].wait(), 20)
        await asyncio.to_thread(tracker.wait, 20)
        return self.answers[number] == [(token, tensor.checksum()) for token in range(TOKENS)]

    async def wave(self) -> list[Any]:
        """Publish a wave; each engine reports it."""
        for _ in range(ENGINES):
            assert await asyncio.wait_for(self.waves.recv(), 20) == b"\x01"
        await self.waves.send_multipart(encode({"wave": 1}), copy=False)
        reports = [await asyncio.wait_for(self.extra.get(), 20) for _ in range(ENGINES)]
        return sorted([report["engine"], report["wave"]["wave"]] for report in reports)

    async def stop(self) -> list[int]:
        """Stop the engines; their last messages come through."""
        for identity in self.identities:
            await self.input.send_multipart((identity, STOP))
        return sorted([(await asyncio.wait_for(self.extra.get(), 20))["stopped"] for _ in range(ENGINES)])


async def main(folder: str, engines: str) -> None:
    """Start, ask, abort, stop."""
    front = Front(folder)
    spawning = multiprocessing.get_context("spawn")
    processes = [
        spawning.Process(target=llm_engine.main, args=(front.addresses["handshake"], index))
        for index in range(ENGINES)
        if engines != "wait"
    ]
    for process in processes:
        process.start()
    front.shake_hands(processes)
    tell("libraries", [library_name(), *front.engine_libraries])
    tell("buffers", [front.input.getsockopt(zmq.SNDBUF), front.output.getsockopt(zmq.RCVBUF)] == [BUFFER_BYTES] * 2)
    tell("limits", [front.input.getsockopt(zmq.SNDHWM), front.input.getsockopt(zmq.RCVHWM)])
    collecting = asyncio.create_task(front.collect())
    tell("waves", await front.wave())
    right = await asyncio.gather(*(front.ask(number) for number in range(REQUESTS)))
    tell("right_answers", right.count(True))
    await front.input.send_multipart((front.identities[0], ABORT, *encode(5)), copy=False)
    tell("right_after_abort", await front.ask(REQUESTS))

    poller = zmq.asyncio.Poller()
    poller.register(front.waves, zmq.POLLIN)
    tell("poll_nothing", await poller.poll(20))
    tell("stopped", await front.stop())
    collecting.cancel()
    for process in processes:
        process.join(20)
    tell("exit_codes", [process.exitcode for process in processes])
    for socket in (front.input, front.output, front.waves):
        socket.close(linger=0)
    front.context.destroy(linger=0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
