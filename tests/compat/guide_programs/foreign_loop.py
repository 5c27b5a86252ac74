"""FD and EVENTS in somebody else's loop (Qt, GLib, selectors): drain while EVENTS says POLLIN."""

from __future__ import annotations

import selectors
import threading

import zmq

context = zmq.Context()
server = context.socket(zmq.ROUTER)
port = server.bind_to_random_port("tcp://127.0.0.1")
got = []


def on_readable():
    while server.getsockopt(zmq.EVENTS) & zmq.POLLIN:
        sender, text = server.recv_multipart()
        got.append(text)
        server.send_multipart([sender, text])


def client(name):
    socket = context.socket(zmq.DEALER)
    socket.connect(f"tcp://127.0.0.1:{port}")
    for number in range(50):
        socket.send_string(f"{name} {number}")
        if number % 10 == 9:
            for _ in range(10):
                socket.recv()
    socket.close()


threads = [threading.Thread(target=client, args=(name,)) for name in ("a", "b")]
for thread in threads:
    thread.start()
with selectors.DefaultSelector() as selector:
    selector.register(server.getsockopt(zmq.FD), selectors.EVENT_READ, on_readable)
    while len(got) < 100:
        ready = selector.select(timeout=5)
        if not ready:
            print("nothing came", len(got))
            break
        for key, _ in ready:
            key.data()
for thread in threads:
    thread.join()
for name in (b"a", b"b"):
    print([int(text.split()[1]) for text in got if text.startswith(name)] == list(range(50)))
server.close()
context.term()
