"""An XPUB whose application doesn't read: subscriptions between a peer's messages lift none of its limits."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.raw_peer import RawPeer, tcp_address

from purezmq.wire.limits import MAX_READ_SIZE

pytestmark = purezmq_only("libzmq has no statistics, and no limits in bytes")

MakeSocket = Callable[..., Any]
TRANSPORTS = ("tcp", "ipc", "inproc")
MARK = 10
SIZE = 10_000
MESSAGES = 300
#: Settings of the XPUB, and of its context.
LIMITS = {
    "messages": ({"rcvhwm": MARK}, {}),
    "bytes": ({"rcvhwm": 0, "rcvhwm_bytes": MARK * SIZE}, {}),
    "context": ({"rcvhwm": 0}, {"max_bytes": MARK * SIZE}),
}


@pytest.fixture(params=LIMITS)
def limit(request: pytest.FixtureRequest) -> str:
    """What is limited."""
    return str(request.param)


@pytest.fixture
def their_context(limit: str, make_context: Callable[..., Any]) -> Any:
    """The XPUB's context."""
    context = make_context()
    for name, value in LIMITS[limit][1].items():
        setattr(context, name, value)
    return context


@pytest.fixture
def xpub(limit: str, their_context: Any, make_socket: MakeSocket) -> Any:
    """An XPUB with limits."""
    xpub = make_socket(zmq.XPUB, within=their_context)
    for name, value in LIMITS[limit][0].items():
        setattr(xpub, name, value)
    return xpub


def make_traffic() -> list[bytes]:
    """Messages, with a subscription or its cancellation after every third."""
    traffic = []
    for number in range(MESSAGES):
        traffic.append((b"%d" % number).ljust(SIZE))
        if number % 3 == 2:
            traffic.append(b"\0A" if number % 2 else b"\1A")
    return traffic


def is_asking(message: bytes) -> bool:
    """Whether it's a subscription or its cancellation."""
    return message[:1] in {b"\0", b"\1"}


def encode(message: bytes) -> bytes:
    """The frame of a message, or of the command that asks for the same."""
    if is_asking(message):
        body = (b"\x09SUBSCRIBE" if message[0] else b"\x06CANCEL") + message[1:]
        return bytes([4, len(body)]) + body
    return b"\2" + len(message).to_bytes(8, "big") + message


def open_raw(endpoint: str) -> RawPeer:
    """Connect by hand."""
    if not endpoint.startswith("ipc"):
        return RawPeer(socket.create_connection(tcp_address(endpoint)))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(endpoint.removeprefix("ipc://"))
    return RawPeer(connection)


def receive_all(xpub: Any) -> list[bytes]:
    """Everything that comes."""
    return [parts[0] for parts in iter(lambda: try_recv(xpub, 500), None)]


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_xpub_keeps_to_its_limits(xpub: Any, transport: str, limit: str) -> None:
    """A peer that asks and tells in turn has to wait; nothing is lost, and all is in order."""
    traffic = make_traffic()
    with open_raw(bind(xpub, transport)) as raw:
        raw.shake_hands("XSUB")
        sending = run_in_thread(raw.send, b"".join(map(encode, traffic)))
        eventually(lambda: xpub._engine.stalled)  # it reads no more
        # What limits bytes ends no read in its midst.
        most = MARK + (0 if limit == "messages" else MAX_READ_SIZE // SIZE)
        assert MARK <= xpub.stats().unread <= most < MESSAGES
        got = [xpub.recv() for _ in traffic]
        sending.result()
    assert (MESSAGES, 0) == (xpub.stats().received, xpub.stats().unread)
    # What was read at once is told messages first.
    assert [message for message in traffic if not is_asking(message)] == [
        message for message in got if not is_asking(message)
    ]
    asked = [got[:index] for index, message in enumerate(got) if is_asking(message)]
    assert MESSAGES // 3 == len(asked)
    assert all(len(before) >= 4 * count + 3 for count, before in enumerate(asked))


def test_xpub_and_xsub_keep_to_their_limits_over_inproc(
    make_socket: MakeSocket, their_context: Any, xpub: Any, limit: str
) -> None:
    """There is one queue, with the marks of both: what doesn't fit is dropped, and each message is counted once."""
    xsub = make_socket(zmq.XSUB, within=their_context, sndhwm=MARK if limit == "messages" else 0)
    xsub.connect(bind(xpub, "inproc"))
    eventually(lambda: xpub.peers() and xsub.peers())
    for message in make_traffic():
        xsub.send(message)
    fits = 2 * MARK if limit == "messages" else MARK
    assert (fits, fits) == (xsub.stats().queued, xpub.stats().unread)
    assert [message for message in make_traffic() if not is_asking(message)][:fits] == [
        message for message in receive_all(xpub) if not is_asking(message)
    ]
    stats = xsub.stats()
    assert (MESSAGES, MESSAGES - fits, 0) == (stats.sent, stats.dropped, stats.queued)
    assert (fits, 0) == (xpub.stats().received, xpub.stats().unread)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_messages_and_subscriptions_of_a_peer_keep_their_order(make_socket: MakeSocket, transport: str) -> None:
    """A subscription comes behind what its peer sent before; the cancellation at the end of a peer is the last."""
    xpub, xsub = make_socket(zmq.XPUB), make_socket(zmq.XSUB)
    xsub.connect(bind(xpub, transport))
    eventually(lambda: xpub.peers() and xsub.peers())
    sent = []
    for count in range(5):
        sent += [b"%d.%d" % (count, number) for number in range(3)]
        sent.append(b"\0A" if count % 2 else b"\1A")
        for message in sent[-4:-1]:
            xsub.send(message)
        eventually(lambda count=count: 3 * (count + 1) == xpub.stats().unread)  # at its own side it would overtake
        xsub.send(sent[-1])
        eventually(lambda count=count: (count + 1) % 2 == xpub.topics_count)
    xsub.close()
    eventually(lambda: not xpub.peers())
    assert 15 == xpub.stats().unread
    assert [*sent, b"\0A"] == receive_all(xpub)
