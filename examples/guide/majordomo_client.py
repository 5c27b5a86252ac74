"""The clients of majordomo: one that asks and waits, repeating if need be; and one that asks many things at once."""

from __future__ import annotations

from typing import Self

from majordomo_broker import CLIENT

import purezmq as zmq

__all__ = ["Client", "ManyClient"]


class Client:
    """Asks one thing at a time, as a lazy pirate does.

    Args:
        broker: its endpoint.
        patience_ms: how long one attempt waits for its answer.
    """

    def __init__(self, broker: str, patience_ms: int = 300) -> None:
        self._broker = broker
        self._patience_ms = patience_ms
        self._context = zmq.Context()
        self._socket = self._open()

    def _open(self) -> zmq.Socket:
        socket = self._context.socket(zmq.REQ, linger=0)
        socket.connect(self._broker)
        return socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def ask(self, service: bytes, *body: bytes, attempts: int = 100) -> list[bytes] | None:
        """Return the body of the reply, or None when so many attempts brought none."""
        for _ in range(attempts):
            self._socket.send_multipart([CLIENT, service, *body])
            if self._socket.poll(self._patience_ms):
                return self._socket.recv_multipart()[2:]
            self._socket.close()
            self._socket = self._open()
        return None


class ManyClient:
    """Asks without waiting for the answers; they come in any order, and say which service they are from.

    Args:
        broker: its endpoint.
    """

    def __init__(self, broker: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER, linger=0)
        self._socket.connect(broker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def send(self, service: bytes, *body: bytes) -> None:
        """Send a request."""
        self._socket.send_multipart([b"", CLIENT, service, *body])

    def receive(self, timeout_ms: int) -> list[bytes] | None:
        """Return service and body of the next reply, or None when none came in time."""
        if not self._socket.poll(timeout_ms):
            return None
        return self._socket.recv_multipart()[2:]
