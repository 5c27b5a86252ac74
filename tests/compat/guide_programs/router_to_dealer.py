"""A ROUTER that gives work to two DEALER workers by name (rtdealer)."""

from __future__ import annotations

import threading

import zmq


def worker(name, context, results):
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, name)
    socket.connect("inproc://router")
    socket.send(b"ready")
    total = 0
    while True:
        request = socket.recv()
        if request == b"END":
            results[name] = total
            break
        total += 1
    socket.close()


context = zmq.Context.instance()
client = context.socket(zmq.ROUTER)
client.bind("inproc://router")
results = {}
threads = [threading.Thread(target=worker, args=(name, context, results)) for name in (b"A", b"B")]
for thread in threads:
    thread.start()
for _ in threads:
    client.recv_multipart()
for number in range(10):
    ident = b"A" if number % 3 else b"B"
    client.send_multipart([ident, b"This is the workload"])
client.send_multipart([b"A", b"END"])
client.send_multipart([b"B", b"END"])
client.send_multipart([b"nobody", b"is dropped"])
for thread in threads:
    thread.join()
print(sorted(results.items()))
client.setsockopt(zmq.ROUTER_MANDATORY, 1)
try:
    client.send_multipart([b"nobody", b"is refused"])
except zmq.ZMQError as error:
    print(error.errno == zmq.EHOSTUNREACH, type(error).__name__)
client.close()
context.term()
