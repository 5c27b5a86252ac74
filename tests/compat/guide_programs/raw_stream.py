"""STREAM talks to a plain TCP client, as a small HTTP server does."""

from __future__ import annotations

import socket as plain
import threading

import zmq

context = zmq.Context()
router = context.socket(zmq.STREAM)
port = router.bind_to_random_port("tcp://127.0.0.1")
answers = []


def browse():
    with plain.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while not data.endswith(b"."):
            data += connection.recv(1000)
        answers.append(data)


for number in range(2):
    thread = threading.Thread(target=browse)
    thread.start()
    handle, empty = router.recv_multipart()
    print(len(handle), empty)
    handle, request = router.recv_multipart()
    print(request)
    router.send(handle, zmq.SNDMORE)
    router.send(b"HTTP/1.0 200 OK\r\n\r\nHello %d." % number)
    thread.join()
    print(router.recv_multipart() == [handle, b""])
print(answers)
context.destroy(0)
