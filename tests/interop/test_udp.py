"""DGRAM between us and a real libzmq in another process, unicast and multicast."""

from __future__ import annotations

import random
import socket as stdlib_socket
from collections.abc import Callable
from typing import Any

from tests.support import eventually, zmq
from tests.support.multicast import GROUP, LOOPBACK
from tests.support.peer_process import PeerProcess

MakeSocket = Callable[..., Any]


def free_port() -> int:
    """A udp port that nobody has: libzmq tells none of its own choice."""
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def open_pair(make_socket: MakeSocket, libzmq: PeerProcess) -> tuple[Any, bytes, bytes]:
    """Our DGRAM and libzmq's, which binds some time after bind returned; their addresses."""
    ours = make_socket(zmq.DGRAM)
    ours.bind("udp://127.0.0.1:*")
    port = free_port()
    libzmq.open("s", "DGRAM")
    libzmq.bind("s", f"udp://127.0.0.1:{port}")
    theirs = b"127.0.0.1:%d" % port

    def is_bound() -> bool:
        """Whether libzmq hears us."""
        ours.send_multipart([theirs, b"probe"])
        return bool(libzmq.poll("s", 20))

    eventually(is_bound)
    while libzmq.poll("s", 20):
        libzmq.recv("s")
    return ours, ours.getsockopt(zmq.LAST_ENDPOINT).removeprefix(b"udp://"), theirs


def test_dgram_both_ways_byte_exact(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """Both sides see the same address form and the same bytes."""
    ours, our_name, their_name = open_pair(make_socket, libzmq)
    source = random.Random(3)
    for size in (0, 1, 255, 256, 1400, 8000, 8192):
        body = source.randbytes(size)
        ours.send_multipart([their_name, body])
        assert [our_name + b"\0", body] == libzmq.recv("s")
        libzmq.send("s", [our_name + b"\0", body])
        assert [their_name + b"\0", body] == ours.recv_multipart()


def test_dgram_echo_by_either_side(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """The received address is an address to send to, on both sides."""
    ours, our_name, their_name = open_pair(make_socket, libzmq)
    libzmq.start("echo", "s", 50)
    for number in range(50):
        ours.send_multipart([their_name, b"%d" % number])
        assert [their_name + b"\0", b"%d" % number] == ours.recv_multipart()
    libzmq.finish()
    for number in range(50):
        libzmq.send("s", [our_name, b"%d" % number])
        ours.send_multipart(ours.recv_multipart())
        assert [our_name + b"\0", b"%d" % number] == libzmq.recv("s")


def test_dgram_group_is_shared_with_libzmq(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """libzmq's socket and ours are members of one group on one port."""
    ours = make_socket(zmq.DGRAM)
    port = free_port()
    libzmq.open("s", "DGRAM")
    endpoint = f"udp://{LOOPBACK};{GROUP}:{port}"
    libzmq.bind("s", endpoint)
    ours.bind(endpoint)
    group = f"{GROUP}:{port}".encode()

    def is_heard() -> bool:
        """Whether libzmq has joined."""
        ours.send_multipart([group, b"probe"])
        return bool(libzmq.poll("s", 20))

    eventually(is_heard)
    assert b"probe" == libzmq.recv("s")[1] == ours.recv_multipart()[1]


def test_radio_datagram_at_libzmqs_dgram(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """What our RADIO sends is group and body for any reader of datagrams; what it answers reaches our DISH."""
    _, _, their_name = open_pair(make_socket, libzmq)
    radio, dish = make_socket(zmq.RADIO), make_socket(zmq.DISH)
    radio.connect("udp://" + their_name.decode())
    radio.send(b"body", group="group")
    assert b"\x05groupbody" == libzmq.recv("s")[1]
    dish.bind("udp://127.0.0.1:*")
    dish.join("group")
    libzmq.send("s", [dish.getsockopt(zmq.LAST_ENDPOINT).removeprefix(b"udp://"), b"\x05groupback"])
    assert b"back" == dish.recv()
