from __future__ import annotations

from typing import Any

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import EINVAL, INVERT_MATCHING, PUB, SNDHWM, SUB, SUBSCRIBE, UNSUBSCRIBE, XPUB, XPUB_NODROP, XSUB
from purezmq.error import ZMQError


def set_option(pattern: Any, number: int, name: str, value: Any) -> None:
    setattr(pattern.options, name, value)
    assert pattern.option_changed(number, value)


# -- PUB ---------------------------------------------------------------------------------------------------------------


def test_pub_always_sends() -> None:
    """With nobody there, too."""
    pub = make_pattern(PUB)
    assert pub.can_send()
    assert pub.try_send(b"x")


def test_pub_discards_upstream_messages() -> None:
    """Those of an XSUB; nothing piles up."""
    pub = make_pattern(PUB)
    wire, direct = ScriptedPeer(pub), ScriptedPeer(pub, direct=True)
    wire.bring(b"user")
    direct.bring(b"user")
    assert not pub.can_recv()
    assert (0, 0) == (len(wire.pipe.inbound), len(direct.pipe.inbound))


def test_pub_sends_welcome_message() -> None:
    """PUB is an XPUB in libzmq."""
    pub = make_pattern(PUB, xpub_welcome_msg=b"hi")
    assert [b"hi"] == ScriptedPeer(pub).sent()


def test_pub_nodrop_would_block_for_full_matching_subscriber() -> None:
    """A message that nobody full wants passes; the text says why."""
    pub = make_pattern(PUB, xpub_nodrop=1)
    peer = ScriptedPeer(pub, direct=True, hwm=1)
    peer.subscribe(b"a")
    assert [True, False, True] == [pub.try_send(message) for message in (b"a", b"a", b"b")]
    assert "XPUB_NODROP" in pub.why_blocked()
    assert ([b"a"], 0) == (peer.sent(), peer.pipe.dropped)
    assert pub.try_send(b"a")


def test_pub_nodrop_on_shared_queue_looks_at_each_member() -> None:
    """One full member blocks all."""
    pub = make_pattern(PUB)
    peers = [ScriptedPeer(pub, hwm=mark) for mark in (1, 5)]
    for peer in peers:
        peer.subscribe(b"")
    assert pub.fast_target() is not None
    set_option(pub, XPUB_NODROP, "xpub_nodrop", 1)
    assert pub.fast_target() is None
    assert pub.try_send(b"1")
    assert not pub.try_send(b"2")
    assert [[b"1"], [b"1"]] == [peer.sent() for peer in peers]


def test_pub_invert_matching_sends_to_all_others() -> None:
    """Peers without any subscription among them."""
    pub = make_pattern(PUB)
    a, b, idle, direct = (ScriptedPeer(pub, direct=kind) for kind in (False, False, False, True))
    a.subscribe(b"a")
    b.subscribe(b"b")
    set_option(pub, INVERT_MATCHING, "invert_matching", 1)
    pub.try_send(b"a1")
    assert [[], [b"a1"], [b"a1"], [b"a1"]] == [peer.sent() for peer in (a, b, idle, direct)]


def test_pub_new_mark_changes_room() -> None:
    """SNDHWM is live."""
    pub = make_pattern(PUB)
    peer = ScriptedPeer(pub, hwm=5)
    peer.subscribe(b"")
    peer.pipe.send_limit = 8
    set_option(pub, SNDHWM, "sndhwm", 8)
    assert 8 == pub.fast_target().write_room()
    assert not pub.option_changed(-1, 0)


def test_pub_keeps_subscriptions_over_hiccup() -> None:
    """A connecting PUB keeps what its peer wanted and what is queued (A.2)."""
    pub = make_pattern(PUB)
    peer = ScriptedPeer(pub, connects=True)
    peer.connected()
    peer.subscribe(b"x")
    pub.hiccup(peer.pipe)
    pub.try_send(b"x")
    peer.connected()
    assert [b"x"] == peer.sent()


# -- XPUB --------------------------------------------------------------------------------------------------------------


def test_xpub_shows_first_and_last_subscription_of_a_topic() -> None:
    """Repetitions by the same or another peer don't surface."""
    xpub = make_pattern(XPUB)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    a.subscribe(b"x", b"x")
    b.subscribe(b"x", b"")
    a.cancel(b"x")
    b.cancel(b"x", b"never")
    assert [b"\1x", b"\1", b"\0x"] == texts(xpub)


def test_xpub_verbose_shows_every_subscription() -> None:
    """But the last cancellation only."""
    xpub = make_pattern(XPUB, xpub_verbose=1)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    a.subscribe(b"x", b"x")
    b.subscribe(b"x")
    a.cancel(b"x")
    b.cancel(b"x")
    assert [b"\1x"] * 3 + [b"\0x"] == texts(xpub)


def test_xpub_verboser_shows_everything() -> None:
    """Cancellations and ends, too."""
    xpub = make_pattern(XPUB, xpub_verboser=1)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    a.subscribe(b"x")
    b.subscribe(b"x")
    a.cancel(b"x")
    b.leave()
    a.subscribe(b"x")
    c = ScriptedPeer(xpub)
    c.subscribe(b"x")
    c.leave()
    assert [b"\1x", b"\1x", b"\0x", b"\0x", b"\1x", b"\1x", b"\0x"] == texts(xpub)


def test_xpub_end_of_peer_cancels_what_nobody_else_wants() -> None:
    """Synthesised for each such topic."""
    xpub = make_pattern(XPUB)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    a.subscribe(b"x", b"y")
    b.subscribe(b"y")
    texts(xpub)
    a.leave()
    assert [b"\0x"] == texts(xpub)
    b.leave()
    assert [b"\0y"] == texts(xpub)


def test_xpub_gives_user_messages_in_order_with_subscriptions() -> None:
    """A subscription doesn't overtake what its peer said before."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    peer.bring(b"first", [b"sec", b"ond"])
    peer.subscribe(b"x")
    peer.bring(b"third")
    assert xpub.can_recv()
    assert [b"first", [b"sec", b"ond"], b"\1x", b"third"] == texts(xpub)
    assert peer.pipe is xpub.last_pipe


def test_xpub_leaves_unread_messages_where_they_count() -> None:
    """In the pipe, whatever subscriptions come behind them; only what is received next may be taken ahead."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    for topic in (b"a", b"b"):
        peer.bring(b"1", b"2", b"3")
        peer.subscribe(topic)
    peer.bring(b"4")
    assert 7 == len(peer.pipe.inbound)
    assert b"1" == xpub.try_recv()
    peer.leave()
    assert xpub.can_recv()
    assert 5 == len(peer.pipe.inbound)
    assert [b"2"] == xpub.news.messages()
    got = texts(xpub)
    assert [b"2", b"3", b"\1a", b"1", b"2", b"3", b"\1b", b"4"] == got[:-2]
    assert {b"\0a", b"\0b"} == set(got[-2:])


def test_xpub_tells_subscriptions_of_several_peers_in_one_order() -> None:
    """Else a topic would be told as cancelled that another peer wants."""
    xpub = make_pattern(XPUB)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    a.subscribe(b"x")
    assert [b"\1x"] == texts(xpub)
    for number in (b"1", b"2"):
        a.bring(b"a" + number)
    a.cancel(b"x")
    b.bring(b"b1")
    b.subscribe(b"x")
    b.bring(b"b2")
    a.bring(b"a3")
    a.subscribe(b"y")
    assert [b"a1", b"a2", b"\0x", b"b1", b"\1x", b"a3", b"\1y", b"b2"] == texts(xpub)


@pytest.mark.parametrize("left", [0, 1])
def test_xpub_subscription_does_not_wait_for_messages_that_were_dropped(left: int) -> None:
    """It is told when what there is of them was received."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    peer.bring(b"1", b"2", b"3")
    peer.subscribe(b"x")
    while len(peer.pipe.inbound) > left:
        peer.pipe.inbound.popleft()
    assert [*[b"3"][:left], b"\1x"] == texts(xpub)
    peer.bring(b"4")
    peer.cancel(b"x")
    assert [b"4", b"\0x"] == texts(xpub)


def test_xpub_subscription_behind_messages_on_disk() -> None:
    """It comes after those that have to be brought back, if they are here by then."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    on_disk = [b"2", b"3"]

    def handle_drained(pipe: Any) -> None:
        pipe.inbound.extend(on_disk)
        pipe.receive_swap = None
        on_disk.clear()

    peer.carrier.handle_drained = handle_drained  # type: ignore[method-assign]
    peer.bring(b"1")
    peer.pipe.receive_swap = on_disk
    peer.subscribe(b"x")
    assert [b"1", b"2", b"3", b"\1x"] == texts(xpub)


def test_xpub_subscription_that_a_look_at_an_empty_pipe_brings() -> None:
    """Reading on brings messages and a subscription behind them: the first message isn't overtaken."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)

    def handle_drained(pipe: Any) -> None:
        if not xpub.topics_count:
            peer.bring(b"2", b"3")
            peer.subscribe(b"x")
            peer.bring(b"4")

    peer.bring(b"1")
    peer.carrier.handle_drained = handle_drained  # type: ignore[method-assign]
    assert [b"1", b"2", b"3", b"\1x", b"4"] == texts(xpub)


def test_xpub_parts_that_subscribe_are_told_in_their_place() -> None:
    """Where their message was, although something waits behind it."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    peer.bring([b"\1a", b"one", b"\1b"], [b"\1c", b"\1d"], b"two")
    peer.subscribe(b"x")
    assert [b"\1a", b"\1b", b"one", b"\1c", b"\1d", b"two", b"\1x"] == texts(xpub)


def test_xpub_pending_subscription_is_visible_in_inbox() -> None:
    """Whoever waits for a message looks at `inbox.ready`."""
    xpub = make_pattern(XPUB)
    ScriptedPeer(xpub).subscribe(b"x")
    assert xpub.inbox.ready


def test_xpub_reads_subscriptions_in_parts_of_user_messages() -> None:
    """Unless ONLY_FIRST_SUBSCRIBE."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    peer.bring([b"user", b"\1x"])
    assert [b"\1x", b"user"] == texts(xpub)
    xpub.options.only_first_subscribe = 1
    peer.bring([b"user", b"\1y"])
    assert [[b"user", b"\1y"]] == texts(xpub)
    assert 1 == xpub.topics_count


def test_xpub_unread_messages_of_ended_peer_stay() -> None:
    """Before its cancellations."""
    xpub = make_pattern(XPUB)
    peer = ScriptedPeer(xpub)
    peer.subscribe(b"x")
    peer.bring(b"user")
    peer.leave()
    assert [b"\1x", b"user", b"\0x"] == texts(xpub)


def test_xpub_manual_leaves_subscriptions_to_the_application() -> None:
    """SUBSCRIBE acts on the peer of the message received last."""
    xpub = make_pattern(XPUB, xpub_manual=1)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    a.subscribe(b"A")
    b.subscribe(b"B", b"B")
    assert b"\1A" == xpub.try_recv()
    xpub.option_changed(SUBSCRIBE, b"XA")
    assert [b"\1B", b"\1B"] == [xpub.try_recv(), xpub.try_recv()]
    xpub.option_changed(SUBSCRIBE, b"XB")
    for message in (b"A", b"XA", b"XB"):
        xpub.try_send(message)
    assert ([b"XA"], [b"XB"]) == (a.sent(), b.sent())
    xpub.option_changed(UNSUBSCRIBE, b"XB")
    xpub.try_send(b"XB")
    assert [] == b.sent()
    a.cancel(b"A")
    assert [b"\0A"] == texts(xpub)
    xpub.option_changed(UNSUBSCRIBE, b"XA")
    assert 0 == xpub.topics_count


def test_xpub_manual_end_of_peer_cancels_what_it_asked_for() -> None:
    """Not what the application made of it; SUBSCRIBE has nobody to act on afterwards."""
    xpub = make_pattern(XPUB, xpub_manual=1)
    a = ScriptedPeer(xpub)
    a.subscribe(b"A", b"B")
    texts(xpub)
    xpub.option_changed(SUBSCRIBE, b"X")
    a.cancel(b"B")
    texts(xpub)
    a.leave()
    assert [b"\0A"] == texts(xpub)
    xpub.option_changed(SUBSCRIBE, b"Y")
    assert 0 == xpub.topics_count


def test_xpub_subscribe_without_manual_gives_einval() -> None:
    """The text names the option."""
    with pytest.raises(ZMQError, match="XPUB_MANUAL") as caught:
        make_pattern(XPUB).option_changed(SUBSCRIBE, b"x")
    assert EINVAL == caught.value.errno


def test_xpub_manual_last_value_sends_next_message_to_new_subscriber_only() -> None:
    """A last value cache answers the newcomer."""
    xpub = make_pattern(XPUB, xpub_manual=1, xpub_manual_last_value=1)
    a, b = ScriptedPeer(xpub), ScriptedPeer(xpub)
    for peer in (a, b):
        peer.subscribe(b"x")
        texts(xpub)
        xpub.option_changed(SUBSCRIBE, b"x")
        xpub.try_send(b"x for one")
    xpub.try_send(b"x for all")
    assert [[b"x for one", b"x for all"]] * 2 == [a.sent(), b.sent()]


def test_xpub_welcome_message_comes_first() -> None:
    """Before anything that is published."""
    xpub = make_pattern(XPUB, xpub_welcome_msg=b"hi")
    peer = ScriptedPeer(xpub)
    peer.subscribe(b"")
    xpub.try_send(b"x")
    assert [b"hi", b"x"] == peer.sent()


# -- SUB ---------------------------------------------------------------------------------------------------------------


def test_sub_subscribes_at_every_connection() -> None:
    """A peer that is new or back is told everything; one that is there hears of changes."""
    sub = make_pattern(SUB)
    sub.option_changed(SUBSCRIBE, b"a")
    peer = ScriptedPeer(sub, connects=True)
    sub.option_changed(SUBSCRIBE, b"b")
    peer.carrier.subscriptions.clear()
    peer.connected()
    assert [(b"a", True), (b"b", True)] == peer.carrier.subscriptions
    sub.option_changed(UNSUBSCRIBE, b"a")
    assert (b"a", False) == peer.carrier.subscriptions[-1]
    peer.carrier.subscriptions.clear()
    sub.hiccup(peer.pipe)
    peer.connected()
    assert [(b"b", True)] == peer.carrier.subscriptions


def test_sub_counts_subscriptions() -> None:
    """Repetitions go upstream, only the last cancellation does."""
    sub = make_pattern(SUB)
    peer = ScriptedPeer(sub)
    for number in (SUBSCRIBE, SUBSCRIBE, UNSUBSCRIBE, UNSUBSCRIBE, UNSUBSCRIBE):
        sub.option_changed(number, b"x")
    assert [(b"x", True), (b"x", True), (b"x", False)] == peer.carrier.subscriptions
    assert 0 == sub.topics_count


def test_sub_filters_what_arrives() -> None:
    """By the first part."""
    sub = make_pattern(SUB)
    peer = ScriptedPeer(sub)
    peer.bring(b"before")
    assert not sub.can_recv()
    sub.option_changed(SUBSCRIBE, b"a")
    peer.bring(b"a1", b"b", [b"a2", b"x"], [b"x", b"a"])
    assert [b"a1", [b"a2", b"x"]] == texts(sub)


def test_sub_invert_matching_filters_the_other_way() -> None:
    """Everything but."""
    sub = make_pattern(SUB, invert_matching=1)
    sub.option_changed(SUBSCRIBE, b"a")
    ScriptedPeer(sub).bring(b"a", b"b")
    assert [b"b"] == texts(sub)


@pytest.mark.parametrize("subscribe_first", [True, False])
def test_sub_to_everything_reads_one_pipe_without_detour(subscribe_first: bool) -> None:
    """The short cut of the fair queue, whatever comes first."""
    sub = make_pattern(SUB)
    if subscribe_first:
        sub.option_changed(SUBSCRIBE, b"")
    peer = ScriptedPeer(sub)
    if not subscribe_first:
        sub.option_changed(SUBSCRIBE, b"")
    assert sub.inbox.ready is peer.pipe.inbound
    peer.bring(b"x")
    assert [b"x"] == texts(sub)


def test_sub_filter_that_becomes_necessary_applies_to_unread_messages() -> None:
    """UNSUBSCRIBE ends the short cut and drops what is not wanted any more."""
    sub = make_pattern(SUB)
    peer = ScriptedPeer(sub)
    sub.option_changed(SUBSCRIBE, b"a")
    sub.option_changed(SUBSCRIBE, b"")
    peer.bring(b"a", b"b")
    sub.option_changed(UNSUBSCRIBE, b"")
    assert [b"a"] == texts(sub)


def test_sub_drops_merged_messages_that_are_not_wanted_any_more() -> None:
    """Those that a poll has looked at already."""
    sub = make_pattern(SUB)
    peers = [ScriptedPeer(sub) for _ in range(2)]
    for topic in (b"a", b"b"):
        sub.option_changed(SUBSCRIBE, topic)
    for peer in peers:
        peer.bring(b"a", b"b")
    assert sub.can_recv()
    sub.option_changed(UNSUBSCRIBE, b"a")
    assert [b"b", b"b"] == texts(sub)


def test_sub_invert_matching_set_later_takes_effect() -> None:
    """Also on the short cut."""
    sub = make_pattern(SUB)
    peer = ScriptedPeer(sub)
    sub.option_changed(SUBSCRIBE, b"")
    set_option(sub, INVERT_MATCHING, "invert_matching", 1)
    peer.bring(b"x")
    assert [] == texts(sub)
    assert not sub.option_changed(-1, 0)


# -- XSUB --------------------------------------------------------------------------------------------------------------


def test_xsub_subscribes_by_messages() -> None:
    """01 and 00 become subscriptions of every peer, and are not sent as messages."""
    xsub = make_pattern(XSUB)
    peers = [ScriptedPeer(xsub) for _ in range(2)]
    for message in (b"\1a", b"\1a", b"\0a", b"\0a", b"\0unknown"):
        assert xsub.try_send(message)
    for peer in peers:
        assert [(b"a", True), (b"a", True), (b"a", False)] == peer.carrier.subscriptions
        assert [] == peer.sent()


def test_xsub_verbose_unsubscribe_passes_every_cancellation() -> None:
    """XSUB_VERBOSE_UNSUBSCRIBE."""
    xsub = make_pattern(XSUB, xsub_verbose_unsubscribe=1)
    peer = ScriptedPeer(xsub)
    for message in (b"\1a", b"\1a", b"\0a", b"\0a"):
        xsub.try_send(message)
    assert 2 == peer.carrier.subscriptions.count((b"a", False))


def test_xsub_sends_user_messages_to_all_peers_with_room() -> None:
    """Who is full loses it, counted."""
    xsub = make_pattern(XSUB)
    a, b = ScriptedPeer(xsub), ScriptedPeer(xsub, hwm=1)
    for message in (b"user", [b"x", b"y"]):
        assert xsub.try_send(message)
    assert ([b"user", [b"x", b"y"]], [b"user"], 1) == (a.sent(), b.sent(), b.pipe.dropped)
    assert xsub.can_send()


def test_xsub_does_not_filter() -> None:
    """What the peers let through arrives."""
    xsub = make_pattern(XSUB)
    ScriptedPeer(xsub).bring(b"anything")
    assert [b"anything"] == texts(xsub)


def test_xsub_only_first_subscribe_leaves_later_parts_alone() -> None:
    """They are the user's."""
    xsub = make_pattern(XSUB, only_first_subscribe=1)
    peer = ScriptedPeer(xsub)
    xsub.try_send([b"user", b"\1a"])
    assert ([[b"user", b"\1a"]], []) == (peer.sent(), peer.carrier.subscriptions)


def test_xsub_resubscribes_when_peer_is_back() -> None:
    """Each topic once."""
    xsub = make_pattern(XSUB)
    for message in (b"\1a", b"\1a", b"\1b"):
        xsub.try_send(message)
    peer = ScriptedPeer(xsub, connects=True)
    assert [] == peer.carrier.subscriptions
    peer.connected()
    assert [(b"a", True), (b"b", True)] == peer.carrier.subscriptions


def test_xsub_subscribe_option_gives_einval() -> None:
    """The text tells the other way."""
    with pytest.raises(ZMQError, match="by sending") as caught:
        make_pattern(XSUB).option_changed(SUBSCRIBE, b"x")
    assert EINVAL == caught.value.errno
