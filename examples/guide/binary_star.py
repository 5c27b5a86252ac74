"""Binary star: two servers, of which one serves and the other stands by to take its place.

The servers tell each other ten times a second what they are. A client asks one server, and when it stays
silent the other; a server that stands by serves a client only when the active one has fallen silent.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import Self

from binary_star_machine import BEAT_S, Role
from stage import Stage

import purezmq as zmq

PATIENCE_MS = 400


class Server:
    """One of the two servers.

    Args:
        name: who it is, for the clients.
        role: decides whether it serves.
        frontend: a ROUTER, for clients.
        publisher: a PUB that tells the peer our state.
        subscriber: a SUB that hears the state of the peer.
    """

    def __init__(
        self, name: str, role: Role, frontend: zmq.Socket, publisher: zmq.Socket, subscriber: zmq.Socket
    ) -> None:
        self._name = name
        self._role = role
        self._frontend = frontend
        self._publisher = publisher
        self._subscriber = subscriber

    def run(self) -> None:
        """Serve, or stand by, for ever."""
        poller = zmq.Poller()
        poller.register(self._frontend, zmq.POLLIN)
        poller.register(self._subscriber, zmq.POLLIN)
        next_beat = monotonic()
        while True:
            if monotonic() >= next_beat:
                next_beat = monotonic() + BEAT_S
                self._publisher.send(self._role.heartbeat())
            ready = dict(poller.poll(max(0.0, next_beat - monotonic()) * 1000))
            if self._subscriber in ready:
                self._role.handle_heartbeat(self._subscriber.recv(), monotonic())
            if self._frontend in ready:
                client, _, number = self._frontend.recv_multipart()
                if self._role.handle_client(monotonic()):  # else silence sends the client to the other server
                    answer = f"{int(number) ** 2} by {self._name}"
                    self._frontend.send_multipart([client, b"", answer.encode()])


def serve(name: str, frontend_end: str, own_end: str, peer_end: str) -> None:
    """Be one of the two servers, as a process of its own."""
    with (
        zmq.Context() as context,
        context.socket(zmq.ROUTER) as frontend,
        context.socket(zmq.PUB) as publisher,
        context.socket(zmq.SUB) as subscriber,
    ):
        frontend.bind(frontend_end)
        publisher.bind(own_end)
        subscriber.subscribe("")
        subscriber.connect(peer_end)
        role = Role(primary=name == "primary", now=monotonic())
        Server(name, role, frontend, publisher, subscriber).run()


class Client:
    """Asks the server that answered last, and when it is silent the other one.

    Args:
        endpoints: both servers; the first is asked first.
    """

    def __init__(self, *endpoints: str) -> None:
        self._endpoints = list(endpoints)
        self._context = zmq.Context()
        self._socket = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def _open(self) -> zmq.Socket:
        socket = self._context.socket(zmq.REQ, linger=0)
        socket.connect(self._endpoints[0])
        return socket

    def ask(self, request: str) -> str:
        """Return the answer.

        Raises:
            TimeoutError: neither server answered, over and over.
        """
        for _ in range(50):
            self._socket.send_string(request)
            if self._socket.poll(PATIENCE_MS):
                return self._socket.recv_string()
            self._socket.close()
            self._endpoints.reverse()
            self._socket = self._open()
        raise TimeoutError(request)


def wait_until_standing_by(state_end: str) -> None:
    """Wait until a server says that it stands by."""
    with zmq.Context() as context, context.socket(zmq.SUB, rcvtimeo=10_000) as states:
        states.subscribe("")
        states.connect(state_end)
        while states.recv() != b"passive":
            pass


def ask_all(client: Client, numbers: range, expected_server: str) -> None:
    """Ask for some squares; all must be right and come from one server."""
    for number in numbers:
        answer = client.ask(str(number))
        if answer != f"{number**2} by {expected_server}":
            sys.exit(f"request {number} of {numbers} got {answer}, from the {expected_server} it was expected")
    print(f"requests {numbers[0]} to {numbers[-1]} are answered by the {expected_server}")


def main() -> str:
    """Kill the primary, start it again, kill the backup; return the claim that held."""
    with Stage() as stage:
        first, second = stage.endpoint("primary"), stage.endpoint("backup")
        states = stage.endpoint("primary-state"), stage.endpoint("backup-state")
        primary = stage.start(serve, "primary", first, states[0], states[1])
        backup = stage.start(serve, "backup", second, states[1], states[0])
        with Client(first, second) as client:
            ask_all(client, range(1, 6), "primary")
            wait_until_standing_by(states[1])
            stage.kill(primary)
            print("the primary is killed")
            ask_all(client, range(6, 11), "backup")
            primary = stage.start(serve, "primary", first, states[0], states[1])
            wait_until_standing_by(states[0])
            print("the primary is back, and stands by")
            ask_all(client, range(11, 16), "backup")
            stage.kill(backup)
            print("the backup is killed")
            ask_all(client, range(16, 21), "primary")
        if not primary.is_alive():
            sys.exit("the primary gave up")
    return "every request was answered once, and by the server whose turn it was"


if __name__ == "__main__":
    print(main())
