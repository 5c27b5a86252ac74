"""Signal handlers that raise ordinary exceptions: they end the call, cost no second copy, and leave nothing unsent."""

from __future__ import annotations

import errno
import functools
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import eventually, link, purezmq_only, run_in_thread, subscribe_and_wait, zmq
from tests.support.interrupting import Interrupted, interrupted_at

from purezmq.engine.burst import flush_thread
from purezmq.engine.fence import is_interruption, is_of_system
from purezmq.engine.loop import Loop
from purezmq.engine.selector import READ, is_nestable

MakeSocket = Callable[..., Any]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    purezmq_only("a pyzmq call is interrupted where libzmq waits, nowhere else"),
]

#: A burst is under way for so long after a write (seconds): the back-stop, too, waits for its end.
BURST_S = 0.02


class TimeIsUpError(Exception):
    """What an application's handler raises."""


every_error = pytest.mark.parametrize(
    "error",
    [TimeIsUpError, TimeoutError, InterruptedError, OSError(errno.ETIMEDOUT, "with a number"), ValueError],
    ids=lambda error: error.__name__ if isinstance(error, type) else "number",
)


def open_pair(make_socket: MakeSocket, kind: str) -> tuple[Any, Any]:
    """A sender and a receiver, connected over tcp; what is lost is connected again at once."""
    if kind == "push":
        receiver, sender = make_socket(zmq.PULL, rcvtimeo=5000), make_socket(zmq.PUSH, reconnect_ivl=1)
        link(receiver, sender)
    else:
        sender, receiver = make_socket(zmq.PUB), make_socket(zmq.SUB, reconnect_ivl=1, rcvtimeo=5000)
        link(sender, receiver)
        subscribe_and_wait(sender, receiver)
    return sender, receiver


def wait_for_peer(sender: Any, kind: str) -> None:
    """Wait until what is sent has a connection to go to."""
    eventually(lambda: sender.peers() and sender.peers()[0].connection)
    if kind == "pub":
        eventually(lambda: sender._pattern.distributor.matching(b"later"))


def receive_later(receiver: Any) -> bool:
    """Receive until what was sent later comes."""
    return b"later" in iter(receiver.recv, None)


def write_at(sender: Any, when: float) -> None:
    """Let the sender have written at a time: long ago, so that it writes at once, or just now, amid a burst."""
    sender._engine.shared.last_flush = when
    for session in list(sender._engine.sessions.values()):
        session.last_flush = when


@every_error
@pytest.mark.parametrize("kind", ["push", "pub"])
def test_p18_handler_ends_a_send_and_nothing_arrives_twice(
    make_socket: MakeSocket, kind: str, error: Exception | type[Exception]
) -> None:
    """It raises at moment after moment of a send that writes at once: each time that comes out of the call."""
    reached, moment = ["the first one"], 0
    while reached:
        sender, receiver = open_pair(make_socket, kind)
        write_at(sender, 0.0)
        has_returned = False
        with interrupted_at(moment, error) as reached:
            sender.send(b"once")
            has_returned = True
        assert not (reached and has_returned), reached
        if kind == "push":
            sender.send(b"last")  # a copy in the queue of the next connection would be before it
            received = list(iter(receiver.recv, b"last"))
            assert received in ([], [b"once"])
        sender.close(0)
        receiver.close(0)
        moment += 1
    assert moment > 10


@every_error
def test_p18_handler_ends_a_read(make_socket: MakeSocket, error: Exception | type[Exception]) -> None:
    """It raises at moment after moment of reading and decoding: each time that comes out, and the connection ends."""
    reached, moment = ["the first one"], 0
    while reached:
        push, pull = open_pair(make_socket, "push")
        engine = pull._engine
        (session,) = engine.sessions.values()
        has_returned = False
        with engine.lease.afterwards, engine.lease.guard:  # the I/O thread waits for it
            push.send(b"read by this thread")
            assert select.select([session.fd], [], [], 5)[0]
            now = time.monotonic()
            with interrupted_at(moment, error) as reached:
                session.handle_event(READ, now)
                has_returned = True
            if reached:
                assert not has_returned, reached
                assert moment == 0 or session.stream is None  # the first one is before anything was done
        push.close(0)
        pull.close(0)
        moment += 1
    assert moment > 10


@pytest.mark.parametrize("error", [TimeIsUpError, TimeoutError], ids=lambda error: error.__name__)
def test_p18_alarm_ends_a_receive_amid_traffic(make_socket: MakeSocket, error: type[Exception]) -> None:
    """A program that gives its calls a time by SIGALRM gets out of every one of them."""
    push, pull = open_pair(make_socket, "push")
    handled = came_out = 0

    def handle(*_: Any) -> None:
        nonlocal handled
        handled += 1
        raise error

    def send_all() -> None:
        push.sndtimeo = 1000
        while came_out < 300:
            try:
                push.send(bytes(200))
            except zmq.Again:
                continue

    before = signal.signal(signal.SIGALRM, handle)
    try:
        sending = run_in_thread(send_all)
        while came_out < 300 and handled == came_out:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.001)
                while handled == came_out:
                    pull.recv()
            except error:
                came_out += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert came_out == handled
    sending.result(20)


@pytest.mark.parametrize("place", ["send", "flush"])
@pytest.mark.parametrize("kind", ["push", "pub"])
def test_p18_interrupted_start_of_a_burst_leaves_the_next_one_be(
    make_socket: MakeSocket, kind: str, place: str
) -> None:
    """A handler raises at moment after moment of a send amid a burst, or of its flush: what is sent later leaves."""
    reached, moment = ["the first one"], 0
    while reached:
        sender, receiver = open_pair(make_socket, kind)
        write_at(sender, time.monotonic() + BURST_S)
        if place == "flush":
            sender.send(b"first")
        with interrupted_at(moment) as reached:
            if place == "send":
                sender.send(b"first")
            else:
                flush_thread()

        wait_for_peer(sender, kind)
        write_at(sender, time.monotonic() + BURST_S)
        for _ in range(3):
            sender.send(b"later")
        assert run_in_thread(receive_later, receiver).result(10), (
            reached
        )  # this thread, which would flush, doesn't wait
        sender.close(0)
        receiver.close(0)
        moment += 1
    assert moment > 8


def test_p18_interrupted_change_of_interest_ends_the_connection(make_socket: MakeSocket) -> None:
    """A handler raises where it's said what to wait for: nobody knows what was watched, and the next one is whole."""
    push, pull = open_pair(make_socket, "push")
    reached, moment = ["the first one"], 0
    while reached:
        eventually(lambda: pull._engine.sessions)
        engine = pull._engine
        with engine.lease:
            (session,) = engine.sessions.values()
            with interrupted_at(moment) as reached:
                session._set_interest(0)
            assert not reached or session.stream is None or session.mask == READ
            session.close_stream(None)
        moment += 1
        eventually(lambda: (push.send(b"again", zmq.DONTWAIT), pull.poll(10))[1])
    assert moment > 2


def test_back_stop_that_ran_before_it_was_noted_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread that asks for it may be slow: the timer has run, and is no reason not to ask again."""
    loop = Loop("a loop")
    served: list[int] = []

    class Engine:
        def flush_left_over(self, _now: float) -> bool:
            """Nothing is left."""
            served.append(1)
            return False

    call_at = Loop.call_at

    def call_slowly(self: Loop, when: float, callback: Callable[[], None]) -> Any:
        timer = call_at(self, when, callback)
        eventually(lambda: served)
        return timer

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "call_at", call_slowly)
        loop.note_left_over(Engine())
    loop.note_left_over(Engine())
    eventually(lambda: len(served) == 2)
    loop.stop()


def interrupt(handler: Any) -> Exception:
    """What comes out of a call of ours that a handler of SIGUSR1 interrupts."""
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        signal.raise_signal(signal.SIGUSR1)
    except Exception as error:  # noqa: BLE001 - whatever it raises
        found = is_interruption(error), is_of_system(error)
        assert (True, False) == found
        return error
    finally:
        signal.signal(signal.SIGUSR1, before)
    raise AssertionError("nothing came out")


def test_interruption_is_told_from_other_errors() -> None:
    """Whatever a handler in Python is, and whatever it raises, it was given the frame that it interrupted."""

    class Handlers:
        def method(self, number: int, frame: Any) -> None:
            """Raise."""
            raise TimeIsUpError

        def __call__(self, *_: Any) -> None:
            """Raise what the system raises, too."""
            raise TimeoutError(errno.ETIMEDOUT, "a number")

    def deeper(_number: int, _frame: Any) -> None:
        int("no number")

    def with_more(_more: str, _number: int, _frame: Any) -> None:
        raise TimeIsUpError

    def forgetful(number: int, frame: Any) -> None:
        del number, frame
        raise TimeIsUpError

    for handler in (Handlers().method, Handlers(), deeper, functools.partial(with_more, "more"), forgetful):
        interrupt(handler)
    assert is_interruption(Interrupted())
    assert not is_interruption(ValueError())


def test_errors_of_the_system_and_faults_are_no_interruptions() -> None:
    """The system's have a number; a fault of ours has frames in its traceback, too, and none got the one before it."""

    def fail(*what: Any) -> None:
        signal.pthread_kill(*what)

    with pytest.raises(FileNotFoundError) as of_system:
        open("/nonexistent/file").close()
    assert is_of_system(of_system.value)
    assert not is_interruption(of_system.value)
    with pytest.raises(TypeError) as fault:
        fail("a", "tuple", "and more")
    assert not is_interruption(fault.value)
    assert not is_of_system(TimeoutError())
    assert not is_of_system(None)


@pytest.mark.skipif(not is_nestable(), reason="a thread of the application reads")
def test_fault_of_ours_ends_the_connection_and_not_the_call(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a peer may have brought about: it's reported, and the call goes on with the next connection."""
    push, pull = open_pair(make_socket, "push")
    (session,) = pull._engine.sessions.values()
    connection, raised = type(session.connection), []
    receive_data = connection.receive_data

    def receive_and_fail(self: Any, *args: Any) -> Any:
        if not raised and self is session.connection:
            raised.append(self)
            raise ValueError("a fault")
        return receive_data(self, *args)

    monkeypatch.setattr(connection, "receive_data", receive_and_fail)
    receiving = run_in_thread(pull.recv)
    eventually(lambda: (push.send(b"again"), not receiving.running)[1])
    assert b"again" == receiving.result()
    assert raised
    assert "a fault" in caplog.text
