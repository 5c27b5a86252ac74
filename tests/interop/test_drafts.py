"""The draft socket types against another implementation (omq, in Rust), in both roles.

Not against the libzmq of pyzmq's wheel: it was built without draft types and aborts its process in their handshake
(``Assertion failed: socket_type_ < names_count``, mechanism.cpp).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import bind, eventually, zmq
from tests.support.peer_process import PeerProcess

MakeSocket = Callable[..., Any]

BODIES = [b"hello", b"", bytes(range(256)) * 1024]
ROLES = pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])


@pytest.fixture(scope="module")
def omq_process() -> Iterator[PeerProcess]:
    """One process with omq for all tests."""
    process = PeerProcess("pyomq")
    yield process
    process.stop()


@pytest.fixture
def omq(omq_process: PeerProcess) -> Iterator[PeerProcess]:
    """The omq process, without sockets of earlier tests."""
    yield omq_process
    omq_process.reset()


def link_with(peer: PeerProcess, ours: Any, kind: str, we_bind: bool) -> None:
    """Open socket "s" of `kind` in the other process and connect the two."""
    peer.open("s", kind)
    if we_bind:
        peer.connect("s", bind(ours, "tcp"))
    else:
        ours.connect(peer.bind("s", "tcp://127.0.0.1:*"))


@ROLES
def test_our_server_answers_other_client(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """By the number that came with the question."""
    server = make_socket(zmq.SERVER)
    link_with(omq, server, "CLIENT", we_bind)
    for body in BODIES:
        omq.send("s", [body])
        frame = server.recv(copy=False)
        assert body == frame.bytes
        server.send(body[::-1], routing_id=frame.routing_id)
        assert [body[::-1]] == omq.recv("s")


@ROLES
def test_our_client_reaches_omqs_server(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """One way: the binding of that SERVER has no way to address a client."""
    client = make_socket(zmq.CLIENT)
    link_with(omq, client, "SERVER", we_bind)
    for body in BODIES:
        client.send(body)
        assert [body] == omq.recv("s")


@ROLES
def test_our_radio_sends_to_other_dish(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """Its JOIN has an effect here; only that group arrives."""
    radio = make_socket(zmq.RADIO)
    link_with(omq, radio, "DISH", we_bind)
    omq.join("s", "news")

    def arrives() -> bool:
        radio.send(b"not joined", group="new")
        radio.send(b"probe", group="news")
        return bool(omq.poll("s", 10))

    eventually(arrives)
    radio.send(b"end", group="news")
    received = []
    while [b"news", b"end"] not in received:
        received.append(omq.recv("s"))
    assert [[b"news", b"probe"]] * (len(received) - 1) == received[:-1]


@ROLES
def test_our_dish_joins_at_other_radio(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """Our JOIN and LEAVE have an effect there."""
    dish = make_socket(zmq.DISH)
    link_with(omq, dish, "RADIO", we_bind)
    dish.join("news")

    def arrives() -> bool:
        omq.send("s", [b"new", b"not joined"])
        omq.send("s", [b"news", b"body"])
        return bool(dish.poll(10))

    eventually(arrives)
    frame = dish.recv(copy=False)
    assert (b"body", "news") == (frame.bytes, frame.group)


@ROLES
def test_our_scatter_reaches_other_gather(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """In order."""
    scatter = make_socket(zmq.SCATTER)
    link_with(omq, scatter, "GATHER", we_bind)
    for body in BODIES:
        scatter.send(body)
    assert [[body] for body in BODIES] == [omq.recv("s") for _ in BODIES]


@ROLES
def test_our_gather_hears_other_scatter(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """In order."""
    gather = make_socket(zmq.GATHER)
    link_with(omq, gather, "SCATTER", we_bind)
    for body in BODIES:
        omq.send("s", [body])
    assert BODIES == [gather.recv() for _ in BODIES]


@ROLES
def test_our_channel_talks_with_other(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """Both ways."""
    channel = make_socket(zmq.CHANNEL)
    link_with(omq, channel, "CHANNEL", we_bind)
    for body in BODIES:
        channel.send(body)
        assert [body] == omq.recv("s")
        omq.send("s", [body])
        assert body == channel.recv()


@ROLES
def test_our_peer_answers_others(make_socket: MakeSocket, omq: PeerProcess, we_bind: bool) -> None:
    """By the number that came; the other one has a number of its own for us."""
    peer = make_socket(zmq.PEER, hello_msg=b"hello")
    link_with(omq, peer, "PEER", we_bind)
    number, body = omq.recv("s")
    assert b"hello" == body
    for body in BODIES:
        omq.send("s", [number, body])
        frame = peer.recv(copy=False)
        assert body == frame.bytes
        peer.send(body[::-1], routing_id=frame.routing_id)
        assert [number, body[::-1]] == omq.recv("s")
