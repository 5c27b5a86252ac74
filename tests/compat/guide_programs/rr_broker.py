"""Request-reply broker written by hand: parts are passed on one by one with SNDMORE and RCVMORE."""

from __future__ import annotations

import threading

import zmq

context = zmq.Context()
frontend = context.socket(zmq.ROUTER)
backend = context.socket(zmq.DEALER)
front = frontend.bind_to_random_port("tcp://127.0.0.1")
back = backend.bind_to_random_port("tcp://127.0.0.1")


def move(source, target):
    message = source.recv()
    more = source.getsockopt(zmq.RCVMORE)
    while more:
        target.send(message, zmq.SNDMORE)
        message = source.recv()
        more = source.getsockopt(zmq.RCVMORE)
    target.send(message)


def broker():
    poller = zmq.Poller()
    poller.register(frontend, zmq.POLLIN)
    poller.register(backend, zmq.POLLIN)
    try:
        while True:
            socks = dict(poller.poll())
            if socks.get(frontend) == zmq.POLLIN:
                move(frontend, backend)
            if socks.get(backend) == zmq.POLLIN:
                move(backend, frontend)
    except zmq.ContextTerminated:
        frontend.close()
        backend.close()


def worker():
    socket = context.socket(zmq.REP)
    socket.connect(f"tcp://127.0.0.1:{back}")
    try:
        while True:
            parts = socket.recv_multipart()
            socket.send_multipart([b"re", *parts])
    except zmq.ContextTerminated:
        socket.close()


threads = [threading.Thread(target=target) for target in (broker, worker, worker)]
for thread in threads:
    thread.start()
client = context.socket(zmq.REQ)
client.connect(f"tcp://127.0.0.1:{front}")
for number in range(4):
    client.send_multipart([b"a", b"", b"%d" % number])
    print(client.recv_multipart(), client.rcvmore)
client.close()
context.term()
for thread in threads:
    thread.join()
