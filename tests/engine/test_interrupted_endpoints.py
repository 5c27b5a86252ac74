"""Signal handlers that raise out of bind, connect, unbind, disconnect and term: half of one is left nowhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from errno import ENOENT
from typing import Any

import pytest
from tests.support import TIMEOUT_S, eventually, link, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.interrupting import Interrupted, interrupted_at

from purezmq import native
from purezmq.engine.selector import is_nestable

MakeSocket = Callable[..., Any]
MakeContext = Callable[..., Any]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    purezmq_only("a pyzmq call is interrupted where libzmq waits, nowhere else"),
]


def try_all(is_interrupted: Callable[[int], bool]) -> int:
    """Call with moment after moment until none was reached, and return how many there were."""
    moment = 0
    while is_interrupted(moment):
        moment += 1
    return moment


def pipes_of(socket: Any) -> list[Any]:
    """What a PUSH, DEALER or their kin sends to by turns."""
    pipes: list[Any] = socket._pattern.balancer.pipes
    return pipes


def is_open(selector: Any) -> bool:
    """Whether a selector of the system's better kind has its descriptor yet."""
    return is_nestable() and not selector._epoll.closed


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_p18_interrupted_connect_is_made_or_undone(make_socket: MakeSocket, transport: str) -> None:
    """No message is queued for a connection that nobody makes; what connects can be disconnected, and once only."""
    pull = make_socket(zmq.PULL)
    endpoint = "inproc://connected" if transport == "inproc" else "tcp://127.0.0.1:*"
    pull.bind(endpoint)
    endpoint = pull.last_endpoint.decode()

    def is_interrupted(moment: int) -> bool:
        push = make_socket(zmq.PUSH)
        push._engine.loop.start()
        with interrupted_at(moment) as reached:
            push.connect(endpoint)
        assert len(pipes_of(push)) == len(push._shared.endpoints.describe()) <= 1
        if pipes_of(push):
            push.send(b"%d" % moment)
            assert [b"%d" % moment] == pull.recv_multipart()
            push.disconnect(endpoint)
        with pytest.raises(zmq.ZMQError) as caught:
            push.disconnect(endpoint)
        assert caught.value.errno == ENOENT
        push.connect(endpoint)
        push.send(b"again")
        assert [b"again"] == pull.recv_multipart()
        push.close()
        return bool(reached)

    assert try_all(is_interrupted) > 20


def test_p18_interrupted_connect_that_waits_leaves_no_other_than_a_made_connection(make_socket: MakeSocket) -> None:
    """Whichever moment before the handshake was interrupted: nothing is connected."""
    pull = make_socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint.decode()

    def is_interrupted(moment: int) -> bool:
        push = make_socket(zmq.PUSH)
        push._engine.loop.start()
        with interrupted_at(moment) as reached:
            push.connect(endpoint, wait=TIMEOUT_S)
        with push._engine.lease:
            assert all(dialer.is_connected for dialer in push._engine.dialers)
        push.close()
        return bool(reached)

    assert try_all(is_interrupted) > 20


def test_p18_message_sent_by_another_thread_during_an_interrupted_connect_arrives(make_socket: MakeSocket) -> None:
    """The connect is undone, but for what was taken meanwhile: that leaves as after any disconnect."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind("tcp://127.0.0.1:*")
    push.linger = -1
    attach = push._pattern.attach

    def attach_and_send(pipe: Any) -> None:
        attach(pipe)
        pipe.send(b"taken")  # the path without the lease
        raise Interrupted

    push._pattern.attach = attach_and_send
    with pytest.raises(Interrupted):
        push.connect(pull.last_endpoint.decode())
    assert [b"taken"] == pull.recv_multipart()
    assert not pipes_of(push)


def test_p18_dialer_started_twice_makes_one_connection(make_socket: MakeSocket) -> None:
    """Both attempts look before they connect: the second finds what the first has made."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind("tcp://127.0.0.1:*")
    loop, accepted = push._engine.loop, []
    with push._engine.lease:  # so that both are resolved before either connects
        push._shared.endpoints.connect(pull.last_endpoint.decode())
        push._engine.dialers[0].start()
        both = threading.Event()
        loop.call(lambda: loop.call(both.set))
    assert both.wait(TIMEOUT_S)
    push.send(b"one")
    assert b"one" == pull.recv()
    accepted = list(pull._engine.sessions.values())
    assert 1 == len(accepted)
    assert not push._engine.dialers[0]._pending


def test_p18_interrupted_bind_over_inproc_is_undone(make_socket: MakeSocket) -> None:
    """The name is free again, for this socket and, after its close, for another."""

    def is_interrupted(moment: int) -> bool:
        first, second = make_socket(zmq.PULL), make_socket(zmq.PULL)
        with interrupted_at(moment) as reached:
            first.bind("inproc://bound")
        if first._shared.endpoints.describe():
            first.unbind("inproc://bound")
        first.bind("inproc://bound")
        with pytest.raises(zmq.ZMQError) as caught:  # a bind that fails undoes none that didn't
            first.bind("inproc://bound")
        assert caught.value.errno == zmq.EADDRINUSE
        with pytest.raises(zmq.ZMQError):
            second.bind("inproc://bound")
        first.close()
        second.bind("inproc://bound")
        second.close()
        return bool(reached)

    assert try_all(is_interrupted) > 10


@pytest.mark.parametrize("kinds", [(zmq.PULL, zmq.PUSH), (zmq.PAIR, zmq.PAIR)], ids=["pipeline", "pair"])
def test_p18_who_waited_for_an_interrupted_bind_over_inproc_is_connected_by_the_next(
    make_socket: MakeSocket, kinds: tuple[int, int]
) -> None:
    """Each once, and what it had sent before arrives, whichever moment of the first bind was interrupted."""

    def is_interrupted(moment: int) -> bool:
        bound = make_socket(kinds[0])
        waiting = [make_socket(kinds[1]) for _ in range(2 if kinds[0] == zmq.PULL else 1)]
        for socket in waiting:
            socket.connect("inproc://awaited")
            socket.send(b"early")
        with interrupted_at(moment) as reached:
            bound.bind("inproc://awaited")
        if not bound._shared.endpoints.describe():
            bound.bind("inproc://awaited")
        for socket in waiting:
            socket.send(b"late")
        assert sorted([b"early", b"late"] * len(waiting)) == sorted(bound.recv() for _ in range(2 * len(waiting)))
        assert len(bound._engine.links) == len(waiting)
        assert try_recv(bound) is None
        for socket in [*waiting, bound]:
            socket.close()
        return bool(reached)

    assert try_all(is_interrupted) > 20


@pytest.mark.parametrize("kinds", [(zmq.PUSH, zmq.PULL), (zmq.DEALER, zmq.DEALER)], ids=["pipeline", "dealer"])
def test_p18_interrupted_connect_over_inproc_leaves_nothing_at_the_other_end(
    make_socket: MakeSocket, kinds: tuple[int, int]
) -> None:
    """The bound socket takes the connector once, though the command that says so is done twice, and lets it go."""
    bound = make_socket(kinds[0])
    bound.bind("inproc://other")

    def is_interrupted(moment: int) -> bool:
        connector = make_socket(kinds[1])
        connector._engine.loop.start()
        with interrupted_at(moment) as reached:
            connector.connect("inproc://other")
        if connector._shared.endpoints.describe():
            eventually(lambda: len(pipes_of(bound)) == 1)
        connector.close()
        eventually(lambda: not pipes_of(bound))
        return bool(reached)

    assert try_all(is_interrupted) > 50


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
def test_p18_interrupted_disconnect_ends_with_the_next(make_socket: MakeSocket, transport: str) -> None:
    """Behind ENOENT, or a disconnect that returns, no message goes there any more."""
    pull = make_socket(zmq.PULL)

    def is_interrupted(moment: int) -> bool:
        push = make_socket(zmq.PUSH)
        endpoint = link(pull, push, transport=transport)
        with interrupted_at(moment) as reached:
            push.disconnect(endpoint)
        with suppress(zmq.ZMQError):
            push.disconnect(endpoint)
        assert not pipes_of(push)
        with pytest.raises(zmq.Again):
            push.send(b"x", zmq.DONTWAIT)
        eventually(lambda: not push._engine.sessions and not push._engine.links)
        assert not push._shared.endpoints.describe()
        push.close()
        pull.unbind(endpoint)
        return bool(reached)

    assert try_all(is_interrupted) > 20


@pytest.mark.parametrize("place", ["purezmq.engine.listener.Listener.start", "purezmq.transports.tcp._open_listener"])
def test_p18_handlers_timeout_is_no_failed_bind(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """An OSError without a number is not the system's: it ends the call as it is, and the address is free."""
    pull = make_socket(zmq.PULL)

    def interrupt(*_: Any, **__: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(place, interrupt)
        with pytest.raises(TimeoutError):
            pull.bind("tcp://127.0.0.1:*")
    assert not pull._engine.listeners


def test_p18_listener_of_a_closed_socket_is_ready_once(make_socket: MakeSocket) -> None:
    """One that its socket forgot, whoever was interrupted: the I/O thread lets go of it and doesn't spin."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind("tcp://127.0.0.1:*")
    endpoint, listener, loop = pull.last_endpoint.decode(), pull._engine.listeners[0], pull._engine.loop
    fd = listener.fd
    pull._engine.listeners.clear()
    pull.close()
    eventually(lambda: pull._engine.closed)
    push.connect(endpoint)
    eventually(lambda: fd not in loop.handlers)
    assert -1 == listener.stream_listener.fileno()


def test_p18_interrupted_term_ends_with_the_next(make_context: MakeContext) -> None:
    """It ends the I/O threads and frees their descriptors, and the context isn't closed before."""

    def is_interrupted(moment: int) -> bool:
        context = make_context(2)
        for _ in range(2):
            socket = context.socket(zmq.PULL)
            socket.bind("tcp://127.0.0.1:*")
            socket.close(0)
        loops = context._state.io_threads.loops
        with interrupted_at(moment) as reached:
            context.term()
        run_in_thread(context.term).result()
        assert context.closed
        assert not [loop for loop in loops if loop._running.locked() or is_open(loop.selector)]
        return bool(reached)

    assert try_all(is_interrupted) > 30


def test_p18_interrupted_wait_for_a_change_raises_what_the_handler_raised() -> None:
    """And the lock is held as often as before, so that whoever took it can let go."""
    condition = native.Condition()

    def is_interrupted(moment: int) -> bool:
        with interrupted_at(moment) as reached, condition, condition:
            condition.wait(0)
        run_in_thread(lambda: condition.__enter__() and condition.__exit__()).result()
        with condition:
            condition.notify_all()
        assert not condition._waiters
        return bool(reached)

    assert try_all(is_interrupted) > 3


def test_p18_who_waits_is_woken_by_the_notification_behind_an_interrupted_one() -> None:
    """None is forgotten that was not woken yet."""

    def is_interrupted(moment: int) -> bool:
        condition = native.Condition()
        changed = False

        def wait() -> None:
            with condition:
                while not changed:
                    condition.wait()

        waiting = [run_in_thread(wait) for _ in range(3)]
        eventually(lambda: len(condition._waiters) == 3)
        with condition:
            changed = True
            with interrupted_at(moment) as reached:
                condition.notify_all()
        with condition:
            condition.notify_all()
        for call in waiting:
            call.result()
        return bool(reached)

    assert try_all(is_interrupted) > 3
