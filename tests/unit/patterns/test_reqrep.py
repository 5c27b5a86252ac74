from __future__ import annotations

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import EFSM, REP, REQ
from purezmq.error import ZMQError


class OwnedList(list[bytes]):
    """Stands for the socket layer's tracked message: the object must reach the pipe."""


def test_req_request_has_empty_delimiter() -> None:
    """RFC 28: the request is the delimiter and the parts."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    assert req.try_send(b"q")
    assert [[b"", b"q"]] == peer.sent()


def test_req_multipart_request_keeps_its_parts() -> None:
    """The delimiter comes before all parts."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    req.try_send([b"a", b"", b"c"])
    assert [[b"", b"a", b"", b"c"]] == peer.sent()


@pytest.mark.parametrize(
    ("reply", "expected"), [([b"", b"r"], b"r"), ([b"", b"", b"x"], [b"", b"x"]), ([b"", b""], b"")]
)
def test_req_reply_loses_delimiter(reply: list[bytes], expected: object) -> None:
    """Only the delimiter is taken off."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    req.try_send(b"q")
    peer.bring(reply)
    assert expected == req.try_recv()
    assert peer.pipe is req.last_pipe


def test_req_second_send_gives_efsm_that_names_the_cure() -> None:
    """The text tells of REQ_RELAXED."""
    req = make_pattern(REQ)
    ScriptedPeer(req)
    req.try_send(b"q")
    for call in (req.check_send, lambda: req.try_send(b"again")):
        with pytest.raises(ZMQError, match="REQ_RELAXED") as caught:
            call()
        assert EFSM == caught.value.errno


def test_req_recv_before_send_gives_efsm() -> None:
    """There is no request."""
    req = make_pattern(REQ)
    for call in (req.check_recv, req.try_recv):
        with pytest.raises(ZMQError, match="send one") as caught:
            call()
        assert EFSM == caught.value.errno


def test_req_readiness_follows_state() -> None:
    """POLLOUT before the request, POLLIN when the reply is there, and looking loses nothing."""
    req = make_pattern(REQ)
    assert (False, False) == (req.can_send(), req.can_recv())
    peer = ScriptedPeer(req)
    assert (True, False) == (req.can_send(), req.can_recv())
    req.try_send(b"q")
    assert (False, False) == (req.can_send(), req.can_recv())
    peer.bring([b"", b"r"])
    assert [True] * 3 == [req.can_recv() for _ in range(3)]
    assert b"r" == req.try_recv()
    assert (True, False) == (req.can_send(), req.can_recv())


def test_req_looking_leaves_message_visible_to_others() -> None:
    """A thread that waits for the inbox sees what another thread only looked at."""
    req = make_pattern(REQ)
    peers = [ScriptedPeer(req) for _ in range(2)]
    req.try_send(b"q")
    peers[0].bring([b"", b"r"])
    for _ in range(5):
        assert req.can_recv()
        assert req.inbox.ready or req.inbox.active
    assert len(req.inbox.active) <= 2
    assert b"r" == req.try_recv()


def test_req_without_peer_would_block() -> None:
    """The state doesn't change."""
    req = make_pattern(REQ)
    assert not req.try_send(b"q")
    ScriptedPeer(req)
    assert req.try_send(b"q")


def test_req_blocked_send_leaves_list_alone() -> None:
    """A message that could not be sent is tried again as it was."""
    req = make_pattern(REQ)
    message = [b"a", b"b"]
    assert not req.try_send(message)
    assert [b"a", b"b"] == message


def test_req_list_reaches_pipe_as_same_object() -> None:
    """A tracked message stays the object that tells when it is let go."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    message = OwnedList([b"only"])
    req.try_send(message)
    sent = peer.sent()
    assert sent[0] is message
    assert [b"", b"only"] == message


def test_req_asks_peers_in_turn() -> None:
    """Round robin over requests."""
    req = make_pattern(REQ)
    peers = [ScriptedPeer(req) for _ in range(2)]
    for number in range(4):
        req.try_send(b"%d" % number)
        peer = peers[number % 2]
        assert [[b"", b"%d" % number]] == peer.sent()
        peer.bring([b"", b"ok"])
        assert b"ok" == req.try_recv()


def test_req_skips_reply_of_other_peer() -> None:
    """Only the peer that was asked may answer."""
    req = make_pattern(REQ)
    asked, other = ScriptedPeer(req), ScriptedPeer(req)
    req.try_send(b"q")
    other.bring([b"", b"wrong"])
    assert not req.can_recv()
    asked.bring([b"", b"right"])
    assert b"right" == req.try_recv()
    assert 1 == req.discarded


def test_req_takes_reply_from_anyone_after_asked_peer_died() -> None:
    """As libzmq."""
    req = make_pattern(REQ)
    asked, other = ScriptedPeer(req), ScriptedPeer(req)
    req.try_send(b"q")
    asked.leave()
    other.bring([b"", b"r"])
    assert b"r" == req.try_recv()


def test_req_reads_reply_of_peer_that_died_after_sending_it() -> None:
    """The reply was there."""
    req = make_pattern(REQ)
    asked = ScriptedPeer(req)
    req.try_send(b"q")
    asked.bring([b"", b"r"])
    asked.leave()
    assert b"r" == req.try_recv()


@pytest.mark.parametrize("malformed", [b"bare", b"", [b"x", b"y"]])
def test_req_skips_malformed_reply(malformed: object) -> None:
    """A reply without delimiter is none."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    req.try_send(b"q")
    peer.bring(malformed, [b"", b"right"])
    assert b"right" == req.try_recv()


def test_req_correlate_puts_changing_id_before_delimiter() -> None:
    """Four bytes, another for each request."""
    req = make_pattern(REQ, req_correlate=1)
    req.seed_ids(0xFFFFFFFF)
    peer = ScriptedPeer(req)
    ids = []
    for _ in range(2):
        req.try_send([b"a", b"b"])
        [[request_id, *rest]] = peer.sent()
        assert [b"", b"a", b"b"] == rest
        ids.append(request_id)
        peer.bring([request_id, b"", b"r"])
        assert b"r" == req.try_recv()
    assert [b"\0\0\0\0", 1] == [ids[0], len(set(ids)) - 1]


@pytest.mark.parametrize("wrong", [[b"", b"x"], [b"1234", b"", b"x"], [b"1234", b"x"], b"x"])
def test_req_correlate_skips_reply_without_its_id(wrong: object) -> None:
    """Foreign id, no id, no delimiter."""
    req = make_pattern(REQ, req_correlate=1)
    peer = ScriptedPeer(req)
    req.try_send(b"q")
    request_id = peer.sent()[0][0]
    peer.bring(wrong, [request_id, b"no delimiter"], [request_id, b"", b"right", b"more"])
    assert [b"right", b"more"] == req.try_recv()


def test_req_correlate_needs_id_also_after_asked_peer_died() -> None:
    """From anyone, but the right one."""
    req = make_pattern(REQ, req_correlate=1)
    asked, other = ScriptedPeer(req), ScriptedPeer(req)
    req.try_send(b"q")
    request_id = asked.sent()[0][0]
    asked.leave()
    other.bring([b"none", b"", b"wrong"], [request_id, b"", b"right"])
    assert b"right" == req.try_recv()


def test_req_relaxed_gives_up_outstanding_request() -> None:
    """The late reply to the first request is discarded."""
    req = make_pattern(REQ, req_relaxed=1, req_correlate=1)
    peer = ScriptedPeer(req)
    req.try_send(b"1")
    req.try_send(b"2")
    first, second = (message[0] for message in peer.sent())
    assert req.can_send()
    peer.bring([first, b"", b"late"], [second, b"", b"right"])
    assert b"right" == req.try_recv()


def test_req_drops_what_came_before_the_request() -> None:
    """An old reply in the inbox never answers a new request."""
    req = make_pattern(REQ, req_relaxed=1)
    peers = [ScriptedPeer(req) for _ in range(2)]
    req.try_send(b"1")
    peers[0].bring([b"", b"old"])
    req.try_send(b"2")
    assert not req.can_recv()
    assert 1 == req.discarded


def test_req_probes_router() -> None:
    """PROBE_ROUTER: an empty message first."""
    assert [b""] == ScriptedPeer(make_pattern(REQ, probe_router=1)).sent()


def test_req_has_no_lock_free_path() -> None:
    """Each call changes the state."""
    req = make_pattern(REQ)
    ScriptedPeer(req)
    assert (None, False) == (req.fast_target(), req.fast_recv)


# -- REP ---------------------------------------------------------------------------------------------------------------


def test_rep_strips_delimiter_and_puts_it_back() -> None:
    """A request straight from a REQ."""
    rep = make_pattern(REP)
    peer = ScriptedPeer(rep)
    peer.bring([b"", b"q"])
    assert b"q" == rep.try_recv()
    assert rep.try_send(b"r")
    assert [[b"", b"r"]] == peer.sent()


def test_rep_returns_whole_envelope() -> None:
    """Everything through the first empty part, also before several parts."""
    rep = make_pattern(REP)
    peer = ScriptedPeer(rep)
    for reply, expected in ((b"r", [b"r"]), ([b"r", b"s"], [b"r", b"s"])):
        peer.bring([b"hop2", b"hop1", b"", b"body", b"", b"more"])
        assert [b"body", b"", b"more"] == rep.try_recv()
        rep.try_send(reply)
        assert [[b"hop2", b"hop1", b"", *expected]] == peer.sent()


@pytest.mark.parametrize("malformed", [b"", b"bare", [b"no", b"delimiter"], [b"last", b""]])
def test_rep_discards_malformed_request(malformed: object) -> None:
    """A request needs a delimiter with something after it."""
    rep = make_pattern(REP)
    ScriptedPeer(rep).bring(malformed, [b"", b"right"])
    assert b"right" == rep.try_recv()
    assert 1 == rep.discarded


def test_rep_out_of_turn_gives_efsm() -> None:
    """Recv and send alternate."""
    rep = make_pattern(REP)
    peer = ScriptedPeer(rep)
    for call in (rep.check_send, lambda: rep.try_send(b"x")):
        with pytest.raises(ZMQError, match="receive one") as caught:
            call()
        assert EFSM == caught.value.errno
    peer.bring([b"", b"q"], [b"", b"q2"])
    rep.try_recv()
    for call in (rep.check_recv, rep.try_recv):
        with pytest.raises(ZMQError, match="send it") as caught:
            call()
        assert EFSM == caught.value.errno


def test_rep_readiness_follows_state() -> None:
    """POLLIN for a request, POLLOUT for its reply."""
    rep = make_pattern(REP)
    peers = [ScriptedPeer(rep) for _ in range(3)]
    assert (False, False) == (rep.can_recv(), rep.can_send())
    peers[1].bring([b"", b"q"])
    assert [(True, False)] * 3 == [(rep.can_recv(), rep.can_send()) for _ in range(3)]
    assert b"q" == rep.try_recv()
    assert (False, True) == (rep.can_recv(), rep.can_send())
    rep.try_send(b"r")
    assert [[b"", b"r"]] == peers[1].sent()
    assert (False, False) == (rep.can_recv(), rep.can_send())


def test_rep_serves_peers_in_turn() -> None:
    """Fair queue over requests, looking between them or not."""
    rep = make_pattern(REP)
    peers = [ScriptedPeer(rep) for _ in range(3)]
    for peer, name in zip(peers, b"abc", strict=True):
        peer.bring([b"", bytes([name])], [b"", bytes([name])])
    received = []
    for _ in range(6):
        assert rep.can_recv()
        received.append(rep.try_recv())
        rep.try_send(b"ok")
    assert [b"a", b"b", b"c"] * 2 == received
    assert [2, 2, 2] == [len(peer.sent()) for peer in peers]


def test_rep_drops_and_counts_reply_to_peer_that_left() -> None:
    """The next request is served."""
    rep = make_pattern(REP)
    peer, other = ScriptedPeer(rep), ScriptedPeer(rep)
    peer.bring([b"", b"q"])
    rep.try_recv()
    peer.leave()
    assert rep.try_send(b"r")
    assert (1, []) == (peer.pipe.dropped, peer.sent())
    other.bring([b"", b"q2"])
    assert b"q2" == rep.try_recv()


def test_rep_drops_and_counts_reply_to_full_peer() -> None:
    """REP never blocks."""
    rep = make_pattern(REP)
    peer = ScriptedPeer(rep, hwm=1)
    for _ in range(2):
        peer.bring([b"", b"q"])
        rep.try_recv()
        assert rep.try_send(b"r")
    assert (1, 1) == (len(peer.sent()), peer.pipe.dropped)


def test_rep_takes_message_of_buffers() -> None:
    """Over inproc a message that was sent without copying arrives as it was sent."""
    rep = make_pattern(REP)
    peer = ScriptedPeer(rep)
    peer.bring(OwnedList([b"", memoryview(b"q")]))  # type: ignore[list-item]
    assert [b"q"] == texts_once(rep)
    rep.try_send(OwnedList([b"r"]))
    assert [[b"", b"r"]] == peer.sent()


def texts_once(rep: object) -> list[object]:
    return [rep.try_recv()]  # type: ignore[attr-defined]


def test_rep_request_of_peer_that_left_is_still_readable() -> None:
    """What arrived stays."""
    rep = make_pattern(REP)
    peer = ScriptedPeer(rep)
    peer.bring([b"", b"q"])
    peer.leave()
    assert b"q" == rep.try_recv()
    assert rep.try_send(b"r")
    assert 1 == peer.pipe.dropped
    assert [] == texts(rep)


def test_req_request_given_up_makes_room_for_the_next() -> None:
    """It tells where the request went; the late reply answers nothing, the next request its own."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    req.try_send(b"q")
    assert peer.pipe is req.give_up()
    assert not req.waiting
    peer.bring([b"", b"late"])
    assert not req.can_recv()
    assert req.try_send(b"next")
    assert req.try_recv() is None
    peer.bring([b"", b"reply"])
    assert b"reply" == req.try_recv()
    assert 1 == req.discarded


def test_req_tells_of_a_lost_connection() -> None:
    """Lost on either side, until the next request; a loss of another peer's connection is none."""
    req = make_pattern(REQ)
    first, second = ScriptedPeer(req, connects=True), ScriptedPeer(req)
    req.try_send(b"q")
    second.leave()
    assert not req.is_lost
    req.hiccup(first.pipe)
    assert req.is_lost
    assert first.pipe is req.give_up()
    assert not req.is_lost
    req.try_send(b"q")
    first.leave()
    assert req.is_lost
    assert req.give_up() is None


def test_req_that_must_correlate_puts_ids_before_requests() -> None:
    """As with REQ_CORRELATE; a reply without the id is an old one."""
    req = make_pattern(REQ)
    peer = ScriptedPeer(req)
    req.try_send(b"q")
    req.give_up()
    req.must_correlate = True
    req.try_send(b"next")
    _, (number, delimiter, body) = peer.sent()
    assert (4, b"", b"next") == (len(number), delimiter, body)
    peer.bring([b"", b"late"], [number, b"", b"reply"])
    assert b"reply" == req.try_recv()
