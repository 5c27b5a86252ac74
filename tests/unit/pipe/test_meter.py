"""Counting bytes: a queue's, and those of all queues of a context."""

from __future__ import annotations

import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purezmq.pipe import Budget, Meter


def make_budget(limit: int) -> Budget:
    return Budget(limit, threading.Lock())


def test_meter_knows_what_is_gone_from_the_length() -> None:
    """What was appended first was taken first."""
    meter = Meter(100, None)
    for size in (10, 20, 30):
        meter.note(size)
    meter.settle(2)
    assert 50 == meter.total
    meter.settle(5)
    assert 50 == meter.total
    meter.close()
    assert 0 == meter.total


@pytest.mark.parametrize(
    ("size", "length", "expected"), [(40, 2, True), (41, 2, False), (1000, 0, True), (70, 1, True)]
)
def test_message_fits_up_to_the_limit(size: int, length: int, expected: bool) -> None:
    """Any does into an empty queue."""
    meter = Meter(100, None)
    meter.note(30)
    meter.note(30)
    assert expected == meter.fits(size, length)


def test_full_means_no_byte_more() -> None:
    """A meter without a limit is never full."""
    meter = Meter(10, None)
    meter.note(9)
    assert not meter.is_full(1)
    meter.note(1)
    assert meter.is_full(2)
    meter.limit = 0
    assert not meter.is_full(2)


def test_queues_share_a_budget() -> None:
    """A queue that holds anything is full when all together are; what is closed gives its bytes back."""
    budget = make_budget(100)
    one, other = Meter(0, budget), Meter(0, budget)
    one.note(90)
    assert other.fits(200, 0)
    other.note(5)
    assert other.fits(5, 1)
    assert not other.fits(6, 1)
    one.close()
    assert 5 == budget.used
    assert other.fits(95, 1)


def test_waiter_is_told_once_when_there_is_room() -> None:
    """Below the limit; without the lock, because it may look at the budget."""
    budget = make_budget(100)
    told: list[int] = []

    def wake() -> None:
        assert budget.fits(0)
        budget.add(0)
        told.append(budget.used)

    budget.add(150)
    budget.await_room(wake)
    budget.await_room(wake)
    budget.add(-20)
    assert [] == told
    budget.add(-40)
    budget.add(-10)
    assert [90] == told


def test_no_waiter_is_forgotten_by_a_race() -> None:
    """Threads that wait and threads that give back."""
    budget = make_budget(10)
    rounds = 2000
    told = [0] * 4

    def wait(index: int) -> None:
        for _ in range(rounds):
            woken = threading.Event()
            budget.add(10)
            budget.await_room(woken.set)
            budget.add(-10)
            if budget.used < 10:
                budget.add(1)
                budget.add(-1)
            assert woken.wait(5)
            told[index] += 1

    threads = [threading.Thread(target=wait, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [rounds] * 4 == told
    assert 0 == budget.used


@given(st.lists(st.one_of(st.none(), st.integers(0, 50))), st.integers(1, 100))
def test_meter_never_lets_more_in_than_its_limit(steps: list[int | None], limit: int) -> None:
    """None takes a message; the model adds up what is in the queue."""
    budget = make_budget(1000)
    meter = Meter(limit, budget)
    queue: deque[int] = deque()
    for step in steps:
        if step is None:
            if queue:
                queue.popleft()
        elif meter.fits(step, len(queue)):
            meter.note(step)
            queue.append(step)
        assert sum(queue) <= limit or len(queue) == 1
    meter.settle(len(queue))
    assert sum(queue) == meter.total == budget.used
