"""Synchronised publisher and subscribers (syncpub, syncsub), in forked processes."""

from __future__ import annotations

import multiprocessing
import tempfile

import zmq

SUBSCRIBERS = 2


def syncsub(folder, results):
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.connect(f"ipc://{folder}/pub")
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    while subscriber.recv() != b"hello":
        pass
    syncclient = context.socket(zmq.REQ)
    syncclient.connect(f"ipc://{folder}/sync")
    syncclient.send(b"")
    syncclient.recv()
    count = 0
    while True:
        message = subscriber.recv()
        if message == b"END":
            break
        count += message == b"Rhubarb"
    results.put(count)


def syncpub(folder, results):
    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    publisher.sndhwm = 1100000
    publisher.bind(f"ipc://{folder}/pub")
    syncservice = context.socket(zmq.REP)
    syncservice.bind(f"ipc://{folder}/sync")
    subscribers = 0
    while subscribers < SUBSCRIBERS:
        publisher.send(b"hello")
        if syncservice.poll(10):
            syncservice.recv()
            syncservice.send(b"")
            subscribers += 1
    for _ in range(10000):
        publisher.send(b"Rhubarb")
    publisher.send(b"END")
    print([results.get() for _ in range(SUBSCRIBERS)])
    publisher.close()
    syncservice.close()
    context.term()


if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    with tempfile.TemporaryDirectory() as folder:
        processes = [fork.Process(target=syncsub, args=(folder, results)) for _ in range(SUBSCRIBERS)]
        for process in processes:
            process.start()
        syncpub(folder, results)
        for process in processes:
            process.join()
            print(process.exitcode)
