from __future__ import annotations

from typing import Any

from tests.unit.patterns.carrier import ScriptedPeer, make_pattern

from purezmq.constants import PUB
from purezmq.patterns.distributor import SHARED_TOPICS, DirectQueue, Distributor, SharedQueue
from purezmq.pipe import BATCH_MESSAGES


def make_publisher(count: int, *topics: bytes, **peer: Any) -> tuple[Any, list[ScriptedPeer]]:
    pub = make_pattern(PUB)
    peers = [ScriptedPeer(pub, **peer) for _ in range(count)]
    for one in peers:
        one.subscribe(*topics)
    return pub, peers


def test_same_topics_share_one_queue() -> None:
    """Whatever the order in which they were subscribed to."""
    pub, (a, b) = make_publisher(2)
    a.subscribe(b"x", b"y")
    b.subscribe(b"y", b"x")
    assert a.pipe.share is b.pipe.share
    assert pub.try_send(b"x1")
    assert [b"x1"] == a.pipe.share.outbound
    assert ([b"x1"], [b"x1"]) == (a.sent(), b.sent())


def test_message_that_matches_several_topics_comes_once() -> None:
    """Per subscriber."""
    pub, (a, b) = make_publisher(2)
    a.subscribe(b"", b"x", b"xy")
    b.subscribe(b"xy")
    pub.try_send(b"xyz")
    assert ([b"xyz"], [b"xyz"]) == (a.sent(), b.sent())


def test_message_without_subscriber_is_dropped_uncounted() -> None:
    """Nobody wanted it."""
    pub, (a,) = make_publisher(1, b"x")
    assert pub.try_send(b"y")
    assert ([], 0) == (a.sent(), a.pipe.dropped)


def test_multipart_matches_by_first_part() -> None:
    """Any buffer may be the first part."""
    pub, (a,) = make_publisher(1, b"x")
    pub.try_send([b"x", b"body"])
    pub.try_send([memoryview(b"xy"), b"body"])
    pub.try_send([b"body", b"x"])
    assert 2 == len(a.sent())


def test_joining_subscriber_gets_nothing_from_before() -> None:
    """The queue it joins is flushed first."""
    pub, (a, b) = make_publisher(2)
    a.subscribe(b"x")
    pub.try_send(b"x1")
    b.subscribe(b"x")
    pub.try_send(b"x2")
    assert ([b"x1", b"x2"], [b"x2"]) == (a.sent(), b.sent())


def test_leaving_subscriber_gets_everything_from_before() -> None:
    """The queue it leaves is flushed first, on a cancel, a subscribe and its end."""
    pub, (a, b, c) = make_publisher(3, b"x")
    pub.try_send(b"x1")
    a.cancel(b"x")
    pub.try_send(b"x2")
    b.subscribe(b"y")
    pub.try_send(b"x3")
    c.disconnect()
    pub.try_send(b"x4")
    assert ([b"x1"], [b"x1", b"x2", b"x3", b"x4"]) == (a.sent(), b.sent())
    assert [b"x1", b"x2", b"x3"] == list(c.pipe.outbound)


def test_subscriber_with_many_topics_has_its_own_queue() -> None:
    """And comes back to a shared one when few are left."""
    pub, (a, b) = make_publisher(2, *[b"%d" % number for number in range(SHARED_TOPICS + 1)])
    assert a.pipe.share is not b.pipe.share
    pub.try_send(b"3")
    assert ([b"3"], [b"3"]) == (a.sent(), b.sent())
    for peer in (a, b):
        peer.cancel(*[b"%d" % number for number in range(1, SHARED_TOPICS + 1)])
    assert a.pipe.share is b.pipe.share
    pub.try_send(b"0")
    pub.try_send(b"3")
    assert ([b"0"], [b"0"]) == (a.sent(), b.sent())
    assert 1 == pub.topics_count


def test_repeated_subscription_counts_once() -> None:
    """A set per pipe, as in libzmq."""
    pub, (a,) = make_publisher(1, b"x", b"x")
    a.cancel(b"x")
    a.cancel(b"x")
    pub.try_send(b"x")
    assert ([], 0) == (a.sent(), pub.topics_count)


def test_subscribe_tells_whether_topic_is_new() -> None:
    """True for the first pipe, False for others, None for a repetition; the end likewise."""
    distributor = Distributor()
    pub = make_pattern(PUB)
    pub.distributor = distributor
    a, b = ScriptedPeer(pub), ScriptedPeer(pub)
    assert [True, None, False] == [
        distributor.subscribe(a.pipe, b"x"), distributor.subscribe(a.pipe, b"x"), distributor.subscribe(b.pipe, b"x"),
    ]  # fmt: skip
    assert [False, None, True] == [
        distributor.unsubscribe(a.pipe, b"x"), distributor.unsubscribe(a.pipe, b"x"),
        distributor.unsubscribe(b.pipe, b"x"),
    ]  # fmt: skip
    distributor.subscribe(a.pipe, b"y")
    distributor.subscribe(a.pipe, b"z")
    distributor.subscribe(b.pipe, b"z")
    assert [(b"y", True), (b"z", False)] == sorted(distributor.detach(a.pipe))
    assert [] == distributor.detach(a.pipe)
    assert distributor.subscribe(a.pipe, b"x") is None


def test_queues_disappear_with_their_members() -> None:
    """Nothing is left of subscribers that are gone."""
    pub, peers = make_publisher(3, b"x", b"y")
    peers[0].subscribe(*[b"%d" % number for number in range(20)])
    for peer in peers:
        peer.leave()
    distributor = pub.distributor
    parts = (distributor.index, distributor.groups, distributor.queues, distributor.pipes)
    assert [0] * 4 == [len(part) for part in parts]
    assert () == distributor.lengths.lengths


# -- the queue that takes everything -----------------------------------------------------------------------------------


def test_fast_target_is_the_only_queue_that_wants_everything() -> None:
    """Idle subscribers don't matter, other subscriptions do."""
    pub, (a, b) = make_publisher(2)
    seen: list[object] = []
    pub.handle_changed = lambda: seen.append(pub.fast_target())
    assert pub.fast_target() is None
    a.subscribe(b"")
    queue = a.pipe.share
    assert pub.fast_target() is queue
    b.subscribe(b"x")
    assert pub.fast_target() is None
    b.leave()
    assert pub.fast_target() is queue
    a.cancel(b"")
    assert pub.fast_target() is None
    assert [queue, None, queue, None] == seen


def test_fast_target_needs_subscription_to_everything() -> None:
    """A topic needs a look per message."""
    pub, _ = make_publisher(1, b"x")
    assert pub.fast_target() is None


def test_fast_target_is_none_with_inproc_subscriber() -> None:
    """It gets its messages directly."""
    pub, _ = make_publisher(1, b"")
    ScriptedPeer(pub, direct=True).subscribe(b"")
    assert pub.fast_target() is None


def test_message_appended_to_abandoned_queue_is_not_lost() -> None:
    """A thread on the lock-free path may be late: what it appends is distributed."""
    pub, (a,) = make_publisher(1, b"")
    queue = pub.fast_target()
    a.subscribe(b"more")
    assert queue is not a.pipe.share
    assert queue.quiet
    queue.outbound.append(b"late")
    queue.carrier.handle_write(queue)
    assert [b"late"] == a.sent()
    assert [] == queue.outbound


# -- room --------------------------------------------------------------------------------------------------------------


def test_write_room_is_smallest_mark_of_members() -> None:
    """0 is no mark; a member that leaves takes its mark along."""
    pub, (a,) = make_publisher(1, b"")
    queue = a.pipe.share
    assert BATCH_MESSAGES == queue.write_room()
    small, smaller = ScriptedPeer(pub, hwm=7), ScriptedPeer(pub, hwm=3)
    small.subscribe(b"")
    smaller.subscribe(b"")
    assert 3 == queue.write_room()
    smaller.leave()
    assert 7 == queue.write_room()
    small.pipe.send_limit = 9
    pub.distributor.limits_changed()
    assert 9 == queue.write_room()
    small.leave()
    assert BATCH_MESSAGES == queue.write_room()


def test_shared_queue_tells_carrier_once_per_burst_and_when_full() -> None:
    """Not per message."""
    pub, (a,) = make_publisher(1, b"", hwm=4)
    carrier = pub.shared_carrier
    for _ in range(3):
        pub.try_send(b"x")
    assert (1, 0) == (carrier.writes, carrier.flushes)
    pub.try_send(b"x")
    assert (2, 1) == (carrier.writes, carrier.flushes)
    assert 4 == len(a.pipe.outbound)


def test_shared_queue_has_room_while_every_member_has() -> None:
    """One full member is enough; an ended one doesn't count."""
    _, (a, b) = make_publisher(2, b"", hwm=2)
    queue = a.pipe.share
    assert queue.admits(b"x", drops_nothing=True)
    b.pipe.in_flight = 2
    assert not queue.admits(b"x", drops_nothing=True)
    b.pipe.ended = True
    assert queue.admits(b"x", drops_nothing=True)


def test_direct_queue_drops_newest_until_half_is_read() -> None:
    """libzmq's low-water mark; every loss is counted at the pipe."""
    pub, (a,) = make_publisher(1, b"", direct=True, hwm=4)
    for number in range(6):
        pub.try_send(b"%d" % number)
    assert (4, 2) == (len(a.pipe.outbound), a.pipe.dropped)
    del a.pipe.outbound[:1]
    pub.try_send(b"still full")
    assert 3 == a.pipe.dropped
    del a.pipe.outbound[:1]
    pub.try_send(b"room")
    assert ([b"2", b"3", b"room"], 3) == (list(a.pipe.outbound), a.pipe.dropped)


def test_direct_queues_get_lists_of_their_own() -> None:
    """A reader that changes its list doesn't change another's."""
    pub, (a, b) = make_publisher(2, b"", direct=True)
    pub.try_send([b"x", b"y"])
    (first,), (second,) = a.sent(), b.sent()
    assert first == second
    assert first is not second


def test_direct_queue_of_ended_pipe_drops() -> None:
    """Until it is detached."""
    pub, (a,) = make_publisher(1, b"", direct=True)
    a.pipe.ended = True
    pub.try_send(b"x")
    assert ([], 1) == (list(a.pipe.outbound), a.pipe.dropped)


def test_queue_kinds_follow_carrier() -> None:
    """Wire subscribers share, inproc subscribers don't."""
    _, (wire,) = make_publisher(1)
    _, (direct,) = make_publisher(1, direct=True)
    assert (SharedQueue, DirectQueue) == (type(wire.pipe.share), type(direct.pipe.share))
    assert "members=1" in repr(wire.pipe.share)


def test_member_that_breaks_while_flushed_is_detached_cleanly() -> None:
    """A flush may find a connection broken, also that of the pipe which is about to move."""
    pub, (a, b) = make_publisher(2, b"x")
    script = pub.shared_carrier
    flush = script.flush_shared

    def break_a(queue: Any) -> None:
        flush(queue)
        if not a.pipe.ended:
            a.leave()

    script.flush_shared = break_a
    for change in (lambda: a.subscribe(b"y"), lambda: b.subscribe(b"y"), b.leave):
        pub.try_send(b"x")
        change()
    assert [0] * 3 == [len(part) for part in (pub.distributor.index, pub.distributor.groups, pub.distributor.pipes)]


def test_late_message_reaches_the_member_that_moved() -> None:
    """A thread on the lock-free path may hold the queue that one of its members has just left for another."""
    pub, (a, b) = make_publisher(2, b"")
    queue = pub.fast_target()
    a.subscribe(b"x")  # a wants more now: it reads another queue than b
    queue.outbound.append(b"late")
    queue.carrier.handle_write(queue)
    assert ([b"late"], [b"late"]) == (a.sent(), b.sent())
    pub.try_send(b"later")
    assert ([b"later"], [b"later"]) == (a.sent(), b.sent())
