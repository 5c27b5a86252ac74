"""Errors of the system in any call: an error to the caller or an event, then recovery alone. Nobody else notices."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, free_endpoint, link, purezmq_only, run_in_thread, zmq
from tests.support.faults import ERRNOS, SystemFaults

pytestmark = purezmq_only("libzmq aborts the process at some of these")

MakeSocket = Callable[..., Any]
NAMES = {number: errno.errorcode[number] for number in ERRNOS}
all_errnos = pytest.mark.parametrize("number", ERRNOS, ids=NAMES.get)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> SystemFaults:
    """What fails in this test."""
    return SystemFaults(monkeypatch)


#: What may be tried again at once, for ever.
TRANSIENT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EINTR, errno.EAGAIN, errno.ENOTCONN}


def check_no_busy_loop(number: int, seconds: float = 0.05) -> None:
    """While nothing happens the process takes hardly any processor time, after an error that could make it try on."""
    if number not in TRANSIENT:
        return
    before = time.process_time()
    time.sleep(seconds)  # idleness is what is measured here
    assert time.process_time() - before < 0.5 * seconds


def events_so_far(stream: Any) -> list[Any]:
    """What a stream of events gives without waiting."""
    seen: list[Any] = []
    with pytest.raises(zmq.Again):
        while True:
            seen.append(stream.get(timeout=0))
    return seen


def exchange(push: Any, pull: Any) -> None:
    """Send until something arrives: a connection may have been lost, with what was under way."""
    eventually(lambda: (push.send(b"again", zmq.DONTWAIT), pull.poll(50))[1])
    while pull.poll(0):
        assert b"again" == pull.recv()


@all_errnos
@pytest.mark.parametrize("call", ["recv", "send"])
def test_v34_error_on_a_connection_ends_it_at_most(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """Reading and writing: that connection may end, is made again, and other peers of the same socket keep theirs."""
    pull, push, other = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=5), make_socket(zmq.PUSH)
    endpoint = link(pull, push)
    exchange(push, pull)
    faults.fail(call, number)
    exchange(push, pull)
    assert 1 == faults.raised
    link(pull, other, endpoint=endpoint)
    other.send(b"unharmed")
    assert b"unharmed" == pull.recv()
    check_no_busy_loop(number)


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN], ids=NAMES.get)
@pytest.mark.parametrize("call", ["recv", "send"])
def test_p25_shortage_on_a_connection_loses_nothing(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """ENOBUFS and ENOMEM are transient: after many of them every message arrives, in order, by the same connection."""
    pull, push = make_socket(zmq.PULL, rcvhwm=0), make_socket(zmq.PUSH, sndhwm=0)
    link(pull, push)
    faults.fail(call, number, times=20)
    large = bytes(9000)
    for index in range(200):
        push.send(b"%d" % index + large)
    before = time.process_time()
    assert [b"%d" % index for index in range(200)] == [pull.recv()[:-9000] for _ in range(200)]
    assert time.process_time() - before < 2.0
    assert 20 == faults.raised
    assert 0 == pull.stats().reconnects + push.stats().reconnects
    assert 1 == len(pull.peers())


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("recv", errno.ENOMEM),
        ("send", errno.ENOBUFS),
        ("accept", errno.EMFILE),
        ("socket", errno.EMFILE),
        ("epoll_ctl", errno.ENOMEM),
    ],
)
def test_p25_shortage_that_lasts_takes_no_processor_time(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """P20, P25: while a call fails every time the process waits, and a moment after that it goes on."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=20)
    endpoint = bind(pull, "tcp")
    if call in {"recv", "send"}:
        link(pull, push, endpoint=endpoint)
    faults.fail(call, number, times=1 << 30)
    if call not in {"recv", "send"}:
        push.connect(endpoint)
    push.send(b"patience")
    before = time.process_time()
    time.sleep(0.5)  # what it takes meanwhile is what is measured
    assert time.process_time() - before < 0.15
    assert 0 < faults.raised < 1000
    faults.left = 0
    assert pull.poll(1000)
    assert b"patience" == pull.recv()


@all_errnos
@pytest.mark.parametrize("call", ["socket", "setsockopt", "connect_ex", "getsockopt", "getpeername", "getsockname"])
def test_v34_v35_error_while_connecting_is_an_attempt_that_failed(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """V35: the attempt fails, which the monitor tells where it mattered, and a later one succeeds."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=5)
    endpoint = bind(pull, "tcp")
    faults.fail(call, number, times=2)
    push.connect(endpoint)
    push.send(b"patience")
    assert b"patience" == pull.recv()
    is_on_its_way = (call, number) == ("connect_ex", errno.EINTR)
    assert faults.raised == (1 if is_on_its_way else 2)
    check_no_busy_loop(number)


@all_errnos
@pytest.mark.parametrize("call", ["accept", "setsockopt"])
def test_v32_v33_error_while_accepting_costs_nobody_else(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """Whatever accept, or a setting of what it gave, says: the listener goes on."""
    pull, push, other = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=5), make_socket(zmq.PUSH)
    endpoint = link(pull, other)
    faults.fail(call, number, times=3)
    push.connect(endpoint)
    push.send(b"patience")
    assert b"patience" == pull.recv()
    other.send(b"unharmed")
    assert b"unharmed" == pull.recv()
    check_no_busy_loop(number)


@pytest.mark.skipif(sys.platform == "win32", reason="no ipc")
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS, errno.ECONNRESET, errno.ENOTCONN, errno.EINVAL])
@pytest.mark.parametrize("call", ["accept", "setsockopt", "getsockopt", "recv", "send"])
def test_v33_error_on_ipc_costs_nobody_else(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """V33, V34: the same over ipc, where accepting asks who the peer is."""
    pull, push, other = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=5), make_socket(zmq.PUSH)
    endpoint = link(pull, other, transport="ipc")
    faults.fail(call, number)
    push.connect(endpoint)
    exchange(push, pull)
    other.send(b"unharmed")
    assert b"unharmed" == pull.recv()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM], ids=NAMES.get)
def test_v32_shortage_while_accepting_is_told_and_counted(
    make_socket: MakeSocket, faults: SystemFaults, number: int
) -> None:
    """EMFILE and its kin: one event of each kind, however long it lasts, and one count."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = bind(pull, "tcp")
    with pull.events() as events:
        faults.fail("accept", number, times=3)
        push.connect(endpoint)
        push.send(b"patience")
        assert b"patience" == pull.recv()
        told = events_so_far(events)
    assert [number] == [event.value for event in told if event.kind == "accept_failed"]
    assert ["descriptors"] == [event.reason for event in told if event.kind == "limit_exceeded"]
    assert {"descriptors": 1} == pull.stats().refusals


@all_errnos
@pytest.mark.parametrize("call", ["socket", "setsockopt", "bind", "listen", "getsockname", "epoll_ctl"])
def test_v34_error_while_binding_is_the_callers(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """bind() raises ZMQError with that number, or does without what failed; the next one succeeds."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = free_endpoint()
    faults.fail(call, number)
    failures = []
    try:
        pull.bind(endpoint)
    except zmq.ZMQError as error:
        failures.append(error.errno)
        pull.bind(endpoint)
    assert failures in ([], [number])
    assert 1 == faults.raised
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM], ids=NAMES.get)
@pytest.mark.parametrize("call", ["eventfd", "epoll"])
def test_v32_error_while_making_the_first_socket_is_the_callers(
    make_context: Callable[[], Any], faults: SystemFaults, call: str, number: int
) -> None:
    """The I/O thread's own descriptors: socket() raises, and the context makes one when there are some again."""
    context = make_context()
    faults.fail(call, number)
    with pytest.raises(zmq.ZMQError) as caught:
        context.socket(zmq.PULL)
    assert number == caught.value.errno
    context.socket(zmq.PULL).close()
    assert 1 == faults.raised


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC])
@pytest.mark.parametrize("call", ["eventfd", "epoll", "epoll_ctl"])
@pytest.mark.parametrize("side", ["bound", "connecting"])
def test_v32_error_while_a_connection_begins_is_a_failed_attempt(
    make_socket: MakeSocket, faults: SystemFaults, side: str, call: str, number: int
) -> None:
    """A socket makes its selector with its first connection: without descriptors that one ends, and is made again."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=5)
    first, second = (pull, push) if side == "bound" else (push, pull)
    endpoint = bind(first, "tcp")
    second.reconnect_ivl = 5
    faults.fail(call, number, times=3)
    second.connect(endpoint)
    push.send(b"patience")
    assert b"patience" == pull.recv()
    assert 3 == faults.raised
    check_no_busy_loop(number)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM], ids=NAMES.get)
def test_v32_error_in_the_first_poll_of_a_thread_is_the_callers(
    make_socket: MakeSocket, faults: SystemFaults, number: int
) -> None:
    """A thread that polls has a descriptor to be woken by: poll() raises, and works when there are some again."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(pull, push)
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    poller.register(push, zmq.POLLIN)
    faults.fail("eventfd", number)

    def poll_twice() -> list[Any]:
        with pytest.raises(OSError) as caught:
            poller.poll(1000)
        assert number == caught.value.errno
        push.send(b"x")
        return list(poller.poll(5000))

    assert [(pull, zmq.POLLIN)] == run_in_thread(poll_twice).result()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM], ids=NAMES.get)
@pytest.mark.parametrize("call", ["eventfd", "epoll"])
def test_v32_error_while_making_fd_is_the_callers(
    make_socket: MakeSocket, faults: SystemFaults, call: str, number: int
) -> None:
    """getsockopt(FD) raises, and gives one when there are descriptors again."""
    pull = make_socket(zmq.PULL)
    faults.fail(call, number)
    with pytest.raises(zmq.ZMQError) as caught:
        pull.getsockopt(zmq.FD)
    assert number == caught.value.errno
    assert pull.getsockopt(zmq.FD) >= 0
