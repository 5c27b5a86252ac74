"""REQ and REP: strict alternation, its relaxation, correlation, envelopes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, bind, link, try_recv, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


def expect_state_error(call: Callable[..., Any], *args: Any) -> None:
    """The call is refused with EFSM."""
    with pytest.raises(zmq.ZMQError) as caught:
        call(*args)
    assert zmq.EFSM == caught.value.errno


def test_req_recv_before_send_gives_efsm(make_socket: MakeSocket) -> None:
    """A REQ has to ask first."""
    req = make_socket(zmq.REQ)
    bind(req, "inproc")
    expect_state_error(req.recv)


def test_rep_send_before_recv_gives_efsm(make_socket: MakeSocket) -> None:
    """A REP has to be asked first."""
    rep = make_socket(zmq.REP)
    bind(rep, "inproc")
    expect_state_error(rep.send, b"x")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_second_call_of_same_kind_gives_efsm(make_socket: MakeSocket, transport: str) -> None:
    """Neither may send twice nor receive twice, and the dialogue goes on afterwards."""
    rep, req = make_socket(zmq.REP), make_socket(zmq.REQ)
    link(rep, req, transport=transport)
    req.send(b"question")
    expect_state_error(req.send, b"again")
    assert b"question" == rep.recv()
    expect_state_error(rep.recv)
    rep.send(b"answer")
    expect_state_error(rep.send, b"again")
    assert b"answer" == req.recv()
    expect_state_error(req.recv)


@effect_of("EVENTS")
def test_states_show_in_events(make_socket: MakeSocket) -> None:
    """POLLIN and POLLOUT follow the state."""
    rep, req = make_socket(zmq.REP), make_socket(zmq.REQ)
    link(rep, req, transport="inproc")
    assert zmq.POLLOUT == req.getsockopt(zmq.EVENTS)
    assert 0 == rep.getsockopt(zmq.EVENTS)
    req.send(b"question")
    assert 0 == req.getsockopt(zmq.EVENTS)
    assert zmq.POLLIN == rep.getsockopt(zmq.EVENTS)
    rep.recv()
    assert zmq.POLLOUT == rep.getsockopt(zmq.EVENTS)
    rep.send(b"answer")
    assert zmq.POLLIN == req.getsockopt(zmq.EVENTS)


@effect_of("REQ_RELAXED")
def test_relaxed_req_may_ask_again(make_socket: MakeSocket) -> None:
    """REQ_RELAXED with REQ_CORRELATE: a new request, and only its reply is delivered."""
    router = make_socket(zmq.ROUTER)
    req = make_socket(zmq.REQ, req_relaxed=1, req_correlate=1)
    link(router, req)
    req.send(b"first")
    first = router.recv_multipart()
    req.send(b"second")
    second = router.recv_multipart()
    assert ([b"first"], [b"second"]) == (first[3:], second[3:])
    router.send_multipart([*first[:3], b"late"])
    router.send_multipart([*second[:3], b"right"])
    assert b"right" == req.recv()
    assert try_recv(req) is None


def test_relaxed_req_goes_to_next_server(make_socket: MakeSocket) -> None:
    """The second request of a relaxed REQ goes to the other of two servers."""
    req = make_socket(zmq.REQ, req_relaxed=1, req_correlate=1)
    routers = [make_socket(zmq.ROUTER), make_socket(zmq.ROUTER)]
    for router in routers:
        link(router, req, transport="inproc")
    req.send(b"1")
    assert b"1" == routers[0].recv_multipart()[-1]
    req.send(b"2")
    envelope = routers[1].recv_multipart()
    assert b"2" == envelope[-1]
    routers[1].send_multipart([*envelope[:-1], b"answer"])
    assert b"answer" == req.recv()


@effect_of("REQ_CORRELATE")
def test_correlated_request_carries_four_byte_id(make_socket: MakeSocket) -> None:
    """REQ_CORRELATE puts a 4-byte id, which changes, before the delimiter."""
    router, req = make_socket(zmq.ROUTER), make_socket(zmq.REQ, req_correlate=1)
    link(router, req)
    ids = []
    for _ in range(2):
        req.send(b"q")
        peer, request_id, delimiter, body = router.recv_multipart()
        assert (4, b"", b"q") == (len(request_id), delimiter, body)
        ids.append(request_id)
        router.send_multipart([peer, request_id, b"", b"a"])
        assert b"a" == req.recv()
    assert ids[0] != ids[1]


def test_correlated_reply_with_other_id_is_skipped(make_socket: MakeSocket) -> None:
    """A reply with a foreign id is not delivered."""
    router, req = make_socket(zmq.ROUTER), make_socket(zmq.REQ, req_correlate=1)
    link(router, req)
    req.send(b"q")
    peer, request_id, *_ = router.recv_multipart()
    router.send_multipart([peer, bytes(c ^ 255 for c in request_id), b"", b"wrong"])
    router.send_multipart([peer, request_id, b"", b"right"])
    assert b"right" == req.recv()


def test_req_skips_reply_without_delimiter(make_socket: MakeSocket) -> None:
    """A malformed reply is dropped over inproc; a good one after it is taken."""
    router, req = make_socket(zmq.ROUTER), make_socket(zmq.REQ)
    link(router, req, transport="inproc")
    req.send(b"q")
    peer = router.recv_multipart()[0]
    router.send_multipart([peer, b"no delimiter"])
    router.send_multipart([peer, b"", b"right"])
    assert b"right" == req.recv()


def test_rep_skips_request_without_delimiter(make_socket: MakeSocket) -> None:
    """A request without an empty part never reaches the application."""
    rep, dealer = make_socket(zmq.REP), make_socket(zmq.DEALER)
    link(rep, dealer)
    dealer.send_multipart([b"no", b"delimiter"])
    dealer.send_multipart([b"", b"right"])
    assert b"right" == rep.recv()


def test_rep_returns_envelope_of_many_hops(make_socket: MakeSocket) -> None:
    """Everything up to the first empty part comes back with the reply."""
    rep, dealer = make_socket(zmq.REP), make_socket(zmq.DEALER)
    link(rep, dealer)
    dealer.send_multipart([b"hop2", b"hop1", b"", b"body", b"", b"more"])
    assert [b"body", b"", b"more"] == rep.recv_multipart()
    rep.send(b"reply")
    assert [b"hop2", b"hop1", b"", b"reply"] == dealer.recv_multipart()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_rep_receives_requests_that_its_mark_held_back(make_socket: MakeSocket, transport: str) -> None:
    """A call that waits asks for them first; between request and reply it is refused all the same."""
    rep, dealer = make_socket(zmq.REP, rcvhwm=1), make_socket(zmq.DEALER)
    link(rep, dealer, transport=transport)
    for number in range(5):
        dealer.send_multipart([b"", b"%d" % number])
    for number in range(5):
        assert b"%d" % number == rep.recv()
        expect_state_error(rep.recv)
        rep.send(b"")
    with pytest.raises(zmq.Again):
        rep.recv(zmq.DONTWAIT)


def test_rep_drops_reply_to_peer_that_left(make_socket: MakeSocket) -> None:
    """The reply to a requester that is gone vanishes, and the next request is served."""
    rep, gone, req = make_socket(zmq.REP), make_socket(zmq.REQ), make_socket(zmq.REQ)
    endpoint = link(rep, gone, transport="inproc")
    gone.send(b"1")
    assert b"1" == rep.recv()
    gone.close()
    rep.send(b"to nobody")
    link(rep, req, endpoint=endpoint)
    req.send(b"2")
    assert b"2" == rep.recv()
    rep.send(b"ok")
    assert b"ok" == req.recv()


def test_chain_of_routers_and_dealers_brings_reply_home(make_socket: MakeSocket) -> None:
    """REQ - ROUTER/DEALER - REP: the broker passes parts on unchanged."""
    req, front, back, rep = (make_socket(kind) for kind in (zmq.REQ, zmq.ROUTER, zmq.DEALER, zmq.REP))
    link(front, req)
    link(back, rep)
    req.send_multipart([b"a", b"b"])
    back.send_multipart(front.recv_multipart())
    assert [b"a", b"b"] == rep.recv_multipart()
    rep.send(b"c")
    front.send_multipart(back.recv_multipart())
    assert b"c" == req.recv()
