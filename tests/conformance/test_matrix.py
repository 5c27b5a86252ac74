"""Every pair of socket types over every transport, both ways round, with every shape of message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, link, subscribe_and_wait, zmq

MEGABYTE = bytes(range(256)) * 4096
SHAPES = {
    "single": [b"hello"],
    "multipart": [b"one", b"two", b"three"],
    "empty": [b""],
    "empty-parts": [b"", b"x", b"", b""],
    "large": [MEGABYTE],
    "large-multipart": [b"head", MEGABYTE, b"", b"tail"],
}


def exchange_plain(a: Any, b: Any, parts: list[bytes]) -> None:
    """Both directions of types that add nothing to a message."""
    a.send_multipart(parts)
    assert parts == b.recv_multipart()
    b.send_multipart(parts)
    assert parts == a.recv_multipart()


def exchange_one_way(a: Any, b: Any, parts: list[bytes]) -> None:
    """PUSH to PULL."""
    a.send_multipart(parts)
    assert parts == b.recv_multipart()


def exchange_published(a: Any, b: Any, parts: list[bytes]) -> None:
    """PUB or XPUB to SUB or XSUB."""
    subscribe_and_wait(a, b)
    a.send_multipart(parts)
    assert parts == b.recv_multipart()


def exchange_dealer_rep(a: Any, b: Any, parts: list[bytes]) -> None:
    """DEALER writes and reads the empty delimiter itself."""
    a.send_multipart([b"", *parts])
    assert parts == b.recv_multipart()
    b.send_multipart(parts)
    assert [b"", *parts] == a.recv_multipart()


def exchange_req_router(a: Any, b: Any, parts: list[bytes]) -> None:
    """ROUTER sees routing id and delimiter of a REQ."""
    a.send_multipart(parts)
    routing_id, delimiter, *body = b.recv_multipart()
    assert (b"", parts) == (delimiter, body)
    b.send_multipart([routing_id, b"", *parts])
    assert parts == a.recv_multipart()


def exchange_dealer_router(a: Any, b: Any, parts: list[bytes]) -> None:
    """ROUTER sees the routing id of a DEALER."""
    a.send_multipart(parts)
    routing_id, *body = b.recv_multipart()
    assert parts == body
    b.send_multipart([routing_id, *parts])
    assert parts == a.recv_multipart()


def exchange_router_router(a: Any, b: Any, parts: list[bytes]) -> None:
    """Two ROUTERs that know one another's routing id."""
    a.send_multipart([b"B", *parts])
    assert [b"A", *parts] == b.recv_multipart()
    b.send_multipart([b"A", *parts])
    assert [b"B", *parts] == a.recv_multipart()


PATTERNS: dict[str, tuple[int, int, Callable[[Any, Any, list[bytes]], None]]] = {
    "PAIR-PAIR": (zmq.PAIR, zmq.PAIR, exchange_plain),
    "PUB-SUB": (zmq.PUB, zmq.SUB, exchange_published),
    "PUB-XSUB": (zmq.PUB, zmq.XSUB, exchange_published),
    "XPUB-SUB": (zmq.XPUB, zmq.SUB, exchange_published),
    "XPUB-XSUB": (zmq.XPUB, zmq.XSUB, exchange_published),
    "REQ-REP": (zmq.REQ, zmq.REP, exchange_plain),
    "DEALER-REP": (zmq.DEALER, zmq.REP, exchange_dealer_rep),
    "REQ-ROUTER": (zmq.REQ, zmq.ROUTER, exchange_req_router),
    "DEALER-ROUTER": (zmq.DEALER, zmq.ROUTER, exchange_dealer_router),
    "DEALER-DEALER": (zmq.DEALER, zmq.DEALER, exchange_plain),
    "ROUTER-ROUTER": (zmq.ROUTER, zmq.ROUTER, exchange_router_router),
    "PUSH-PULL": (zmq.PUSH, zmq.PULL, exchange_one_way),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("first_binds", [True, False], ids=["first-binds", "second-binds"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_pair_of_types_exchanges_message_unchanged(
    make_socket: Callable[..., Any], pattern: str, transport: str, first_binds: bool, shape: str
) -> None:
    """A message arrives with the parts it was sent with."""
    first_type, second_type, exchange = PATTERNS[pattern]
    first, second = make_socket(first_type), make_socket(second_type)
    if pattern == "ROUTER-ROUTER":
        first.routing_id, second.routing_id = b"A", b"B"
    link(*((first, second) if first_binds else (second, first)), transport=transport)
    exchange(first, second, SHAPES[shape])


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_pair_of_types_keeps_order_of_many_messages(
    make_socket: Callable[..., Any], pattern: str, transport: str
) -> None:
    """Five hundred exchanges with one peer come in the order in which they were sent."""
    first_type, second_type, exchange = PATTERNS[pattern]
    first, second = make_socket(first_type), make_socket(second_type)
    if pattern == "ROUTER-ROUTER":
        first.routing_id, second.routing_id = b"A", b"B"
    link(second, first, transport=transport)
    if exchange is exchange_published:
        exchange(first, second, [b"start"])
        exchange = exchange_one_way
    for number in range(500):
        exchange(first, second, [b"%d" % number])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_one_way_burst_arrives_whole_and_in_order(make_socket: Callable[..., Any], transport: str) -> None:
    """A burst of mixed sizes, sent while nobody reads, loses and swaps nothing."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport=transport)
    sent = [[b"%d" % n, b"x" * (n * 37 % 9000)] if n % 3 else [b"%d" % n] for n in range(900)]
    for message in sent:
        push.send_multipart(message)
    assert sent == [pull.recv_multipart() for _ in sent]
