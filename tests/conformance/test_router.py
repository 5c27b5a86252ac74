"""ROUTER: routing ids, who is reachable, and what happens to the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, eventually, link, try_recv, try_send, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


def test_generated_routing_id_is_zero_and_four_bytes(make_socket: MakeSocket) -> None:
    """A peer without a routing id gets 00 and a u32, different for each peer."""
    router, dealers = make_socket(zmq.ROUTER), [make_socket(zmq.DEALER) for _ in range(3)]
    link(router, *dealers)
    for dealer in dealers:
        dealer.send(b"hi")
    ids = {router.recv_multipart()[0] for _ in dealers}
    assert 3 == len(ids)
    assert {(5, 0)} == {(len(i), i[0]) for i in ids}


@effect_of("ROUTING_ID")
@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
@pytest.mark.parametrize("kind", ["DEALER", "REQ", "ROUTER"])
def test_own_routing_id_is_used(make_socket: MakeSocket, kind: str, transport: str) -> None:
    """A peer's ROUTING_ID is its address."""
    router, peer = make_socket(zmq.ROUTER), make_socket(getattr(zmq, kind), routing_id=b"me")
    link(router, peer, transport=transport)
    if kind == "REQ":
        peer.send(b"q")
        assert [b"me", b"", b"q"] == router.recv_multipart()
    router.send_multipart([b"me", b"", b"hello"])
    assert b"hello" == peer.recv_multipart()[-1]


def test_message_to_unknown_peer_is_dropped(make_socket: MakeSocket) -> None:
    """Without ROUTER_MANDATORY an unknown routing id loses the message, silently."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"D")
    link(router, dealer)
    router.send_multipart([b"nobody", b"lost", b"all of it"])
    router.send_multipart([b"D", b"found"])
    assert [b"found"] == dealer.recv_multipart()


@effect_of("ROUTER_MANDATORY")
def test_mandatory_message_to_unknown_peer_gives_ehostunreach(make_socket: MakeSocket) -> None:
    """ROUTER_MANDATORY tells."""
    router = make_socket(zmq.ROUTER, router_mandatory=1)
    bind(router, "tcp")
    with pytest.raises(zmq.ZMQError) as caught:
        router.send_multipart([b"nobody", b"x"])
    assert zmq.EHOSTUNREACH == caught.value.errno


def test_mandatory_message_to_peer_that_left_gives_ehostunreach(make_socket: MakeSocket) -> None:
    """A peer that has disconnected is unknown again."""
    router = make_socket(zmq.ROUTER, router_mandatory=1)
    dealer = make_socket(zmq.DEALER, routing_id=b"D")
    link(router, dealer)
    router.send_multipart([b"D", b"x"])
    assert b"x" == dealer.recv()
    with EventWatch(router) as events:
        dealer.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)

    def unreachable() -> bool:
        try:
            router.send_multipart([b"D", b"y"], zmq.DONTWAIT)
        except zmq.ZMQError as error:
            return error.errno == zmq.EHOSTUNREACH
        return False

    eventually(unreachable)


def test_single_frame_message_is_ignored(make_socket: MakeSocket) -> None:
    """A message that is nothing but a routing id sends nothing."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"D")
    link(router, dealer)
    router.send(b"D")
    router.send_multipart([b"D", b"real"])
    assert [b"real"] == dealer.recv_multipart()


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_second_peer_with_same_id_is_ignored(make_socket: MakeSocket, transport: str) -> None:
    """Without ROUTER_HANDOVER the first owner of a routing id keeps it."""
    router = make_socket(zmq.ROUTER)
    first, second = make_socket(zmq.DEALER, routing_id=b"X"), make_socket(zmq.DEALER, routing_id=b"X")
    endpoint = link(router, first, transport=transport)
    first.send(b"first")
    assert [b"X", b"first"] == router.recv_multipart()
    second.connect(endpoint)
    try_send(second, b"second")  # may be refused where the peer is known to be rejected
    assert try_recv(router, 100) is None
    router.send_multipart([b"X", b"reply"])
    assert b"reply" == first.recv()
    assert try_recv(second) is None


@effect_of("ROUTER_HANDOVER")
@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_handover_gives_id_to_second_peer(make_socket: MakeSocket, transport: str) -> None:
    """With ROUTER_HANDOVER the newest owner of a routing id gets what is sent to it."""
    router = make_socket(zmq.ROUTER, router_handover=1)
    first, second = make_socket(zmq.DEALER, routing_id=b"X"), make_socket(zmq.DEALER, routing_id=b"X")
    endpoint = link(router, first, transport=transport)
    first.send(b"first")
    assert [b"X", b"first"] == router.recv_multipart()
    second.connect(endpoint)
    second.send(b"second")
    assert [b"X", b"second"] == router.recv_multipart()
    router.send_multipart([b"X", b"reply"])
    assert b"reply" == second.recv()


@effect_of("PROBE_ROUTER")
@pytest.mark.parametrize("kind", ["DEALER", "ROUTER"])
@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_probe_announces_peer_with_empty_message(make_socket: MakeSocket, kind: str, transport: str) -> None:
    """PROBE_ROUTER sends one empty message as soon as the connection is made."""
    router = make_socket(zmq.ROUTER)
    peer = make_socket(getattr(zmq, kind), probe_router=1, routing_id=b"P")
    endpoint = bind(router, transport)
    peer.connect(endpoint)
    assert [b"P", b""] == router.recv_multipart()
    router.send_multipart([b"P", b"welcome"])
    assert b"welcome" == peer.recv_multipart()[-1]


@effect_of("CONNECT_ROUTING_ID")
def test_connect_routing_id_names_next_peer(make_socket: MakeSocket) -> None:
    """CONNECT_ROUTING_ID gives the peer of the next connect() its address, and of that one only."""
    router = make_socket(zmq.ROUTER)
    dealers = [make_socket(zmq.DEALER), make_socket(zmq.DEALER)]
    endpoints = [bind(dealer, "tcp") for dealer in dealers]
    router.setsockopt(zmq.CONNECT_ROUTING_ID, b"first")
    router.connect(endpoints[0])
    router.connect(endpoints[1])
    router.send_multipart([b"first", b"hello"])
    assert b"hello" == dealers[0].recv()
    dealers[1].send(b"I")
    routing_id, body = router.recv_multipart()
    assert (b"I", 5, 0) == (body, len(routing_id), routing_id[0])


def test_routing_ids_are_per_router(make_socket: MakeSocket) -> None:
    """One DEALER may be known to two ROUTERs."""
    dealer = make_socket(zmq.DEALER, routing_id=b"D")
    routers = [make_socket(zmq.ROUTER), make_socket(zmq.ROUTER)]
    for router in routers:
        link(router, dealer)
    for router in routers:
        router.send_multipart([b"D", b"x"])
    assert [b"x", b"x"] == [dealer.recv(), dealer.recv()]


@pytest.mark.parametrize("value", [b"", b"x" * 256])
def test_routing_id_of_wrong_length_gives_einval(make_socket: MakeSocket, value: bytes) -> None:
    """A routing id has 1 to 255 bytes."""
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.DEALER).setsockopt(zmq.ROUTING_ID, value)
    assert zmq.EINVAL == caught.value.errno


def test_longest_routing_id_works(make_socket: MakeSocket) -> None:
    """255 bytes are allowed."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"i" * 255)
    link(router, dealer)
    dealer.send(b"x")
    assert [b"i" * 255, b"x"] == router.recv_multipart()


def test_unread_messages_of_peer_that_left_stay_readable(make_socket: MakeSocket) -> None:
    """What a DEALER sent before it closed is still delivered."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"D")
    link(router, dealer)
    with EventWatch(router) as events:
        for number in range(10):
            dealer.send(b"%d" % number)
        dealer.close(1000)
        events.wait_for(zmq.EVENT_DISCONNECTED)
    assert [[b"D", b"%d" % number] for number in range(10)] == [router.recv_multipart() for _ in range(10)]


def test_router_never_blocks_without_mandatory(make_socket: MakeSocket) -> None:
    """POLLOUT is always set, and a send returns at once."""
    router = make_socket(zmq.ROUTER)
    assert zmq.POLLOUT == router.poll(0, zmq.POLLOUT)
    assert try_send(router, b"nobody", b"x")


def test_unroutable_message_given_part_by_part_is_forgotten(make_socket: Any) -> None:
    """A mandatory router that refused a message takes the next one."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER)
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    dealer.setsockopt(zmq.ROUTING_ID, b"known")
    link(router, dealer)
    dealer.send(b"hello")
    assert [b"known", b"hello"] == router.recv_multipart()
    with pytest.raises(zmq.ZMQError) as caught:
        router.send(b"unknown", zmq.SNDMORE)
        router.send(b"lost")
    assert zmq.EHOSTUNREACH == caught.value.errno
    router.send(b"known", zmq.SNDMORE)
    router.send(b"found")
    assert b"found" == dealer.recv()
