from __future__ import annotations

import pytest

from purezmq.patterns.subscriptions import LengthCounter, Subscriptions, split_subscriptions

MANY = [b"t%d" % number for number in range(100)]


def test_subscriptions_match_by_prefix() -> None:
    """A topic matches a message that begins with it."""
    subscriptions = Subscriptions()
    subscriptions.add(b"ab")
    assert [False, False, True, True] == [subscriptions.matches(first) for first in (b"", b"a", b"ab", b"abc")]


def test_subscriptions_without_topic_match_nothing() -> None:
    """Not even the empty message."""
    assert not Subscriptions().matches(b"")


def test_subscriptions_with_empty_topic_match_everything() -> None:
    """Few topics or many."""
    subscriptions = Subscriptions()
    subscriptions.add(b"")
    assert subscriptions.matches(b"")
    assert subscriptions.matches(b"x")
    for topic in MANY:
        subscriptions.add(topic)
    assert subscriptions.matches(b"")
    assert subscriptions.matches(b"x")


def test_subscriptions_count_repetitions() -> None:
    """Two subscribes need two unsubscribes."""
    subscriptions = Subscriptions()
    assert [True, False] == [subscriptions.add(b"a"), subscriptions.add(b"a")]
    assert [False, True, False] == [subscriptions.remove(b"a") for _ in range(3)]
    assert not subscriptions.matches(b"a")


def test_subscriptions_many_topics_match_as_few_do() -> None:
    """Crossing the border between both ways of matching, up and down."""
    subscriptions = Subscriptions()
    for topic in MANY:
        subscriptions.add(topic)
    assert subscriptions.matches(b"t99x")
    assert not subscriptions.matches(b"u")
    for topic in MANY[3:]:
        assert subscriptions.remove(topic)
    assert subscriptions.matches(b"t2x")
    assert not subscriptions.matches(b"t99x")
    assert [b"t0", b"t1", b"t2"] == sorted(subscriptions)


def test_subscriptions_length_and_membership() -> None:
    """Each topic counts once."""
    subscriptions = Subscriptions()
    for topic in (b"a", b"a", b"b"):
        subscriptions.add(topic)
    assert 2 == len(subscriptions)
    assert b"a" in subscriptions
    assert b"c" not in subscriptions


def test_length_counter_keeps_lengths_ascending() -> None:
    """Each length once, while any topic has it."""
    counter = LengthCounter()
    for length in (3, 0, 3, 1):
        counter.add(length)
    assert (0, 1, 3) == counter.lengths
    counter.remove(3)
    counter.remove(0)
    assert (1, 3) == counter.lengths


@pytest.mark.parametrize(
    ("message", "only_first", "asked", "told"),
    [
        (b"\1a", False, [(b"a", True)], None),
        (b"\0a", True, [(b"a", False)], None),
        (b"\1", False, [(b"", True)], None),
        (b"", False, [], b""),
        (b"user", False, [], b"user"),
        ([b"user", b"\1a"], False, [(b"a", True)], b"user"),
        ([b"user", b"\1a"], True, [], [b"user", b"\1a"]),
        ([b"\1a", b"\0b", b"x", b"y"], True, [(b"a", True), (b"b", False)], [b"x", b"y"]),
        ([b"x", b"y"], False, [], [b"x", b"y"]),
        ([b"", b"\1a"], True, [], [b"", b"\1a"]),
    ],
)
def test_split_subscriptions_separates_parts(message: object, only_first: bool, asked: object, told: object) -> None:
    """ONLY_FIRST_SUBSCRIBE: the first part decides."""
    assert (asked, told) == split_subscriptions(message, only_first)  # type: ignore[arg-type]
