"""Simple pirate: READY workers, requests only while one is idle (spqueue)."""

from __future__ import annotations

import threading

import zmq

LRU_READY = b"\x01"
context = zmq.Context(1)
frontend = context.socket(zmq.ROUTER)
backend = context.socket(zmq.ROUTER)
frontend.bind("inproc://clients")
backend.bind("inproc://workers")


def worker(identity):
    socket = context.socket(zmq.REQ)
    socket.setsockopt(zmq.IDENTITY, identity)
    socket.connect("inproc://workers")
    socket.send(LRU_READY)
    while True:
        msg = socket.recv_multipart()
        if msg[-1] == b"quit":
            break
        socket.send_multipart(msg)
    socket.close()


def client(results):
    socket = context.socket(zmq.REQ)
    socket.connect("inproc://clients")
    for number in range(6):
        socket.send(b"%d" % number)
        results.append(socket.recv())
    socket.close()


def queue(done):
    poll_workers = zmq.Poller()
    poll_workers.register(backend, zmq.POLLIN)
    poll_both = zmq.Poller()
    poll_both.register(frontend, zmq.POLLIN)
    poll_both.register(backend, zmq.POLLIN)
    workers = []
    while not done():
        socks = dict(poll_both.poll(20) if workers else poll_workers.poll(20))
        if socks.get(backend) == zmq.POLLIN:
            msg = backend.recv_multipart()
            address = msg[0]
            workers.append(address)
            reply = msg[2:]
            if reply[0] != LRU_READY:
                frontend.send_multipart(reply)
        if socks.get(frontend) == zmq.POLLIN:
            msg = frontend.recv_multipart()
            request = [workers.pop(0), b"", *msg]
            backend.send_multipart(request)
    return workers


results = []
threads = [threading.Thread(target=worker, args=(name,)) for name in (b"w1", b"w2")]
threads.append(threading.Thread(target=client, args=(results,)))
for thread in threads:
    thread.start()
workers = queue(lambda: len(results) == 6)
while len(workers) < 2:
    workers.append(backend.recv_multipart()[0])
for name in workers:
    backend.send_multipart([name, b"", b"quit"])
for thread in threads:
    thread.join()
print(results, sorted(workers))
frontend.close()
backend.close()
context.term()
