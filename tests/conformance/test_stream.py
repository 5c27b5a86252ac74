"""STREAM against plain TCP sockets."""

from __future__ import annotations

import select
import socket as stdlib_socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import TIMEOUT_S, bind, eventually, try_recv, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import tcp_address

MakeSocket = Callable[..., Any]


@pytest.fixture
def listener() -> Iterator[stdlib_socket.socket]:
    """A plain TCP listener."""
    with stdlib_socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT_S)
        yield server


def test_bound_stream_talks_to_raw_client(make_socket: MakeSocket) -> None:
    """Connect notice, data both ways, disconnect notice; each with the same 5-byte id."""
    stream = make_socket(zmq.STREAM)
    with stdlib_socket.create_connection(tcp_address(bind(stream, "tcp")), TIMEOUT_S) as raw:
        peer, notice = stream.recv_multipart()
        assert (5, 0, b"") == (len(peer), peer[0], notice)
        raw.sendall(b"GET /")
        assert [peer, b"GET /"] == stream.recv_multipart()
        stream.send_multipart([peer, b"200"])
        assert b"200" == raw.recv(100)
    assert [peer, b""] == stream.recv_multipart()


@effect_of("STREAM_NOTIFY")
def test_stream_without_notify_delivers_data_only(make_socket: MakeSocket) -> None:
    """STREAM_NOTIFY=0 leaves out the empty frames."""
    stream = make_socket(zmq.STREAM, stream_notify=0)
    with stdlib_socket.create_connection(tcp_address(bind(stream, "tcp")), TIMEOUT_S) as raw:
        raw.sendall(b"data")
        assert b"data" == stream.recv_multipart()[1]
    assert try_recv(stream, 50) is None


def test_empty_frame_closes_connection(make_socket: MakeSocket) -> None:
    """[id][""] closes the raw peer's connection."""
    stream = make_socket(zmq.STREAM)
    with stdlib_socket.create_connection(tcp_address(bind(stream, "tcp")), TIMEOUT_S) as raw:
        peer, _ = stream.recv_multipart()
        stream.send_multipart([peer, b""])
        eventually(lambda: stream.poll(0) or select.select([raw], [], [], 0.01)[0])
        assert b"" == raw.recv(100)


@effect_of("CONNECT_ROUTING_ID")
def test_connecting_stream_talks_to_raw_server(make_socket: MakeSocket, listener: stdlib_socket.socket) -> None:
    """A connecting STREAM with CONNECT_ROUTING_ID knows its peer's id beforehand."""
    stream = make_socket(zmq.STREAM, connect_routing_id=b"server")
    stream.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
    raw, _ = listener.accept()
    with raw:
        raw.settimeout(TIMEOUT_S)
        assert [b"server", b""] == stream.recv_multipart()
        stream.send_multipart([b"server", b"question"])
        assert b"question" == raw.recv(100)
        raw.sendall(b"answer")
        assert [b"server", b"answer"] == stream.recv_multipart()


def test_unknown_peer_gives_ehostunreach(make_socket: MakeSocket) -> None:
    """A STREAM tells at once that it has no such peer."""
    stream = make_socket(zmq.STREAM)
    bind(stream, "tcp")
    with pytest.raises(zmq.ZMQError) as caught:
        stream.send_multipart([b"nobody", b"x"])
    assert zmq.EHOSTUNREACH == caught.value.errno


def test_large_data_passes_both_ways(make_socket: MakeSocket) -> None:
    """A megabyte each way, whatever the sizes of the pieces."""
    stream, body = make_socket(zmq.STREAM), bytes(range(256)) * 4096
    with stdlib_socket.create_connection(tcp_address(bind(stream, "tcp")), TIMEOUT_S) as raw:
        peer, _ = stream.recv_multipart()
        stream.send_multipart([peer, body])
        got = bytearray()
        while len(got) < len(body):
            got += raw.recv(1 << 20)
        assert body == got
        raw.settimeout(0)
        pending = memoryview(body)
        back = b""
        while len(back) < len(body):
            try:
                pending = pending[raw.send(pending) :] if pending else pending
            except BlockingIOError:
                pass
            while stream.poll(1):
                back += stream.recv_multipart()[1]
        assert body == back


def test_two_raw_clients_are_kept_apart(make_socket: MakeSocket) -> None:
    """Each client has its own id."""
    stream = make_socket(zmq.STREAM)
    address = tcp_address(bind(stream, "tcp"))
    peers = []
    with (
        stdlib_socket.create_connection(address, TIMEOUT_S) as one,
        stdlib_socket.create_connection(address, TIMEOUT_S) as two,
    ):
        for raw in (one, two):
            raw.sendall(b"%d" % raw.getsockname()[1])
        bodies = {}
        while len(bodies) < 2:
            peer, body = stream.recv_multipart()
            if body:
                bodies[body] = peer
        for raw in (one, two):
            stream.send_multipart([bodies[b"%d" % raw.getsockname()[1]], b"re %d" % raw.getsockname()[1]])
            assert b"re %d" % raw.getsockname()[1] == raw.recv(100)
            peers.append(bodies[b"%d" % raw.getsockname()[1]])
    assert peers[0] != peers[1]
