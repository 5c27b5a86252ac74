"""Options: libzmq's defaults, round trips of what is set, the three ways to set and get them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import zmq

MakeSocket = Callable[..., Any]

DEFAULTS = {
    "AFFINITY": 0, "ROUTING_ID": b"", "RATE": 100, "RECOVERY_IVL": 10000, "SNDBUF": -1, "RCVBUF": -1, "RCVMORE": 0,
    "EVENTS": 0, "TYPE": 5, "LINGER": -1, "RECONNECT_IVL": 100, "BACKLOG": 100, "RECONNECT_IVL_MAX": 0,
    "MAXMSGSIZE": -1, "SNDHWM": 1000, "RCVHWM": 1000, "MULTICAST_HOPS": 1, "RCVTIMEO": -1, "SNDTIMEO": -1,
    "LAST_ENDPOINT": b"", "TCP_KEEPALIVE": -1, "TCP_KEEPALIVE_CNT": -1, "TCP_KEEPALIVE_IDLE": -1,
    "TCP_KEEPALIVE_INTVL": -1, "IMMEDIATE": 0, "IPV6": 0, "MECHANISM": 0, "PLAIN_SERVER": 0, "PLAIN_USERNAME": b"",
    "PLAIN_PASSWORD": b"", "CURVE_SERVER": 0, "ZAP_DOMAIN": b"", "TOS": 0, "HANDSHAKE_IVL": 30000,
    "SOCKS_PROXY": b"", "HEARTBEAT_IVL": 0, "HEARTBEAT_TTL": 0, "HEARTBEAT_TIMEOUT": -1, "CONNECT_TIMEOUT": 0,
    "TCP_MAXRT": 0, "MULTICAST_MAXTPDU": 1500, "USE_FD": -1, "IPV4ONLY": 1, "CONFLATE": 0,
    "INVERT_MATCHING": 0,
}  # fmt: skip

SETTABLE = {
    "AFFINITY": 3, "ROUTING_ID": b"abc", "SNDBUF": 4096, "RCVBUF": 4096, "LINGER": 10, "RECONNECT_IVL": 7,
    "BACKLOG": 5, "RECONNECT_IVL_MAX": 9, "MAXMSGSIZE": 1 << 40, "SNDHWM": 3, "RCVHWM": 0, "RCVTIMEO": 5,
    "SNDTIMEO": 6, "TCP_KEEPALIVE": 1, "TCP_KEEPALIVE_CNT": 4, "TCP_KEEPALIVE_IDLE": 5, "TCP_KEEPALIVE_INTVL": 6,
    "IMMEDIATE": 1, "IPV6": 1, "TOS": 16, "HANDSHAKE_IVL": 100, "HEARTBEAT_IVL": 100, "HEARTBEAT_TTL": 1000,
    "HEARTBEAT_TIMEOUT": 300, "CONNECT_TIMEOUT": 400, "TCP_MAXRT": 500, "ZAP_DOMAIN": b"global", "CONFLATE": 1,
    "PLAIN_USERNAME": b"me", "PLAIN_PASSWORD": b"secret",
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_is_libzmqs(context: Any, name: str) -> None:
    """A fresh DEALER."""
    with context.socket(zmq.DEALER) as socket:
        expected = zmq.DEALER if name == "TYPE" else DEFAULTS[name]
        got = socket.getsockopt(getattr(zmq, name))
        assert expected == (got.rstrip(b"\0") if isinstance(got, bytes) else got)


@pytest.mark.parametrize("name", SETTABLE)
def test_option_that_was_set_is_read_back(make_socket: MakeSocket, name: str) -> None:
    """setsockopt and getsockopt, set and get, attribute in either case."""
    socket, option = make_socket(zmq.DEALER), getattr(zmq, name)
    value = SETTABLE[name]
    socket.setsockopt(option, value)
    assert value == socket.getsockopt(option) == socket.get(option)
    socket.set(option, value)
    setattr(socket, name.lower(), value)
    setattr(socket, name, value)
    assert value == getattr(socket, name.lower()) == getattr(socket, name)


def test_subscriber_lingers_not(make_socket: MakeSocket, context: Any) -> None:
    """LINGER of a SUB reads -1 or 0, but close never waits for it."""
    with context.socket(zmq.SUB) as sub:
        assert sub.linger in {0, -1}


def test_string_options(make_socket: MakeSocket) -> None:
    """setsockopt_string and its aliases take text."""
    socket = make_socket(zmq.DEALER)
    socket.setsockopt_string(zmq.ROUTING_ID, "ü")
    assert "ü".encode() == socket.getsockopt(zmq.ROUTING_ID)
    assert "ü" == socket.getsockopt_string(zmq.ROUTING_ID) == socket.get_string(zmq.ROUTING_ID)
    socket.set_string(zmq.ROUTING_ID, "x", encoding="utf-16")
    assert "x" == socket.get_string(zmq.ROUTING_ID, encoding="utf-16")


def test_hwm_sets_both(make_socket: MakeSocket) -> None:
    """hwm, set_hwm, get_hwm."""
    socket = make_socket(zmq.DEALER)
    socket.hwm = 12
    assert (12, 12) == (socket.sndhwm, socket.rcvhwm)
    socket.set_hwm(13)
    assert (13, 13, 13) == (socket.sndhwm, socket.rcvhwm, socket.get_hwm())


def test_subscribe_is_method_and_attribute(make_socket: MakeSocket) -> None:
    """sub.subscribe(text or bytes), sub.subscribe = b"x"."""
    sub = make_socket(zmq.SUB)
    sub.subscribe(b"a")
    sub.subscribe("b")
    sub.subscribe = b"c"
    sub.unsubscribe(b"a")
    sub.unsubscribe = b"b"


def test_identity_is_routing_id(make_socket: MakeSocket) -> None:
    """The old name."""
    socket = make_socket(zmq.DEALER)
    socket.identity = b"x"
    assert b"x" == socket.routing_id == socket.getsockopt(zmq.IDENTITY)
