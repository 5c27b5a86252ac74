"""The client that gives up and tries again (lpclient), against a server that is silent twice."""

from __future__ import annotations

import itertools
import threading

import zmq

REQUEST_TIMEOUT = 150
context = zmq.Context()
server = context.socket(zmq.REP)
port = server.bind_to_random_port("tcp://127.0.0.1")
silent = [2, 2]


def serve():
    try:
        while True:
            number = int(server.recv())
            if silent and silent[0] == number:
                silent.pop()
                server.poll(300)
                server.send(b"late")
                continue
            server.send(b"%d" % number)
    except zmq.ContextTerminated:
        server.close()


thread = threading.Thread(target=serve)
thread.start()
client = context.socket(zmq.REQ)
client.connect(f"tcp://127.0.0.1:{port}")
for sequence in itertools.count(1):
    if sequence == 5:
        break
    request = str(sequence).encode()
    client.send(request)
    while True:
        if (client.poll(REQUEST_TIMEOUT) & zmq.POLLIN) != 0:
            reply = client.recv()
            print("ok" if int(reply) == sequence else "malformed", sequence)
            break
        client.setsockopt(zmq.LINGER, 0)
        client.close()
        client = context.socket(zmq.REQ)
        client.connect(f"tcp://127.0.0.1:{port}")
        client.send(request)
client.close(linger=0)
context.term()
thread.join()
