"""gevent: zmq.green with greenlets, a poller and a timeout."""

from __future__ import annotations

import gevent
import zmq.green as zmq

context = zmq.Context()
server = context.socket(zmq.REP)
port = server.bind_to_random_port("tcp://127.0.0.1")
order = []


def serve():
    for _ in range(3):
        order.append(server.recv())
        gevent.sleep(0)
        server.send(b"World")


def client():
    socket = context.socket(zmq.REQ)
    socket.connect(f"tcp://127.0.0.1:{port}")
    for number in range(3):
        socket.send(b"Hello %d" % number)
        order.append(socket.recv())
    socket.close()


gevent.joinall([gevent.spawn(serve), gevent.spawn(client)], timeout=10)
print(order)
poller = zmq.Poller()
poller.register(server, zmq.POLLIN)
print(poller.poll(20), server.poll(20))
with gevent.Timeout(0.05, False):
    server.recv()
    print("not reached")
server.close()
context.term()
print(issubclass(zmq.Context, __import__("zmq").Context))
