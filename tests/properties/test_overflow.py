"""Full queues against plain models (P07): each policy does to any sequence of messages what a deque would."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.patterns.carrier import ScriptedCarrier
from tests.unit.pipe.test_overflow import ScriptedSwap

from purezmq.error import Again
from purezmq.pipe import BLOCK, DROP_NEWEST, DROP_OLDEST, ERROR, SPILL, Pipe

FALLBACKS = (BLOCK, DROP_NEWEST)


class OverflowAgainstDeque(RuleBasedStateMachine):
    """The model is a deque of what waits, and where there is a disk a second one behind it."""

    @initialize(
        policy=st.sampled_from([BLOCK, DROP_NEWEST, DROP_OLDEST, ERROR, SPILL]),
        mark=st.integers(0, 4),
        disk=st.integers(0, 5),
        fallback=st.sampled_from(FALLBACKS),
    )
    def start(self, policy: str, mark: int, disk: int, fallback: str) -> None:
        carrier = ScriptedCarrier()
        carrier.swap = ScriptedSwap(disk) if disk else None
        self.pipe = Pipe(carrier, mark, 0)
        self.pipe.policy, self.pipe.fallback = policy, fallback
        self.policy, self.mark, self.disk, self.fallback = policy, mark, disk, fallback
        self.memory: deque[Any] = deque()
        self.on_disk: deque[Any] = deque()
        self.sent = self.taken = self.dropped = self.refused = 0

    def is_full(self) -> bool:
        return bool(self.on_disk) or bool(self.mark and len(self.memory) >= self.mark)

    @rule(parts=st.integers(1, 3))
    def send(self, parts: int) -> None:
        """A message of one or several parts, each with the number of the message."""
        number = b"%d" % self.sent
        message: Any = number if parts == 1 else [number] * parts
        self.sent += 1
        expected = self.judge(message)
        if expected is None:
            with pytest.raises(Again):
                self.pipe.send(message)
        else:
            assert expected == self.pipe.send(message)
        self.refused += not expected

    def judge(self, message: Any) -> bool | None:
        """What becomes of a message: taken, to wait, or (None) an error."""
        if not self.is_full():
            self.memory.append(message)
            return True
        policy = self.policy
        if policy == SPILL:
            if len(self.on_disk) < self.disk:
                self.on_disk.append(message)
                return True
            policy = self.fallback
        if policy == DROP_OLDEST:
            self.memory.popleft()
            self.memory.append(message)
        if policy in {DROP_OLDEST, DROP_NEWEST}:
            self.dropped += 1
            return True
        return None if policy == ERROR else False

    @precondition(lambda self: self.memory)
    @rule(count=st.integers(1, 3))
    def take(self, count: int) -> None:
        """The connection takes whole messages from the front."""
        taken = self.pipe.outbound[:count]
        del self.pipe.outbound[:count]
        assert taken == [self.memory.popleft() for _ in range(min(count, len(self.memory)))]
        self.taken += len(taken)

    @precondition(lambda self: self.on_disk)
    @rule()
    def refill(self) -> None:
        """What fits comes back from disk, in order."""
        room = self.mark - len(self.memory) if self.mark else len(self.on_disk)
        moved = [self.on_disk.popleft() for _ in range(min(room, len(self.on_disk)))]
        self.memory.extend(moved)
        assert bool(moved) == self.pipe.refill()

    @precondition(lambda self: self.memory or self.on_disk)
    @rule()
    def lose(self) -> None:
        """The peer goes away for good: all that waits is counted as lost."""
        self.dropped += len(self.memory) + len(self.on_disk)
        self.memory.clear()
        self.on_disk.clear()
        self.pipe.discard_outbound("disconnected")
        if self.pipe.carrier.swap is not None:
            self.pipe.carrier.swap = ScriptedSwap(self.disk)

    @invariant()
    def queues_are_equal(self) -> None:
        if not hasattr(self, "pipe"):
            return
        assert list(self.memory) == self.pipe.outbound
        assert list(self.on_disk) == ([] if self.pipe.swap is None else self.pipe.swap.messages)
        assert len(self.memory) + len(self.on_disk) == self.pipe.queued()

    @invariant()
    def nothing_is_lost_uncounted(self) -> None:
        if not hasattr(self, "pipe"):
            return
        assert self.dropped == self.pipe.dropped == sum(count for count, _ in self.pipe.carrier.drops)
        assert self.sent == self.taken + self.dropped + self.pipe.queued() + self.refused

    @invariant()
    def openness_is_told(self) -> None:
        if hasattr(self, "pipe"):
            assert (not self.is_full()) == self.pipe.can_write()


class LastValuesAgainstDict(RuleBasedStateMachine):
    """A queue with a key (conflate_key): of each key the newest, in the order in which they were sent."""

    @initialize(mark=st.integers(0, 3), policy=st.sampled_from([BLOCK, DROP_NEWEST, DROP_OLDEST]))
    def start(self, mark: int, policy: str) -> None:
        self.pipe = Pipe(ScriptedCarrier(), mark, 0, lambda parts: parts[0][:1])
        self.pipe.policy = policy
        self.policy, self.mark = policy, mark
        self.model: dict[bytes, Any] = {}
        self.count = self.replaced = 0

    @rule(key=st.sampled_from([b"a", b"b", b"c", b"d"]), parts=st.integers(1, 2))
    def send(self, key: bytes, parts: int) -> None:
        text = key + b"%d" % self.count
        message: Any = text if parts == 1 else [text, b"more"]
        self.count += 1
        is_full = bool(self.mark) and len(self.model) >= self.mark and key not in self.model
        if is_full and self.policy == DROP_OLDEST:
            del self.model[next(iter(self.model))]
        if not is_full or self.policy == DROP_OLDEST:
            self.replaced += self.model.pop(key, None) is not None
            self.model[key] = message
        assert (not is_full or self.policy != BLOCK) == self.pipe.send(message)

    @precondition(lambda self: self.model)
    @rule()
    def take(self) -> None:
        assert self.model.pop(next(iter(self.model))) == self.pipe.outbound.popleft()

    @invariant()
    def queues_are_equal(self) -> None:
        if hasattr(self, "pipe"):
            assert list(self.model.values()) == list(self.pipe.outbound)
            assert self.replaced == self.pipe.outbound.replaced


TestOverflow = OverflowAgainstDeque.TestCase
TestOverflow.settings = settings(stateful_step_count=40)
TestLastValues = LastValuesAgainstDict.TestCase
TestLastValues.settings = settings(stateful_step_count=30)
