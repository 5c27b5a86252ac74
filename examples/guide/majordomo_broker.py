"""The broker of majordomo: services with their waiting requests and waiting workers (RFC 7, MDP/0.1).

| who | says | frames after its routing id |
|---|---|---|
| client | request | empty, MDPC01, service, body... |
| broker | reply | empty, MDPC01, service, body... |
| worker | READY | empty, MDPW01, 1, service |
| broker | REQUEST | empty, MDPW01, 2, client, empty, body... |
| worker | REPLY | empty, MDPW01, 3, client, empty, body... |
| both | HEARTBEAT, DISCONNECT | empty, MDPW01, 4 or 5 |

A service whose name begins with mmi. is answered by the broker itself.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from time import monotonic

import purezmq as zmq

__all__ = [
    "CLIENT", "DISCONNECT", "HEARTBEAT", "HEARTBEAT_S", "LIFETIME_S", "READY", "REPLY", "REQUEST", "WORKER",
    "Broker", "run_broker",
]  # fmt: skip

CLIENT, WORKER = b"MDPC01", b"MDPW01"
READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
HEARTBEAT_S = 0.1
LIFETIME_S = 10 * HEARTBEAT_S  # a peer that was silent for so long is taken for dead


@dataclass
class _Service:
    """What waits for a service: requests for a worker, or workers for a request."""

    requests: deque[tuple[bytes, list[bytes]]] = field(default_factory=deque)  # client, body
    idle: dict[bytes, None] = field(default_factory=dict)  # workers; longest idle first


@dataclass
class _Worker:
    service: bytes
    expires: float


class Broker:
    """Routes requests to the workers of the service that they name.

    Args:
        socket: a ROUTER that clients and workers connect to.
    """

    def __init__(self, socket: zmq.Socket) -> None:
        self._socket = socket
        self._services: defaultdict[bytes, _Service] = defaultdict(_Service)
        self._workers: dict[bytes, _Worker] = {}

    def run(self) -> None:
        """Serve for ever."""
        next_beat = monotonic() + HEARTBEAT_S
        while True:
            if self._socket.poll(max(0.0, next_beat - monotonic()) * 1000):
                self._handle(*self._socket.recv_multipart())
            now = monotonic()
            for name in [name for name, worker in self._workers.items() if worker.expires < now]:
                self._forget(name)
            if now >= next_beat:
                next_beat = now + HEARTBEAT_S
                for name in self._workers:
                    self._tell(name, HEARTBEAT)

    def _handle(self, sender: bytes, *parts: bytes) -> None:
        match parts:
            case (b"", b"MDPC01", service, *body) if service.startswith(b"mmi."):
                self._answer(sender, service, [self._introspect(service, body)])
            case (b"", b"MDPC01", service, *body):
                self._services[service].requests.append((sender, body))
                self._dispatch(service)
            case (b"", b"MDPW01", command, *rest):
                self._handle_worker(sender, command, rest)
            case _:
                pass  # not of this protocol: no answer would be understood

    def _handle_worker(self, name: bytes, command: bytes, rest: list[bytes]) -> None:
        worker = self._workers.get(name)
        match command, rest:
            case b"\x01", [service] if worker is None:
                self._workers[name] = _Worker(service, monotonic() + LIFETIME_S)
                self._set_idle(name)
            case b"\x03", [client, b"", *body] if worker is not None:
                self._answer(client, worker.service, body)
                self._set_idle(name)
            case b"\x04", [] if worker is not None:
                worker.expires = monotonic() + LIFETIME_S
            case b"\x05", []:
                self._forget(name)
            case _:  # a worker that the broker gave up, or one that talks out of turn: let it start afresh
                self._tell(name, DISCONNECT)
                self._forget(name)

    def _set_idle(self, name: bytes) -> None:
        worker = self._workers[name]
        worker.expires = monotonic() + LIFETIME_S
        self._services[worker.service].idle[name] = None
        self._dispatch(worker.service)

    def _dispatch(self, service_name: bytes) -> None:
        service = self._services[service_name]
        while service.requests and service.idle:
            name = next(iter(service.idle))
            del service.idle[name]
            client, body = service.requests.popleft()
            self._tell(name, REQUEST, client, b"", *body)

    def _introspect(self, service: bytes, body: list[bytes]) -> bytes:
        if service != b"mmi.service" or len(body) != 1:
            return b"501"
        return b"200" if any(worker.service == body[0] for worker in self._workers.values()) else b"404"

    def _forget(self, name: bytes) -> None:
        worker = self._workers.pop(name, None)
        if worker is not None:
            self._services[worker.service].idle.pop(name, None)

    def _answer(self, client: bytes, service: bytes, body: list[bytes]) -> None:
        self._socket.send_multipart([client, b"", CLIENT, service, *body])

    def _tell(self, name: bytes, command: bytes, *rest: bytes) -> None:
        self._socket.send_multipart([name, b"", WORKER, command, *rest])


def run_broker(endpoint: str) -> None:
    """Be a broker, as a process of its own."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(endpoint)
        Broker(socket).run()
