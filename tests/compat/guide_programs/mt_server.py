"""A multithreaded server: worker threads on inproc behind a ROUTER and a DEALER (mtserver)."""

from __future__ import annotations

import threading

import zmq


def worker_routine(worker_url, context=None):
    context = context or zmq.Context.instance()
    socket = context.socket(zmq.REP)
    socket.connect(worker_url)
    try:
        while True:
            string = socket.recv()
            socket.send(string[::-1])
    except zmq.error.ContextTerminated:
        socket.close()


def device(clients, workers):
    try:
        zmq.device(zmq.QUEUE, clients, workers)
    except zmq.ContextTerminated:
        clients.close()
        workers.close()


context = zmq.Context.instance()
clients = context.socket(zmq.ROUTER)
port = clients.bind_to_random_port("tcp://*")
workers = context.socket(zmq.DEALER)
workers.bind("inproc://workers")
threads = [threading.Thread(target=worker_routine, args=("inproc://workers",), daemon=True) for _ in range(5)]
threads.append(threading.Thread(target=device, args=(clients, workers)))
for thread in threads:
    thread.start()
for word in ("drawer", "stressed", "live"):
    request = zmq.Context.instance().socket(zmq.REQ)
    request.connect(f"tcp://127.0.0.1:{port}")
    request.send_string(word)
    print(word, request.recv_string())
    request.close()
context.term()
print(context.closed, zmq.Context.instance() is context, zmq.Context.instance().closed)
for thread in threads:
    thread.join()
