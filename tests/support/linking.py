"""Linking sockets over a transport, so that a test starts with pipes known to be usable."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import socket as socket_module
import struct
import sys
import tempfile
import time
from typing import Any, Self

from tests.support.library import TIMEOUT_S, zmq
from tests.support.waiting import eventually

__all__ = [
    "TRANSPORTS",
    "EventWatch",
    "bind",
    "bind_again",
    "free_endpoint",
    "ipc_path",
    "link",
    "subscribe_and_wait",
    "try_recv",
    "try_send",
    "wait_for_subscription",
]

TRANSPORTS = ("tcp", "inproc") if sys.platform == "win32" else ("tcp", "ipc", "inproc")

_numbers = itertools.count(1)


def ipc_path() -> str:
    """Return a path in a fresh short directory (pytest's tmp_path may exceed 107 bytes)."""
    directory = tempfile.mkdtemp(prefix="zq")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return os.path.join(directory, "s")


def bind(socket: Any, transport: str) -> str:
    """Bind `socket` to a fresh endpoint of `transport` and return the endpoint to connect to."""
    if transport == "tcp":
        socket.bind("tcp://127.0.0.1:*")
        return socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    endpoint = f"inproc://test-{next(_numbers)}" if transport == "inproc" else f"ipc://{ipc_path()}"
    socket.bind(endpoint)
    return endpoint


def free_endpoint(transport: str = "tcp") -> str:
    """Return an endpoint of `transport` where nobody listens."""
    if transport == "ipc":
        return f"ipc://{ipc_path()}"
    with socket_module.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{reserved.getsockname()[1]}"


def bind_again(socket: Any, endpoint: str) -> None:
    """Bind an address that was just given up: libzmq goes on to hold it for a moment."""

    def attempt() -> bool:
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            if error.errno != zmq.EADDRINUSE:
                raise
            return False
        return True

    eventually(attempt)


class EventWatch:
    """A socket monitor as a list of events to wait for."""

    def __init__(self, socket: Any, events: int | None = None) -> None:
        self._socket = socket
        # An address of its own: libzmq frees the default one some time after disable_monitor() returned.
        address = f"inproc://watch-{next(_numbers)}"
        self._monitor = socket.get_monitor_socket(zmq.EVENT_ALL if events is None else events, address)
        self.seen: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._socket.closed:
            self._socket.disable_monitor()
        self._monitor.close(0)

    def next(self, timeout: float = TIMEOUT_S) -> dict[str, Any] | None:
        """Return the next event (keys event, value, endpoint), or None after `timeout` seconds."""
        if not self._monitor.poll(int(timeout * 1000)):
            return None
        numbers, endpoint = self._monitor.recv_multipart()
        kind, value = struct.unpack("=HI", numbers)
        self.seen.append(kind)
        return {"event": kind, "value": value, "endpoint": endpoint}

    def wait_for(self, kind: int, count: int = 1, timeout: float = TIMEOUT_S) -> dict[str, Any]:
        """Skip events until the `count`-th one of `kind`, and return that one."""
        deadline = time.monotonic() + timeout
        while True:
            event = self.next(max(0.0, deadline - time.monotonic()))
            assert event is not None, f"no event {kind:#x} within {timeout} s; seen: {self.seen}"
            if event["event"] == kind:
                count -= 1
                if count == 0:
                    return event


def link(binder: Any, *connectors: Any, transport: str = "tcp", endpoint: str | None = None) -> str:
    """Connect every connector to `binder`; return when all pipes are usable on both sides.

    Args:
        binder: the socket that binds.
        connectors: sockets that connect, in this order.
        transport: "tcp", "ipc" or "inproc".
        endpoint: where `binder` is bound already; else it is bound to a fresh endpoint.
    """
    if endpoint is None:
        endpoint = bind(binder, transport)
    if endpoint.startswith("inproc:"):
        for connector in connectors:
            connector.connect(endpoint)
    else:
        with EventWatch(binder) as accepted:
            for connector in connectors:
                with EventWatch(connector) as connected:
                    connector.connect(endpoint)
                    connected.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
                accepted.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    for socket in (binder, *connectors):
        # libzmq attaches an accepted pipe only when the application enters the socket.
        socket.getsockopt(zmq.EVENTS)
    return endpoint


def wait_for_subscription(publisher: Any, subscriber: Any, topic: bytes = b"") -> None:
    """Publish probes that start with `topic` until the subscriber gets one, and take all of them out."""
    deadline = time.monotonic() + TIMEOUT_S
    for number in itertools.count():
        publisher.send(topic + b"<probe %d>" % number)
        if subscriber.poll(10):
            break
        assert time.monotonic() < deadline, "the subscription does not reach the publisher"
    last = topic + b"<probe %d>" % number
    while subscriber.recv() != last:
        pass


def subscribe_and_wait(publisher: Any, subscriber: Any, topic: bytes = b"") -> None:
    """Subscribe (SUB) or send the subscription (XSUB), and wait until the publisher knows it."""
    if subscriber.getsockopt(zmq.TYPE) == zmq.SUB:
        subscriber.setsockopt(zmq.SUBSCRIBE, topic)
    else:
        subscriber.send(b"\x01" + topic)
    if publisher.getsockopt(zmq.TYPE) == zmq.XPUB:
        assert publisher.recv() == b"\x01" + topic
    else:
        wait_for_subscription(publisher, subscriber, topic)


def try_send(socket: Any, *parts: bytes) -> bool:
    """Send without blocking; False where it would block."""
    try:
        socket.send_multipart(list(parts), zmq.DONTWAIT)
    except zmq.Again:
        return False
    return True


def try_recv(socket: Any, timeout_ms: int = 0) -> list[bytes] | None:
    """Receive a message that comes within `timeout_ms`, else None."""
    if not socket.poll(timeout_ms):
        return None
    return socket.recv_multipart(zmq.DONTWAIT)
