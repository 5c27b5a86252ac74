"""The worker of majordomo: registers a service with the broker, and registers anew when the broker is lost."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

from majordomo_broker import DISCONNECT, HEARTBEAT, HEARTBEAT_S, LIFETIME_S, READY, REPLY, REQUEST, WORKER

import purezmq as zmq

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_worker"]


def run_worker(broker: str, service: bytes, answer: Callable[[list[bytes]], list[bytes]]) -> None:
    """Serve for ever.

    Args:
        broker: its endpoint.
        service: what is offered.
        answer: makes the body of the reply from that of the request.
    """
    with zmq.Context() as context:
        while True:
            with context.socket(zmq.DEALER, linger=0) as socket:
                socket.connect(broker)
                _serve_while_alive(socket, service, answer)
            sleep(HEARTBEAT_S)


def _serve_while_alive(socket: zmq.Socket, service: bytes, answer: Callable[[list[bytes]], list[bytes]]) -> None:
    """Answer requests until the broker is silent for too long, or disconnects."""
    socket.send_multipart([b"", WORKER, READY, service])
    next_beat, expires = monotonic() + HEARTBEAT_S, monotonic() + LIFETIME_S
    while monotonic() < expires:
        if socket.poll(max(0.0, next_beat - monotonic()) * 1000):
            _, _, command, *rest = socket.recv_multipart()
            if command == DISCONNECT:
                return
            if command == REQUEST:
                client, _, *body = rest
                socket.send_multipart([b"", WORKER, REPLY, client, b"", *answer(body)])
            expires = monotonic() + LIFETIME_S
        if monotonic() >= next_beat:
            next_beat = monotonic() + HEARTBEAT_S
            socket.send_multipart([b"", WORKER, HEARTBEAT])
