"""A REP server that dies of every other request, once: a child that is replaced whenever it ended.

Run as ``python mortal_server.py ENDPOINT LOG DEATHS``. A request is a number. The server notes each in LOG, and kills
itself (kill -9) when it sees an even one for the first time, until it has died often enough. The notes are what
survives it.
"""

from __future__ import annotations

import os
import signal
import sys

import purezmq as zmq


def serve(endpoint: str, log: str, deaths: int) -> None:
    """Answer requests until one is deadly."""
    with open(log, "rb") as file:
        seen = set(file.read().split())
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    socket = zmq.Context().socket(zmq.REP)
    socket.bind(endpoint)
    while True:
        request = socket.recv()
        is_new = request not in seen
        seen.add(request)
        os.write(file, request + b"\n")
        if is_new and int(request) % 2 == 0 and int(request) < 2 * deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        socket.send(request)


def main() -> None:
    """Replace the server for as long as this process lives."""
    endpoint, log, deaths = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind("tcp://127.0.0.1:*")  # what is imported now needn't be by each child
    while True:
        child = os.fork()
        if child == 0:
            serve(endpoint, log, deaths)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
