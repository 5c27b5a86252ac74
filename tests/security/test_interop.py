"""Every pair of types under PLAIN and CURVE with a real libzmq in another process, both as the server (V49)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.interop.test_pairs import MEGABYTE, PAIRS, Local, Remote, exchange, greet
from tests.support import EventWatch, bind, library_module, purezmq_only, zmq
from tests.support.security import security_options

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("it is the other side")

SHAPES = {
    "single": [b"hello"],
    "empty": [b""],
    "multipart": [b"one", b"", bytes(range(256)), b""],
    "large": [b"head", MEGABYTE * 2, b"", b"tail"],
}
LONG_RUN = 100_000


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("we_are_server", [True, False], ids=["we-are-server", "we-are-client"])
@pytest.mark.parametrize("we_are_first", [True, False], ids=["we-are-first", "we-are-second"])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_curve_pair_of_types_with_libzmq(
    make_socket: MakeSocket, libzmq: Any, pair: tuple[str, str], we_are_first: bool, we_are_server: bool, shape: str
) -> None:
    """A message reaches libzmq, and one of libzmq reaches us, unchanged; the server binds."""
    check_pair(make_socket, libzmq, "CURVE", pair, we_are_first, we_are_server, SHAPES[shape])


#: libzmq's REQ that asks an authenticator drops every reply, libzmq's own too: it can't be the server.
PLAIN_PAIRS = [
    (*pair, we_are_first, we_are_server)
    for pair in PAIRS
    for we_are_first in (True, False)
    for we_are_server in (True, False)
    if we_are_first or we_are_server or pair[0] != "REQ"
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("left", "right", "we_are_first", "we_are_server"), PLAIN_PAIRS)
def test_plain_pair_of_types_with_libzmq(
    make_socket: MakeSocket, context: Any, libzmq: Any, left: str, right: str, we_are_first: bool,
    we_are_server: bool, shape: str,
) -> None:  # fmt: skip
    """The same under PLAIN: the server's authenticator knows the client."""
    if not we_are_server:
        libzmq.authenticate({"admin": "secret"}, "*")
        check_pair(make_socket, libzmq, "PLAIN", (left, right), we_are_first, we_are_server, SHAPES[shape])
        return
    authenticator = library_module("auth.thread").ThreadAuthenticator(context)
    authenticator.start()
    try:
        authenticator.configure_plain("*", {"admin": "secret"})
        check_pair(make_socket, libzmq, "PLAIN", (left, right), we_are_first, we_are_server, SHAPES[shape])
    finally:
        authenticator.stop()


def check_pair(
    make_socket: MakeSocket, libzmq: Any, mechanism: str, pair: tuple[str, str], we_are_first: bool,
    we_are_server: bool, parts: list[bytes],
) -> None:  # fmt: skip
    """One exchange in each direction that the types have."""
    our_type, their_type = pair if we_are_first else pair[::-1]
    ours = make_socket(getattr(zmq, our_type), **security_options(mechanism, server=we_are_server))
    options = security_options(mechanism, server=not we_are_server)
    if pair == ("ROUTER", "ROUTER"):
        ours.routing_id = b"first" if we_are_first else b"second"
        options["routing_id"] = b"second" if we_are_first else b"first"
        ours.router_mandatory = 1
        options["router_mandatory"] = 1
    libzmq.open("s", their_type, **options)
    if we_are_server:
        libzmq.connect("s", bind(ours, "tcp"))
    else:
        ours.connect(libzmq.bind("s", "tcp://127.0.0.1:*"))
    local, remote = Local(ours), Remote(libzmq)
    first, second = (local, remote) if we_are_first else (remote, local)
    if pair == ("ROUTER", "ROUTER"):
        greet(first, b"second")
        assert [b"first", b"greeting"] == second.recv()
    exchange(first, second, pair, parts)


@pytest.mark.parametrize("we_are_server", [True, False], ids=["we-are-server", "we-are-client"])
def test_v49_long_run_both_ways(make_socket: MakeSocket, libzmq: Any, we_are_server: bool) -> None:
    """100,000 messages each way over one connection, of sizes on both sides of every border of the nonces' bytes."""
    ours = make_socket(zmq.DEALER, sndhwm=0, rcvhwm=0, **security_options("CURVE", server=we_are_server))
    libzmq.open("s", "DEALER", sndhwm=0, rcvhwm=0, **security_options("CURVE", server=not we_are_server))
    with EventWatch(ours) as events:
        libzmq.connect("s", bind(ours, "tcp"))
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    libzmq.start("recv_series", "s", LONG_RUN)
    ours.send_many([(b"%d " % number).ljust(20, b".") for number in range(LONG_RUN)])
    assert LONG_RUN == libzmq.finish()
    libzmq.start("send_series", "s", LONG_RUN, 30)
    for number in range(LONG_RUN):
        assert (b"%d " % number).ljust(30, b".") == ours.recv()
    libzmq.finish()


def test_v49_long_echo_with_heartbeats(make_socket: MakeSocket, libzmq: Any) -> None:
    """Messages of changing sizes and shapes go there and back while both sides ping."""
    options = {"heartbeat_ivl": 5, "heartbeat_timeout": 5000}
    ours = make_socket(zmq.DEALER, **options, **security_options("CURVE", server=True))
    libzmq.open("s", "DEALER", **options, **security_options("CURVE", server=False))
    libzmq.connect("s", bind(ours, "tcp"))
    count = 3000
    libzmq.start("echo", "s", count)
    for number in range(count):
        message = [b"%d" % number, b"", bytes(number % 1500)][number % 3 :]
        ours.send_multipart(message)
        assert message == ours.recv_multipart()
    libzmq.finish()
