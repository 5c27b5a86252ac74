"""tornado futures: zmq.eventloop.future in coroutines, a periodic callback beside them."""

from __future__ import annotations

import asyncio

import zmq
from tornado import gen, ioloop
from zmq.eventloop.future import Context, Poller

ticked = asyncio.Event()


@gen.coroutine
def dots():
    ticked.set()
    yield gen.sleep(0)


async def main():
    context = Context()
    server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client.connect(f"tcp://127.0.0.1:{port}")
    periodic = ioloop.PeriodicCallback(dots, 5)
    periodic.start()
    for number in range(3):
        future = server.recv_multipart()
        await client.send_multipart([b"request", b"%d" % number])
        print(await future)
        await server.send(b"reply")
        print(await client.recv())
    poller = Poller()
    poller.register(server, zmq.POLLIN)
    print(await poller.poll(30))
    await asyncio.wait_for(ticked.wait(), 10)
    periodic.stop()
    server.close()
    client.close()
    context.term()


ioloop.IOLoop.current().run_sync(main)
