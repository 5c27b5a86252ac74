"""A REP server that is there to be killed: it answers one request with its own words, and keeps the next for ever.

Run as ``python reply_server.py LIBRARY ENDPOINT``. Says ``ready`` when it is bound, ``got`` when it keeps a request.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any


def main() -> None:
    """Serve until killed."""
    zmq: Any = importlib.import_module(sys.argv[1])
    socket = zmq.Context().socket(zmq.REP)
    while True:
        try:
            socket.bind(sys.argv[2])
            break
        except zmq.ZMQError as error:
            if error.errno != zmq.EADDRINUSE:
                raise
            time.sleep(0.001)
    print("ready", flush=True)
    socket.send_multipart(socket.recv_multipart())
    socket.recv_multipart()
    print("got", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
