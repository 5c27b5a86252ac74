"""Thousands of subscribers that speak ZMTP 3.0 by hand over plain sockets, in one process.

Independent of every library's wire code on purpose: the peer is the same for all of them.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purezmq.cli.bench.worker import Control

__all__ = ["GREETING", "READY", "SUBSCRIBE_ALL", "raw_subscribers"]

#: RFC 23: signature, version 3.0, mechanism NULL, as-server 0, filler.
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
READY_BODY = b"\x05READY" + b"\x0bSocket-Type" + b"\x00\x00\x00\x03SUB"
READY = bytes([0x04, len(READY_BODY)]) + READY_BODY
#: In ZMTP 3.0 a subscription is a message of 0x01 and the topic.
SUBSCRIBE_ALL = b"\x00\x01\x01"

#: Connections opened before any of them is shaken hands with: below every library's BACKLOG of 100.
BATCH = 50
#: Seconds that a subscriber waits for the peer's part of the handshake.
HANDSHAKE_TIMEOUT = 5.0
#: Seconds in which a probe has to reach every subscriber, before the next probe.
PROBE_TIMEOUT = 2.0
#: Seconds in which a measured publication has to.
FAN_OUT_TIMEOUT = 10.0


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """Return exactly `size` bytes from a blocking socket."""
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("the publisher closed the connection in the handshake")
        data += piece
    return data


def shake_hands(sock: socket.socket) -> None:
    """Complete the NULL handshake as a SUB and subscribe to everything."""
    greeting = receive_exactly(sock, len(GREETING))
    if greeting[0] != 0xFF or greeting[10] < 3:
        raise ConnectionError(f"no ZMTP 3 greeting: {greeting!r}")
    sock.sendall(READY)
    flags, size = receive_exactly(sock, 2)
    command = receive_exactly(sock, size)
    if flags != 0x04 or not command.startswith(b"\x05READY"):
        raise ConnectionError(f"no READY command: {command!r}")
    sock.sendall(SUBSCRIBE_ALL)


def connect_all(host: str, port: int, count: int, control: Control) -> list[socket.socket]:
    """Return `count` subscribed sockets; the parent is told after each batch and says when to go on."""
    done: list[socket.socket] = []
    while len(done) < count:
        batch = []
        for _ in range(min(BATCH, count - len(done))):
            sock = socket.create_connection((host, port), HANDSHAKE_TIMEOUT)
            sock.sendall(GREETING)
            batch.append(sock)
        for sock in batch:
            shake_hands(sock)
            sock.setblocking(False)
        done += batch
        control.report(connected=len(done))
        if len(done) < count:
            control.wait()
    return done


class Subscribers:
    """All connections, and how many bytes each has still to get.

    Args:
        socks: The subscribed sockets.
    """

    def __init__(self, socks: list[socket.socket]) -> None:
        self._socks = socks
        self._selector = selectors.DefaultSelector()
        for index, sock in enumerate(socks):
            self._selector.register(sock, selectors.EVENT_READ, index)

    def receive_all(self, size: int, timeout: float) -> int:
        """Read until every connection has got `size` bytes or `timeout` seconds passed.

        Returns:
            How many connections got theirs.
        """
        missing, remaining = [size] * len(self._socks), len(self._socks)
        deadline = time.monotonic() + timeout
        while remaining and (left := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                data = self._socks[key.data].recv(65_536)
                if not data:
                    raise ConnectionError("the publisher closed a connection")
                before = missing[key.data]
                missing[key.data] = before - len(data)
                if missing[key.data] <= 0 < before:
                    remaining -= 1
        return len(self._socks) - remaining

    def drain(self) -> None:
        """Read what is left of probes until nothing comes for a fifth of a second."""
        while events := self._selector.select(0.2):
            for key, _ in events:
                self._socks[key.data].recv(65_536)


def raw_subscribers(options: dict[str, Any], control: Control) -> None:
    """Connect, reporting progress, then answer "probe" (until all receive) and "expect" (one measured publication)."""
    host, _, port = options["endpoint"].removeprefix("tcp://").rpartition(":")
    frame_size = options["size"] + 2
    subscribers = Subscribers(connect_all(host, int(port), options["peers"], control))
    while word := control.wait():
        if word == "probe":
            control.report(received=subscribers.receive_all(frame_size, PROBE_TIMEOUT))
            continue
        subscribers.drain()
        control.report(expecting=True)
        received = subscribers.receive_all(frame_size, FAN_OUT_TIMEOUT)
        control.report(received=received, finished=time.monotonic())
