"""asyncio: async with, a PUB/SUB pair, cancelled receivers, two loops in two threads, a future's result."""

from __future__ import annotations

import asyncio
import threading

import zmq
import zmq.asyncio
from zmq.asyncio import Context, Poller


async def pipeline(count):
    with Context() as context, context.socket(zmq.PUSH) as push, context.socket(zmq.PULL) as pull:
        port = push.bind_to_random_port("tcp://127.0.0.1")
        pull.connect(f"tcp://127.0.0.1:{port}")

        async def produce():
            for number in range(count):
                await push.send_multipart([b"%d" % number])

        task = asyncio.create_task(produce())
        total = 0
        for _ in range(count):
            (number,) = await pull.recv_multipart()
            total += int(number)
        await task
        return total


async def cancelled():
    context = Context.instance()
    a, b = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    a.bind("inproc://cancelled")
    b.connect("inproc://cancelled")
    received = []
    for number in range(5):
        waiting = asyncio.ensure_future(b.recv())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await a.send(b"%d" % number)
        received.append(await b.recv())
    future = b.recv()
    print(asyncio.isfuture(future), future.done())
    await a.send(b"later")
    print(await future)
    await a.send(b"ready")
    await b.poll()
    future = b.recv()
    print(future.done(), await future)
    frame = (await asyncio.gather(a.send(b"frame"), b.recv(copy=False)))[1]
    print(type(frame).__name__, frame.bytes)
    poller = Poller()
    poller.register(a, zmq.POLLOUT)
    poller.register(b, zmq.POLLIN)
    print([(socket is a, int(event)) for socket, event in await poller.poll(100)])
    pending = asyncio.ensure_future(b.recv())
    await asyncio.sleep(0)
    b.close()
    try:
        print(await asyncio.wait_for(pending, 1))
    except (asyncio.CancelledError, zmq.ZMQError) as error:
        print("ended", type(error).__name__)
    a.close()
    context.term()
    return received


async def shadowed():
    context = zmq.Context()
    sync = context.socket(zmq.PUSH)
    sync.bind("inproc://shadow")
    pull = zmq.asyncio.Context(context).socket(zmq.PULL)
    pull.connect("inproc://shadow")
    sync.send(b"from a plain socket")
    print(await pull.recv(), isinstance(pull, zmq.Socket), type(zmq.asyncio.Socket.shadow(sync)).__name__)
    sync.close()
    pull.close()
    context.term()


print(asyncio.run(cancelled()))
asyncio.run(shadowed())
totals = []
threads = [threading.Thread(target=lambda: totals.append(asyncio.run(pipeline(500)))) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(totals)
