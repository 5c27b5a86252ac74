"""Endpoints and options as an application, or a file of its settings, gives them: ZMQError or good, nothing else.

An input begins with a byte that chooses: an endpoint (even), or an option (odd), which goes on with the socket type,
the kind of the value, and the number of the option in two bytes (signed).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from purezmq.endpoint import (
    Endpoint,
    HostPort,
    parse_endpoint,
    parse_tcp_bind,
    parse_tcp_connect,
    parse_udp_bind,
    parse_udp_connect,
)
from purezmq.enums import ContextOption, SocketOption, SocketType
from purezmq.error import ZMQError
from purezmq.options import CONTEXT_OPTIONS, SOCKET_OPTIONS, ContextOptions, SocketOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TOKENS", "run", "seeds"]

_ENDPOINTS = (
    *("tcp://127.0.0.1:5555", "tcp://*:*", "tcp://[::1]:80", "tcp://eth0:0;10.0.0.1:65535", "tcp://[fe80::1%eth0]:1"),
    *(
        "ipc:///tmp/x",
        "ipc://@abstract",
        "inproc://name",
        "udp://239.1.2.3:5555",
        "udp://eth0;239.0.0.1:9",
        "ws://a:1/p",
    ),
)
_PARSERS = (parse_tcp_bind, parse_tcp_connect, parse_udp_bind, parse_udp_connect)
_TYPES = (None, *SocketType)
_OPTION_HEADER_SIZE = 5
_KINDS = 7

TOKENS = (b"tcp://", b"ipc://", b"udp://", b"://", b"[::1]", b":*", b"65535", b"65536", b"\0", b"%", b";", b"X-a:b")


def run(data: bytes) -> None:
    """Run one input."""
    if not data:
        return
    if data[0] & 1:
        _run_option(data)
    else:
        _run_endpoint(data[1:])
        _run_endpoint(data[1:].decode("utf-8", "surrogateescape"))
        _run_endpoint(data[1:].decode("latin-1"))


def _run_endpoint(text: str | bytes) -> None:
    try:
        endpoint = parse_endpoint(text)
    except ZMQError as error:
        assert str(error)  # its text can be made
        return
    assert parse_endpoint(str(endpoint)) == endpoint, "an endpoint is written otherwise than it is read"
    for parse in _PARSERS:
        _run_parser(parse, endpoint)


def _run_parser(parse: Any, endpoint: Endpoint) -> None:
    try:
        result = parse(endpoint)
    except ZMQError as error:
        assert str(error)
        return
    for part in result if isinstance(result, tuple) else (result,):
        if isinstance(part, HostPort):
            assert part.host
            assert 0 <= part.port <= 65535


def _value(kind: int, raw: bytes) -> object:
    """Make a value of one of the kinds that applications give."""
    values = (
        lambda: raw,
        lambda: int.from_bytes(raw[:9], "big", signed=True),
        lambda: struct.unpack("<i", raw[:4].ljust(4, b"\0"))[0],
        lambda: bool(raw[:1] > b"\x7f"),
        lambda: raw.decode("latin-1"),
        lambda: None if not raw else float(raw[0]),
        lambda: bytearray(raw) if raw[:1] < b"\x80" else memoryview(raw),
    )
    return values[kind % _KINDS]()


def _run_option(data: bytes) -> None:
    if len(data) < _OPTION_HEADER_SIZE:
        return
    number = int.from_bytes(data[3:5], "big", signed=True)
    value = _value(data[2], data[_OPTION_HEADER_SIZE:])
    if data[1] == 255:
        _set_and_get(ContextOptions(), CONTEXT_OPTIONS, number, value)
        return
    options = SocketOptions(_TYPES[data[1] % len(_TYPES)])
    before = dict(options.__dict__)
    if not _set_and_get(options, SOCKET_OPTIONS, number, value):
        assert before == options.__dict__, "an option that was refused has changed something"
    copy = options.copy()
    assert copy.__dict__ == options.__dict__


def _set_and_get(options: Any, table: Any, number: int, value: object) -> bool:
    """Set an option and read it back; whether it was taken."""
    try:
        options.set(number, value)
    except (ZMQError, TypeError) as error:
        assert str(error)
        return False
    spec = table[number]
    assert spec.writable, "a read-only option was set"
    if spec.readable and not spec.computed:
        assert isinstance(options.get(number), (int, bytes, str, tuple))
    for name in ("linger_s", "reconnect_ivl_s", "heartbeat_ttl_s", "heartbeat_timeout_s", "handshake_ivl_s"):
        seconds = getattr(options, name, None)
        assert seconds is None or seconds >= 0
    return True


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from: each endpoint, and each option with a number and with bytes."""
    for endpoint in _ENDPOINTS:
        yield b"\0" + endpoint.encode()
    for option in SocketOption:
        number = int(option).to_bytes(2, "big", signed=True)
        yield bytes((1, 1 + int(option) % 12, 2)) + number + b"\x01\0\0\0"
        yield bytes((1, 0, 0)) + number + b"X-name:10.0.0.0/8"
    for context_option in ContextOption:
        yield b"\1\xff\2" + int(context_option).to_bytes(2, "big", signed=True) + b"\x02\0\0\0"
