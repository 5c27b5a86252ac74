"""The cache of last values by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from purezmq.patterns.last_values import LastValues


def make_cache(*messages: bytes | list[bytes], limit: int = 100) -> LastValues:
    """A cache by first part that has seen these."""
    cache = LastValues(limit, None)
    for message in messages:
        cache.keep(message)
    return cache


def test_cache_keeps_last_message_of_each_topic() -> None:
    """In the order in which they were published."""
    cache = make_cache([b"a", b"1"], [b"b", b"1"], [b"a", b"2"])
    assert 2 == len(cache)
    assert [[b"b", b"1"], [b"a", b"2"]] == cache.find(b"")


def test_topic_published_longest_ago_is_forgotten() -> None:
    """When there are more than it may hold."""
    assert [b"b", b"a"] == make_cache(b"c", b"a", b"b", b"a", limit=2).find(b"")


def test_only_what_is_new_to_the_peer_is_found() -> None:
    """What its other subscriptions match it has got."""
    cache = make_cache(b"abc", b"abd", b"b")
    assert [b"abc", b"abd"] == cache.find(b"a")
    assert [b"abd"] == cache.find(b"ab", (b"abc", b"x"))
    assert [] == cache.find(b"ab", (b"",))


def test_cache_takes_over_from_former_one() -> None:
    """As many as it may hold, by its own idea of a topic."""
    former = make_cache([b"a", b"k", b"1"], [b"b", b"k", b"2"], b"no second part", [b"c", b"l", b"3"])
    assert [[b"b", b"k", b"2"], [b"c", b"l", b"3"]] == LastValues(9, lambda parts: parts[1], former).find(b"")
    assert [b"no second part", [b"c", b"l", b"3"]] == LastValues(2, None, former).find(b"")


def test_cache_copies_what_is_not_its_own() -> None:
    """Memory that the application may change again."""
    data = bytearray(b"abc")
    cache = make_cache([b"t", memoryview(data)])  # type: ignore[list-item]
    data[:] = b"xyz"
    assert [[b"t", b"abc"]] == cache.find(b"t")


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_cache_is_bounded_and_right(topics: list[int], limit: int) -> None:
    """The last of each of the topics that were published last."""
    messages = [[b"%d" % topic, b"%d" % number] for number, topic in enumerate(topics)]
    model: dict[bytes, list[bytes]] = {}
    for message in messages:
        model.pop(message[0], None)
        model[message[0]] = message
    assert list(model.values())[-limit:] == make_cache(*messages, limit=limit).find(b"")
