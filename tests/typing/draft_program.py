"""A user's program with the younger socket types, checked with mypy --strict and pyright's strict mode, never run."""

from __future__ import annotations

from typing import assert_type

import purezmq as zmq


def serve(context: zmq.Context) -> None:
    """A SERVER answers by routing id."""
    with context.socket(zmq.SERVER) as server:
        server.bind("tcp://127.0.0.1:*")
        frame = server.recv(copy=False)
        assert_type(frame, zmq.Frame)
        assert_type(frame.routing_id, int)
        server.send(frame.bytes, routing_id=frame.routing_id)


def groups(context: zmq.Context) -> str:
    """RADIO and DISH."""
    with context.socket(zmq.RADIO) as radio, context.socket(zmq.DISH) as dish:
        dish.join("weather")
        radio.send(b"sunny", group="weather")
        group = dish.recv(copy=False).group
        assert_type(group, str)
        dish.leave("weather")
        return group


def call_out(context: zmq.Context) -> None:
    """PEER."""
    with context.socket(zmq.PEER) as socket:
        peer = socket.connect_peer("tcp://127.0.0.1:5555")
        assert_type(peer, int)
        socket.send(b"hello", routing_id=peer)
        socket.disconnect_peer(peer)


def overloads(socket: zmq.Socket) -> None:
    """What `copy` and `track` change."""
    assert_type(socket.recv(), bytes)
    assert_type(socket.recv(copy=True), bytes)
    assert_type(socket.recv(copy=False), zmq.Frame)
    assert_type(socket.recv(zmq.DONTWAIT), bytes)
    assert_type(socket.recv_multipart(), list[bytes])
    assert_type(socket.recv_multipart(copy=False), list[zmq.Frame])
    assert_type(socket.send(b"x", track=True), zmq.MessageTracker)
    assert_type(socket.send_multipart([b"x", b"y"], copy=False, track=True), zmq.MessageTracker)
    assert_type(socket.recv_string(), str)
    assert_type(socket.poll(10), int)
    count: int = socket.getsockopt(zmq.RCVHWM)
    endpoint: str = socket.getsockopt_string(zmq.LAST_ENDPOINT)
    print(count, endpoint)
