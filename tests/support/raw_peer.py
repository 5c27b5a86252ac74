"""Peers that speak ZMTP 3.1 by hand over a plain TCP socket, well or badly."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Self

from tests.support.library import TIMEOUT_S

__all__ = ["RawPeer", "greeting", "ready_command", "tcp_address"]

MORE, LONG, COMMAND = 1, 2, 4


def tcp_address(endpoint: str) -> tuple[str, int]:
    """Host and port of a tcp endpoint."""
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


def greeting(major: int = 3, minor: int = 1, mechanism: bytes = b"NULL") -> bytes:
    """The 64 bytes of RFC 37's greeting."""
    return b"\xff" + bytes(8) + b"\x7f" + bytes([major, minor]) + mechanism.ljust(20, b"\0") + bytes(32)


def ready_command(socket_type: str, properties: Mapping[str, bytes] | None = None) -> bytes:
    """A READY command frame with the metadata."""
    body = b"\x05READY"
    for name, value in {"Socket-Type": socket_type.encode(), **(properties or {})}.items():
        body += bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value
    return bytes([COMMAND, len(body)]) + body


class RawPeer:
    """One TCP connection, with helpers for frames; every wait is limited."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(TIMEOUT_S)
        if connection.family in {socket.AF_INET, socket.AF_INET6}:
            # Greeting and READY are two sends: the second shall not wait for the acknowledgement of the first.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def connect(cls, endpoint: str) -> RawPeer:
        """Connect to a tcp endpoint."""
        return cls(socket.create_connection(tcp_address(endpoint), TIMEOUT_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a peer that has closed already is no error here."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, TimeoutError):
            pass

    def receive(self, size: int) -> bytes:
        """Receive exactly `size` bytes, fewer at the end of the stream."""
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                break
            data += piece
        return data

    def shake_hands(self, socket_type: str, properties: Mapping[str, bytes] | None = None) -> bytes:
        """Exchange greetings and READY; return the body of the other side's READY."""
        self.send(greeting())
        assert self.receive(64)[:1] == b"\xff"
        self.send(ready_command(socket_type, properties))
        flags, body = self.receive_frame()
        assert flags & COMMAND
        assert body.startswith(b"\x05READY")
        return body

    def send_frame(self, body: bytes, flags: int = 0) -> None:
        """Send one frame."""
        if len(body) > 255:
            self.send(bytes([flags | LONG]) + struct.pack(">Q", len(body)) + body)
        else:
            self.send(bytes([flags, len(body)]) + body)

    def receive_frame(self) -> tuple[int, bytes]:
        """Receive one frame: flags and body."""
        flags = self.receive(1)[0]
        size = struct.unpack(">Q", self.receive(8))[0] if flags & LONG else self.receive(1)[0]
        return flags, self.receive(size)

    def wait_until_closed(self) -> None:
        """Read until the other side closes; fails with TimeoutError when it doesn't."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
