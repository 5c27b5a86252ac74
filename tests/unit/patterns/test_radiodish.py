from __future__ import annotations

from typing import Any

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import DISH, EINVAL, ENOTSUP, RADIO, SNDHWM
from purezmq.error import ZMQError
from purezmq.wire.error import RemoteProtocolError


def dish_of(*groups: bytes) -> Any:
    """A DISH that joined groups."""
    dish = make_pattern(DISH)
    for group in groups:
        dish.join(group)
    return dish


@pytest.mark.parametrize("direct", [False, True], ids=["wire", "inproc"])
def test_radio_sends_to_members_of_exactly_the_group(direct: bool) -> None:
    """No prefixes, and nothing to those who left."""
    radio = make_pattern(RADIO)
    a, b = ScriptedPeer(radio, direct=direct), ScriptedPeer(radio, direct=direct)
    a.subscribe(b"g", b"")
    b.subscribe(b"group")
    for group in (b"g", b"group", b"gr", b""):
        assert radio.try_send([group, b"body"])
    assert [[b"g", b"body"], [b"", b"body"]] == a.sent()
    assert [[b"group", b"body"]] == b.sent()
    a.cancel(b"g")
    assert radio.try_send([b"g", b"body"])
    assert [] == a.sent()


def test_radio_keeps_no_lock_free_path() -> None:
    """Not even for the group without a name, which as a topic would match everything."""
    radio = make_pattern(RADIO)
    ScriptedPeer(radio).subscribe(b"")
    assert radio.fast_target() is None


def test_radio_takes_message_without_group() -> None:
    """A proxy passes on what never had one: the group without a name."""
    radio = make_pattern(RADIO)
    peer = ScriptedPeer(radio)
    peer.subscribe(b"")
    assert radio.try_send(b"body")
    assert [[b"", b"body"]] == peer.sent()


def test_radio_drops_for_full_member_and_waits_with_nodrop() -> None:
    """XPUB_NODROP makes the high-water mark of one hold up all."""
    radio = make_pattern(RADIO, xpub_nodrop=1)
    full, free = ScriptedPeer(radio, hwm=1, direct=True), ScriptedPeer(radio, hwm=9, direct=True)
    for peer in (full, free):
        peer.subscribe(b"g")
    assert radio.try_send([b"g", b"1"])
    assert not radio.try_send([b"g", b"2"])
    assert "XPUB_NODROP" in radio.why_blocked()
    radio.options.xpub_nodrop = 0
    assert radio.can_send()
    assert radio.try_send([b"g", b"2"])
    assert ([[b"g", b"1"]], 1) == (full.sent(), full.pipe.dropped)
    assert [[b"g", b"1"], [b"g", b"2"]] == free.sent()


def test_radio_sends_everything_to_datagrams() -> None:
    """Nobody joins there; who is full misses it."""
    radio = make_pattern(RADIO)
    peer = ScriptedPeer(radio, hwm=1, is_open=False)
    checked: list[Any] = []
    carrier: Any = peer.carrier
    carrier.takes_every_group, carrier.check_message = True, checked.append
    peer.attach()
    assert [True, True] == [radio.try_send([b"g", b"1"]), radio.try_send([b"h", b"2"])]
    assert [[b"g", b"1"], [b"h", b"2"]] == checked
    radio.options.xpub_nodrop = 1
    assert not radio.try_send([b"g", b"2"])
    assert ([[b"g", b"1"]], 1) == (peer.sent(), peer.pipe.dropped)
    peer.leave()
    assert radio.try_send([b"g", b"3"])
    assert [] == peer.sent()


@pytest.mark.parametrize("direct", [False, True], ids=["wire", "inproc"])
def test_radio_never_receives(direct: bool) -> None:
    """ENOTSUP, and what peers send is forgotten."""
    radio = make_pattern(RADIO)
    peer = ScriptedPeer(radio, direct=direct)
    peer.bring(b"x", [b"g", b"x"])
    assert (False, None, 0) == (radio.can_recv(), radio.try_recv(), len(peer.pipe.inbound))
    with pytest.raises(ZMQError) as caught:
        radio.check_recv()
    assert ENOTSUP == caught.value.errno
    peer.leave()


def test_radio_acts_on_its_mark_only() -> None:
    """The shared queues look at the marks again."""
    radio = make_pattern(RADIO)
    assert (True, False) == (radio.option_changed(SNDHWM, 5), radio.option_changed(SNDHWM + 1, 5))


def test_dish_filters_by_group() -> None:
    """A group that was left, or never joined, does not arrive."""
    dish = dish_of(b"a", b"b")
    peer = ScriptedPeer(dish)
    peer.bring([b"a", b"1"], [b"c", b"2"], [b"b", b"3"], [b"ab", b"4"])
    assert [[b"a", b"1"], [b"b", b"3"]] == texts(dish)


def test_dish_forgets_waiting_messages_of_group_that_it_leaves() -> None:
    """Merged or not."""
    dish = dish_of(b"a", b"b")
    peer = ScriptedPeer(dish)
    peer.bring([b"a", b"1"], [b"b", b"2"])
    assert dish.can_recv()
    peer.bring([b"a", b"3"])
    dish.leave(b"a")
    assert [[b"b", b"2"]] == texts(dish)


@pytest.mark.parametrize("message", [b"x", [b"a", b"b", b"c"]], ids=["one-part", "three-parts"])
def test_dish_drops_what_no_radio_sent(message: Any) -> None:
    """Over inproc no wire has looked at it before; it's counted."""
    dish = dish_of(b"a")
    ScriptedPeer(dish).bring(message, [b"a", b"good"])
    assert [[b"a", b"good"]] == texts(dish)
    assert 1 == dish.dropped


def test_dish_tells_its_groups_to_each_connection() -> None:
    """At the handshake, at each later one, and when they change."""
    dish = dish_of(b"a")
    peer = ScriptedPeer(dish)
    dish.join(b"b")
    dish.leave(b"a")
    assert [(b"a", True), (b"b", True), (b"a", False)] == peer.carrier.subscriptions
    peer.connected()
    assert (b"b", True) == peer.carrier.subscriptions[-1]


def test_dish_refuses_to_join_twice_and_to_leave_unknown() -> None:
    """EINVAL."""
    dish = dish_of(b"a")
    for change, group in ((dish.join, b"a"), (dish.leave, b"b")):
        with pytest.raises(ZMQError) as caught:
            change(group)
        assert EINVAL == caught.value.errno


def test_radio_limits_the_groups_of_a_peer() -> None:
    """One that comes over a wire; those of our own process may join what they like."""
    radio = make_pattern(RADIO)
    radio.options.max_topics_per_peer = 2
    remote, local = ScriptedPeer(radio), ScriptedPeer(radio, direct=True)
    remote.subscribe(b"a", b"b", b"a")
    with pytest.raises(RemoteProtocolError, match="more than 2 topics"):
        remote.subscribe(b"c")
    remote.cancel(b"a")
    remote.subscribe(b"c")
    local.subscribe(b"a", b"b", b"c")
    assert 3 == radio.topics_count
