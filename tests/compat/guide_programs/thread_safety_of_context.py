"""A context shared by threads; sockets made in one thread and used in the next; term from another."""

from __future__ import annotations

import queue
import threading

import zmq

context = zmq.Context()
context.linger = 0
results = queue.Queue()


def blocked():
    socket = context.socket(zmq.PULL)
    socket.bind("inproc://blocked")
    ready.set()
    try:
        socket.recv()
    except zmq.ContextTerminated as error:
        results.put(("recv", error.errno == zmq.ETERM))
    try:
        socket.send(b"x")
    except zmq.ZMQError as error:
        results.put(("send", error.errno in (zmq.ETERM, zmq.ENOTSUP)))
    try:
        context.socket(zmq.PUSH)
    except zmq.ZMQError as error:
        results.put(("socket", error.errno in (zmq.ETERM, zmq.EFAULT, zmq.ENOTSOCK, zmq.EINVAL)))
    results.put(("poll", "ETERM" if poll(socket) == zmq.ETERM else "other"))
    socket.close()


def poll(socket):
    try:
        return socket.poll(10)
    except zmq.ZMQError as error:
        return error.errno


ready = threading.Event()
thread = threading.Thread(target=blocked)
thread.start()
ready.wait()
handed = context.socket(zmq.PUSH)
handed.connect("inproc://elsewhere")
mover = threading.Thread(target=lambda: results.put(("closed", handed.close())))
mover.start()
mover.join()
context.term()
thread.join()
print(sorted(results.get() for _ in range(results.qsize())))
