"""tornado: ZMQStream with callbacks, on_recv, on_send, stop_on_recv, flush, and a delayed stop."""

from __future__ import annotations

import asyncio

import zmq
from zmq.eventloop.zmqstream import ZMQStream


async def main():
    context = zmq.Context.instance()
    server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client.connect(f"tcp://127.0.0.1:{port}")
    served, asked = ZMQStream(server), ZMQStream(client)
    done = asyncio.Event()
    log = []

    def echo(stream, msg):
        log.append(("server", msg))
        stream.send_multipart([b"re", *msg])

    def answer(msg):
        log.append(("client", msg))
        if len([entry for entry in log if entry[0] == "client"]) == 2:
            done.set()
        else:
            asked.send_multipart([b"second", b"request"])

    served.on_recv_stream(echo)
    asked.on_recv(answer)
    asked.on_send(lambda msg, status: log.append(("sent", msg)))
    asked.send(b"first")
    await asyncio.wait_for(done.wait(), 10)
    print(log)
    print(served.receiving(), served.sending(), served.closed(), asked.socket is client)
    served.stop_on_recv()
    asked.stop_on_send()
    print(served.receiving())
    served.close()
    asked.close()
    print(served.closed(), server.closed, client.closed)

    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    pull.bind("inproc://stream")
    push.connect("inproc://stream")
    stream = ZMQStream(pull)
    frames = asyncio.get_running_loop().create_future()
    stream.on_recv(frames.set_result, copy=False)
    push.send_multipart([b"a", b"b"])
    print([type(frame).__name__ for frame in await asyncio.wait_for(frames, 10)])
    stream.stop_on_recv()
    got = []
    both = asyncio.Event()
    push.send(b"queued")
    push.send(b"again")
    await asyncio.sleep(0)

    def collect(msg):
        got.append(msg)
        if len(got) == 2:
            both.set()

    stream.on_recv(collect)
    stream.flush(zmq.POLLIN)
    await asyncio.wait_for(both.wait(), 10)
    print(got)
    stream.close(linger=0)
    push.close()
    context.term()


asyncio.run(main())
