"""Freelance: many servers, no broker. The client knows them all, and asks one that is alive.

A ROUTER can choose whom it asks. Each server takes its own endpoint as routing id, so the client addresses
it by the endpoint that it connected to. Pings tell who is alive; a request that finds no answer goes to the
next server.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import monotonic
from typing import Self

from stage import Stage

import purezmq as zmq

PING_S = 0.1
LIFETIME_S = 10 * PING_S  # a server that was silent for so long is not asked
PATIENCE_S = 0.4  # how long one server may take for an answer
GIVE_UP_S = 15.0
PING, PONG = b"ping", b"pong"


def serve(endpoint: str, name: str) -> None:
    """Answer pings, and square numbers."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.routing_id = endpoint.encode()
        socket.bind(endpoint)
        while True:
            client, sequence, body = socket.recv_multipart()
            answer = PONG if body == PING else b"%d by %s" % (int(body) ** 2, name.encode())
            socket.send_multipart([client, sequence, answer])


@dataclass
class _Server:
    """What the client believes about a server."""

    routing_id: bytes
    next_ping: float = 0.0
    expires: float = 0.0


class Freelance:
    """A client of many servers.

    Args:
        endpoints: of the servers, whether they are there or not.
    """

    def __init__(self, *endpoints: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER, linger=0)
        self._servers = {endpoint.encode(): _Server(endpoint.encode()) for endpoint in endpoints}
        self._sequence = 0
        for endpoint in endpoints:
            self._socket.connect(endpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def ask(self, request: str) -> str | None:
        """Return the answer of whichever server gave one, or None when none did."""
        self._sequence += 1
        give_up = monotonic() + GIVE_UP_S
        while monotonic() < give_up:
            for server in list(self._servers.values()):
                if server.expires > monotonic():
                    self._send(server, b"%d" % self._sequence, request.encode())
                    answer = self._wait(monotonic() + PATIENCE_S)
                    if answer is not None:
                        return answer
                    server.expires = 0.0  # until it says something
            answer = self._wait(monotonic() + PING_S)
            if answer is not None:  # late, but right
                return answer
        return None

    def _wait(self, deadline: float) -> str | None:
        """Take what comes, and ping, until the answer to the current request is there or the time is over."""
        while (now := monotonic()) < deadline:
            for server in self._servers.values():
                if now >= server.next_ping:
                    server.next_ping = now + PING_S
                    self._send(server, b"", PING)
            if not self._socket.poll(min(PING_S, deadline - now) * 1000):
                continue
            routing_id, sequence, body = self._socket.recv_multipart()
            self._servers[routing_id].expires = monotonic() + LIFETIME_S
            if sequence == b"%d" % self._sequence:  # the answer to an older request is not asked for any more
                return body.decode()
        return None

    def _send(self, server: _Server, sequence: bytes, body: bytes) -> None:
        # A ROUTER drops what it can't deliver: to a server that was never there, or that is gone.
        self._socket.send_multipart([server.routing_id, sequence, body])


def ask_all(client: Freelance, numbers: range) -> set[str]:
    """Ask for some squares, check them, and return the names of those who answered."""
    names = set()
    for number in numbers:
        square, _, name = (client.ask(str(number)) or "nothing").partition(" by ")
        if square != str(number**2):
            sys.exit(f"request {number} got the answer {square}")
        names.add(name)
    return names


def main() -> str:
    """Kill one server after the other, until one is left; return the claim that held."""
    with Stage() as stage:
        ends = {name: stage.endpoint(name) for name in ("A", "B", "C", "never started")}
        servers = {name: stage.start(serve, ends[name], name) for name in ("A", "B", "C")}
        with Freelance(ends["never started"], *(ends[name] for name in servers)) as client:
            start = 1
            for left in (3, 2, 1):
                names = ask_all(client, range(start, start + 5))
                print(f"requests {start} to {start + 4} are answered, {left} of 4 servers live")
                if left == 1 and names != set(servers):
                    sys.exit(f"{names} answered, but only {set(servers)} lives")
                start += 5
                name = min(names)
                stage.kill(servers.pop(name))
        print("no server is left")
    return "every request was answered once, though the server that answered was killed, twice"


if __name__ == "__main__":
    print(main())
