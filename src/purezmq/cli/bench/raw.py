"""Roles of workers that use plain blocking sockets: the floor below every library.

| role | what it does |
|---|---|
| stream_receive, stream_send | bytes streamed in large pieces, received into one preallocated buffer |
| echo, round_trip | the small message of REQ/REP to and fro |
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.raw_subscribers import raw_subscribers

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.cli.bench.worker import Control

__all__ = ["ROLES", "open_connection"]

#: A piece is never smaller, however small the messages that it is compared with.
MINIMUM_PIECE = 65_536


def open_listener(endpoint: str) -> tuple[socket.socket, str]:
    """Return a listening socket at `endpoint` and the endpoint to connect to."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        return listener, endpoint
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def open_connection(endpoint: str) -> socket.socket:
    """Return a blocking socket connected to `endpoint`."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address)
        return sock
    host, _, port = address.rpartition(":")
    return without_delay(socket.create_connection((host, int(port))))


def without_delay(sock: socket.socket) -> socket.socket:
    """Switch Nagle's algorithm off, as every ZeroMQ library does."""
    if sock.family != getattr(socket, "AF_UNIX", None):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def accept(options: dict[str, Any], control: Control) -> socket.socket:
    """Listen, report the endpoint and return the one connection."""
    listener, endpoint = open_listener(options["bind"])
    control.report(endpoint=endpoint)
    return without_delay(listener.accept()[0])


def piece_count(options: dict[str, Any]) -> tuple[int, int]:
    """Return the size of a piece and how many of them hold at least the bytes of `count` messages."""
    piece = max(MINIMUM_PIECE, options["size"])
    return piece, max(1, round(options["count"] * options["mean_size"] / piece))


def stream_receive(options: dict[str, Any], control: Control) -> None:
    """Receive every byte; the clock starts when the first piece is there."""
    piece, pieces = piece_count(options)
    sock, buffer = accept(options, control), bytearray(piece)
    receive = sock.recv_into
    remaining = piece
    while remaining > 0:
        remaining -= receive(buffer, remaining)
    remaining = pieces * piece
    cpu, start = time.process_time(), time.perf_counter()
    while remaining > 0:
        received = receive(buffer)
        if not received:
            raise ConnectionError("stream ended early")
        remaining -= received
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    messages = pieces * piece / options["mean_size"]
    control.report(elapsed=elapsed, cpu=cpu, count=messages)


def stream_send(options: dict[str, Any], control: Control) -> None:
    """Send one piece more than is measured."""
    piece, pieces = piece_count(options)
    sock, data = open_connection(options["endpoint"]), b"x" * piece
    cpu = time.process_time()
    for _ in range(pieces + 1):
        sock.sendall(data)
    control.wait()
    control.report(cpu=time.process_time() - cpu)


def echo(options: dict[str, Any], control: Control) -> None:
    """Send back whatever comes, as REP does; reports CPU of all after the warm-up."""
    sock = accept(options, control)
    control.serve_cpu_samples()
    while data := sock.recv(65_536):
        sock.sendall(data)
    control.wait()


def round_trip(options: dict[str, Any], control: Control) -> None:
    """Measure round trips for a given time."""
    from purezmq.cli.bench.roles import measure_trips

    sock = open_connection(options["endpoint"])
    measure_trips(sock.sendall, lambda: sock.recv(65_536), options, control)


ROLES: dict[str, Callable[[dict[str, Any], Control], None]] = {
    "stream_receive": stream_receive,
    "stream_send": stream_send,
    "echo": echo,
    "round_trip": round_trip,
    "raw_subscribers": raw_subscribers,
}
