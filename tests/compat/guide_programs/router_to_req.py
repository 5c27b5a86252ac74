"""A ROUTER that gives work to REQ workers in forked processes (rtreq)."""

from __future__ import annotations

import tempfile
from multiprocessing import get_context

import zmq

WORKERS = 4


def worker(number, endpoint):
    context = zmq.Context()
    socket = context.socket(zmq.REQ)
    socket.setsockopt_string(zmq.IDENTITY, f"worker-{number}")
    socket.connect(endpoint)
    total = 0
    while True:
        socket.send(b"ready")
        if socket.recv() == b"END":
            break
        total += 1
    socket.send_string(f"did {'some' if total else 'nothing'}")
    socket.recv()


if __name__ == "__main__":
    fork = get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        endpoint = f"ipc://{folder}/router"
        processes = [fork.Process(target=worker, args=(number, endpoint)) for number in range(WORKERS)]
        for process in processes:
            process.start()
        context = zmq.Context()
        client = context.socket(zmq.ROUTER)
        client.bind(endpoint)
        names = set()
        while len(names) < WORKERS:
            address, empty, ready = client.recv_multipart()
            names.add(address)
            client.send_multipart([address, b"", b"This is the workload"])
        farewells = []
        while len(farewells) < WORKERS:
            address, empty, words = client.recv_multipart()
            if words != b"ready":
                farewells.append((address.decode(), words.decode()))
            client.send_multipart([address, b"", b"END"])
        print(sorted(farewells))
        for process in processes:
            process.join()
        client.close()
        context.term()
