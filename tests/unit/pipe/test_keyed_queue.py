"""The queue that keeps the latest message of each key."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purezmq.pipe import KeyedQueue, RoomMarker, keep_last, key_function


def by_first_part(parts: list[bytes]) -> object:
    return parts[0]


def drain(queue: KeyedQueue) -> list[Any]:
    """Everything that is in it."""
    return [queue.popleft() for _ in range(len(queue))]


def test_newer_message_goes_to_the_end() -> None:
    """The older one with its key is dropped and counted."""
    queue = KeyedQueue(by_first_part)
    queue.extend([[b"a", b"1"], [b"b", b"1"], [b"a", b"2"], b"c"])
    assert (3, 1) == (len(queue), queue.replaced)
    assert [b"b", b"1"] == queue[0]
    assert [[b"b", b"1"], [b"a", b"2"], b"c"] == list(queue)
    assert b"c" == queue[2]
    assert [[b"b", b"1"], [b"a", b"2"], b"c"] == drain(queue)


def test_empty_queue_raises_as_a_deque() -> None:
    """IndexError, whatever is asked."""
    queue = KeyedQueue(keep_last)
    with pytest.raises(IndexError):
        queue.popleft()
    with pytest.raises(IndexError):
        queue[0]
    assert 1 == queue.maxlen
    assert KeyedQueue(by_first_part).maxlen is None


def test_what_was_put_back_comes_first() -> None:
    """By the reader; by the writer only when nothing newer waits."""
    queue = KeyedQueue(by_first_part)
    queue.append([b"a", b"2"])
    queue.appendleft([b"a", b"1"])
    assert [b"a", b"1"] == queue[0]
    assert [[b"a", b"1"], [b"a", b"2"]] == drain(queue)
    queue.append(b"c")
    queue.extendleft([b"b", b"a"])
    assert [b"a", b"b", b"c"] == drain(queue)
    queue.append([b"a", b"2"])
    queue.put_back([b"b", b"1"])
    queue.put_back([b"a", b"1"])
    assert 1 == queue.replaced
    assert [[b"b", b"1"], [b"a", b"2"]] == drain(queue)
    queue.append(b"x")
    queue.appendleft(b"y")
    queue.clear()
    assert not len(queue)


def test_marker_wakes_when_so_many_wait() -> None:
    """It has no key, and is never among the messages."""
    woken: list[int] = []
    queue = KeyedQueue(by_first_part)
    queue.extend([b"a", b"b", b"c"])
    queue.insert(1, RoomMarker(lambda: woken.append(len(queue))))
    queue.append(b"a")
    assert [b"b", b"c"] == [queue.popleft(), queue.popleft()]
    assert [1] == woken
    assert [b"a"] == drain(queue)
    assert [1] == woken


@pytest.mark.parametrize("key", [lambda parts: 1 // 0, lambda parts: []], ids=["raises", "unhashable"])
def test_message_without_key(key: Any) -> None:
    """The sender is told and nothing is queued; of what arrived nothing is lost."""
    queue = KeyedQueue(key)
    with pytest.raises((ZeroDivisionError, TypeError)):
        queue.append(b"x")
    assert not len(queue)
    arrived = KeyedQueue(key, has_sender=False)
    arrived.extend([b"x", b"x"])
    assert [b"x", b"x"] == drain(arrived)


@pytest.mark.parametrize(("index", "key"), [(0, b"a"), (1, b"b"), (-1, b"c"), (3, (b"a", b"b", b"c"))])
def test_number_is_that_part(index: int, key: object) -> None:
    """A message without such a part is its own key."""
    find = key_function(index)
    assert find is not None
    assert key == find([b"a", b"b", b"c"])


def test_key_is_nothing_number_or_function() -> None:
    """And TypeError for all else."""
    assert key_function(None) is None
    assert key_function(by_first_part) is by_first_part
    for wrong in (True, b"x", 1.5):
        with pytest.raises(TypeError, match="conflate_key"):
            key_function(wrong)


@given(st.lists(st.one_of(st.none(), st.integers(0, 4))))
def test_queue_is_a_table_of_last_values(steps: list[int | None]) -> None:
    """None takes a message; the model is a list."""
    queue, model = KeyedQueue(by_first_part), []  # type: ignore[var-annotated]
    replaced = 0
    for number, step in enumerate(steps):
        if step is None:
            assert (queue.popleft() if len(queue) else None) == (model.pop(0) if model else None)
            continue
        message = [b"%d" % step, b"%d" % number]
        replaced += sum(known[0] == message[0] for known in model)
        model = [known for known in model if known[0] != message[0]] + [message]
        queue.append(message)
    assert (model, replaced) == (list(queue), queue.replaced)


@pytest.mark.parametrize("keys", [1, 3, 1000])
def test_older_message_never_follows_newer_one_of_its_key(keys: int) -> None:
    """One thread appends while two take; nothing is lost but what was replaced."""
    queue = KeyedQueue(by_first_part)
    count, is_done = 30_000, threading.Event()
    seen: list[list[Any]] = [[], []]

    def take(found: list[Any]) -> None:
        while not is_done.is_set() or len(queue):
            try:
                found.append(queue.popleft())
            except IndexError:
                continue
            list(queue)
            if len(queue):
                try:
                    queue[0]
                except IndexError:  # the other reader was quicker
                    pass

    readers = [threading.Thread(target=take, args=(found,)) for found in seen]
    for reader in readers:
        reader.start()
    for number in range(count):
        queue.append([b"%d" % (number % keys), number])
    is_done.set()
    for reader in readers:
        reader.join(20)
        assert not reader.is_alive()
    assert count == sum(map(len, seen)) + queue.replaced
    for found in seen:
        last: dict[bytes, int] = {}
        for key, number in found:
            assert last.get(key, -1) < number
            last[key] = number


def test_long_queue_is_drained_in_linear_time() -> None:
    """A hundred thousand keys, each taken from the front."""
    queue = KeyedQueue(by_first_part)
    queue.extend([b"%d" % number for number in range(100_000)])
    began = time.process_time()
    while len(queue):
        assert queue[0]
        queue.popleft()
    assert time.process_time() - began < 2
