from __future__ import annotations

from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import PAIR


def test_pair_sends_and_receives_over_its_pipe() -> None:
    """One peer, both directions."""
    pair = make_pattern(PAIR)
    peer = ScriptedPeer(pair)
    peer.bring(b"in")
    assert pair.try_send(b"out")
    assert [b"out"] == peer.sent()
    assert [b"in"] == texts(pair)
    assert pair.fast_target() is peer.pipe


def test_pair_without_peer_would_block() -> None:
    """There is nobody to queue for."""
    pair = make_pattern(PAIR)
    assert not pair.try_send(b"x")
    assert not pair.can_send()
    assert "no peer is connected" == pair.why_blocked()
    assert pair.fast_target() is None


def test_pair_with_full_peer_would_block_and_says_why() -> None:
    """The high-water mark holds."""
    pair = make_pattern(PAIR)
    ScriptedPeer(pair, hwm=1)
    assert pair.try_send(b"1")
    assert not pair.try_send(b"2")
    assert "full" in pair.why_blocked()


def test_pair_refuses_second_peer_visibly() -> None:
    """The later peer's pipe is ended, the first goes on."""
    pair = make_pattern(PAIR)
    first, second = ScriptedPeer(pair), ScriptedPeer(pair)
    assert (False, True) == (first.is_refused, second.is_refused)
    second.bring(b"not for us")
    first.bring(b"for us")
    assert [b"for us"] == texts(pair)
    assert first.pipe is pair.pipe


def test_pair_takes_next_peer_after_first_left() -> None:
    """The exclusive pair can be taken over."""
    pair = make_pattern(PAIR)
    changes: list[object] = []
    pair.handle_changed = lambda: changes.append(pair.fast_target())
    first = ScriptedPeer(pair)
    first.leave()
    second = ScriptedPeer(pair)
    assert not second.is_refused
    assert pair.try_send(b"x")
    assert [b"x"] == second.sent()
    assert [first.pipe, None, second.pipe] == changes


def test_pair_reads_unread_messages_of_former_peer_first() -> None:
    """What the first peer brought comes before everything of the second."""
    pair = make_pattern(PAIR)
    first = ScriptedPeer(pair)
    first.bring(b"1", b"2")
    first.leave()
    second = ScriptedPeer(pair, is_open=False)
    second.pipe.inbound.extend([b"3", b"4"])
    second.attach()
    assert [b"1", b"2", b"3", b"4"] == texts(pair)


def test_pair_reads_in_order_through_three_peers() -> None:
    """Also when the former peer was not read by the short cut."""
    pair = make_pattern(PAIR)
    expected = []
    for number in range(3):
        peer = ScriptedPeer(pair)
        peer.bring(b"%da" % number, b"%db" % number)
        peer.leave()
        expected += [b"%da" % number, b"%db" % number]
    ScriptedPeer(pair).bring(b"last")
    assert [*expected, b"last"] == texts(pair)


def test_pair_unread_messages_stay_readable_without_successor() -> None:
    """A peer that left did not take its messages along."""
    pair = make_pattern(PAIR)
    peer = ScriptedPeer(pair)
    peer.bring(b"1")
    peer.leave()
    assert pair.can_recv()
    assert [b"1"] == texts(pair)


def test_pair_ignores_end_of_foreign_pipe() -> None:
    """The end of a refused peer changes nothing."""
    pair = make_pattern(PAIR)
    first, second = ScriptedPeer(pair), ScriptedPeer(pair)
    pair.detach(second.pipe)
    assert pair.pipe is first.pipe
