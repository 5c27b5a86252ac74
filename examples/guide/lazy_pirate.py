"""Lazy pirate: the client does not trust the server; it asks again until there is an answer, or gives up.

A REQ socket that has no answer can't ask again, so the client throws it away and opens another. With it
goes whatever answer is still on its way: no late answer is ever taken for that of another request.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Self

from stage import Stage

import purezmq as zmq

CRASHES_AT = 4
REQUESTS = range(1, 9)


def serve(endpoint: str, crashes_at: int) -> None:
    """Square numbers, and die over the one in `crashes_at`."""
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        socket.bind(endpoint)
        while True:
            number = int(socket.recv_string())
            if number == crashes_at:
                os.kill(os.getpid(), signal.SIGKILL)
            socket.send_string(str(number**2))


class LazyPirate:
    """A client that asks, waits, and asks again.

    Args:
        endpoint: where the server is.
        patience_ms: how long one attempt waits for its answer.
    """

    def __init__(self, endpoint: str, patience_ms: int) -> None:
        self._endpoint = endpoint
        self._patience_ms = patience_ms
        self._context = zmq.Context()
        self._socket = self._open()
        self.retries = 0

    def _open(self) -> zmq.Socket:
        socket = self._context.socket(zmq.REQ, linger=0)
        socket.connect(self._endpoint)
        return socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def ask(self, request: str, attempts: int) -> str | None:
        """Return the answer to `request`, or None when so many attempts brought none."""
        for _ in range(attempts):
            self._socket.send_string(request)
            if self._socket.poll(self._patience_ms):
                return self._socket.recv_string()
            self.retries += 1
            self._socket.close()
            self._socket = self._open()
        return None


def main() -> str:
    """Ask a server that crashes and is started again, then one that is gone for good; return the claim that held."""
    with Stage() as stage, LazyPirate(stage.endpoint("server"), patience_ms=200) as client:
        server = stage.start(serve, stage.endpoint("server"), CRASHES_AT)
        for number in REQUESTS:
            answer = client.ask(str(number), attempts=1 if number == CRASHES_AT else 100)
            if answer is None:
                server.join()
                print(f"the server died over request {number}; another is started")
                server = stage.start(serve, stage.endpoint("server"), 0)
                answer = client.ask(str(number), attempts=100)
            print(f"{number} squared is {answer}")
            if answer != str(number**2):
                sys.exit(f"request {number} got the answer {answer}")
        if client.retries == 0:
            sys.exit("the server died, and still no request was repeated")
        stage.kill(server)
        if client.ask("9", attempts=3) is not None:
            sys.exit("a dead server answered")
        print("no server is left: after three attempts the client gave up")
    return "every request was answered once, by whichever server lived"


if __name__ == "__main__":
    print(main())
