"""Frame, MessageTracker, copy=False, recv_into and the serializing methods."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import TRANSPORTS, link, zmq

MakeSocket = Callable[..., Any]


@pytest.fixture(params=TRANSPORTS)
def pair(make_socket: MakeSocket, request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """Two linked PAIR sockets over each transport."""
    a, b = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    link(b, a, transport=request.param)
    return a, b


def test_frame_holds_bytes() -> None:
    """Length, bytes, buffer."""
    frame = zmq.Frame(b"hello")
    assert (5, b"hello", b"hello") == (len(frame), frame.bytes, bytes(frame.buffer))
    assert b"hello" == bytes(frame)
    if sys.version_info >= (3, 12):  # before, a Python class can't export a buffer: use frame.buffer
        assert b"hello" == bytes(memoryview(frame))
    assert zmq.Message is zmq.Frame
    assert 0 == len(zmq.Frame())


@pytest.mark.parametrize("data", [b"x", bytearray(b"x"), memoryview(b"x")])
def test_frame_takes_buffers(data: Any) -> None:
    """Anything with the buffer protocol."""
    assert b"x" == zmq.Frame(data).bytes


def test_frame_refuses_text() -> None:
    """Text has no bytes yet."""
    with pytest.raises(TypeError):
        zmq.Frame("x")


def test_uncopied_recv_gives_frames(pair: tuple[Any, Any]) -> None:
    """copy=False delivers Frames, which know whether more follow."""
    a, b = pair
    a.send_multipart([b"one", b"two"])
    frames = b.recv_multipart(copy=False)
    assert [zmq.Frame, zmq.Frame] == [type(frame) for frame in frames]
    assert [(b"one", True), (b"two", False)] == [(frame.bytes, bool(frame.more)) for frame in frames]
    a.send(b"single")
    frame = b.recv(copy=False)
    assert (b"single", False) == (frame.bytes, bool(frame.more))


@pytest.mark.parametrize("size", [0, 10, 1000, 65536, 300_000])
def test_uncopied_send_delivers(pair: tuple[Any, Any], size: int) -> None:
    """send(copy=False) of bytes, bytearrays, memoryviews and Frames."""
    a, b = pair
    body = bytes(size)
    for data in (body, bytearray(body), memoryview(body), zmq.Frame(body)):
        a.send(data, copy=False)
        assert body == b.recv()
    a.send_multipart([body, zmq.Frame(body), memoryview(body)], copy=False)
    assert [body] * 3 == b.recv_multipart()


def test_received_frame_can_be_sent_on(pair: tuple[Any, Any]) -> None:
    """A Frame is forwarded without change."""
    a, b = pair
    a.send(b"there" * 20000)
    b.send(b.recv(copy=False), copy=False)
    assert b"there" * 20000 == a.recv()


def test_tracker_is_done_when_message_left(pair: tuple[Any, Any]) -> None:
    """track=True gives a MessageTracker that ends."""
    a, b = pair
    tracker = a.send(bytes(200_000), copy=False, track=True)
    assert bytes(200_000) == b.recv()
    tracker.wait(5)
    assert tracker.done


def test_tracker_of_multipart_is_done(pair: tuple[Any, Any]) -> None:
    """Several parts, one tracker."""
    a, b = pair
    tracker = a.send_multipart([bytes(100_000), b"small", bytes(100_000)], copy=False, track=True)
    b.recv_multipart()
    tracker.wait(5)
    assert tracker.done


def test_tracker_of_unsent_frame_is_not_done() -> None:
    """wait() raises NotDone while the frame is alive."""
    frame = zmq.Frame(b"x" * 100_000, track=True)
    assert not frame.tracker.done
    with pytest.raises(zmq.NotDone):
        frame.tracker.wait(0.01)
    tracker = zmq.MessageTracker(frame)
    assert not tracker.done


def test_frame_tells_peer(make_socket: MakeSocket) -> None:
    """A Frame received over tcp knows its peer's address, socket type and routing id."""
    pull, push = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"me")
    link(pull, push)
    push.send(b"x")
    frame = pull.recv_multipart(copy=False)[1]
    assert "127.0.0.1" == frame.get("Peer-Address")
    assert "DEALER" == frame["Socket-Type"]
    assert "me" == frame.get("Identity")
    with pytest.raises(zmq.ZMQError):
        frame.get("X-None")


def test_recv_into_fills_buffer(pair: tuple[Any, Any]) -> None:
    """recv_into writes into the caller's buffer and returns the size of the whole frame."""
    a, b = pair
    if not hasattr(b, "recv_into"):
        pytest.skip("this pyzmq has no recv_into")
    buffer = bytearray(10)
    a.send(b"hello")
    assert 5 == b.recv_into(buffer)
    assert b"hello\0\0\0\0\0" == buffer
    a.send(b"0123456789ABC")
    assert 13 == b.recv_into(buffer)
    assert b"0123456789" == buffer
    a.send(b"abcdef")
    assert 6 == b.recv_into(buffer, nbytes=3)
    assert b"abc3456789" == buffer


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "grüße ☃"),
        ("json", {"a": [1, None, "ü"]}),
        ("pyobj", {"set": {1, 2}, "bytes": b"\0"}),
    ],
)
def test_serializing_methods_round_trip(pair: tuple[Any, Any], kind: str, value: Any) -> None:
    """send_string, send_json, send_pyobj and their receivers."""
    a, b = pair
    getattr(a, f"send_{kind}")(value)
    assert value == getattr(b, f"recv_{kind}")()


def test_string_encoding_can_be_chosen(pair: tuple[Any, Any]) -> None:
    """send_string(encoding=) and recv_string."""
    a, b = pair
    a.send_string("ü", encoding="latin-1")
    assert b"\xfc" == b.recv()
    a.send_string("ü", encoding="utf-16")
    assert "ü" == b.recv_string(encoding="utf-16")


def test_own_serializer_round_trips(pair: tuple[Any, Any]) -> None:
    """send_serialized and recv_serialized take functions from and to lists of parts."""
    a, b = pair
    a.send_serialized({"k": "v"}, lambda d: [part.encode() for item in d.items() for part in item])
    assert {"k": "v"} == b.recv_serialized(lambda parts: {parts[0].decode(): parts[1].decode()})


def test_mutable_buffer_is_copied_at_send(pair: tuple[Any, Any]) -> None:
    """With copy=True the caller may change its buffer at once."""
    a, b = pair
    buffer = bytearray(b"before" * 1000)
    a.send(buffer)
    buffer[:] = b"after!" * 1000
    assert b"before" * 1000 == b.recv()
