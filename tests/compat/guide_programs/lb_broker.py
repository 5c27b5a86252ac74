"""Load-balancing broker: the worker that is idle longest gets the next request (lbbroker)."""

from __future__ import annotations

import tempfile
from multiprocessing import get_context

import zmq

NBR_CLIENTS = 5
NBR_WORKERS = 2


def client_task(ident, endpoint, results):
    socket = zmq.Context().socket(zmq.REQ)
    socket.identity = f"Client-{ident}".encode("ascii")
    socket.connect(endpoint)
    socket.send(b"HELLO")
    results.put((socket.identity.decode("ascii"), socket.recv().decode("ascii")))


def worker_task(ident, endpoint):
    socket = zmq.Context().socket(zmq.REQ)
    socket.identity = f"Worker-{ident}".encode("ascii")
    socket.connect(endpoint)
    socket.send(b"READY")
    while True:
        address, _, _ = socket.recv_multipart()
        socket.send_multipart([address, b"", b"OK"])


def main(folder):
    fork = get_context("fork")
    results = fork.Queue()
    ends = f"ipc://{folder}/frontend.ipc", f"ipc://{folder}/backend.ipc"
    clients = [fork.Process(target=client_task, args=(i, ends[0], results)) for i in range(NBR_CLIENTS)]
    workers = [fork.Process(target=worker_task, args=(i, ends[1]), daemon=True) for i in range(NBR_WORKERS)]
    for process in clients + workers:
        process.start()
    context = zmq.Context.instance()
    frontend = context.socket(zmq.ROUTER)
    frontend.bind(ends[0])
    backend = context.socket(zmq.ROUTER)
    backend.bind(ends[1])
    count = NBR_CLIENTS
    idle = []
    poller = zmq.Poller()
    poller.register(backend, zmq.POLLIN)
    while count:
        sockets = dict(poller.poll())
        if backend in sockets:
            request = backend.recv_multipart()
            worker, _, client = request[:3]
            if not idle:
                poller.register(frontend, zmq.POLLIN)
            idle.append(worker)
            if client != b"READY" and len(request) > 3:
                _, reply = request[3:]
                frontend.send_multipart([client, b"", reply])
                count -= 1
        if frontend in sockets:
            client, _, request = frontend.recv_multipart()
            worker = idle.pop(0)
            backend.send_multipart([worker, b"", client, b"", request])
            if not idle:
                poller.unregister(frontend)
    print(sorted(results.get() for _ in clients))
    for process in clients:
        process.join()
    for process in workers:
        process.terminate()
        process.join()
    backend.close()
    frontend.close()
    context.term()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(folder)
