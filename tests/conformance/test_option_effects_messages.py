"""Options that make, change or choose messages: HELLO_MSG and its kin, ROUTER, XPUB and XSUB options, METADATA."""

from __future__ import annotations

import socket as stdlib_socket
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, EventWatch, bind, bind_again, link, purezmq_only, try_recv, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import tcp_address

MakeSocket = Callable[..., Any]
DRAFT = purezmq_only("a draft option, which its wheels don't have")


@DRAFT
@effect_of("HELLO_MSG")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_hello_msg_of_dealer_is_the_first_message_the_peer_gets(make_socket: MakeSocket, transport: str) -> None:
    """The hello comes before what the application sent."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, hello_msg=b"hello", routing_id=b"D")
    endpoint = bind(router, transport)
    dealer.connect(endpoint)
    dealer.send(b"first")
    assert [[b"D", b"hello"], [b"D", b"first"]] == [router.recv_multipart() for _ in range(2)]


@DRAFT
@effect_of("HELLO_MSG")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_hello_msg_of_router_greets_each_peer(make_socket: MakeSocket, transport: str) -> None:
    """A bound ROUTER says hello to everybody who comes."""
    router = make_socket(zmq.ROUTER, hello_msg=b"welcome")
    dealers = [make_socket(zmq.DEALER) for _ in range(3)]
    link(router, *dealers, transport=transport)
    assert [b"welcome"] * 3 == [dealer.recv() for dealer in dealers]
    assert [None] * 3 == [try_recv(dealer, 10) for dealer in dealers]


@DRAFT
@effect_of("HELLO_MSG")
def test_hello_msg_is_sent_again_after_reconnect_and_before_what_waited(make_socket: MakeSocket) -> None:
    """Every connection begins with one hello, also when messages wait for it."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, hello_msg=b"hello", reconnect_ivl=10)
    endpoint = link(router, dealer)
    assert b"hello" == router.recv_multipart()[1]
    again = make_socket(zmq.ROUTER)
    with EventWatch(dealer) as events:
        router.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    dealer.send(b"waited")
    bind_again(again, endpoint)
    assert [b"hello", b"waited"] == [again.recv_multipart()[1] for _ in range(2)]


@DRAFT
def test_hello_msg_waits_for_the_inproc_name_to_be_bound(make_socket: MakeSocket) -> None:
    """Connect before bind: the hello still is the first message."""
    dealer, router = make_socket(zmq.DEALER, hello_msg=b"hello"), make_socket(zmq.ROUTER)
    dealer.connect("inproc://hello-later")
    dealer.send(b"first")
    router.bind("inproc://hello-later")
    assert [b"hello", b"first"] == [router.recv_multipart()[1] for _ in range(2)]


@DRAFT
def test_hello_msg_of_a_req_is_not_sent(make_socket: MakeSocket) -> None:
    """The option is for ROUTER, DEALER and three draft types; a REQ keeps to its protocol."""
    rep, req = make_socket(zmq.REP), make_socket(zmq.REQ, hello_msg=b"hello")
    link(rep, req)
    req.send(b"request")
    assert b"request" == rep.recv()


@DRAFT
@effect_of("DISCONNECT_MSG")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_disconnect_msg_comes_behind_the_last_message_of_a_peer(make_socket: MakeSocket, transport: str) -> None:
    """A ROUTER's application gets it under the id of the peer that went."""
    router, dealer = make_socket(zmq.ROUTER, disconnect_msg=b"gone"), make_socket(zmq.DEALER, routing_id=b"D")
    link(router, dealer, transport=transport)
    dealer.send(b"last")
    assert [b"D", b"last"] == router.recv_multipart()
    dealer.close()
    assert [b"D", b"gone"] == router.recv_multipart()


@DRAFT
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_disconnect_msg_is_about_accepted_peers_only(make_socket: MakeSocket, transport: str) -> None:
    """What the application does itself (disconnect, unbind) and its own lost connections inject nothing."""
    router, peer = make_socket(zmq.ROUTER, disconnect_msg=b"gone"), make_socket(zmq.ROUTER, disconnect_msg=b"gone")
    endpoint = link(peer, router, transport=transport)
    router.disconnect(endpoint)
    assert b"gone" == peer.recv_multipart()[1]
    assert try_recv(router, 20) is None
    dealer = make_socket(zmq.DEALER)
    endpoint = link(router, dealer, transport=transport)
    router.unbind(endpoint)
    assert try_recv(router, 20) is None


@DRAFT
@effect_of("HICCUP_MSG")
@pytest.mark.parametrize("immediate", [0, 1])
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_hiccup_msg_tells_a_dealer_of_its_lost_connection(
    make_socket: MakeSocket, transport: str, immediate: int
) -> None:
    """It comes when the connection that the DEALER made is lost, with IMMEDIATE, too."""
    router = make_socket(zmq.ROUTER)
    dealer = make_socket(zmq.DEALER, hiccup_msg=b"hiccup", immediate=immediate, reconnect_ivl=10)
    link(router, dealer, transport=transport)
    router.close()
    assert b"hiccup" == dealer.recv()
    assert try_recv(dealer, 20) is None


@DRAFT
def test_hiccup_msg_is_not_for_accepted_connections(make_socket: MakeSocket) -> None:
    """A bound DEALER whose peer goes hears nothing."""
    dealer, peer = make_socket(zmq.DEALER, hiccup_msg=b"hiccup"), make_socket(zmq.DEALER)
    link(dealer, peer)
    peer.close()
    assert try_recv(dealer, 50) is None


@DRAFT
@effect_of("ROUTER_NOTIFY")
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
@pytest.mark.parametrize(("mask", "expected"), [(1, [b"", b"data"]), (2, [b"data", b""]), (3, [b"", b"data", b""])])
def test_router_notify_tells_of_connect_and_disconnect(
    make_socket: MakeSocket, transport: str, mask: int, expected: list[bytes]
) -> None:
    """1: an empty message when a peer comes; 2: one when it goes; under the peer's id."""
    router, dealer = make_socket(zmq.ROUTER, router_notify=mask), make_socket(zmq.DEALER, routing_id=b"D")
    link(router, dealer, transport=transport)
    dealer.send(b"data")
    with EventWatch(router) as events:
        dealer.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    assert [[b"D", body] for body in expected] == [router.recv_multipart() for _ in expected]
    assert try_recv(router, 10) is None


@effect_of("ROUTER_RAW")
def test_router_raw_talks_to_a_plain_tcp_client(make_socket: MakeSocket) -> None:
    """No protocol: bytes come and go as they are, as with STREAM."""
    router = make_socket(zmq.ROUTER, router_raw=1)
    with stdlib_socket.create_connection(tcp_address(bind(router, "tcp")), TIMEOUT_S) as raw:
        peer, notice = router.recv_multipart()
        assert (5, b"") == (len(peer), notice)
        raw.sendall(b"GET /")
        assert [peer, b"GET /"] == router.recv_multipart()
        router.send_multipart([peer, b"200"])
        assert b"200" == raw.recv(100)
    assert [peer, b""] == router.recv_multipart()


@effect_of("ROUTER_RAW")
def test_router_raw_connects_to_a_plain_tcp_server(make_socket: MakeSocket) -> None:
    """The connecting side is raw as well."""
    with stdlib_socket.create_server(("127.0.0.1", 0)) as server:
        router = make_socket(zmq.ROUTER, router_raw=1)
        router.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        raw, _ = server.accept()
        with raw:
            peer, notice = router.recv_multipart()
            assert b"" == notice
            router.send_multipart([peer, b"hello"])
            assert b"hello" == raw.recv(100)


@DRAFT
@effect_of("XPUB_MANUAL_LAST_VALUE")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_xpub_manual_last_value_reaches_the_new_subscriber_only(make_socket: MakeSocket, transport: str) -> None:
    """The message after a SUBSCRIBE goes to whom that was about; the next ones go to all."""
    xpub, subs = make_socket(zmq.XPUB, xpub_manual_last_value=1), [make_socket(zmq.SUB) for _ in range(2)]
    link(xpub, *subs, transport=transport)
    for sub in subs:
        sub.subscribe(b"t")
        assert b"\x01t" == xpub.recv()
        xpub.setsockopt(zmq.SUBSCRIBE, b"t")
        xpub.send(b"t last value")
        assert b"t last value" == sub.recv()
    xpub.send(b"t next")
    assert [b"t next"] * 2 == [sub.recv() for sub in subs]


@effect_of("XPUB_NODROP")
def test_xpub_nodrop_refuses_instead_of_dropping(make_socket: MakeSocket) -> None:
    """With a full subscriber the publisher would block; nothing of what it took is lost."""
    xpub, sub = make_socket(zmq.XPUB, xpub_nodrop=1, sndhwm=5), make_socket(zmq.SUB, rcvhwm=5)
    link(xpub, sub, transport="inproc")
    sub.subscribe(b"")
    assert b"\x01" == xpub.recv()
    sent = 0
    with pytest.raises(zmq.Again):
        while sent < 1000:
            xpub.send(b"%d" % sent, zmq.DONTWAIT)
            sent += 1
    assert [b"%d" % number for number in range(sent)] == [sub.recv() for _ in range(sent)]


@effect_of("ONLY_FIRST_SUBSCRIBE")
@DRAFT
@pytest.mark.parametrize(
    ("option", "expected"),
    [(0, [[b"\x01topic"], [b"user"]]), (1, [[b"user", b"\x01topic"]])],
)
def test_only_first_subscribe_leaves_later_parts_to_the_user(
    make_socket: MakeSocket, option: int, expected: list[list[bytes]]
) -> None:
    """A multipart that doesn't begin with a subscription is the user's, whatever its later parts begin with."""
    xpub = make_socket(zmq.XPUB, only_first_subscribe=option)
    xsub = make_socket(zmq.XSUB, only_first_subscribe=option)
    link(xpub, xsub)
    xsub.send_multipart([b"user", b"\x01topic"])
    assert expected == sorted(xpub.recv_multipart() for _ in expected)  # subscriptions don't queue behind messages


@DRAFT
@effect_of("XSUB_VERBOSE_UNSUBSCRIBE")
@pytest.mark.parametrize(("option", "count"), [(0, 1), (1, 2)])
def test_xsub_verbose_unsubscribe_passes_every_cancellation(make_socket: MakeSocket, option: int, count: int) -> None:
    """Without it only the last cancellation of a topic goes upstream."""
    xpub, xsub = make_socket(zmq.XPUB, xpub_verboser=1), make_socket(zmq.XSUB, xsub_verbose_unsubscribe=option)
    link(xpub, xsub)
    for message in (b"\x01t", b"\x01t", b"\x00t", b"\x00t", b"\x01end"):
        xsub.send(message)
    received = [xpub.recv() for _ in range(3 + count)]
    assert (count, b"\x01end") == (received.count(b"\x00t"), received[-1])


@effect_of("METADATA")
def test_metadata_of_the_peer_comes_with_each_of_its_messages(make_socket: MakeSocket) -> None:
    """Several properties may be set; the receiver reads them off the frame."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    push.setsockopt(zmq.METADATA, b"X-color:blue")
    push.setsockopt(zmq.METADATA, b"X-size:very:large")
    link(pull, push)
    push.send(b"x")
    frame = pull.recv(copy=False)
    assert ["blue", "very:large"] == [frame.get("X-color"), frame.get("X-size")]
