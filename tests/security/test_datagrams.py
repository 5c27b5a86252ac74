"""Datagrams of anybody: what is none is counted, what doesn't fit is refused or dropped, and the socket goes on."""

from __future__ import annotations

import errno
import socket as stdlib_socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import eventually, purezmq_only, try_recv, zmq
from tests.support.faults import SystemFaults
from tests.support.memory import resident_bytes
from tests.support.scale import scaled

from purezmq.wire.datagram import MAX_GROUP_DATAGRAM_SIZE, decode_group_datagram, encode_group_datagram

pytestmark = purezmq_only("pyzmq's wheels have no RADIO and DISH")

MakeSocket = Callable[..., Any]
LARGEST = 65_507
LENGTHS = [*range(301), MAX_GROUP_DATAGRAM_SIZE, LARGEST]


@pytest.fixture
def dish(make_socket: MakeSocket) -> Any:
    """A DISH that has joined the group "g" on a port of its own."""
    dish = make_socket(zmq.DISH, rcvbuf=1 << 20)
    dish.bind("udp://127.0.0.1:*")
    dish.join("g")
    return dish


@pytest.fixture
def raw(dish: Any) -> Iterator[stdlib_socket.socket]:
    """A plain udp socket that sends to it."""
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", int(dish.last_endpoint.rpartition(b":")[2])))
        yield sock


def malformed(dish: Any) -> int:
    """How many datagrams were none."""
    count: int = next(iter(dish._engine.sessions.values())).connection.malformed
    return count


def test_v17_every_first_byte_with_every_length() -> None:
    """V17: the first byte is the length of the group, from 0 to 255 and never below; what is shorter is no message."""
    for first in range(256):
        for length in LENGTHS:
            data = (bytes([first]) + bytes(range(256)) * (length // 256 + 1))[:length]
            message = decode_group_datagram(data)
            if length <= first:
                assert message is None
            else:
                assert message == [data[1 : 1 + first], data[1 + first :]]


def test_v17_datagrams_over_a_socket(dish: Any, raw: stdlib_socket.socket) -> None:
    """V17: of each first byte and some lengths, through a DISH: a message is still received after them."""
    for first in range(256):
        for length in (0, 1, first, first + 1, first + 2, MAX_GROUP_DATAGRAM_SIZE if first < 4 else 300):
            raw.send((bytes([first]) + b"x" * length)[:length])
    raw.send(encode_group_datagram(b"g", b"real"))
    eventually(lambda: [b"real"] == try_recv(dish, 1000))


@pytest.mark.parametrize("size", [MAX_GROUP_DATAGRAM_SIZE, LARGEST, 70_000])
def test_v17_message_that_fits_no_datagram_is_the_callers_error(make_socket: MakeSocket, dish: Any, size: int) -> None:
    """V17: EMSGSIZE; the largest that fits arrives."""
    radio = make_socket(zmq.RADIO)
    radio.connect(dish.last_endpoint.decode().rstrip("\0"))
    with pytest.raises(zmq.ZMQError) as caught:
        radio.send(bytes(size), group="g")
    assert errno.EMSGSIZE == caught.value.errno
    largest = MAX_GROUP_DATAGRAM_SIZE - len(encode_group_datagram(b"g", b""))
    while True:  # what libzmq's receivers read is a little less than its buffer
        try:
            radio.send(bytes(largest), group="g")
        except zmq.ZMQError:
            largest -= 1
        else:
            break
    assert bytes(largest) == dish.recv()


def test_v17_flood_of_what_is_no_message_leaves_memory_alone(dish: Any, raw: stdlib_socket.socket) -> None:
    """V17: a million datagrams that are none: counted, and nothing is kept."""
    count = scaled(1_000_000, least=5000)
    bad = b"\xff" + bytes(100)
    for _ in range(500):
        raw.send(bad)
    eventually(lambda: malformed(dish))
    before = resident_bytes()
    for index in range(count):
        raw.send(bad)
        if index % 500 == 0:
            eventually(lambda: try_recv(dish) is None)
    eventually(lambda: raw.send(encode_group_datagram(b"g", b"real")) and dish.poll(50))
    assert b"real" == dish.recv()
    assert malformed(dish) > count // 4  # the system drops what comes too fast
    assert resident_bytes() - before < 1 << 20


def test_v41_flood_at_the_high_water_mark(make_socket: MakeSocket) -> None:
    """V41: RCVHWM 1 and a flood: the socket holds one, the system drops, and reading goes on afterwards."""
    dish = make_socket(zmq.DISH, rcvhwm=1, rcvbuf=4096)
    dish.bind("udp://127.0.0.1:*")
    dish.join("g")
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as raw:
        raw.connect(("127.0.0.1", int(dish.last_endpoint.rpartition(b":")[2])))
        for index in range(scaled(100_000, least=2000)):
            raw.send(encode_group_datagram(b"g", b"%d" % index))
        eventually(lambda: 1 == dish.stats().unread)
        assert b"0" == dish.recv()
        while dish.poll(20):
            dish.recv()
        raw.send(encode_group_datagram(b"g", b"after"))
        assert b"after" == dish.recv()


def test_v41_flood_that_is_dropped_is_counted(make_socket: MakeSocket) -> None:
    """V41: with overflow="drop-newest" what exceeds RCVHWM is dropped here, and counted."""
    dish = make_socket(zmq.DISH, rcvhwm=1, rcvbuf=1 << 20)
    dish.overflow = "drop-newest"
    dish.bind("udp://127.0.0.1:*")
    dish.join("g")
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as raw:
        raw.connect(("127.0.0.1", int(dish.last_endpoint.rpartition(b":")[2])))
        for _ in range(100):
            raw.send(encode_group_datagram(b"g", b"x"))
        eventually(lambda: 99 == dish.stats().dropped_by_reason.get("newest"))
    assert 1 == dish.stats().unread


@pytest.mark.parametrize(
    "number",
    [errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EPERM, errno.ECONNREFUSED],
    ids=errno.errorcode.get,
)
def test_p25_error_while_sending_datagrams_loses_only_those(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, dish: Any, number: int
) -> None:
    """P25: what the system refuses is dropped and counted, and the next message leaves."""
    faults = SystemFaults(monkeypatch)
    radio = make_socket(zmq.RADIO)
    radio.connect(dish.last_endpoint.decode().rstrip("\0"))
    for call in ("send", "sendto"):
        faults.fail(call, number, times=3)
        for _ in range(5):
            radio.send(b"x", group="g")
        faults.left = 0
    assert 0 < faults.raised
    assert faults.raised == radio.stats().dropped
    radio.send(b"last", group="g")
    while b"last" != dish.recv():
        pass


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM, errno.ECONNREFUSED], ids=errno.errorcode.get)
def test_p25_error_while_receiving_datagrams_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, dish: Any, raw: stdlib_socket.socket, number: int
) -> None:
    """P25: the endpoint stays, and reads on."""
    faults = SystemFaults(monkeypatch)
    for call in ("recvfrom", "recv", "recvfrom_into", "recv_into"):
        faults.fail(call, number, times=3)
        raw.send(encode_group_datagram(b"g", b"x"))
        assert b"x" == dish.recv()
        faults.left = 0
    assert 0 < faults.raised
