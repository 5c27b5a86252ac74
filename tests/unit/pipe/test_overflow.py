"""A full pipe by itself: what each policy makes of a message, with limits in messages and bytes and a scripted swap."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.patterns.carrier import ScriptedCarrier

from purezmq.error import Again
from purezmq.pipe import (
    BLOCK,
    DROP_NEWEST,
    DROP_OLDEST,
    DROPPING,
    ERROR,
    POLICIES,
    SPILL,
    DropReason,
    Meter,
    Pipe,
    RoomMarker,
)


class ScriptedSwap:
    """A swap of so many messages that may be behind."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.max_bytes = 1 << 20
        self.messages: list[Any] = []
        self.is_behind = False
        self.spilled = self.spilled_bytes = self.discarded = 0

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def is_full(self) -> bool:
        return len(self.messages) >= self.size

    @property
    def can_append(self) -> bool:
        return not self.is_full and not self.is_behind

    def append(self, message: Any, *, is_pledged: bool = False) -> bool:
        if not self.can_append and not is_pledged:
            return False
        self.messages.append(message)
        self.spilled += 1
        return True

    def move(self, queue: Any, limit: int, tickets: Any = None) -> list[Any]:
        taken, self.messages = self.messages[:limit], self.messages[limit:]
        queue.extend(taken)
        return taken

    def close(self) -> int:
        self.discarded = len(self.messages)
        return self.discarded


def make_pipe(policy: str, *, mark: int = 2, limit: int = 0, swap: ScriptedSwap | None = None) -> Pipe:
    """A pipe with a policy, whose carrier takes nothing."""
    carrier = ScriptedCarrier()
    carrier.swap = swap
    pipe = Pipe(carrier, mark, 0)
    pipe.policy = policy
    if limit:
        pipe.meter = Meter(limit, None)
        pipe.special = True
    return pipe


def test_policies_are_known_words() -> None:
    """Which, and which of them take every message."""
    assert {BLOCK, DROP_NEWEST, DROP_OLDEST, ERROR, SPILL} == set(POLICIES)
    assert {DROP_NEWEST, DROP_OLDEST} == DROPPING
    reasons = [value for name, value in vars(DropReason).items() if name.isupper()]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("limits", [{"mark": 2}, {"mark": 0, "limit": 20}], ids=["messages", "bytes"])
@pytest.mark.parametrize(
    ("policy", "expected", "drops"),
    [
        (BLOCK, [b"0" * 10, b"1" * 10], None),
        (DROP_NEWEST, [b"0" * 10, b"1" * 10], {"newest": 3}),
        (DROP_OLDEST, [b"3" * 10, b"4" * 10], {"oldest": 3}),
    ],
)
def test_full_pipe_does_what_its_policy_says(
    limits: dict[str, int], policy: str, expected: list[bytes], drops: Any
) -> None:
    """Each that is dropped is counted, and told."""
    pipe = make_pipe(policy, **limits)
    taken = [pipe.send(b"%d" % number * 10) for number in range(5)]
    assert [True, True] + [policy != BLOCK] * 3 == taken
    assert (expected, drops) == (list(pipe.outbound), pipe.drops)
    assert (policy != BLOCK) == pipe.is_open()
    assert sum((drops or {}).values()) == sum(count for count, _ in pipe.carrier.drops)


@pytest.mark.parametrize(
    ("limits", "why"), [({"mark": 2}, "high-water mark"), ({"mark": 0, "limit": 20}, "limit in bytes")]
)
def test_error_policy_raises_and_says_why(limits: dict[str, int], why: str) -> None:
    """Again; the message isn't queued."""
    pipe = make_pipe(ERROR, **limits)
    assert pipe.send(b"x" * 10)
    assert pipe.send(b"x" * 10)
    with pytest.raises(Again, match=why):
        pipe.send(b"x" * 10)
    assert (2, None) == (len(pipe.outbound), pipe.drops)


def test_spilled_messages_stay_in_order() -> None:
    """While any is on disk all go there; then the queue is as before."""
    pipe = make_pipe(SPILL, swap=ScriptedSwap(100))
    for number in range(5):
        assert pipe.send(b"%d" % number)
    assert (5, True) == (pipe.queued(), pipe.swapping)
    pipe.outbound.clear()
    assert pipe.send(b"5")
    assert [] == pipe.outbound
    assert pipe.refill()
    assert ([b"2", b"3"], True) == (pipe.outbound, pipe.swapping)
    pipe.outbound.clear()
    assert pipe.refill()
    assert ([b"4", b"5"], False, False) == (pipe.outbound, pipe.swapping, pipe.special)


def test_swap_that_is_full_or_behind() -> None:
    """Full: the type's own policy; behind: the sender waits, but for what was admitted before."""
    swap = ScriptedSwap(1)
    pipe = make_pipe(SPILL, swap=swap)
    pipe.fallback = DROP_NEWEST
    assert [True] * 4 == [pipe.send(b"x") for _ in range(4)]
    assert {"newest": 1} == pipe.drops
    swap.size, swap.is_behind = 5, True
    assert not pipe.send(b"x")
    assert not pipe.is_open()
    assert pipe.overflow(b"admitted", is_pledged=True)
    assert [b"x", b"admitted"] == swap.messages
    pipe.discard_outbound(DropReason.EXPIRED)
    assert {"newest": 1, "expired": 4} == pipe.drops
    assert 0 == pipe.queued()


def test_spill_without_swap_is_the_types_own_policy() -> None:
    """The socket has none."""
    pipe = make_pipe(SPILL)
    pipe.fallback = BLOCK
    assert [True, True, False] == [pipe.send(b"x") for _ in range(3)]


def test_dropping_the_oldest_wakes_who_waits_for_a_marker() -> None:
    """It is no message, and not counted."""
    woken: list[bool] = []
    pipe = make_pipe(DROP_OLDEST)
    pipe.outbound = [b"1"]
    from collections import deque

    pipe.outbound = deque([RoomMarker(lambda: woken.append(True)), b"1"])
    assert pipe.send(b"2")
    assert ([b"1", b"2"], [True], None) == (list(pipe.outbound), woken, pipe.drops)


def test_newer_message_of_a_key_needs_no_room_unless_some_are_on_disk() -> None:
    """It must not overtake an older one there."""
    pipe = Pipe(ScriptedCarrier(), 2, 0, lambda parts: parts[0][:1])
    pipe.carrier.swap = ScriptedSwap(9)
    pipe.policy = SPILL
    assert [True] * 3 == [pipe.send(text) for text in (b"a1", b"b1", b"a2")]
    assert [b"b1", b"a2"] == list(pipe.outbound)
    assert pipe.send(b"c1")
    assert pipe.send(b"a3")
    assert ([b"b1", b"a2"], [b"c1", b"a3"]) == (list(pipe.outbound), pipe.swap.messages)


def test_ended_pipe_takes_nothing() -> None:
    """Whatever its policy: whom the message is for is decided anew."""
    for policy in POLICIES:
        pipe = make_pipe(policy)
        pipe.ended = True
        assert not pipe.send(b"x")
        assert not pipe.is_open()
        assert None is pipe.drops
