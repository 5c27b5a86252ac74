"""Contexts and sockets that decorators make, by position and by name."""

from __future__ import annotations

import zmq
from zmq.decorators import context, socket


@context()
@socket(zmq.PAIR)
@socket(zmq.PAIR)
def by_position(ctx, a, b):
    a.bind("inproc://pairs")
    b.connect("inproc://pairs")
    a.send(b"x")
    return type(ctx).__name__, b.recv(), a.closed


@context("ctx", io_threads=2)
@socket("server", zmq.REP, context_name="ctx")
@socket("client", zmq.REQ, context_name="ctx")
def by_name(number, ctx=None, server=None, client=None):
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client.connect(f"tcp://127.0.0.1:{port}")
    client.send_string(f"number {number}")
    text = server.recv_string()
    server.send(b"")
    client.recv()
    return text, ctx.closed, ctx.get(zmq.IO_THREADS)


class Service:
    @socket(zmq.REP)
    def run(self, sock):
        sock.bind_to_random_port("tcp://127.0.0.1")
        self.sock = sock
        return sock.closed


print(by_position())
print(by_name(7))
service = Service()
print(service.run(), service.sock.closed)


@socket(zmq.PUB)
def fails(sock):
    raise RuntimeError(sock.closed)


try:
    fails()
except RuntimeError as error:
    print(error)
zmq.Context.instance().term()
