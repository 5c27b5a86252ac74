"""Errors of the system in any call: an error to the caller or an event, then recovery alone. Nobody else notices."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, free_endpoint, link, purezmq_only, zmq
from tests.support.faults import ERRNOS, SystemFaults

pytestmark = purezmq_only("libzmq aborts the process at some of these")

MakeSocket = Callable[..., Any]
NAMES = {number: errno.errorcode[number] for number in ERRNOS}
all_errnos = pytest.mark.parametrize("number", ERRNOS, ids=NAMES.get)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> SystemFaults:
    """What fails in this test."""
    return SystemFaults(monkeypatch)


def check_no_busy_loop(seconds: float = 0.05) -> None:
    """While nothing happens the process takes hardly any processor time."""
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
    check_no_busy_loop()


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
    check_no_busy_loop()


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
    check_no_busy_loop()


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
    check_no_busy_loop()


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
