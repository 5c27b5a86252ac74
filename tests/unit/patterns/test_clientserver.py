from __future__ import annotations

from typing import Any

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import CLIENT, EHOSTUNREACH, PEER, SERVER
from purezmq.error import ZMQError

ADDRESSED = [SERVER, PEER]


def numbered(kind: int, first: int = 100) -> Any:
    """A pattern whose peers get the numbers from `first` on."""
    pattern = make_pattern(kind)
    pattern.seed_ids(first)
    return pattern


@pytest.mark.parametrize("kind", ADDRESSED)
def test_each_peer_has_number_of_its_own(kind: int) -> None:
    """What arrives carries the number of its peer, what is sent to the number goes there without it."""
    pattern = numbered(kind)
    first, second = ScriptedPeer(pattern), ScriptedPeer(pattern)
    second.bring(b"from 2")
    first.bring(b"from 1")
    assert [[101, b"from 2"], [100, b"from 1"]] == texts(pattern)
    assert pattern.try_send([101, b"to 2"])
    assert ([], [b"to 2"]) == (first.sent(), second.sent())


@pytest.mark.parametrize("kind", ADDRESSED)
def test_numbers_skip_zero_and_live_peers(kind: int) -> None:
    """A number is 1 to 2**32-1, and no live peer's."""
    pattern = numbered(kind, 2**32 - 1)
    ScriptedPeer(pattern)
    ScriptedPeer(pattern)
    assert [2**32 - 1, 1] == list(pattern.peers)
    pattern.seed_ids(2**32 - 1)
    ScriptedPeer(pattern)
    assert 2 == pattern.last_routing_id


@pytest.mark.parametrize("message", [[7, b"x"], [0, b"x"], b"x"], ids=["unknown", "zero", "none"])
@pytest.mark.parametrize("kind", ADDRESSED)
def test_message_for_nobody_is_unreachable(kind: int, message: Any) -> None:
    """EHOSTUNREACH for an unknown number and for none at all."""
    pattern = numbered(kind)
    ScriptedPeer(pattern)
    with pytest.raises(ZMQError) as caught:
        pattern.try_send(message)
    assert EHOSTUNREACH == caught.value.errno


@pytest.mark.parametrize("kind", ADDRESSED)
def test_number_ends_with_its_peer(kind: int) -> None:
    """What the peer brought keeps its number; sending to it fails."""
    pattern = numbered(kind)
    peer = ScriptedPeer(pattern)
    peer.bring(b"last words")
    peer.leave()
    assert [[100, b"last words"]] == texts(pattern)
    with pytest.raises(ZMQError):
        pattern.try_send([100, b"x"])


@pytest.mark.parametrize("kind", ADDRESSED)
def test_full_peer_blocks_and_keeps_message_whole(kind: int) -> None:
    """A send that has to wait is tried again with the same message."""
    pattern = numbered(kind)
    peer = ScriptedPeer(pattern, hwm=1)
    assert pattern.try_send([100, b"1"])
    message = [100, b"2"]
    assert not pattern.try_send(message)
    assert "full" in pattern.why_blocked()
    assert pattern.can_send()
    assert [b"1"] == peer.sent()
    assert pattern.try_send(message)
    assert [b"2"] == peer.sent()


@pytest.mark.parametrize("kind", ADDRESSED)
def test_multipart_is_dropped_and_counted(kind: int) -> None:
    """Over inproc no wire has looked at it before."""
    pattern = numbered(kind)
    ScriptedPeer(pattern).bring([b"a", b"b"], b"good")
    assert [[100, b"good"]] == texts(pattern)
    assert 1 == pattern.dropped


@pytest.mark.parametrize("kind", ADDRESSED)
def test_batch_of_proxy_drops_what_is_for_lost_peer(kind: int) -> None:
    """A peer that left must not end the proxy; the rest goes out, as far as there's room."""
    pattern = numbered(kind)
    peer = ScriptedPeer(pattern, hwm=1)
    assert 2 == pattern.try_send_many([[9, b"lost"], [100, b"1"], [100, b"2"]])
    assert ([b"1"], 1) == (peer.sent(), pattern.dropped)


def test_server_messages_of_application() -> None:
    """HELLO_MSG greets each peer, DISCONNECT_MSG comes with the number of the peer that left."""
    server = make_pattern(SERVER, hello_msg=b"hello", disconnect_msg=b"gone")
    server.seed_ids(5)
    peer = ScriptedPeer(server)
    assert [b"hello"] == peer.sent()
    peer.leave()
    assert [[5, b"gone"]] == texts(server)


def test_peer_tells_hiccup_under_the_number_that_stays() -> None:
    """HICCUP_MSG; then the same number serves the next connection."""
    pattern = make_pattern(PEER, hiccup_msg=b"lost", hello_msg=b"hello")
    pattern.seed_ids(5)
    peer = ScriptedPeer(pattern, connects=True)
    peer.connected()
    assert [b"hello"] == peer.sent()
    pattern.hiccup(peer.pipe)
    peer.connected()
    assert [[5, b"lost"]] == texts(pattern)
    assert pattern.try_send([5, b"x"])
    assert [b"hello", b"x"] == peer.sent()


def test_client_balances_and_tells_hiccup() -> None:
    """As DEALER, with single parts."""
    client = make_pattern(CLIENT, hello_msg=b"hello", hiccup_msg=b"lost")
    a, b = ScriptedPeer(client), ScriptedPeer(client)
    assert ([b"hello"], [b"hello"]) == (a.sent(), b.sent())
    assert [True, True] == [client.try_send(b"1"), client.try_send(b"2")]
    assert ([b"1"], [b"2"]) == (a.sent(), b.sent())
    client.hiccup(a.pipe)
    assert [b"lost"] == texts(client)
    b.leave()
    assert a.pipe is client.fast_target()
