from __future__ import annotations

from typing import Any

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import EHOSTUNREACH, ROUTER
from purezmq.error import ZMQError
from purezmq.pipe import Pipe


class OwnedList(list[bytes]):
    """Stands for the socket layer's tracked message."""


def test_router_prefixes_routing_id() -> None:
    """The peer's own id, before one part, several, or an empty probe."""
    router = make_pattern(ROUTER)
    ScriptedPeer(router, b"A").bring(b"x", [b"y", b"z"], b"")
    assert [[b"A", b"x"], [b"A", b"y", b"z"], [b"A", b""]] == texts(router)


def test_router_does_not_touch_received_list() -> None:
    """Over inproc it is another socket's."""
    router = make_pattern(ROUTER)
    message = [b"y", b"z"]
    ScriptedPeer(router, b"A").bring(message)
    texts(router)
    assert [b"y", b"z"] == message


def test_router_generates_ids_of_zero_and_u32_from_start() -> None:
    """Five bytes, the first is 0, and unique among live peers."""
    router = make_pattern(ROUTER)
    router.seed_ids(0xFFFFFFFE)
    ScriptedPeer(router, b"\0\xff\xff\xff\xff")
    peers = [ScriptedPeer(router) for _ in range(3)]
    assert [b"\0\xff\xff\xff\xfe", b"\0\0\0\0\0", b"\0\0\0\0\1"] == [peer.pipe.routing_id for peer in peers]


def test_router_sends_to_addressed_peer_only() -> None:
    """The id is not sent."""
    router = make_pattern(ROUTER)
    a, b = ScriptedPeer(router, b"A"), ScriptedPeer(router, b"B")
    assert router.try_send([b"B", b"x"])
    assert router.try_send([b"B", b"", b"y"])
    assert ([], [b"x", [b"", b"y"]]) == (a.sent(), b.sent())


def test_router_takes_any_buffer_as_routing_id() -> None:
    """A part that was sent without copying is a memoryview."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, b"A")
    assert router.try_send([memoryview(bytearray(b"A")), b"x"])
    assert [b"x"] == peer.sent()


def test_router_keeps_tracked_list_as_same_object() -> None:
    """Whoever holds the list holds its buffers."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, b"A")
    message = OwnedList([b"A", b"x"])
    router.try_send(message)
    sent = peer.sent()
    assert sent[0] is message
    assert [b"x"] == message


def test_router_drops_and_counts_for_unknown_peer() -> None:
    """Silently for the sender."""
    router = make_pattern(ROUTER)
    assert router.try_send([b"nobody", b"x"])
    assert router.try_send(b"single frame")
    assert 2 == router.dropped


def test_router_drops_and_counts_for_full_peer() -> None:
    """Without ROUTER_MANDATORY."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, b"A", hwm=1)
    assert [True] * 3 == [router.try_send([b"A", b"x"]) for _ in range(3)]
    assert (2, [b"x"]) == (peer.pipe.dropped, peer.sent())
    assert router.can_send()


def test_router_mandatory_tells_unknown_peer() -> None:
    """EHOSTUNREACH, also after it left."""
    router = make_pattern(ROUTER, router_mandatory=1)
    peer = ScriptedPeer(router, b"A")
    peer.leave()
    for routing_id in (b"A", b"nobody"):
        with pytest.raises(ZMQError, match="no peer with the routing id") as caught:
            router.try_send([routing_id, b"x"])
        assert EHOSTUNREACH == caught.value.errno


def test_router_mandatory_would_block_for_full_peer() -> None:
    """POLLOUT: any peer has room."""
    router = make_pattern(ROUTER, router_mandatory=1)
    assert not router.can_send()
    ScriptedPeer(router, b"A", hwm=1)
    message = [b"A", b"x"]
    assert router.try_send([b"A", b"x"])
    assert not router.try_send(message)
    assert [b"A", b"x"] == message
    assert not router.can_send()
    assert "full" in router.why_blocked()
    ScriptedPeer(router, b"B", hwm=1)
    assert router.can_send()


def test_router_refuses_later_peer_with_same_id() -> None:
    """The first owner keeps the id; nothing of the second is delivered."""
    router = make_pattern(ROUTER)
    first, second = ScriptedPeer(router, b"A"), ScriptedPeer(router, b"A")
    assert (False, True) == (first.is_refused, second.is_refused)
    second.bring(b"no")
    assert [] == texts(router)
    router.try_send([b"A", b"x"])
    assert [b"x"] == first.sent()


def test_router_handover_moves_id_to_later_peer() -> None:
    """The older pipe is ended; what it brought stays readable."""
    router = make_pattern(ROUTER, router_handover=1)
    first = ScriptedPeer(router, b"A")
    first.bring(b"old")
    second = ScriptedPeer(router, b"A")
    assert (True, False) == (first.is_refused, second.is_refused)
    second.bring(b"new")
    assert [[b"A", b"old"], [b"A", b"new"]] == texts(router)
    router.try_send([b"A", b"x"])
    assert ([], [b"x"]) == (first.sent(), second.sent())


def test_router_tells_the_refused_peer_why() -> None:
    """The later one without ROUTER_HANDOVER, the earlier one with it."""
    for handover, reason in ((0, "refused"), (1, "handover")):
        router = make_pattern(ROUTER, router_handover=handover)
        peers = [ScriptedPeer(router, b"A") for _ in range(2)]
        loser, winner = reversed(peers) if reason == "refused" else peers
        ((text, told),) = loser.carrier.refusals
        assert reason == told
        assert "routing id" in text
        assert [] == winner.carrier.refusals


def test_router_id_is_free_after_peer_left() -> None:
    """A peer that comes back has its id again; unread messages keep theirs."""
    router = make_pattern(ROUTER)
    first = ScriptedPeer(router, b"A")
    first.bring(b"1")
    first.leave()
    second = ScriptedPeer(router, b"A")
    assert not second.is_refused
    assert [[b"A", b"1"]] == texts(router)


def test_router_knows_connected_peer_at_handshake() -> None:
    """A pipe of connect() has no id before it."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, b"A", connects=True)
    router.try_send([b"A", b"lost"])
    peer.connected()
    router.try_send([b"A", b"x"])
    assert [b"x"] == peer.sent()


def test_router_generates_id_for_connected_peer_without_one() -> None:
    """Once: a reconnect doesn't change it."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, connects=True)
    peer.connected()
    routing_id = peer.pipe.routing_id
    assert 5 == len(routing_id)
    router.hiccup(peer.pipe)
    peer.connected()
    assert routing_id == peer.pipe.routing_id
    router.try_send([routing_id, b"x"])
    assert [b"x"] == peer.sent()
    peer.leave()
    assert {} == router.table.pipes


def test_router_connect_routing_id_addresses_before_handshake() -> None:
    """What is sent waits in the pipe, and the peer's own Identity doesn't matter."""
    router = make_pattern(ROUTER, router_mandatory=1)
    peer = ScriptedPeer(router, b"itself", connects=True, connect_routing_id=b"mine")
    router.try_send([b"mine", b"x"])
    peer.connected()
    assert [b"x"] == peer.sent()
    peer.bring(b"y")
    assert [[b"mine", b"y"]] == texts(router)


def test_router_refuses_connected_peer_with_taken_id() -> None:
    """At the handshake."""
    router = make_pattern(ROUTER)
    ScriptedPeer(router, b"A")
    later = ScriptedPeer(router, b"A", connects=True)
    later.connected()
    assert later.is_refused


def test_router_identifies_peer_by_first_message_at_latest() -> None:
    """Over inproc a message may be there before the other end says that it is connected."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, connects=True, direct=True)
    peer.bring(b"x")
    [[routing_id, body]] = texts(router)
    assert (5, b"x") == (len(routing_id), body)
    router.try_send([routing_id, b"y"])
    assert [b"y"] == peer.sent()


def test_router_probes_each_peer() -> None:
    """PROBE_ROUTER: an empty message first."""
    router = make_pattern(ROUTER, probe_router=1)
    assert [b""] == ScriptedPeer(router, b"A").sent()
    assert [b""] == ScriptedPeer(router, connects=True).sent()


def test_router_notify_tells_of_peers() -> None:
    """ROUTER_NOTIFY: an empty message when one comes and when one goes, after what it sent."""
    router = make_pattern(ROUTER, router_notify=3)
    peer = ScriptedPeer(router, b"A")
    peer.bring(b"x")
    peer.leave()
    assert [[b"A", b""], [b"A", b"x"], [b"A", b""]] == texts(router)


def test_router_raw_closes_peer_by_empty_part() -> None:
    """As STREAM."""
    router = make_pattern(ROUTER, router_raw=1)
    peer = ScriptedPeer(router)
    routing_id = peer.pipe.routing_id
    router.try_send([routing_id, b"data"])
    router.try_send([routing_id, b""])
    assert peer.is_refused
    assert [[routing_id, b""]] == texts(router)


def test_router_converts_message_of_buffers() -> None:
    """What arrives over inproc without copying is bytes for the application."""
    router = make_pattern(ROUTER)
    ScriptedPeer(router, b"A", direct=True).bring(
        OwnedList([memoryview(b"one")]),  # type: ignore[list-item]
        OwnedList([b"1", memoryview(b"2")]),  # type: ignore[list-item]
    )
    received = texts(router)
    assert [[b"A", b"one"], [b"A", b"1", b"2"]] == received
    assert {bytes} == {type(part) for message in received for part in message}


def test_router_receives_from_peers_in_turn() -> None:
    """Fair queue."""
    router = make_pattern(ROUTER)
    for name in (b"A", b"B"):
        ScriptedPeer(router, name).bring(b"1", b"2")
    assert [[b"A", b"1"], [b"B", b"1"], [b"A", b"2"], [b"B", b"2"]] == texts(router)


def test_router_tells_each_peer_of_a_batch_once_all_is_queued() -> None:
    """Whose messages come mixed; for an unknown peer, or of one part, they take the long way in between."""
    router = make_pattern(ROUTER)
    peers = [ScriptedPeer(router, name) for name in (b"A", b"B")]
    queued: list[int] = []
    for peer in peers:
        peer.carrier.handle_write = lambda told: queued.append(len(told.outbound))  # type: ignore[method-assign]
    batch = [[b"A", b"", b"1"], [b"B", b"", b"2"], [b"A", b"", b"3"], [b"C", b"", b"4"], [b"B", b"", b"5"], [b"A"]]
    assert len(batch) == router.try_send_many(batch)
    assert [2, 2] == queued
    assert [[[b"", b"1"], [b"", b"3"]], [[b"", b"2"], [b"", b"5"]]] == [peer.sent() for peer in peers]
    assert 2 == router.dropped


def test_router_drops_from_a_batch_what_its_peer_has_no_room_for() -> None:
    """As of single messages: the newest; the other peer's are not concerned."""
    router = make_pattern(ROUTER)
    small, large = ScriptedPeer(router, b"A", hwm=2), ScriptedPeer(router, b"B")
    assert 6 == router.try_send_many([[name, b"", b"%d" % number] for number in range(3) for name in (b"A", b"B")])
    assert (1, 1) == (small.pipe.dropped, small.carrier.flushes)
    assert ([[b"", b"0"], [b"", b"1"]], 3) == (small.sent(), len(large.sent()))


def test_router_tells_of_what_is_queued_when_a_batch_is_interrupted() -> None:
    """A fault in its midst must not leave messages that nobody sends."""
    router = make_pattern(ROUTER)
    peer = ScriptedPeer(router, b"A")
    with pytest.raises(TypeError):
        router.try_send_many([[b"A", b"", b"1"], [None, b"", b"2"]])
    assert (1, [[b"", b"1"]]) == (peer.carrier.writes, peer.sent())


def test_router_tells_the_other_peers_of_a_batch_when_one_is_interrupted() -> None:
    """What a signal handler raises as the first one's messages are written travels on."""
    router = make_pattern(ROUTER)
    peers = [ScriptedPeer(router, name) for name in (b"A", b"B", b"C")]
    told: list[Pipe] = []

    def handle_write(pipe: Pipe) -> None:
        told.append(pipe)
        if len(told) < 3:
            raise KeyboardInterrupt

    for peer in peers:
        peer.carrier.handle_write = handle_write  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        router.try_send_many([[name, b"", b"x"] for name in (b"A", b"B", b"C")])
    assert [peer.pipe for peer in peers] == told


@pytest.mark.parametrize("messages", [
    [[b"", b"1"], [b"", b"2"], [b"", b"3"]],
    [[b"", b"1"], b"2", [b"", b"3"]],
    [[b"", b"1"], OwnedList([b"", b"2"]), [b"", b"3"]],
])  # fmt: skip
@pytest.mark.parametrize("direct", [False, True])
def test_router_receives_a_batch_with_the_routing_id_before_each_message(messages: list[Any], direct: bool) -> None:
    """Whatever kinds of messages are mixed, and over whatever they come."""
    router = make_pattern(ROUTER)
    ScriptedPeer(router, b"A", direct=direct).bring(*messages)
    expected = [[b"A", *message] if isinstance(message, list) else [b"A", message] for message in messages]
    received = router.try_recv_many(10)
    assert expected == received
    assert {list} == set(map(type, received))


def test_router_receives_no_more_than_the_limit_of_a_batch() -> None:
    """The rest comes with the next one."""
    router = make_pattern(ROUTER)
    ScriptedPeer(router, b"A").bring(*[[b"", b"%d" % number] for number in range(5)])
    sizes = [len(router.try_recv_many(limit)) for limit in (2, 2, 2, 2)]
    assert [2, 2, 1, 0] == sizes
