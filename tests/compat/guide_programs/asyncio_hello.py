"""asyncio: a server and a client as tasks of one loop, a poller, gather, wait_for."""

from __future__ import annotations

import asyncio

import zmq
import zmq.asyncio

context = zmq.asyncio.Context.instance()


async def serve(socket):
    while True:
        message = await socket.recv_multipart()
        if message == [b"stop"]:
            await socket.send(b"stopped")
            return
        await socket.send_multipart([b"re", *message])


async def main():
    server = context.socket(zmq.REP)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    task = asyncio.create_task(serve(server))
    client = context.socket(zmq.REQ)
    client.connect(f"tcp://127.0.0.1:{port}")
    for number in range(3):
        await client.send_string(f"hello {number}")
        print(await client.recv_multipart())
    await client.send_json({"a": [1, 2]})
    print(await client.recv_multipart())
    await client.send(b"stop")
    print(await client.recv_string())
    await task
    print(await client.poll(20), await server.poll(20, zmq.POLLIN))
    try:
        await asyncio.wait_for(server.recv(), 0.05)
    except TimeoutError:
        print("nothing came")

    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    pull.bind("inproc://pipeline")
    push.connect("inproc://pipeline")
    poller = zmq.asyncio.Poller()
    poller.register(pull, zmq.POLLIN)
    print(await poller.poll(20))
    receiving = asyncio.ensure_future(pull.recv_pyobj())
    await push.send_pyobj({"number": 1})
    print(await receiving)
    await push.send(b"x")
    events = await poller.poll()
    print(pull in dict(events), events[0][1] == zmq.POLLIN)
    got = await asyncio.gather(pull.recv(), push.send(b"y"), pull.recv())
    print(got[0], got[2])
    pull.rcvtimeo = 30
    try:
        await pull.recv()
    except zmq.Again as error:
        print(type(error).__name__, error.errno == zmq.EAGAIN)
    for socket in (server, client, push, pull):
        socket.close()


asyncio.run(main())
context.term()
print(isinstance(context, zmq.Context), context.closed)
