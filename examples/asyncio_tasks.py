"""asyncio: a task that works, a task that reports, one event loop; and a request that is given up after a while."""

from __future__ import annotations

import asyncio

import purezmq.asyncio as zmq_asyncio
from purezmq import DEALER, PULL, PUSH, ROUTER


async def produce(context: zmq_asyncio.Context, port: int) -> None:
    """Send a few numbers; `await` waits only when the queue is full."""
    async with context.socket(PUSH) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        for number in range(5):
            await socket.send_json({"number": number})
        await socket.send_json(None)


async def consume(context: zmq_asyncio.Context) -> int:
    """Add up what comes, until the end is announced."""
    total = 0
    async with context.socket(PULL) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        producer = asyncio.create_task(produce(context, port))
        while task := await socket.recv_json():
            total += task["number"]
        await producer
    return total


async def ask_in_vain(context: zmq_asyncio.Context) -> str:
    """Give up waiting: a cancelled recv loses nothing, the answer is there for the next one."""
    async with context.socket(ROUTER) as server, context.socket(DEALER) as client:
        port = server.bind_to_random_port("tcp://127.0.0.1")
        client.connect(f"tcp://127.0.0.1:{port}")
        await client.send(b"are you there?")
        try:
            await asyncio.wait_for(client.recv(), timeout=0.05)
        except TimeoutError:
            print("no answer yet")
        peer, _question = await server.recv_multipart()
        await server.send_multipart([peer, b"yes"])
        answer = await client.recv()
        return answer.decode()


async def main() -> None:
    """Run both."""
    async with zmq_asyncio.Context() as context:
        print(f"sum: {await consume(context)}")
        print(f"answer: {await ask_in_vain(context)}")


if __name__ == "__main__":
    asyncio.run(main())
