"""Monitor events: which, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, free_endpoint, library_module, zmq

MakeSocket = Callable[..., Any]
STREAM_TRANSPORTS = ["tcp", "ipc"]


@pytest.mark.parametrize("transport", STREAM_TRANSPORTS)
def test_bound_side_events_in_order(make_socket: MakeSocket, transport: str) -> None:
    """LISTENING, ACCEPTED, HANDSHAKE_SUCCEEDED, DISCONNECTED; then CLOSED with the listener."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    with EventWatch(pull) as events:
        endpoint = bind(pull, transport)
        listening = events.next()
        assert (zmq.EVENT_LISTENING, endpoint.encode()) == (listening["event"], listening["endpoint"])
        push.connect(endpoint)
        assert zmq.EVENT_ACCEPTED == events.next()["event"]
        assert zmq.EVENT_HANDSHAKE_SUCCEEDED == events.next()["event"]
        push.close()
        assert zmq.EVENT_DISCONNECTED == events.next()["event"]
        pull.unbind(endpoint)
        closed = events.next()
        assert (zmq.EVENT_CLOSED, endpoint.encode()) == (closed["event"], closed["endpoint"])


@pytest.mark.parametrize("transport", STREAM_TRANSPORTS)
def test_connecting_side_events_in_order(make_socket: MakeSocket, transport: str) -> None:
    """CONNECT_DELAYED (not ipc), CONNECTED, HANDSHAKE_SUCCEEDED; DISCONNECTED, CONNECT_RETRIED when the peer goes."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=50)
    endpoint = bind(pull, transport)
    with EventWatch(push) as events:
        push.connect(endpoint)
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        delayed = [] if transport == "ipc" else [zmq.EVENT_CONNECT_DELAYED]
        assert [*delayed, zmq.EVENT_CONNECTED, zmq.EVENT_HANDSHAKE_SUCCEEDED] == events.seen
        pull.close()
        assert zmq.EVENT_DISCONNECTED == events.next()["event"]
        retried = events.next()
        assert zmq.EVENT_CONNECT_RETRIED == retried["event"]
        assert 50 <= retried["value"] <= 100


def test_refused_connection_is_retried(make_socket: MakeSocket) -> None:
    """CONNECT_DELAYED, CLOSED and CONNECT_RETRIED come again and again."""
    push = make_socket(zmq.PUSH, reconnect_ivl=5)
    with EventWatch(push) as events:
        push.connect(free_endpoint())
        retried = events.wait_for(zmq.EVENT_CONNECT_RETRIED, 3)
        assert 5 <= retried["value"] <= 10
        assert [zmq.EVENT_CONNECT_DELAYED, zmq.EVENT_CLOSED, zmq.EVENT_CONNECT_RETRIED] == events.seen[:3]
        assert 2 <= events.seen.count(zmq.EVENT_CLOSED)


def test_events_carry_endpoint(make_socket: MakeSocket) -> None:
    """Every event names an address."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    with EventWatch(push) as events:
        endpoint = bind(pull, "tcp")
        push.connect(endpoint)
        connected = events.wait_for(zmq.EVENT_CONNECTED)
        assert endpoint.encode() == connected["endpoint"]
        assert connected["value"] > 0


def test_only_wanted_events_come(make_socket: MakeSocket) -> None:
    """The mask chooses."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    with EventWatch(pull, zmq.EVENT_ACCEPTED) as events:
        push.connect(bind(pull, "tcp"))
        assert zmq.EVENT_ACCEPTED == events.next()["event"]
        assert events.next(0.05) is None


def test_inproc_has_no_events(make_socket: MakeSocket) -> None:
    """Nothing is reported for inproc."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    with EventWatch(pull) as events:
        push.connect(bind(pull, "inproc"))
        push.send(b"x")
        assert b"x" == pull.recv()
        assert events.next(0.02) is None


def test_disabled_monitor_says_stopped(make_socket: MakeSocket) -> None:
    """MONITOR_STOPPED is the last event."""
    pull, monitor = make_socket(zmq.PULL), make_socket(zmq.PAIR)
    pull.monitor("inproc://monitor-stopped", zmq.EVENT_ALL)
    monitor.connect("inproc://monitor-stopped")
    bind(pull, "tcp")
    recv_monitor_message = library_module("utils.monitor").recv_monitor_message
    assert zmq.EVENT_LISTENING == recv_monitor_message(monitor)["event"]
    pull.disable_monitor()
    assert zmq.EVENT_MONITOR_STOPPED == recv_monitor_message(monitor)["event"]


def test_closed_socket_says_stopped(make_socket: MakeSocket) -> None:
    """close() ends the monitor, too."""
    pull, monitor = make_socket(zmq.PULL), make_socket(zmq.PAIR)
    pull.monitor("inproc://monitor-closed", zmq.EVENT_MONITOR_STOPPED)
    monitor.connect("inproc://monitor-closed")
    pull.close()
    assert zmq.EVENT_MONITOR_STOPPED == library_module("utils.monitor").recv_monitor_message(monitor)["event"]


def test_frames_of_event_are_libzmqs(make_socket: MakeSocket) -> None:
    """Two frames: u16 event and u32 value in native order, and the endpoint."""
    pull, monitor = make_socket(zmq.PULL), make_socket(zmq.PAIR)
    pull.monitor("inproc://monitor-frames", zmq.EVENT_ALL)
    monitor.connect("inproc://monitor-frames")
    endpoint = bind(pull, "tcp")
    numbers, address = monitor.recv_multipart()
    assert (6, endpoint.encode()) == (len(numbers), address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://127.0.0.1:5", "EPROTONOSUPPORT"),
        ("nonsense", "EINVAL"),
    ],
)
def test_monitor_lives_on_inproc_only(make_socket: MakeSocket, address: str, expected: str) -> None:
    """Other addresses are refused."""
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.PULL).monitor(address, zmq.EVENT_ALL)
    assert getattr(zmq.Errno, expected) == caught.value.errno
