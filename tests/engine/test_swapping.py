"""Spilling from end to end: a stalled reader, two processes, disks that are full or broken, ends and forks."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import bind, eventually, free_endpoint, library_module, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.interrupting import interrupted_at

pytestmark = [
    purezmq_only("libzmq has no swap since 3.0"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

MakeSocket = Callable[..., Any]
#: How much is spilled between two processes; 2000 by hand.
MEGABYTES = int(os.environ.get("PUREZMQ_TEST_SWAP_MB", "60"))
SIZE = 10_000
#: More than a swap keeps in memory (what it reads ahead, and what waits to be written).
SPILLED = 25_000_000
SMALL = {"sndbuf": 30_000, "rcvbuf": 30_000}

#: What the sending process does: arguments are the type, the directory and the megabytes.
SENDER = """
import re, sys
import purezmq as zmq

kind, directory, megabytes = sys.argv[1:]
context = zmq.Context()
socket = context.socket(getattr(zmq, kind), sndhwm=100, sndbuf=30000, overflow="spill", swap=1 << 40, linger=-1)
socket.swap_dir = directory
socket.bind("tcp://127.0.0.1:*")
print(socket.last_endpoint.rstrip(b"\\0").decode(), flush=True)

def memory():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmRSS:\\s+(\\d+)", status.read())[1]) * 1024

if kind == "PUB":
    socket.wait_for_subscribers(1, timeout=20)
before = memory()
most = 0
for number in range(int(megabytes) * 100):
    socket.send(b"%d " % number + b"x" * 9_990)
    if number % 500 == 0:
        most = max(most, memory())
print(max(most, memory()) - before, socket.stats().spilled, socket.stats().dropped, flush=True)
sys.stdin.readline()
socket.close()
context.term()
print("over", flush=True)
"""


class SenderProcess:
    """A process that spills; `text` is the next line of what it says."""

    def __init__(self, kind: str, directory: Path, megabytes: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SENDER, kind, str(directory), str(megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        self.endpoint = self.read()

    def read(self) -> str:
        assert self.process.stdout is not None
        return str(run_in_thread(self.process.stdout.readline).result(30 + MEGABYTES)).strip()

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


@pytest.fixture
def start_sender(tmp_path: Path) -> Iterator[Callable[..., SenderProcess]]:
    """Start processes that send, and end them."""
    processes: list[SenderProcess] = []

    def start(kind: str, megabytes: int = MEGABYTES) -> SenderProcess:
        processes.append(SenderProcess(kind, tmp_path, megabytes))
        return processes[-1]

    yield start
    for process in processes:
        process.end()


def open_receiver(make_socket: MakeSocket, kind: int, sender: SenderProcess) -> Any:
    """A receiver that has connected, so that the sender begins, and doesn't read yet."""
    receiver = make_socket(kind, rcvhwm=10, rcvbuf=30_000)
    if kind == zmq.SUB:
        receiver.subscribe(b"")
    receiver.connect(sender.endpoint)
    eventually(receiver.peers)
    return receiver


def number_of(message: bytes) -> int:
    return int(message.partition(b" ")[0])


@pytest.mark.parametrize("kind", ["PUSH", "PUB"])
@pytest.mark.timeout(60 + 3 * MEGABYTES)
def test_p06_stalled_reader_costs_disk_and_no_memory(
    make_socket: MakeSocket, start_sender: Callable[..., SenderProcess], kind: str
) -> None:
    """The sender goes on, its memory hardly grows, and all arrives in order, while it ends and waits for that."""
    sender = start_sender(kind)
    receiver = open_receiver(make_socket, zmq.PULL if kind == "PUSH" else zmq.SUB, sender)
    grown, spilled, dropped = map(int, sender.read().split())
    assert grown < 64_000_000
    assert spilled > MEGABYTES * 100 - 1000
    assert 0 == dropped
    sender.go_on()
    for number in range(MEGABYTES * 100):
        assert number == number_of(receiver.recv())
    assert "over" == sender.read()


def test_p22_killed_sender_leaves_no_file(
    make_socket: MakeSocket, start_sender: Callable[..., SenderProcess], tmp_path: Path
) -> None:
    """kill -9 while a lot is on disk."""
    sender = start_sender("PUSH", 30)
    receiver = open_receiver(make_socket, zmq.PULL, sender)
    sender.read()
    assert 0 == number_of(receiver.recv())
    sender.process.send_signal(signal.SIGKILL)
    sender.process.wait(10)
    eventually(lambda: [] == list(tmp_path.iterdir()))


# -- within one process --------------------------------------------------------------------------------------------


def make_pair(
    make_socket: MakeSocket, directory: Path, kinds: tuple[int, int] = (zmq.PUSH, zmq.PULL), *,
    transport: str = "tcp", within: Any = None,
) -> tuple[Any, Any]:  # fmt: skip
    """A sender that spills and a receiver that doesn't read."""
    sender = make_socket(kinds[0], sndhwm=10, within=within, **SMALL)
    receiver = make_socket(kinds[1], rcvhwm=10, **SMALL)
    sender.overflow, sender.swap_dir = "spill", str(directory)
    if kinds[1] == zmq.SUB:
        receiver.subscribe(b"")
    receiver.connect(bind(sender, transport))
    eventually(lambda: sender.peers() and receiver.peers())
    if kinds[1] == zmq.SUB:
        eventually(lambda: sender.peers()[0].subscriptions)
    return sender, receiver


def spill(sender: Any, count: int = SPILLED // SIZE) -> None:
    for number in range(count):
        sender.send(b"%d " % number + b"x" * (SIZE - 10))


def swap_files(directory: Path) -> list[int]:
    """The descriptors of this process that are open in a directory, whether or not the files have names."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith(str(directory)):
                found.append(int(name))
        except OSError:
            continue
    return found


def size_of(descriptors: list[int]) -> int:
    return sum(os.fstat(descriptor).st_size for descriptor in descriptors)


def wait_for_disk(directory: Path) -> list[int]:
    """Until some megabytes are on disk."""
    eventually(lambda: size_of(swap_files(directory)) > 4_000_000)
    return swap_files(directory)


@pytest.mark.parametrize("kinds", [(zmq.PUSH, zmq.PULL), (zmq.PUB, zmq.SUB)], ids=["PUSH", "PUB"])
def test_p21_corrupt_block_is_counted_and_the_rest_arrives(
    make_socket: MakeSocket, tmp_path: Path, kinds: tuple[int, int]
) -> None:
    """Bytes that flipped on disk cost their block, and nothing else."""
    sender, receiver = make_pair(make_socket, tmp_path, kinds)
    spill(sender)
    descriptor = wait_for_disk(tmp_path)[0]
    middle = os.fstat(descriptor).st_size // 2
    flipped = bytes(byte ^ 0xFF for byte in os.pread(descriptor, 100, middle))
    os.pwrite(descriptor, flipped, middle)
    count = SPILLED // SIZE
    numbers = []
    while not numbers or numbers[-1] != count - 1:
        numbers.append(number_of(receiver.recv()))
    assert sorted(set(numbers)) == numbers
    lost = count - len(numbers)
    assert 0 < lost <= 2 * (1 << 20) // SIZE
    eventually(lambda: 0 == sender.stats().queued)
    stats = sender.stats()
    assert {"corrupt": lost} == dict(stats.dropped_by_reason)
    assert count == stats.sent
    sender.send(b"%d after" % count)
    assert count == number_of(receiver.recv())


def test_close_and_term_wait_until_the_disk_is_empty(
    make_context: Any, make_socket: MakeSocket, tmp_path: Path
) -> None:
    """LINGER -1."""
    context = make_context()
    sender, receiver = make_pair(make_socket, tmp_path, within=context)
    sender.linger = -1
    spill(sender)
    sender.close()
    ending = run_in_thread(context.term)
    assert ending.still_runs_after(0.02)
    assert list(range(SPILLED // SIZE)) == [number_of(receiver.recv()) for _ in range(SPILLED // SIZE)]
    ending.result()
    eventually(lambda: [] == swap_files(tmp_path))


def test_linger_that_ends_discards_the_rest(make_context: Any, make_socket: MakeSocket, tmp_path: Path) -> None:
    """The disk is given back when the time is over, or at once with 0."""
    context = make_context()
    for linger in (50, 0):
        sender, _ = make_pair(make_socket, tmp_path, within=context)
        spill(sender)
        wait_for_disk(tmp_path)
        sender.close(linger)
        eventually(lambda: [] == swap_files(tmp_path))
    run_in_thread(context.term).result()


@pytest.mark.parametrize("end", ["disconnect", "unbind", "peer-leaves"])
def test_what_is_discarded_is_counted(make_socket: MakeSocket, tmp_path: Path, end: str) -> None:
    """LINGER 0: messages on disk for a peer that is gone."""
    sender, receiver = make_socket(zmq.PUSH, sndhwm=10, **SMALL), make_socket(zmq.PULL, rcvhwm=10, **SMALL)
    sender.overflow, sender.swap_dir, sender.linger = "spill", str(tmp_path), 0
    endpoint = bind(receiver if end == "disconnect" else sender, "tcp")
    (sender if end == "disconnect" else receiver).connect(endpoint)
    eventually(lambda: sender.peers() and receiver.peers())
    spill(sender, 1000)
    if end == "peer-leaves":
        receiver.close(0)
    else:
        getattr(sender, end)(endpoint)
    eventually(lambda: () == sender.stats().peers)
    stats = sender.stats()
    assert (1000, 0) == (stats.sent, stats.queued)
    assert {"disconnected": stats.dropped} == dict(stats.dropped_by_reason)
    assert stats.dropped > 800
    eventually(lambda: [] == swap_files(tmp_path))


def test_fork_leaves_the_files_to_the_parent(make_socket: MakeSocket, tmp_path: Path) -> None:
    """The child may close what it has; the parent's messages stay whole."""
    sender, receiver = make_pair(make_socket, tmp_path)
    spill(sender, SPILLED // SIZE // 2)
    wait_for_disk(tmp_path)
    child = os.fork()
    if not child:
        try:
            sender.close(0)
        finally:
            os._exit(0)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for number in range(SPILLED // SIZE // 2, SPILLED // SIZE):
        sender.send(b"%d " % number + b"x" * (SIZE - 10))
    assert list(range(SPILLED // SIZE)) == [number_of(receiver.recv()) for _ in range(SPILLED // SIZE)]
    assert {} == dict(sender.stats().dropped_by_reason)


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_asyncio_sender_spills(make_context: Any, tmp_path: Path, transport: str) -> None:
    """It never waits, and the reader gets all of it."""
    context = library_module("asyncio").Context()
    push = context.socket(zmq.PUSH, sndhwm=10, sndbuf=30_000, overflow="spill", swap_dir=str(tmp_path))
    pull = context.socket(zmq.PULL, rcvhwm=10, rcvbuf=30_000)

    async def main() -> list[int]:
        push.connect(bind(pull, transport))
        for number in range(SPILLED // SIZE):
            await asyncio.wait_for(push.send(b"%d " % number + b"x" * (SIZE - 10)), 5)
        assert push.stats().spilled > 1000
        return [number_of(await asyncio.wait_for(pull.recv(), 5)) for _ in range(SPILLED // SIZE)]

    try:
        assert list(range(SPILLED // SIZE)) == asyncio.run(main())
    finally:
        context.destroy(0)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_receiver_spills_what_it_does_not_read(make_socket: MakeSocket, tmp_path: Path, transport: str) -> None:
    """A PULL with the policy: its peer goes on, however long it doesn't read."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL, rcvhwm=10)
    pull.overflow, pull.swap_dir = "spill", str(tmp_path)
    push.connect(bind(pull, transport))
    spill(push)
    eventually(lambda: SPILLED // SIZE == pull.stats().unread)
    assert pull.stats().spilled > 1000
    assert list(range(SPILLED // SIZE)) == [number_of(pull.recv()) for _ in range(SPILLED // SIZE)]
    assert (0, 0) == (pull.stats().unread, pull.stats().unread_bytes)


# -- a disk that is full -------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(directory)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk can't be mounted here: {mounted.stderr.decode().strip()}")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=True)


def test_p21_full_disk_makes_sender_wait(make_socket: MakeSocket, small_disk: Path) -> None:
    """The type's own policy decides: PUSH blocks, and goes on when the reader has made room; nothing is lost."""
    sender, receiver = make_pair(make_socket, small_disk)
    count = 0
    while True:
        try:
            sender.send(b"%d " % count + b"x" * (SIZE - 10), zmq.DONTWAIT)
            count += 1
        except zmq.Again:
            if not sender.poll(200, zmq.POLLOUT):
                break
        assert count < 10_000
    assert count > 400
    more = run_in_thread(lambda: [sender.send(b"%d " % number + b"x" * (SIZE - 10)) for number in range(count, 3000)])
    assert list(range(3000)) == [number_of(receiver.recv()) for _ in range(3000)]
    more.result()
    assert {} == dict(sender.stats().dropped_by_reason)


def test_p21_full_disk_makes_publisher_drop(make_socket: MakeSocket, small_disk: Path) -> None:
    """PUB drops the newest and counts them; it goes on when the disk has drained."""
    sender, receiver = make_pair(make_socket, small_disk, (zmq.PUB, zmq.SUB))
    spill(sender, 3000)
    stats = sender.stats()
    assert 3000 == stats.sent
    assert {"newest": stats.dropped} == dict(stats.dropped_by_reason)
    assert 0 < stats.dropped < 2700
    numbers = [number_of(receiver.recv()) for _ in range(3000 - stats.dropped)]
    assert sorted(set(numbers)) == numbers
    assert try_recv(receiver, 20) is None
    for number in range(3000, 3050):
        sender.send(b"%d " % number + b"x" * (SIZE - 10))
    assert list(range(3000, 3050)) == [number_of(receiver.recv()) for _ in range(50)]
    assert stats.dropped == sender.stats().dropped


def test_p18_what_is_discarded_is_counted_once_wherever_that_is_interrupted(make_socket: MakeSocket) -> None:
    """A handler raises at moment after moment of the end of a pipe: done once more it counts what was left."""
    reached, moment = ["the first one"], 0
    while reached:
        push = make_socket(zmq.PUSH, sndhwm=2, linger=0)
        push.overflow, push.swap = "spill", 1 << 20
        push.connect(free_endpoint("tcp"))
        for number in range(10):
            push.send(b"%d" % number)
        (pipe,) = push._engine.pipes()
        swap = pipe.swap
        assert 8 == len(swap)
        with push._engine.lease:
            with interrupted_at(moment) as reached:
                pipe.discard_outbound("disconnected")
            pipe.discard_outbound("disconnected")
        assert (10, 8, 0) == (pipe.dropped, pipe.spilled, pipe.queued())
        eventually(lambda swap=swap: swap not in swap._thread._swaps)
        push.close()
        moment += 1
    assert moment > 20
