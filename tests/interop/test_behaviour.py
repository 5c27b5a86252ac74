"""Streams, subscriptions, heartbeats, identities and restarts between us and a real libzmq."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, bind_again, eventually, free_endpoint, try_recv, zmq
from tests.support.peer_process import PeerProcess

MakeSocket = Callable[..., Any]
MakePeer = Callable[..., PeerProcess]


@pytest.mark.parametrize("size", [10, 254, 255, 256, 8192, 65536, 200_000])
@pytest.mark.parametrize("we_send", [True, False])
def test_series_arrives_whole_and_in_order(
    make_socket: MakeSocket, libzmq: PeerProcess, size: int, we_send: bool
) -> None:
    """Hundreds of messages at the borders of frame sizes, each way."""
    count = 300
    ours = make_socket(zmq.PUSH if we_send else zmq.PULL)
    libzmq.open("s", "PULL" if we_send else "PUSH")
    libzmq.connect("s", bind(ours, "tcp"))
    expected = [(b"%d " % number).ljust(size, b".") for number in range(count)]
    if we_send:
        libzmq.start("recv_series", "s", count)
        for message in expected:
            ours.send(message)
        assert count == libzmq.finish()
    else:
        libzmq.start("send_series", "s", count, size)
        assert expected == [ours.recv() for _ in range(count)]
        libzmq.finish()


def test_our_subscriptions_filter_at_libzmq(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """A libzmq XPUB sees our subscriptions and cancellations, and sends what matches."""
    libzmq.open("s", "XPUB")
    sub = make_socket(zmq.SUB)
    sub.connect(libzmq.bind("s", "tcp://127.0.0.1:*"))
    for topic in (b"a", b"bb", b"x" * 250, b"x" * 300):
        sub.setsockopt(zmq.SUBSCRIBE, topic)
        assert [b"\x01" + topic] == libzmq.recv("s")
    sub.setsockopt(zmq.UNSUBSCRIBE, b"a")
    assert [b"\x00a"] == libzmq.recv("s")
    for topic in (b"a", b"b", b"bbb", b"x" * 250):
        libzmq.send("s", [topic, b"body"])
    assert [[b"bbb", b"body"], [b"x" * 250, b"body"]] == [sub.recv_multipart() for _ in range(2)]
    assert try_recv(sub, 20) is None
    sub.close()
    assert {b"\x00bb", b"\x00" + b"x" * 250, b"\x00" + b"x" * 300} == {libzmq.recv("s")[0] for _ in range(3)}


def test_libzmqs_subscriptions_filter_at_us(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """Our XPUB sees the subscriptions of a libzmq SUB."""
    xpub = make_socket(zmq.XPUB)
    libzmq.open("s", "SUB")
    libzmq.connect("s", bind(xpub, "tcp"))
    for topic in (b"a", b"bb", b"x" * 240, b"x" * 300):
        libzmq.set("s", "SUBSCRIBE", topic)
        assert [b"\x01" + topic] == xpub.recv_multipart()
    libzmq.set("s", "UNSUBSCRIBE", b"a")
    assert b"\x00a" == xpub.recv()
    for topic in (b"a", b"b", b"bbb"):
        xpub.send_multipart([topic, b"body"])
    assert [b"bbb", b"body"] == libzmq.recv("s")
    assert 0 == libzmq.poll("s", 20)
    libzmq.close("s")
    assert {b"\x00bb", b"\x00" + b"x" * 240, b"\x00" + b"x" * 300} == {xpub.recv() for _ in range(3)}


@pytest.mark.parametrize("we_bind", [True, False])
def test_heartbeats_keep_idle_connection(make_socket: MakeSocket, libzmq: PeerProcess, we_bind: bool) -> None:
    """Both sides ping every 20 ms and give up after 200: an idle connection stays for 300 ms."""
    ours = make_socket(zmq.PAIR, heartbeat_ivl=20, heartbeat_timeout=200, heartbeat_ttl=300)
    libzmq.open("s", "PAIR", heartbeat_ivl=20, heartbeat_timeout=200, heartbeat_ttl=300)
    with EventWatch(ours) as events:
        if we_bind:
            libzmq.connect("s", bind(ours, "tcp"))
        else:
            ours.connect(libzmq.bind("s", "tcp://127.0.0.1:*"))
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        assert events.next(0.3) is None
    ours.send(b"alive")
    assert [b"alive"] == libzmq.recv("s")
    libzmq.send("s", [b"too"])
    assert b"too" == ours.recv()


@pytest.mark.parametrize("we_bind", [True, False])
def test_identities_are_exchanged(make_socket: MakeSocket, libzmq: PeerProcess, we_bind: bool) -> None:
    """Each ROUTER reaches a DEALER of the other side by the routing id that it chose."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"ours")
    libzmq.open("router", "ROUTER")
    libzmq.open("dealer", "DEALER", routing_id=b"theirs")
    if we_bind:
        libzmq.connect("dealer", bind(router, "tcp"))
        libzmq.connect("router", bind(dealer, "tcp"))
    else:
        router.connect(libzmq.bind("dealer", "tcp://127.0.0.1:*"))
        dealer.connect(libzmq.bind("router", "tcp://127.0.0.1:*"))
    libzmq.send("dealer", [b"hello"])
    assert [b"theirs", b"hello"] == router.recv_multipart()
    router.send_multipart([b"theirs", b"back"])
    assert [b"back"] == libzmq.recv("dealer")
    dealer.send(b"hello")
    assert [b"ours", b"hello"] == libzmq.recv("router")
    libzmq.send("router", [b"ours", b"back"])
    assert b"back" == dealer.recv()


def test_generated_identity_of_libzmqs_dealer(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """A libzmq DEALER without routing id gets one of five bytes from us."""
    router = make_socket(zmq.ROUTER)
    libzmq.open("s", "DEALER")
    libzmq.connect("s", bind(router, "tcp"))
    libzmq.send("s", [b"x"])
    routing_id, body = router.recv_multipart()
    assert (5, 0, b"x") == (len(routing_id), routing_id[0], body)


@pytest.mark.parametrize("we_probe", [True, False])
def test_probe_reaches_other_side(make_socket: MakeSocket, libzmq: PeerProcess, we_probe: bool) -> None:
    """PROBE_ROUTER across the two libraries."""
    if we_probe:
        libzmq.open("s", "ROUTER")
        dealer = make_socket(zmq.DEALER, probe_router=1, routing_id=b"P")
        dealer.connect(libzmq.bind("s", "tcp://127.0.0.1:*"))
        assert [b"P", b""] == libzmq.recv("s")
    else:
        router = make_socket(zmq.ROUTER)
        libzmq.open("s", "DEALER", routing_id=b"P", probe_router=1)
        libzmq.connect("s", bind(router, "tcp"))
        assert [b"P", b""] == router.recv_multipart()


def test_req_options_work_across(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """REQ_RELAXED and REQ_CORRELATE of ours against a libzmq ROUTER."""
    libzmq.open("s", "ROUTER")
    req = make_socket(zmq.REQ, req_relaxed=1, req_correlate=1)
    req.connect(libzmq.bind("s", "tcp://127.0.0.1:*"))
    req.send(b"1")
    first = libzmq.recv("s")
    req.send(b"2")
    second = libzmq.recv("s")
    libzmq.send("s", [*first[:3], b"late"])
    libzmq.send("s", [*second[:3], b"right"])
    assert b"right" == req.recv()


def test_libzmq_reconnects_to_our_restarted_socket(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """A libzmq DEALER goes on with our ROUTER that was closed and bound again."""
    router = make_socket(zmq.ROUTER)
    endpoint = bind(router, "tcp")
    libzmq.open("s", "DEALER", reconnect_ivl=10)
    libzmq.connect("s", endpoint)
    libzmq.send("s", [b"1"])
    assert b"1" == router.recv_multipart()[1]
    router.close()
    again = make_socket(zmq.ROUTER)
    bind_again(again, endpoint)
    numbers = iter(range(10000))

    def answered() -> Any:
        libzmq.send("s", [b"again %d" % next(numbers)])
        return again.poll(50)

    eventually(answered)
    routing_id, _ = again.recv_multipart()
    again.send_multipart([routing_id, b"welcome back"])
    assert [b"welcome back"] == libzmq.recv("s")


def test_we_reconnect_to_restarted_libzmq(make_socket: MakeSocket, make_peer: MakePeer) -> None:
    """Our DEALER goes on with a libzmq ROUTER whose process was killed and started again."""
    endpoint = free_endpoint()
    dealer = make_socket(zmq.DEALER, reconnect_ivl=10)
    with EventWatch(dealer) as events:
        for _ in range(2):
            peer = make_peer("zmq")
            peer.open("s", "ROUTER")
            peer.bind("s", endpoint)
            if not events.seen:
                dealer.connect(endpoint)
            events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
            dealer.send(b"hello")
            routing_id, body = peer.recv("s")
            assert b"hello" == body
            peer.send("s", [routing_id, b"back"])
            assert b"back" == dealer.recv()
            peer.kill()
            events.wait_for(zmq.EVENT_DISCONNECTED)


def test_libzmq_subscribes_again_after_our_restart(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """A libzmq SUB tells its topics to our publisher that was bound again."""
    xpub = make_socket(zmq.XPUB)
    endpoint = bind(xpub, "tcp")
    libzmq.open("s", "SUB", subscribe=b"t", reconnect_ivl=10)
    libzmq.connect("s", endpoint)
    assert b"\x01t" == xpub.recv()
    xpub.close()
    again = make_socket(zmq.XPUB)
    bind_again(again, endpoint)
    eventually(lambda: libzmq.poll("s", 10) or again.poll(10))
    assert b"\x01t" == again.recv()
    again.send(b"t!")
    assert [b"t!"] == libzmq.recv("s")


def test_we_subscribe_again_after_libzmqs_restart(make_socket: MakeSocket, make_peer: MakePeer) -> None:
    """Our SUB tells its topics to a libzmq publisher whose process was started again."""
    endpoint = free_endpoint()
    sub = make_socket(zmq.SUB, subscribe=b"t", reconnect_ivl=10)
    sub.connect(endpoint)
    for round_ in range(2):
        peer = make_peer("zmq")
        peer.open("s", "XPUB")
        peer.bind("s", endpoint)
        peer.start("recv", "s")
        sub.poll(10)
        eventually(lambda: sub.poll(10) == 0)
        assert [b"\x01t"] == peer.received()
        peer.send("s", [b"t%d" % round_])
        assert b"t%d" % round_ == sub.recv()
        peer.kill()


@pytest.mark.parametrize("we_are_broker", [True, False])
def test_broker_between_both_libraries(make_socket: MakeSocket, libzmq: PeerProcess, we_are_broker: bool) -> None:
    """REQ - ROUTER/DEALER - REP with the broker in one library and the ends in the other."""
    if we_are_broker:
        front, back = make_socket(zmq.ROUTER), make_socket(zmq.DEALER)
        libzmq.open("req", "REQ")
        libzmq.open("rep", "REP")
        libzmq.connect("req", bind(front, "tcp"))
        libzmq.connect("rep", bind(back, "tcp"))
        libzmq.send("req", [b"q", b"", b"more"])
        back.send_multipart(front.recv_multipart())
        assert [b"q", b"", b"more"] == libzmq.recv("rep")
        libzmq.send("rep", [b"a"])
        front.send_multipart(back.recv_multipart())
        assert [b"a"] == libzmq.recv("req")
    else:
        libzmq.open("front", "ROUTER")
        libzmq.open("back", "DEALER")
        req, rep = make_socket(zmq.REQ), make_socket(zmq.REP)
        req.connect(libzmq.bind("front", "tcp://127.0.0.1:*"))
        rep.connect(libzmq.bind("back", "tcp://127.0.0.1:*"))
        req.send_multipart([b"q", b"", b"more"])
        libzmq.send("back", libzmq.recv("front"))
        assert [b"q", b"", b"more"] == rep.recv_multipart()
        rep.send(b"a")
        libzmq.send("front", libzmq.recv("back"))
        assert b"a" == req.recv()


def test_max_message_size_disconnects_libzmq(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """A libzmq peer that sends more than MAXMSGSIZE is disconnected; the next message is served."""
    pull = make_socket(zmq.PULL, maxmsgsize=1000)
    libzmq.open("s", "PUSH", reconnect_ivl=10)
    with EventWatch(pull) as events:
        libzmq.connect("s", bind(pull, "tcp"))
        libzmq.send("s", [b"x" * 1000])
        assert b"x" * 1000 == pull.recv()
        libzmq.send("s", [b"x" * 1001])
        events.wait_for(zmq.EVENT_DISCONNECTED)
        libzmq.send("s", [b"small"])
        assert b"small" == pull.recv()


def test_libzmq_dealer_with_a_taken_routing_id_is_refused_and_served_later(
    make_socket: MakeSocket, libzmq: PeerProcess
) -> None:
    """It ignores our ERROR and comes again; when the id is free it's served, and nothing of it broke."""
    router, first = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"X")
    endpoint = bind(router, "tcp")
    first.connect(endpoint)
    first.send(b"first")
    assert [b"X", b"first"] == router.recv_multipart()
    with router.events() as stream:
        libzmq.open("s", "DEALER", routing_id=b"X", reconnect_ivl=10)
        libzmq.connect("s", endpoint)
        told = [stream.get(timeout=5) for _ in range(12)]
        assert 3 <= [event.kind for event in told].count("duplicate_routing_id")
        assert {b"X"} == {event.routing_id for event in told if event.kind == "duplicate_routing_id"}
    router.send_multipart([b"X", b"yours"])
    assert b"yours" == first.recv()
    first.close(0)

    def ask() -> Any:
        libzmq.send("s", [b"now me"])
        return try_recv(router, 50)

    assert [b"X", b"now me"] == eventually(ask)
    router.send_multipart([b"X", b"reply"])
    assert [b"reply"] == libzmq.recv("s")


def test_libzmq_dealer_whose_routing_id_is_taken_over_comes_again(make_socket: MakeSocket, libzmq: PeerProcess) -> None:
    """ROUTER_HANDOVER: what was sent to it before arrives, and it takes its id back."""
    router, second = make_socket(zmq.ROUTER, router_handover=1), make_socket(zmq.DEALER, routing_id=b"X")
    endpoint = bind(router, "tcp")
    libzmq.open("s", "DEALER", routing_id=b"X", reconnect_ivl=50)
    libzmq.connect("s", endpoint)
    libzmq.send("s", [b"first"])
    assert [b"X", b"first"] == router.recv_multipart()
    router.send_multipart([b"X", b"before"])
    second.reconnect_ivl = -1
    with router.events() as stream:
        second.connect(endpoint)
        while stream.get(timeout=5).kind != "duplicate_routing_id":
            pass
    assert [b"before"] == libzmq.recv("s")

    def ask() -> Any:
        libzmq.send("s", [b"again"])
        return try_recv(router, 50)

    assert [b"X", b"again"] == eventually(ask)
