"""After a fault: requests are answered, clients and subscriptions return, queues go on. On one host, many processes."""

from __future__ import annotations

import os
import signal
import socket as stdlib_socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.length import SECONDS, choose
from tests.support import eventually, free_endpoint, zmq
from tests.support.peer_process import ROOT, PeerProcess

MakeSocket = Callable[..., Any]
Start = Callable[..., PeerProcess]
Figure = Callable[[str, object], None]

WAIT_S = 15.0
MIB = 1 << 20


# -- P02: requests -----------------------------------------------------------------------------------------------------

DEATHS = choose(100, 1000)


@pytest.fixture
def mortal_server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The endpoint of a server that dies, and its notes."""
    endpoint, log = free_endpoint(), tmp_path / "log"
    log.touch()
    program = Path(__file__).with_name("mortal_server.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, str(program), endpoint, str(log), str(DEATHS)], env=environment, start_new_session=True
    )
    yield endpoint, log
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.timeout(300)
def test_p02_server_dies_after_the_request(
    make_socket: MakeSocket, mortal_server: tuple[str, Path], figure: Figure
) -> None:
    """The server is killed with every other request in its hands: each is answered, and repeated as itself only."""
    endpoint, log = mortal_server
    req = make_socket(zmq.REQ, reconnect_ivl=10)
    req.connect(endpoint)
    longest = 0.0
    for number in range(2 * DEATHS):
        started = time.monotonic()
        assert b"%d" % number == req.request(b"%d" % number, timeout=5, retries=5)
        longest = max(longest, time.monotonic() - started)
    seen = Counter(int(line) for line in log.read_bytes().split())
    assert set(range(2 * DEATHS)) == set(seen)
    assert DEATHS == sum(count > 1 for count in seen.values())
    assert max(seen.values()) <= 6
    figure("server killed", DEATHS)
    figure("longest request in seconds", longest)


def test_p02_nobody_answers_any_more(make_socket: MakeSocket, make_peer: Callable[..., PeerProcess]) -> None:
    """A server that is killed and doesn't come back: the request ends in Again when its time is over."""
    server = make_peer()
    server.open("s", "REP")
    req = make_socket(zmq.REQ, reconnect_ivl=10)
    req.connect(server.bind("s", "tcp://127.0.0.1:*"))
    req.send(b"x")
    assert [b"x"] == server.recv("s")
    server.send("s", [b"x"])
    assert b"x" == req.recv()
    server.kill()
    started = time.monotonic()
    with pytest.raises(zmq.Again):
        req.request(b"y", timeout=0.2, retries=2)
    assert time.monotonic() - started <= 3 * 0.2 + 1.0


# -- P03: many clients -------------------------------------------------------------------------------------------------

CLIENTS = choose(200, 2000)
WINDOW_S = 0.5


def busiest_window(times: list[float]) -> int:
    """The most of these times within one window."""
    return max(sum(start <= when < start + WINDOW_S for when in times) for start in times)


@pytest.mark.timeout(180)
def test_p03_clients_come_back_one_after_the_other(program: Start, figure: Figure) -> None:
    """A server that was away for seconds gets its clients back, spread by back-off and jitter, not all at once."""
    endpoint = free_endpoint()
    server, clients = program(), program()
    server.raise_file_limit()
    server.open("s", "ROUTER")
    server.bind("s", endpoint)
    server.watch("s")
    clients.open_many(CLIENTS, "DEALER", endpoint, {"RECONNECT_IVL": 100, "RECONNECT_IVL_MAX": 2000})
    assert server.wait_event("s", "HANDSHAKE_SUCCEEDED", CLIENTS, WAIT_S)
    server.kill()
    time.sleep(2)  # the length of the outage is its subject: all clients have backed off
    server = program()
    server.raise_file_limit()
    server.open("s", "ROUTER", BACKLOG=1024)
    server.watch("s")
    server.bind("s", endpoint)
    started = time.monotonic()
    back_at = server.wait_event("s", "HANDSHAKE_SUCCEEDED", CLIENTS, WAIT_S)
    assert back_at is not None
    figure("seconds until all are back", back_at - started)
    peak = busiest_window(server.event_times("s", "ACCEPTED"))
    figure(f"most accepted within {WINDOW_S} s", f"{peak} of {CLIENTS}")
    figure("server's processor share", server.cpu_seconds() / (back_at - started))
    assert back_at - started <= 10.0
    assert peak <= CLIENTS * 3 / 4


# -- P04: subscriptions ------------------------------------------------------------------------------------------------

TOPICS = choose(5_000, 100_000)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("library", ["purezmq", "zmq"])
def test_p04_subscriptions_return(make_socket: MakeSocket, program: Start, figure: Figure, library: str) -> None:
    """Thousands of topics, high-water marks of 1, and the publisher restarted: each time all are effective again."""
    endpoint = free_endpoint()
    sub = make_socket(zmq.SUB, rcvhwm=1, sndhwm=1, reconnect_ivl=10)
    for number in range(TOPICS):
        sub.subscribe(b"topic %d." % number)
    sub.rcvhwm = 0
    sub.connect(endpoint)
    for round_ in range(choose(2, 10)):
        publisher = program(library=library)
        publisher.open("s", "XPUB", SNDHWM=0, RCVHWM=0)
        started = time.monotonic()
        publisher.bind("s", endpoint)
        assert publisher.take_subscriptions("s", TOPICS) == TOPICS
        figure(f"seconds until {TOPICS} topics are back, round {round_}", time.monotonic() - started)
        publisher.start("send_all", "s", TOPICS)
        assert [b"topic %d." % number for number in range(TOPICS)] == [sub.recv() for _ in range(TOPICS)]
        publisher.finish()
        publisher.kill()


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is Linux's")
def test_name_that_moves_is_followed(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that gives another address is believed at the next attempt."""
    from purezmq.transports import resolve

    port = int(free_endpoint().rsplit(":", 1)[1])
    address = "127.0.0.1"
    system = resolve.getaddrinfo

    def answer(host: Any, *args: Any) -> Any:
        if host in {"service.test", b"service.test"}:
            if args[-1] & stdlib_socket.AI_NUMERICHOST:
                raise stdlib_socket.gaierror(stdlib_socket.EAI_NONAME, "a name")
            host = address
        return system(host, *args)

    monkeypatch.setattr(resolve, "getaddrinfo", answer)
    old, new, push = make_socket(zmq.PULL), make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=10)
    old.bind(f"tcp://127.0.0.1:{port}")
    new.bind(f"tcp://127.0.0.2:{port}")
    push.connect(f"tcp://service.test:{port}")
    push.send(b"here")
    assert b"here" == old.recv()
    address = "127.0.0.2"
    old.close()
    eventually(lambda: push.stats().reconnects == 1)
    push.send(b"there")
    assert b"there" == new.recv()


# -- P28: a peer that sleeps -------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux tells it")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("library", ["purezmq", "zmq"])
def test_p28_peer_that_is_stopped(program: Start, figure: Figure, library: str) -> None:
    """SIGSTOP of the receiver: the sender's memory stays within its queue's limit, and afterwards nothing is lost."""
    sender, receiver = program(), program(library=library)
    size, limit = 20_000, 500
    sender.open("s", "PUSH", SNDHWM=limit)
    receiver.open("s", "PULL", RCVHWM=limit)
    receiver.connect("s", sender.bind("s", "tcp://127.0.0.1:*"))
    receiver.collect("s")
    before = sender.peak_memory()
    sender.send_paced("s", 0, 0, size)
    assert receiver.wait_collected("s", 10, WAIT_S) >= 10
    os.kill(receiver.pid, signal.SIGSTOP)
    try:
        # The length of the stop is its subject; the sender soon waits for room.
        time.sleep(max(2.0, min(SECONDS, 10.0)))
        stopped_at = sender.wait_sent("s", 0, 0)
        eventually(lambda: sender.stats("s")["queued"] >= limit // 2, WAIT_S)
        grown = sender.peak_memory() - before
    finally:
        os.kill(receiver.pid, signal.SIGCONT)
    figure("memory in MiB", grown / MIB)
    assert grown <= 2 * limit * size + 8 * MIB
    assert receiver.wait_number("s", stopped_at + limit, WAIT_S)
    total = sender.stop_sending("s")
    assert receiver.wait_number("s", total - 1, WAIT_S)
    assert receiver.is_complete("s", total)


# -- P29: no memory ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS as Linux has it")
def test_p29_want_of_memory(make_socket: MakeSocket, program: Start, figure: Figure) -> None:
    """Messages of 64 MiB where there is memory for a few: the process lives, and its other peers are served."""
    receiver = program()
    receiver.open("big", "PULL")
    receiver.open("small", "REP")
    big, small = make_socket(zmq.PUSH, reconnect_ivl=10), make_socket(zmq.REQ)
    big.connect(receiver.bind("big", "tcp://127.0.0.1:*"))
    small.connect(receiver.bind("small", "tcp://127.0.0.1:*"))
    receiver.limit_memory(300 * MIB)
    events = big.events(timeout=WAIT_S)
    message = bytes(64 * MIB)
    for _ in range(6):
        big.send(message)
    next(event for event in events if event.kind == "disconnected")
    for number in range(20):
        small.send(b"%d" % number)
        assert [b"%d" % number] == receiver.recv("small")
        receiver.send("small", [b"ok"])
        assert b"ok" == small.recv()
    figure("peak memory of the receiver in MiB", receiver.peak_memory() / MIB)


def test_p29_other_clients_of_the_same_socket(make_socket: MakeSocket, program: Start) -> None:
    """A peer of the same socket is served, too, when there was no memory for another one's message."""
    receiver = program()
    receiver.open("s", "PULL")
    endpoint = receiver.bind("s", "tcp://127.0.0.1:*")
    big, small = make_socket(zmq.PUSH, reconnect_ivl=10), make_socket(zmq.PUSH)
    receiver.limit_memory(40 * MIB)
    big.connect(endpoint)
    events = big.events(timeout=WAIT_S)
    big.send(bytes(64 * MIB))
    next(event for event in events if event.kind == "disconnected")
    big.close(0)
    small.connect(endpoint)
    for number in range(20):
        small.send(b"%d" % number)
        assert [b"%d" % number] == receiver.recv("s")


# -- P05: who subscribes late ------------------------------------------------------------------------------------------


def test_p05_with_the_wait_nobody_comes_too_late(make_socket: MakeSocket) -> None:
    """A publisher that waits for its subscriber, a new one each time: the first message reaches it, and all others."""
    pub = make_socket(zmq.PUB)
    pub.bind("tcp://127.0.0.1:*")
    for round_ in range(choose(200, 1000)):
        sub = make_socket(zmq.SUB)
        topic = b"%d " % round_
        sub.subscribe(topic)
        sub.connect(pub.last_endpoint)
        pub.wait_for_subscribers(1, topic, timeout=5)
        for number in range(5):
            pub.send(topic + b"%d" % number)
        assert [topic + b"%d" % number for number in range(5)] == [sub.recv() for _ in range(5)]
        sub.close()
