"""The queue that spills to disk: order, exact counters, bounded memory, and disks that are full, slow or broken."""

from __future__ import annotations

import errno
import itertools
import os
import random
import subprocess
import sys
import threading
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support import TIMEOUT_S, eventually, run_in_thread

from purezmq.engine import single_thread, swap_file, swap_thread
from purezmq.engine import swap as swap_module
from purezmq.engine.swap import (
    BLOCK_SIZE,
    CORRUPT,
    FAILED,
    FULL,
    MAX_READ_AHEAD_SIZE,
    READ_AHEAD_SIZE,
    WRITE_BUFFER_SIZE,
    Swap,
)
from purezmq.engine.swap_block import PART_OVERHEAD
from purezmq.engine.swap_thread import SwapThread

BODY = os.urandom(100_000)
LARGE = os.urandom(5 << 20)
BUFFERS = WRITE_BUFFER_SIZE + MAX_READ_AHEAD_SIZE


class Owner:
    """A swap with somebody who waits for its changes, and notes what it is told."""

    def __init__(self, thread: SwapThread, directory: Path | str, max_bytes: int = 1 << 40) -> None:
        self.changed = threading.Event()
        self.failures: list[tuple[str, BaseException | None, int]] = []
        self.swap = Swap(
            thread,
            str(directory),
            max_bytes,
            handle_change=self.changed.set,
            handle_failure=lambda *failure: self.failures.append(failure),
        )

    def wait(self) -> None:
        assert self.changed.wait(TIMEOUT_S), f"nothing happens to {self.swap}"
        self.changed.clear()

    def append(self, message: Any) -> None:
        """Append, waiting for the disk."""
        while not self.swap.append(message):
            assert not self.swap.is_full
            self.wait()

    def fill(self, count: int, make: Callable[[int], Any] = lambda number: b"%06d" % number + BODY) -> list[Any]:
        """Append `count` messages and wait until no more than the head is in memory; what was appended."""
        messages = [make(number) for number in range(count)]
        for message in messages:
            self.append(message)
        self.settle()
        return messages

    def settle(self) -> None:
        """Wait until the disk thread has nothing to do."""
        eventually(lambda: not self.swap._tail and not self.swap._is_readable())

    def take(self, limit: int = 1000) -> list[Any]:
        """Take at least one message, waiting for the disk; nothing only when the swap is empty."""
        while True:
            messages = self.swap.take(limit)
            if messages or not len(self.swap):
                return messages
            self.wait()

    def take_all(self, limit: int = 1000) -> list[Any]:
        taken: list[Any] = []
        while messages := self.take(limit):
            taken += messages
        return taken


@pytest.fixture
def thread() -> Iterator[SwapThread]:
    """Make a disk thread, and end it."""
    thread = SwapThread()
    yield thread
    thread.stop()
    assert not thread._thread.is_running()


@pytest.fixture
def make_owner(thread: SwapThread, tmp_path: Path) -> Callable[..., Owner]:
    """Make swaps in a directory of the test."""
    return lambda max_bytes=1 << 40, directory=tmp_path: Owner(thread, directory, max_bytes)


class Gate:
    """Stands for a slow or failing disk: writes wait until it is open, and fail while there is an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        self.error: int | None = None
        self.tries = 0
        self._write_some = swap_file._write_some
        monkeypatch.setattr(swap_file, "_write_some", self.write_some)

    def write_some(self, file: Any, chunks: list[Any], offset: int) -> int:
        self.tries += 1
        self.reached.set()
        assert self.open.wait(TIMEOUT_S)
        if self.error is not None:
            raise OSError(self.error, "injected")
        return self._write_some(file, chunks, offset)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, thread: SwapThread) -> Iterator[Gate]:
    """Make a disk that waits."""
    gate = Gate(monkeypatch)
    yield gate
    gate.open.set()


# --- what goes in comes out -----------------------------------------------------------------------


def test_empty_swap_has_nothing(make_owner: Callable[..., Owner]) -> None:
    """A new swap says so."""
    swap = make_owner(100).swap
    assert (0, 0, [], True, False) == (len(swap), swap.bytes, swap.take(10), swap.can_append, swap.is_full)
    assert "0 messages" in repr(swap)


def test_trickle_never_meets_the_disk(make_owner: Callable[..., Owner], tmp_path: Path, gate: Gate) -> None:
    """Messages that are taken before they are many are taken from memory, however many there are in all."""
    owner = make_owner(directory=tmp_path / "never")
    for number in range(200):
        assert owner.swap.append(b"%d" % number + BODY)
        assert owner.swap.append([b"%d" % number, BODY])
        assert [b"%d" % number + BODY] == owner.swap.take(1)
        assert [[b"%d" % number, BODY]] == owner.swap.take(5)
    assert (400, 0, 0) == (owner.swap.spilled, len(owner.swap), owner.swap.bytes)
    assert 0 == gate.tries
    assert not (tmp_path / "never").exists()


def test_reader_that_keeps_near_never_meets_the_disk(make_owner: Callable[..., Owner], gate: Gate) -> None:
    """A backlog below the read-ahead stays in memory, whole blocks included."""
    owner = make_owner()
    expected: deque[bytes] = deque()
    for number in range(300):
        expected.append(b"%d" % number + BODY)
        assert owner.swap.append(expected[-1])
        if len(expected) > 25:
            assert [expected.popleft()] == owner.swap.take(1)
    assert list(expected) == owner.take_all()
    assert 0 == gate.tries


SHAPES: dict[str, Callable[[int], Any]] = {
    "empty": lambda number: b"",
    "small": lambda number: b"%d" % number,
    "1 kB": lambda number: b"%06d" % number + BODY[:994],
    "multipart": lambda number: [b"%d" % number, b"", BODY[: number % 300]],
    "empty parts": lambda number: [b"", b""],
    "64 kB": lambda number: b"%06d" % number + BODY[: 65536 - 7 + number % 3],
    "large": lambda number: LARGE[number:],
    "mixed": lambda number: (b"", b"%d" % number, [b"", BODY], LARGE[number:], [b"%d" % number, b""])[number % 5],
}


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ("empty", 300_000),
        ("small", 300_000),
        ("1 kB", 20_000),
        ("multipart", 60_000),
        ("empty parts", 150_000),
        ("64 kB", 300),
        ("large", 8),
        ("mixed", 40),
    ],
)
def test_messages_come_out_of_the_disk_as_they_went_in(
    make_owner: Callable[..., Owner], shape: str, count: int
) -> None:
    """Order, content and counters are exact for every shape of message, beyond what memory holds."""
    owner = make_owner()
    messages = owner.fill(count, SHAPES[shape])
    assert owner.swap._stored
    size = sum(sum(map(len, message)) if type(message) is list else len(message) for message in messages)
    assert (count, size) == (len(owner.swap), owner.swap.bytes)
    assert (count, size) == (owner.swap.spilled, owner.swap.spilled_bytes)
    assert messages == owner.take_all()
    assert (0, 0) == (len(owner.swap), owner.swap.bytes)
    assert (count, size) == (owner.swap.spilled, owner.swap.spilled_bytes)
    eventually(lambda: not owner.swap._file.segments)
    assert [] == owner.failures


def test_counters_are_exact_at_each_step(make_owner: Callable[..., Owner]) -> None:
    """`len` and `bytes` are right after each message, through memory, disk and parts of blocks."""
    owner = make_owner()
    messages = owner.fill(100, lambda number: [BODY, b"x" * number] if number % 3 else BODY[number:])
    count, size = len(messages), owner.swap.bytes
    for limit in [1, 2, 3] * 100:
        taken = owner.take(limit)
        count -= len(taken)
        size -= sum(sum(map(len, message)) if type(message) is list else len(message) for message in taken)
        assert (count, size) == (len(owner.swap), owner.swap.bytes)
    assert (0, 0) == (count, size)


def test_take_returns_at_most_the_limit(make_owner: Callable[..., Owner]) -> None:
    """A limit is kept, inside a block and across blocks."""
    owner = make_owner()
    messages = owner.fill(200)
    taken: list[Any] = []
    for limit in [1, 4, 2, 7] * 100:
        batch = owner.take(limit)
        assert len(batch) <= limit
        taken += batch
    assert messages == taken


def test_what_was_taken_is_let_go_of(make_owner: Callable[..., Owner]) -> None:
    """A taken message isn't referred to any more, though its block is (a tracker waits for that)."""
    owner = make_owner()
    message = [b"part", BODY[:]]
    assert owner.swap.append(message)
    assert owner.swap.append(b"next")
    before = sys.getrefcount(message)
    (taken,) = owner.swap.take(1)
    assert taken is message
    del taken
    assert before - 1 == sys.getrefcount(message)
    assert [b"next"] == owner.swap.take(1)


class Tracked(list[bytes]):
    """Stands for a message whose end somebody waits for."""


def test_tracked_message_from_memory_is_the_same_object(make_owner: Callable[..., Owner]) -> None:
    """An instance of a subclass of list comes out as it is; from the disk as its parts."""
    owner = make_owner()
    tracked = Tracked([b"one"])
    assert owner.swap.append(tracked)
    (taken,) = owner.swap.take(1)
    assert tracked is taken
    owner.fill(150, lambda number: Tracked([BODY]) if number % 2 else Tracked([BODY, b""]))
    taken = owner.take_all()
    assert [BODY, [BODY, b""]] * 75 == [list(message) if len(message) == 2 else BODY for message in reversed(taken)]
    # What lay in the middle was on disk.
    assert [list, bytes] == [type(message) for message in taken[60:62]]


@pytest.mark.parametrize("count", [1, 150], ids=["memory", "disk"])
def test_buffers_come_out_as_bytes(make_owner: Callable[..., Owner], count: int) -> None:
    """Any bytes-like part comes out as bytes, a list of one part as its part; sizes are in bytes."""
    owner = make_owner()
    items = memoryview(BODY).cast("I")
    for _ in range(count):
        for message in (bytearray(b"x"), memoryview(b"y"), [b"z"], [items], [b"", bytearray(b"w")]):
            owner.append(message)
    assert count * (len(BODY) + 4) == owner.swap.bytes
    assert [b"x", b"y", b"z", BODY, [b"", b"w"]] * count == owner.take_all()


@pytest.mark.parametrize(
    ("message", "error"),
    [([], ValueError), ("text", TypeError), ([b"", 1], TypeError), (memoryview(b"abcd")[::2], ValueError)],
)
def test_what_is_no_message_is_refused(make_owner: Callable[..., Owner], message: Any, error: type[Exception]) -> None:
    """An error says so at once, and nothing is stored."""
    swap = make_owner().swap
    with pytest.raises(error):
        swap.append(message)
    assert (0, 0) == (len(swap), swap.spilled)


# --- limits ---------------------------------------------------------------------------------------


def test_full_swap_refuses(make_owner: Callable[..., Owner]) -> None:
    """`max_bytes` is exact; room that was made is used; order is kept."""
    swap = make_owner(1000).swap
    assert swap.append(b"a" * 400)
    assert swap.append([b"b" * 300, b"c" * 200])
    assert not swap.append(b"d" * 101)
    assert swap.is_full
    assert not swap.can_append
    assert swap.append(b"e" * 100)
    assert (3, 1000) == (len(swap), swap.bytes)
    assert swap.is_full
    assert not swap.append(b"f")
    assert [b"a" * 400] == swap.take(1)
    assert not swap.is_full
    assert swap.can_append
    assert swap.append(b"g" * 400)
    assert [[b"b" * 300, b"c" * 200], b"e" * 100, b"g" * 400] == swap.take(10)
    assert 4 == swap.spilled


def test_message_larger_than_the_limit_is_refused_without_consequences(make_owner: Callable[..., Owner]) -> None:
    """It never fits, so nobody is made to wait for it."""
    swap = make_owner(1000).swap
    assert not swap.append(b"x" * 1001)
    assert not swap.append([b"x" * 1000, b"y"])
    assert swap.can_append
    assert not swap.is_full
    assert swap.append(b"x" * 1000)


def test_full_swap_on_disk_has_room_when_messages_were_taken(make_owner: Callable[..., Owner]) -> None:
    """The limit counts what is on disk, too."""
    owner = make_owner(20_000_000)
    count = 0
    while owner.swap.append(BODY) or not owner.swap.is_full:
        if len(owner.swap) > count:
            count += 1
        else:
            owner.wait()
    assert 200 == count == len(owner.swap)
    assert owner.take(1)
    assert owner.swap.can_append
    assert owner.swap.append(BODY)
    assert not owner.swap.append(BODY)
    assert 200 == len(owner.take_all())


def test_empty_messages_are_bounded_too(make_owner: Callable[..., Owner]) -> None:
    """Messages without bytes take memory and disk, so their number is limited as their bytes would be."""
    owner = make_owner(30_000)
    count = 0
    while owner.swap.append(b""):
        count += 1
    assert owner.swap.is_full
    assert not owner.swap.can_append
    assert 30_000 <= count < 30_000 + BLOCK_SIZE // PART_OVERHEAD + 1
    while owner.swap.is_full:
        assert owner.swap.take(1000)
    assert owner.swap.append(b"")


def test_writer_is_stopped_by_a_slow_disk_and_told_to_go_on(make_owner: Callable[..., Owner], gate: Gate) -> None:
    """While the write buffer is full nothing is taken; the owner hears when the disk has caught up."""
    owner = make_owner()
    count = 0
    while owner.swap.append(b"%06d" % count + BODY):
        count += 1
    assert not owner.swap.can_append
    assert not owner.swap.is_full
    assert owner.swap.bytes <= BUFFERS + BLOCK_SIZE
    assert not owner.changed.is_set()
    gate.open.set()
    owner.wait()
    assert owner.swap.can_append
    assert owner.swap.append(b"last")
    assert [*(b"%06d" % number + BODY for number in range(count)), b"last"] == owner.take_all()


def test_memory_is_bounded_while_much_goes_through_a_slow_disk(
    make_owner: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 MB pass a disk that is slower than writer and reader, and the buffers never hold more than they may."""
    owner = make_owner()
    write, turns = swap_file._write_some, threading.Semaphore(0)

    def write_in_turn(file: Any, chunks: list[Any], offset: int) -> int:
        assert turns.acquire(timeout=TIMEOUT_S)
        return write(file, chunks, offset)

    monkeypatch.setattr(swap_file, "_write_some", write_in_turn)
    body, total = bytes(100_000), 2000
    appended = taken = peak = 0
    tracemalloc.start()
    try:
        while taken < total:
            # A new object for each message: what is held is counted.
            while appended < total and owner.swap.append(b"%06d" % appended + body):
                appended += 1
            peak = max(peak, tracemalloc.get_traced_memory()[0])
            turns.release()  # one call of the system to write
            if appended == total or appended - taken > 1000:
                for message in owner.swap.take(20):
                    assert b"%06d" % taken == message[:6]
                    taken += 1
    finally:
        tracemalloc.stop()
    # Besides the buffers: the block in hand, the one that is written or read, and its copy as frames.
    assert peak < BUFFERS + 6 * BLOCK_SIZE
    assert peak > READ_AHEAD_SIZE
    for _ in range(1000):
        turns.release()


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, FULL), (errno.EDQUOT, FULL), (errno.EFBIG, FULL), (errno.EIO, FAILED), (errno.EROFS, FAILED)],
)
def test_failed_write_is_told_once_and_loses_nothing(
    make_owner: Callable[..., Owner], gate: Gate, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    """The messages stay in memory in order, the swap is full, and goes on when a later try succeeds."""
    monkeypatch.setattr(swap_module, "RETRY_S", 0.01)
    owner = make_owner()
    gate.error = number
    gate.open.set()
    count = 0
    while owner.swap.append(b"%06d" % count + BODY):
        count += 1
    eventually(lambda: owner.failures and gate.tries > 3)
    assert [(reason, number, 0)] == [(told, error.errno, lost) for told, error, lost in owner.failures]  # type: ignore[union-attr]
    assert (count, True, False) == (len(owner.swap), owner.swap.is_full, owner.swap.can_append)
    owner.changed.clear()
    gate.error = None
    owner.wait()
    assert owner.swap.can_append
    assert [b"%06d" % number + BODY for number in range(count)] == owner.take_all()
    assert 1 == len(owner.failures)


def test_failure_is_no_busy_loop(make_owner: Callable[..., Owner], gate: Gate, thread: SwapThread) -> None:
    """A disk that fails is tried again after a second, not at once."""
    owner = make_owner()
    gate.error = errno.ENOSPC
    gate.open.set()
    while owner.swap.append(BODY):
        pass
    eventually(lambda: thread._sleeping and owner.swap in thread._retries)
    assert gate.tries <= 2
    assert 0.5 < swap_thread.RETRY_S


def test_second_failure_is_told_again(
    make_owner: Callable[..., Owner], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An episode ends when a write succeeds; the next one is news."""
    monkeypatch.setattr(swap_module, "RETRY_S", 0.01)
    owner = make_owner()
    gate.open.set()
    for episode in (1, 2):
        gate.error = errno.ENOSPC
        while owner.swap.append(BODY):
            pass
        eventually(lambda: owner.swap.is_full)
        eventually(lambda number=episode: number == len(owner.failures))
        gate.error = None
        eventually(lambda: not owner.swap.is_full)


def test_reader_that_takes_all_ends_the_want_of_a_disk(make_owner: Callable[..., Owner], gate: Gate) -> None:
    """What couldn't be written is taken from memory, in order, and then there is room without any disk."""
    owner = make_owner()
    gate.error = errno.ENOSPC
    gate.open.set()
    count = 0
    while owner.swap.append(b"%06d" % count + BODY):
        count += 1
    eventually(lambda: owner.swap.is_full)
    assert [b"%06d" % number + BODY for number in range(count)] == owner.take_all()
    assert not owner.swap.is_full
    assert owner.swap.append(b"next")
    assert [b"next"] == owner.swap.take(1)


def test_any_error_of_writing_keeps_the_messages(
    make_owner: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Want of memory is a failure like one of the disk."""
    monkeypatch.setattr(swap_module, "RETRY_S", 0.01)
    owner = make_owner()
    error = MemoryError("injected")

    def write(messages: Any) -> Any:
        raise error

    class Broken(swap_file.SwapFile):
        __slots__ = ()

        def write(self, messages: Any) -> Any:
            raise error

    intact, owner.swap._file = owner.swap._file, Broken("")
    count = 0
    while owner.swap.append(BODY):
        count += 1
    eventually(lambda: owner.failures)
    assert [(FAILED, error, 0)] == owner.failures
    owner.swap._file = intact
    assert [BODY] * count == owner.take_all()


def test_want_of_memory_when_reading_loses_nothing(
    make_owner: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block is read again later when there was no memory for it."""
    monkeypatch.setattr(swap_module, "RETRY_S", 0.01)
    owner = make_owner()
    messages = owner.fill(200)
    read, failures = swap_file._read_all, [MemoryError(), OSError(errno.ENOMEM, "injected")]

    def read_all(file: Any, size: int) -> bytes:
        if failures:
            raise failures.pop()
        return read(file, size)

    monkeypatch.setattr(swap_file, "_read_all", read_all)
    assert messages == owner.take_all()
    assert [] == failures + owner.failures


def test_want_of_memory_does_not_hide_what_was_read(
    make_owner: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits is told of the blocks before the one for which there is no memory."""
    owner = make_owner()
    messages = owner.fill(200)
    intact, gate, calls = swap_file.SwapFile.read, threading.Event(), itertools.count()

    def read(file: swap_file.SwapFile, address: Any) -> Any:
        assert gate.wait(TIMEOUT_S)
        if next(calls):
            raise MemoryError
        return intact(file, address)

    with monkeypatch.context() as patch:
        patch.setattr(swap_file.SwapFile, "read", read)
        taken: list[Any] = []
        while batch := owner.swap.take(1000):
            taken += batch
        owner.changed.clear()
        gate.set()
        owner.wait()
        batch = owner.swap.take(1000)
        assert batch
    assert messages == taken + batch + owner.take_all()


def test_reader_who_waits_has_more_read_ahead(
    make_owner: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is faster than the disk finds more in memory the next time, until nothing is on disk."""
    owner, gate, intact = make_owner(), threading.Event(), swap_file.SwapFile.read

    def read(file: swap_file.SwapFile, address: Any) -> Any:
        assert gate.wait(TIMEOUT_S)
        return intact(file, address)

    messages = owner.fill(300)
    assert owner.swap._head_cost <= READ_AHEAD_SIZE
    monkeypatch.setattr(swap_file.SwapFile, "read", read)
    taken: list[Any] = []
    while batch := owner.swap.take(1000):
        taken += batch
    gate.set()
    owner.settle()
    assert READ_AHEAD_SIZE < owner.swap._head_cost <= MAX_READ_AHEAD_SIZE
    assert messages == taken + owner.take_all()
    owner.fill(300)
    assert owner.swap._head_cost <= READ_AHEAD_SIZE


def corrupt(owner: Owner, index: int) -> int:
    """Flip a bit of a stored block; how many messages it has."""
    block = owner.swap._stored[index]
    assert block.address is not None
    file = block.address.segment.file
    os.pwrite(file.fileno(), b"\xff\xff", block.address.offset + block.address.size // 2)
    return block.count


@pytest.mark.parametrize("index", [0, 2, -1])
def test_corrupt_block_is_lost_alone(make_owner: Callable[..., Owner], index: int) -> None:
    """What was in it is counted and told, all before and after it comes out."""
    owner = make_owner()
    messages = owner.fill(200)
    lost = corrupt(owner, index)
    taken = owner.take_all()
    first = next(number for number, message in enumerate(messages) if [message] != taken[number : number + 1])
    assert messages[:first] + messages[first + lost :] == taken
    eventually(lambda: owner.failures)
    assert [(CORRUPT, lost)] == [(reason, count) for reason, _, count in owner.failures]
    assert isinstance(owner.failures[0][1], swap_file.CorruptBlockError)
    assert (0, 0, 200) == (len(owner.swap), owner.swap.bytes, owner.swap.spilled)


def test_loss_of_all_that_is_left_is_told_to_who_waits(make_owner: Callable[..., Owner]) -> None:
    """A reader that waits for blocks which can't be read finds the swap empty, and there is room for others."""
    owner = make_owner(200 * len(BODY))
    messages = owner.fill(200, lambda number: BODY)
    lost = sum(corrupt(owner, index) for index in range(len(owner.swap._stored)))
    assert not owner.swap.can_append
    open_count = len(owner.swap._open)
    assert messages[: 200 - lost] == owner.take_all()
    assert open_count < 200 - lost
    eventually(lambda: lost == sum(count for _, _, count in owner.failures))  # they are told a moment later
    assert 0 == owner.swap.bytes
    assert len(owner.fill(150)) == len(owner.take_all())


def test_disk_that_cannot_be_read_loses_the_block(
    make_owner: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of reading is told as a loss, with the error."""
    owner = make_owner()
    owner.fill(200)
    read, failures = swap_file._read_all, [OSError(errno.EIO, "injected")]

    def read_all(file: Any, size: int) -> bytes:
        if failures:
            raise failures.pop()
        return read(file, size)

    monkeypatch.setattr(swap_file, "_read_all", read_all)
    taken = owner.take_all()
    assert [(CORRUPT, errno.EIO, 200 - len(taken))] == [(r, e.errno, n) for r, e, n in owner.failures]  # type: ignore[union-attr]


def test_owner_that_raises_does_not_end_the_thread(
    thread: SwapThread, tmp_path: Path, make_owner: Callable[..., Owner], caplog: pytest.LogCaptureFixture
) -> None:
    """A callback's exception is logged, and other swaps are served on."""

    def fail(*_: Any) -> None:
        raise ValueError("injected")

    broken = Swap(thread, str(tmp_path), 1 << 40, handle_change=fail, handle_failure=fail)
    while broken.append(BODY):
        pass
    eventually(lambda: "the owner of a swap failed" in caplog.text)
    owner = make_owner()
    assert owner.fill(200) == owner.take_all()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 4 MB."""
    directory = tmp_path / "small"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(directory)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def test_full_disk_loses_nothing_and_is_used_again(make_owner: Callable[..., Owner], small_disk: Path) -> None:
    """On a real file system that is full the writer is refused, and goes on when the reader has made space."""
    owner = make_owner(directory=small_disk)
    appended: list[bytes] = []

    def append_until_full() -> None:
        while not owner.swap.is_full:
            message = b"%06d" % len(appended) + BODY
            if owner.swap.append(message):
                appended.append(message)
            elif not owner.swap.is_full:
                owner.changed.wait(0.01)

    append_until_full()
    assert (FULL, errno.ENOSPC) == (owner.failures[0][0], owner.failures[0][1].errno)  # type: ignore[union-attr]
    assert len(appended) > (BUFFERS + (2 << 20)) // len(BODY) // 2
    taken = owner.take(1)
    for _ in range(3):
        while owner.swap.is_full:
            taken += owner.take(10)
        append_until_full()
    taken += owner.take_all(7)
    assert appended == taken
    assert not [failure for failure in owner.failures if failure[0] != FULL]
    assert [] == list(small_disk.iterdir())


# --- end ------------------------------------------------------------------------------------------


def test_close_discards_and_frees(make_owner: Callable[..., Owner]) -> None:
    """All messages are counted, wherever they were; the disk thread closes the files."""
    owner = make_owner()
    owner.fill(300)
    owner.append(b"open")
    assert owner.take(1)
    assert 300 == owner.swap.close()
    assert 0 == owner.swap.close()
    assert (0, 0, 301) == (len(owner.swap), owner.swap.bytes, owner.swap.spilled)
    assert not owner.swap.append(b"x")
    assert not owner.swap.can_append
    assert [] == owner.swap.take(1)
    eventually(lambda: not owner.swap._file.segments)
    eventually(lambda: owner.swap not in owner.swap._thread._swaps)


def test_close_while_a_write_is_pending_does_not_wait(make_owner: Callable[..., Owner], gate: Gate) -> None:
    """The caller is back while the disk hangs, and the file goes when it doesn't any more."""
    owner = make_owner()
    count = 0
    while owner.swap.append(BODY):
        count += 1
    assert gate.reached.wait(TIMEOUT_S)
    assert count == owner.swap.close()
    gate.open.set()
    eventually(lambda: owner.swap not in owner.swap._thread._swaps)
    assert 0 == owner.swap._file.segments
    assert [] == owner.failures


def test_block_taken_while_it_is_written_is_released(make_owner: Callable[..., Owner], gate: Gate) -> None:
    """A reader that has caught up takes a block away from the disk; what was written of it goes."""
    owner = make_owner()
    count = 0
    while owner.swap.append(b"%06d" % count + BODY):
        count += 1
    assert gate.reached.wait(TIMEOUT_S)
    assert [b"%06d" % number + BODY for number in range(count)] == owner.take_all()
    gate.open.set()
    eventually(lambda: owner.swap._thread._sleeping)
    assert 0 == owner.swap._file.segments
    assert owner.fill(200) == owner.take_all()


def test_swaps_share_the_thread_in_turns(make_owner: Callable[..., Owner], gate: Gate) -> None:
    """One block of each: a long queue doesn't keep a short one waiting."""
    owners = [make_owner() for _ in range(3)]
    writers: list[Any] = []
    for owner in owners:
        while owner.swap.append(BODY):
            pass
        write = owner.swap._file.write
        file = owner.swap._file
        owner.swap._file = Recorder(file, write, writers)  # type: ignore[assignment]
    gate.open.set()
    for owner in owners:
        owner.settle()
    # The first block was on its way before anybody recorded.
    rounds = [writers[number : number + 3] for number in range(1, 7, 3)]
    assert [3, 3] == [len(set(turn)) for turn in rounds]


class Recorder:
    """A swap file that notes whose turn to write it is."""

    def __init__(self, file: Any, write: Any, writers: list[Any]) -> None:
        self._file, self._write, self._writers = file, write, writers

    def write(self, messages: Any) -> Any:
        self._writers.append(id(self))
        return self._write(messages)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_stop_drops_the_work_of_open_swaps(tmp_path: Path) -> None:
    """The thread ends, files are freed, and what was inside is counted by close."""
    thread = SwapThread()
    owner = Owner(thread, tmp_path)
    owner.fill(300)
    assert owner.swap._file.segments
    thread.stop()
    assert not thread._thread.is_running()
    assert 0 == owner.swap._file.segments
    assert not owner.swap.append(b"x")
    assert [] == owner.swap.take(10)
    assert 300 == owner.swap.close()
    with pytest.raises(RuntimeError, match="ended"):
        Owner(thread, tmp_path)
    thread.stop()


def test_stop_does_not_wait_for_ever(tmp_path: Path, gate: Gate) -> None:
    """A disk that hangs keeps the caller for the timeout only."""
    thread = SwapThread()
    owner = Owner(thread, tmp_path)
    while owner.swap.append(BODY):
        pass
    assert gate.reached.wait(TIMEOUT_S)
    thread.stop(0.01)
    assert thread._thread.is_running()
    owner.swap.close()
    gate.open.set()
    eventually(lambda: not thread._thread.is_running())
    assert 0 == owner.swap._file.segments


def test_thread_that_was_never_used_stops() -> None:
    """There is nothing to end."""
    SwapThread().stop()


def test_thread_that_cannot_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The constructor of the swap says so, and a later one tries again."""
    thread = SwapThread()

    def refuse(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(single_thread, "start_thread", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            Owner(thread, tmp_path)
    owner = Owner(thread, tmp_path)
    assert owner.fill(100) == owner.take_all()
    thread.stop()


def test_forked_child_abandons(make_owner: Callable[..., Owner]) -> None:
    """The child only closes its descriptors, though a thread of the parent held a lock; the parent goes on."""
    owner = make_owner()
    messages = owner.fill(200)
    descriptors = [segment.file.fileno() for segment in owner.swap._file._segments]
    assert descriptors
    with owner.swap._lock:
        child = os.fork()
        if not child:
            os._exit(_abandon(owner.swap, descriptors))
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert messages == owner.take_all()


def _abandon(swap: Swap, descriptors: list[int]) -> int:
    """Abandon a swap in a forked child; the number of descriptors that are still open, and of other surprises."""
    swap.abandon()
    surprises = len(swap) + len(swap.take(10)) + swap.append(b"x") + swap.close()
    for descriptor in descriptors:
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        surprises += 1
    return surprises


# --- model ----------------------------------------------------------------------------------------

PARTS = st.binary(max_size=3) | st.integers(0, 4000).map(lambda size: BODY[:size])
STEPS = st.one_of(
    st.tuples(st.just("append"), PARTS | st.lists(PARTS, min_size=2, max_size=4)),
    st.tuples(st.just("append many"), st.integers(1, 40)),
    st.tuples(st.just("take"), st.integers(1, 30)),
    st.tuples(st.just("wait"), st.none()),
    st.tuples(st.just("take all"), st.none()),
)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrink all sizes, so that a few messages go every way."""
    monkeypatch.setattr(swap_module, "BLOCK_SIZE", 1000)
    monkeypatch.setattr(swap_module, "READ_AHEAD_SIZE", 4000)
    monkeypatch.setattr(swap_module, "_SEALED_LIMIT", 7000)
    monkeypatch.setattr(swap_module, "_RESUME_LIMIT", 3500)
    monkeypatch.setattr(swap_file, "SEGMENT_SIZE", 10_000)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=80), max_bytes=st.sampled_from([3000, 50_000, 1 << 30]))
def test_any_sequence_of_steps_is_that_of_a_deque(
    thread: SwapThread, tmp_path: Path, small_blocks: None, steps: list[Any], max_bytes: int
) -> None:
    """Whatever is appended and taken, content, order and counters are those of a plain deque with a limit."""
    owner = Owner(thread, tmp_path, max_bytes)
    model: deque[Any] = deque()
    total = 0

    def size_of(message: Any) -> int:
        return sum(map(len, message)) if type(message) is list else len(message)

    def append(message: Any) -> None:
        nonlocal total
        while not owner.swap.append(message):
            if total + size_of(message) > max_bytes:
                return
            owner.wait()
        assert total + size_of(message) <= max_bytes
        model.append(message)
        total += size_of(message)

    def check(messages: list[Any]) -> None:
        nonlocal total
        for message in messages:
            assert model.popleft() == message
            total -= size_of(message)

    for action, argument in steps:
        if action == "append":
            append(argument)
        elif action == "append many":
            for number in range(argument):
                append(b"%d" % number * 100)
        elif action == "take":
            messages = owner.swap.take(argument)
            assert len(messages) <= argument
            check(messages)
        elif action == "wait":
            owner.settle()
        else:
            check(owner.take_all())
        assert (len(model), total) == (len(owner.swap), owner.swap.bytes)
    assert len(model) == owner.swap.close()
    assert [] == owner.failures


def test_writer_and_reader_in_two_threads(make_owner: Callable[..., Owner], small_blocks: None) -> None:
    """Under one lease, with the disk thread in between, nothing is lost, doubled or out of order."""
    owner, lease, total = make_owner(300_000), threading.Condition(), 20_000
    taken: list[bytes] = []

    def handle_change() -> None:
        with lease:
            lease.notify_all()

    owner.swap._handle_change = handle_change

    def read() -> None:
        while len(taken) < total:
            with lease:
                while not (messages := owner.swap.take(50)):
                    assert lease.wait(TIMEOUT_S)
                lease.notify_all()
            taken.extend(messages)

    reader = run_in_thread(read)
    chance = random.Random(1)
    for number in range(total):
        with lease:
            while not owner.swap.append(b"%d:" % number + BODY[: chance.randrange(300)]):
                assert lease.wait(TIMEOUT_S)
            lease.notify_all()
    reader.result(30)
    assert list(range(total)) == [int(message.partition(b":")[0]) for message in taken]
    assert [] == owner.failures
