"""Signals at any moment: handlers that return cost nothing, and of those that raise nothing stays held."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support import eventually, free_endpoint, link, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.interrupting import Interrupted, interrupted_at

from purezmq.asyncio.taking import ManyRequest, put_back
from purezmq.engine.inproc import pair_up
from purezmq.engine.lease import Lease
from purezmq.engine.selector import READ, is_nestable
from purezmq.engine.wakeup import Wakeup

MakeSocket = Callable[..., Any]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    purezmq_only("a pyzmq call is interrupted where libzmq waits, nowhere else"),
]


@contextmanager
def alarms(handler: Callable[..., Any], interval_s: float) -> Iterator[None]:
    """Have a handler called again and again."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, interval_s, interval_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Interruptions:
    """Raises out of whatever runs, but not while the test itself has something to note."""

    def __init__(self) -> None:
        self.count = 0
        self.armed = False

    def __call__(self, *_: Any) -> None:
        if self.armed:
            self.armed = False
            self.count += 1
            raise Interrupted

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call, and return the value; None when it was interrupted."""
        try:
            self.armed = True
            value = function(*args)
            self.armed = False
        except Interrupted:
            return None
        return value


# A handler may raise in a destructor, too; Python reports that and goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_p18_interrupted_calls_hold_nothing(make_socket: MakeSocket, transport: str) -> None:
    """Calls that a handler raises out of thousands of times: the next call works, from this thread and from others."""
    dealer, router = make_socket(zmq.DEALER, sndhwm=10), make_socket(zmq.ROUTER, rcvhwm=10)
    link(router, dealer, transport=transport)
    dealer.rcvtimeo = router.rcvtimeo = dealer.sndtimeo = 5
    interruptions = Interruptions()
    attempts = [
        lambda: dealer.send_multipart([b"a", b"b"]),
        router.recv_multipart,
        lambda: router.poll(1),
        lambda: dealer.send(b"x"),
        lambda: zmq.zmq_poll([(router, zmq.POLLIN), (dealer, zmq.POLLIN)], 1),
    ]
    with alarms(interruptions, 0.000_3):
        deadline = time.monotonic() + 4
        while interruptions.count < 3000 and time.monotonic() < deadline:
            for attempt in attempts:
                try:
                    interruptions.run(attempt)
                except zmq.Again:
                    continue
    assert interruptions.count > 500
    for socket in (dealer, router):
        assert not run_in_thread(socket.get, zmq.EVENTS).result() & ~(zmq.POLLIN | zmq.POLLOUT)
        assert not socket._engine.leadership.leads


def test_p18_signals_cost_no_message(make_socket: MakeSocket) -> None:
    """A handler runs a thousand times a second while messages come: none is lost or out of order."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    count = 200_000
    handled: list[int] = []

    def send_all() -> None:
        for number in range(count):
            push.send(b"%d" % number)

    with alarms(lambda *_: handled.append(1), 0.001):
        sending = run_in_thread(send_all)
        received = [int(pull.recv()) for _ in range(count)]
        sending.result(20)
    assert list(range(count)) == received
    assert len(handled) > 50


@pytest.mark.parametrize("name", ["recv", "send", "poll", "poller"])
def test_p18_signals_leave_timeouts_as_they_are(make_socket: MakeSocket, name: str) -> None:
    """Waits go on for the time that is left, not for the whole time after each signal, nor end early."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind("tcp://127.0.0.1:*")
    push.bind("tcp://127.0.0.1:*")
    pull.rcvtimeo = push.sndtimeo = 200
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    poller.register(push, zmq.POLLOUT)
    calls: dict[str, Callable[[], Any]] = {
        "recv": pull.recv,
        "send": lambda: push.send(b"x"),
        "poll": lambda: pull.poll(200),
        "poller": lambda: poller.poll(200),
    }
    handled: list[int] = []
    started = time.monotonic()
    with alarms(lambda *_: handled.append(1), 0.001):
        if name in {"recv", "send"}:
            with pytest.raises(zmq.Again):
                calls[name]()
        else:
            assert not calls[name]()
    assert 0.19 <= time.monotonic() - started < 2.0
    assert len(handled) > 20


@pytest.mark.parametrize("error", [Interrupted, MemoryError, TimeoutError], ids=lambda error: error.__name__)
def test_p18_interrupted_read_delivers_nothing_false(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """What follows bytes that were read and never decoded is no message: the connection ends, the next one is whole."""
    pull, push = make_socket(zmq.PULL, rcvhwm=0), make_socket(zmq.PUSH, sndhwm=0, reconnect_ivl=1)
    link(pull, push)
    (session,) = pull._engine.sessions.values()
    first, try_read = session.stream, type(session.stream).try_read
    reader, raised = threading.get_ident(), []

    def read_and_raise(stream: Any, size: int) -> bytes | None:
        if stream is first and threading.get_ident() != reader:
            return None  # it would read before the interruption
        data: bytes | None = try_read(stream, size)
        if data and stream is first and not raised:
            raised.append(error)
            raise error
        return data

    monkeypatch.setattr(type(first), "try_read", read_and_raise)
    body = bytes(15_000)
    for _ in range(100):
        push.send(body)
    with suppress(error), pull._engine.lease:
        while session.stream is first:
            session.handle_event(READ, time.monotonic())
    pull.rcvtimeo = 5000
    received = []
    while b"last" not in received:
        push.send(b"last")
        received.append(pull.recv())
    assert {body, b"last"} >= set(received)


def test_p18_interrupted_end_of_a_connection_is_told_once(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler raises right behind the end of a connection: the I/O thread does the rest, and one attempt follows."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=60_000)
    link(pull, push)
    engine = push._engine
    (dialer,) = engine.dialers
    told = []
    handle_lost = type(engine).handle_lost

    def tell_and_raise(self: Any, *args: Any, **how: Any) -> None:
        handle_lost(self, *args, **how)
        if self is engine:
            told.append(args)
            if len(told) == 1:
                raise Interrupted

    monkeypatch.setattr(type(engine), "handle_lost", tell_and_raise)
    with pytest.raises(Interrupted), engine.lease:
        dialer.session.close_stream(None)
    eventually(lambda: len(told) == 2)
    with engine.lease:
        attempts = [one for _, _, one in engine.loop.timers._heap if one.callback == dialer._attempt]
        assert [dialer._timer] == attempts


@pytest.mark.parametrize("place", ["call_at", "unwatch", "unregister"])
def test_p18_interrupted_reader_gives_the_socket_back(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A handler raises while a thread takes a socket from the I/O thread: that one reads again afterwards."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(pull, push)
    leadership = pull._engine.leadership
    eventually(lambda: leadership.watched)
    owner = type(leadership.loop if place != "unregister" else leadership.loop.selector)
    original, reader, raised = getattr(owner, place), threading.get_ident(), []

    def interrupt(*args: Any) -> Any:
        if threading.get_ident() == reader and not raised:
            raised.append(place)
            raise Interrupted
        return original(*args)

    monkeypatch.setattr(owner, place, interrupt)
    with pytest.raises(Interrupted):
        pull.recv(timeout=1)
    push.send(b"read by the I/O thread")
    eventually(lambda: pull._pattern.inbox.ready)
    eventually(lambda: leadership.watched)
    assert leadership.selector.fileno() in leadership.loop.handlers
    assert b"read by the I/O thread" == pull.recv()


@pytest.mark.skipif(not is_nestable(), reason="it looks into an epoll")
def test_p18_descriptor_without_handler_is_let_go(make_context: Callable[[], Any]) -> None:
    """One that an interrupted call left in the selector doesn't keep the I/O thread busy; it can be watched again."""
    context, wakeup = make_context(), Wakeup()
    with context.socket(zmq.PULL) as pull:
        loop = pull._engine.loop
        pull.bind("tcp://127.0.0.1:*")
        wakeup.set()
        loop.selector.register(wakeup.fd, READ)

        def is_let_go() -> bool:
            try:
                loop.selector._epoll.modify(wakeup.fd, READ)
            except FileNotFoundError:
                return True
            return False

        eventually(is_let_go)
        handled: list[int] = []
        loop.watch(wakeup.fd, READ, lambda mask: (handled.append(mask), wakeup.clear())[0])
        eventually(lambda: handled)
        loop.watch(wakeup.fd, READ, lambda _: wakeup.clear())  # again, as after an interrupted end
        loop.unwatch(wakeup.fd)


@contextmanager
def leases_left_in_python() -> Iterator[list[str]]:
    """Note which functions let a lease go by a method in Python, at whose beginning a handler may raise."""
    left: list[str] = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is Lease.__exit__.__code__:
            left.append(frame.f_back.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield left
    finally:
        sys.setprofile(before)


def test_p18_what_a_burst_left_is_written_without_a_gap_in_the_lease(make_socket: MakeSocket) -> None:
    """The lease is let go in C, where no handler can raise, also before a call that blocks writes what is left."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    with leases_left_in_python() as left:
        for _ in range(5):
            push.send(b"x")
        received = [pull.recv() for _ in range(5)]
    assert [b"x"] * 5 == received
    assert [] == left


def test_p18_calls_beside_sending_let_the_lease_go_in_c(make_context: Callable[[], Any]) -> None:
    """So do those that set, ask, bind, connect and close."""
    context = make_context()
    with leases_left_in_python() as left:
        pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
        endpoint = f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}"
        events = push.events()
        with push.connect(endpoint, wait=5):
            assert events.get(timeout=5)
            push.rcvhwm = push.max_parts = 10
            push.overflow = "drop-oldest"
            push.bind_identity = True
            context.max_bytes = 1 << 20
            assert not push.get(zmq.EVENTS) & zmq.POLLIN
            assert push.fileno() >= 0
            assert push.stats().type == "PUSH"
            assert push.peers()
            assert context.stats().sockets
        events.close()
        push.monitor("inproc://monitor")
        push.disable_monitor()
        pull.unbind(endpoint)
        push.close(0)
        pull.close(0)
        context.term()
    assert [] == left


def test_p18_interrupted_command_is_done_by_the_io_thread(make_socket: MakeSocket) -> None:
    """What others posted to a socket is not lost when a handler raises in its midst, nor what was posted behind it."""
    engine = make_socket(zmq.PULL)._engine
    threads: list[int] = []
    done = threading.Event()

    def first() -> None:
        threads.append(threading.get_ident())
        if len(threads) == 1:
            engine.post(done.set)  # it has to wait: the lease is held
            raise Interrupted

    with pytest.raises(Interrupted):
        engine.post(first)
    assert done.wait(5)
    assert [threading.get_ident(), engine.loop._thread] == threads
    assert engine.lease.try_acquire()
    engine.lease.release()


@pytest.mark.parametrize("error", [Interrupted, TimeoutError])
def test_p18_no_command_waits_for_ever_wherever_its_poster_is_interrupted(
    make_socket: MakeSocket, error: type[BaseException]
) -> None:
    """A handler raises at moment after moment: what is in the mailbox is done, though nobody else comes by."""
    engine = make_socket(zmq.PULL)._engine
    done: list[int] = []
    reached, moment = ["the first one"], 0
    while reached:
        with interrupted_at(moment, error) as reached:
            engine.post(lambda moment=moment: done.append(moment))
        eventually(lambda: not engine.lease.mailbox)
        moment += 1
    assert {*range(2, moment)} <= {*done}  # before the third moment it isn't in the mailbox


def test_p18_command_waits_for_the_next_holder_at_most_wherever_one_is_interrupted(make_socket: MakeSocket) -> None:
    """A handler raises at moment after moment of a lease during which something was posted: it's done all the same."""
    engine = make_socket(zmq.PULL)._engine
    lease = engine.lease
    done: list[int] = []
    reached, moment = ["the first one"], 0
    while reached:
        with interrupted_at(moment) as reached, lease.afterwards, lease.guard:
            lease.mailbox.append(partial(done.append, moment))
        with lease.afterwards, lease.guard:
            pass
        eventually(lambda: not lease.mailbox)
        moment += 1
    assert {*range(2, moment)} <= {*done}  # before the third moment it isn't in the mailbox


def test_command_that_always_raises_is_given_up(make_socket: MakeSocket, caplog: pytest.LogCaptureFixture) -> None:
    """It's done once more, reported, and what was posted behind it follows."""
    engine, done, calls = make_socket(zmq.PULL)._engine, threading.Event(), []

    def leave() -> None:
        calls.append(leave)
        raise SystemExit

    assert engine.lease.acquire(True, 5)
    engine.post(leave)  # the two have to wait
    engine.post(done.set)
    with pytest.raises(SystemExit):
        engine.lease.release()
    assert done.wait(5)
    assert 2 == len(calls)
    assert "a command for a socket failed" in caplog.text


def test_p18_every_message_is_accounted_for_wherever_a_send_is_interrupted(make_socket: MakeSocket) -> None:
    """A handler raises at moment after moment of a send: what doesn't arrive is in the counters, or in the events.

    Nothing arrives twice, for nobody sent it again.
    """
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=1)
    link(pull, push)
    events = push.events(max_events=10_000)
    reached, moment = ["the first one"], 0
    while reached:
        eventually(lambda: push.peers() and push.peers()[0].connection)
        for session in list(push._engine.sessions.values()):
            session.last_flush = 0.0  # it has been idle: the message is written at once
        with interrupted_at(moment) as reached:
            push.send(b"%d" % moment)
        moment += 1
    push.send(b"last")
    received = []
    while b"last" not in received or pull.poll(100):  # what came by former connections is taken in turns
        received.append(pull.recv())
    assert len(set(received)) == len(received)
    events.close()
    handed_over = sum(event.count for event in events if event.kind == "disconnected")
    stats = push.stats()
    lost = stats.sent - stats.dropped - stats.queued - len(received)
    assert 0 <= lost <= handed_over
    assert moment > 10


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("closes", ["binder", "connector"])
@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_p18_context_ends_wherever_close_is_interrupted(
    make_context: Callable[[], Any], transport: str, closes: str
) -> None:
    """A handler raises at moment after moment of `Socket.close`: the context ends, each time."""
    reached, moment = ["the first one"], 0
    while reached:
        context = make_context()
        pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
        link(pull, push, transport=transport)
        pull._engine.loop.start()
        closed, other = (push, pull) if closes == "connector" else (pull, push)
        with interrupted_at(moment) as reached:
            closed.close(0)
        closed.close(0)
        other.close(0)
        context.term(5)
        moment += 1
    assert moment > 20


def test_p18_loss_on_disk_is_counted_once(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler raises where a loss is told, behind the count: the command that is done once more only tells."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind("inproc://loss")
    push.connect("inproc://loss")  # no I/O thread has anything to do with it
    engine, (pipe,), swap = push._engine, push._engine.pipes(), _FailingSwap()
    engine.queues.adopt_swap(swap, pipe, lambda: None)
    told: list[str] = []

    def tell(kind: str, **_: Any) -> None:
        if kind == "swap_corrupt":
            told.append(kind)
            if len(told) == 1:
                raise Interrupted

    monkeypatch.setattr(type(engine), "tell", lambda _self, kind, **what: tell(kind, **what))
    with pytest.raises(Interrupted):
        swap.handle_failure("corrupt", None, 7)
    eventually(lambda: len(told) == 2)
    assert 7 == pipe.dropped
    engine.queues.swaps.clear()


class _FailingSwap:
    def hand_over(self, _handle_change: Any, handle_failure: Callable[..., None]) -> None:
        """Note whom to tell."""
        self.handle_failure = handle_failure


def test_p18_second_end_of_an_inproc_connection_hears_of_it(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler raises where the first end is told: the second is, all the same."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    name = "inproc://interrupted"
    push.connect(name)
    connector, binder = push._engine, pull._engine
    (waiting,) = connector.links

    run_mailbox = Lease.run_mailbox

    def run_interrupted(lease: Lease, *args: Any) -> None:
        run_mailbox(lease, *args)
        if lease is binder.lease:
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Lease, "run_mailbox", run_interrupted)
        with pytest.raises(Interrupted):
            pair_up(waiting, binder)
    push.sndtimeo = 5000
    push.send(b"x")
    eventually(lambda: waiting.confirmation is not None)


def test_p18_interrupted_bind_leaves_no_listener(make_socket: MakeSocket) -> None:
    """A handler raises behind the start: what the I/O thread still holds of the listener watches nothing any more."""
    engine = (pull := make_socket(zmq.PULL))._engine
    listeners: list[Any] = []

    class Raising(list[Any]):
        def append(self, listener: Any) -> None:
            """Raise, where `bind` would be done."""
            listeners.append(listener)
            raise Interrupted

    engine.listeners = Raising()
    with pytest.raises(Interrupted):
        pull.bind("tcp://127.0.0.1:*")
    (listener,) = listeners
    assert -1 == listener.fd
    assert listener._pause is None


def test_p18_interrupted_subscription_is_made_when_done_once_more(make_socket: MakeSocket) -> None:
    """A handler raises at moment after moment of it: the topic is wanted afterwards, and can be withdrawn."""
    reached, moment = ["the first one"], 0
    while reached:
        publisher, subscriber = make_socket(zmq.XPUB), make_socket(zmq.SUB)
        link(publisher, subscriber, transport="inproc")
        distributor = publisher._pattern.distributor
        (pipe,) = distributor.pipes
        with interrupted_at(moment) as reached:
            distributor.subscribe(pipe, b"topic")
        distributor.subscribe(pipe, b"topic")
        assert (pipe.share,) == distributor.matching(b"topic and more")
        distributor.detach(pipe)
        assert not distributor.index
        publisher.close(0)
        subscriber.close(0)
        moment += 1
    assert moment > 2


@pytest.mark.parametrize("how", ["unbind", "close"])
@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_p18_address_is_free_when_an_interrupted_end_is_done_once_more(
    make_socket: MakeSocket, transport: str, how: str
) -> None:
    """A handler raises at moment after moment of `unbind`, or of `close`, which the I/O thread completes."""
    endpoint = free_endpoint(transport)

    def is_interrupted(moment: int) -> bool:
        pull = make_socket(zmq.PULL)
        pull.bind(endpoint)
        listener = pull._engine.listeners[0].stream_listener
        end = partial(pull.unbind, endpoint) if how == "unbind" else pull.close
        with interrupted_at(moment) as reached:
            end()
        with suppress(zmq.ZMQError):  # it is unbound already
            end()
        if how == "unbind":
            assert -1 == listener.fileno()
        eventually(lambda: -1 == listener.fileno())
        assert transport == "tcp" or not Path(endpoint.removeprefix("ipc://")).exists()
        pull.close()
        return bool(reached)

    moment = 0
    while is_interrupted(moment):
        moment += 1
    assert moment > 20


@pytest.mark.parametrize("what", ["messages", "subscriptions"])
def test_p18_interrupted_return_of_messages_loses_none(make_socket: MakeSocket, what: str) -> None:
    """A handler raises at moment after moment of it: what was taken comes again, each once and in order."""
    receiver, sender = make_socket(zmq.XPUB), make_socket(zmq.XSUB)
    if what == "messages":
        receiver, sender = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(receiver, sender, transport="inproc")
    engine, messages = receiver._engine, [b"\1a", b"\1b", b"\1c"]
    for message in messages:
        sender.send(message)
    reached, moment = ["the first one"], 0
    while reached:
        with engine.lease:
            taken = ManyRequest(10).take(receiver)
        assert taken is not None
        assert messages == ManyRequest(10).convert(receiver, taken)
        with interrupted_at(moment) as reached:
            engine.post(partial(put_back, receiver, taken))
        eventually(lambda: not engine.lease.mailbox)
        with engine.lease:
            put_back(receiver, taken)  # it wasn't posted, or this does nothing
        moment += 1
    assert messages == [receiver.recv() for _ in messages]
    assert try_recv(receiver) is None
    assert moment > 15
