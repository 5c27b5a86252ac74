"""The first example: a REP server and a REQ client, each with a context of its own."""

from __future__ import annotations

import threading

import zmq


def server(ready):
    context = zmq.Context()
    socket = context.socket(zmq.REP)
    socket.bind("tcp://*:0")
    ready.append(socket.getsockopt_string(zmq.LAST_ENDPOINT))
    event.set()
    for _ in range(5):
        message = socket.recv()
        print(f"Received request: {message}")
        socket.send_string("World")
    socket.close()
    context.term()


event = threading.Event()
endpoints = []
thread = threading.Thread(target=server, args=(endpoints,))
thread.start()
event.wait()
context = zmq.Context()
socket = context.socket(zmq.REQ)
socket.connect(endpoints[0].replace("0.0.0.0", "localhost"))
for request in range(5):
    socket.send_string("Hello")
    message = socket.recv()
    print(f"Received reply {request} [ {message} ]")
thread.join()
socket.close()
context.term()
