"""What all draft types share: messages of one part, any thread, polls, proxies; and SCATTER, GATHER, CHANNEL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, bind, eventually, link, run_in_thread, zmq
from tests.support.raw_peer import MORE, RawPeer

MakeSocket = Callable[..., Any]

SENDERS = ["CLIENT", "SERVER", "RADIO", "SCATTER", "PEER", "CHANNEL"]
#: A receiving type, and the peer that it takes.
RECEIVERS = [
    ("CLIENT", "SERVER"), ("SERVER", "CLIENT"), ("GATHER", "SCATTER"), ("PEER", "PEER"), ("CHANNEL", "CHANNEL"),
]  # fmt: skip
#: Pairs where the second type answers the first, if it can.
PAIRS = {
    "CLIENT-SERVER": True, "SERVER-CLIENT": True, "SCATTER-GATHER": False, "PEER-PEER": True, "CHANNEL-CHANNEL": True,
}  # fmt: skip
SHAPES = {"small": b"hello", "empty": b"", "large": bytes(range(256)) * 4096}


def error_of(call: Callable[[], Any]) -> int:
    """The errno that a call raises."""
    with pytest.raises(zmq.ZMQError) as caught:
        call()
    return int(caught.value.errno)


@pytest.mark.parametrize("kind", SENDERS)
def test_several_parts_are_refused(make_socket: MakeSocket, kind: str) -> None:
    """EINVAL for SNDMORE and for a list; with a peer there, too, and the socket goes on."""
    first, second = make_socket(getattr(zmq, kind)), make_socket(getattr(zmq, dict(RECEIVERS).get(kind, "PEER")))
    if kind in dict(RECEIVERS):
        link(first, second, transport="inproc")
    for call in (
        lambda: first.send(b"x", zmq.SNDMORE),
        lambda: first.send(bytearray(b"x"), zmq.SNDMORE),
        lambda: first.send_multipart([b"x", b"y"]),
        lambda: first.send_multipart([b"x", b"y"], zmq.SNDMORE),
        lambda: first.send_multipart([b"x"], zmq.SNDMORE),
        lambda: first.send_many([[b"x", b"y"]]),
    ):
        assert zmq.EINVAL == error_of(call)
    with pytest.raises(ValueError, match="at least one part"):
        first.send_multipart([])
    if kind in {"CLIENT", "CHANNEL"}:
        first.send_multipart([b"single"])
        assert b"single" == second.recv()


@pytest.mark.parametrize(("kind", "peer_kind"), RECEIVERS)
def test_multipart_of_peer_is_dropped(make_socket: MakeSocket, kind: str, peer_kind: str) -> None:
    """The connection lives, what is around it arrives."""
    socket = make_socket(getattr(zmq, kind))
    with RawPeer.connect(bind(socket, "tcp")) as peer:
        peer.shake_hands(peer_kind)
        peer.send_frame(b"1")
        for _ in range(3):
            peer.send_frame(b"a", MORE)
            peer.send_frame(b"b")
        peer.send_frame(b"2")
        assert [b"1", b"2"] == [socket.recv(), socket.recv()]


def test_flood_of_multiparts_does_not_stall_receiver(make_socket: MakeSocket) -> None:
    """More of them than RCVHWM in one read, with one good message at the end."""
    gather = make_socket(zmq.GATHER, rcvhwm=3)
    with RawPeer.connect(bind(gather, "tcp")) as peer:
        peer.shake_hands("SCATTER")
        peer.send(b"\x01\x01a\x00\x01b" * 5000 + b"\x00\x04good")
        assert b"good" == gather.recv()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("first_binds", [True, False], ids=["first-binds", "second-binds"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_pair_of_types_exchanges_message(
    make_socket: MakeSocket, pair: str, transport: str, first_binds: bool, shape: str
) -> None:
    """Both ways where there are two, unchanged."""
    names, body = pair.split("-"), SHAPES[shape]
    first, second = (make_socket(getattr(zmq, name)) for name in names)
    binder, connector = (first, second) if first_binds else (second, first)
    if names[0] in {"SERVER", "PEER"}:
        # Nobody has a number to send to before a message came: the side that connects greets.
        greeter, addressed = (connector, binder) if names[0] == "PEER" else (second, first)
        greeter.setsockopt(zmq.HELLO_MSG, b"hello")
        connector.connect(bind(binder, transport))
        frame = addressed.recv(copy=False)
        addressed.send(body, routing_id=frame.routing_id)
        first, second, number = addressed, greeter, frame.routing_id
        assert b"hello" == frame.bytes
    else:
        connector.connect(bind(binder, transport))
        first.send(body)
        number = None
    frame = second.recv(copy=False)
    assert body == frame.bytes
    if PAIRS[pair]:
        second.send(frame)
        answer = first.recv(copy=False)
        assert (body, number or 0) == (answer.bytes, answer.routing_id)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_scattered_messages_reach_all_in_turn(make_socket: MakeSocket, transport: str) -> None:
    """And each keeps its order."""
    scatter, gathers = make_socket(zmq.SCATTER), [make_socket(zmq.GATHER) for _ in range(2)]
    link(scatter, *gathers, transport=transport)
    for number in range(200):
        scatter.send(b"%d" % number)
    halves = [[int(gather.recv()) for _ in range(100)] for gather in gathers]
    assert [list(range(0, 200, 2)), list(range(1, 200, 2))] == sorted(halves)


def test_scatter_blocks_without_peer_and_never_receives(make_socket: MakeSocket) -> None:
    """As PUSH; GATHER never sends, as PULL."""
    scatter, gather = make_socket(zmq.SCATTER), make_socket(zmq.GATHER)
    with pytest.raises(zmq.Again):
        scatter.send(b"x", zmq.DONTWAIT)
    assert zmq.ENOTSUP == error_of(lambda: scatter.recv(zmq.DONTWAIT))
    assert zmq.ENOTSUP == error_of(lambda: gather.send(b"x"))
    blocked = run_in_thread(scatter.send, b"x")
    link(gather, scatter)
    blocked.result()
    assert b"x" == gather.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_gather_hears_all_fairly(make_socket: MakeSocket, transport: str) -> None:
    """A busy SCATTER does not silence another."""
    gather, busy, other = make_socket(zmq.GATHER), make_socket(zmq.SCATTER), make_socket(zmq.SCATTER)
    link(gather, busy, other, transport=transport)
    for _ in range(500):
        busy.send(b"busy")
    other.send(b"other")
    assert b"other" in {gather.recv() for _ in range(501)}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_channel_takes_next_peer_when_first_left(make_socket: MakeSocket, transport: str) -> None:
    """Exclusive, as PAIR, and never stuck with a peer that is gone."""
    bound, first, second = (make_socket(zmq.CHANNEL) for _ in range(3))
    endpoint = link(bound, first, transport=transport)
    second.connect(endpoint)
    first.send(b"first")
    assert b"first" == bound.recv()
    first.close()
    eventually(lambda: bound.poll(0, zmq.POLLOUT))
    second.send(b"second")
    assert b"second" == bound.recv()
    bound.send(b"back")
    assert b"back" == second.recv()


@pytest.mark.parametrize("kind", ["CLIENT", "SCATTER", "CHANNEL"])
def test_wrong_peer_is_refused_by_handshake(make_socket: MakeSocket, kind: str) -> None:
    """A type that can't talk to ours: the connection closes, nothing is delivered."""
    socket = make_socket(getattr(zmq, kind))
    with RawPeer.connect(bind(socket, "tcp")) as peer:
        peer.shake_hands("PUSH")
        peer.wait_until_closed()


def test_poller_waits_for_draft_types(make_socket: MakeSocket) -> None:
    """They are sockets as all others."""
    server, client = make_socket(zmq.SERVER), make_socket(zmq.CLIENT)
    link(server, client)
    poller = zmq.Poller()
    poller.register(server, zmq.POLLIN)
    assert {} == dict(poller.poll(0))
    client.send(b"x")
    assert {server: zmq.POLLIN} == dict(poller.poll(5000))
    assert b"x" == server.recv()


def test_capabilities_tell_of_drafts() -> None:
    """Programs ask before they use them."""
    assert (True, True) == (zmq.DRAFT_API, zmq.has("draft"))
