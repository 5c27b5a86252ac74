"""A green socket blocks its greenlet only, and a greenlet that is interrupted loses no message."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event
from tests.support import IS_PUREZMQ, TIMEOUT_S, TRANSPORTS, bind, library_module, purezmq_only

green: Any = library_module("green")
MakeSocket = Callable[..., Any]
Spawn = Callable[..., Any]

TIMEO = purezmq_only("RCVTIMEO and SNDTIMEO have no effect in pyzmq's green sockets")


def connected(make_socket: MakeSocket, binder: int, connector: int, transport: str, **options: Any) -> tuple[Any, Any]:
    """Two sockets of which the second connects to the first."""
    first, second = make_socket(binder, **options), make_socket(connector, **options)
    second.connect(bind(first, transport))
    return first, second


def let_others_run() -> None:
    """Give every greenlet that can run a turn, until it waits."""
    for _ in range(5):
        gevent.sleep(0.002)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_request_reply_of_two_greenlets_of_one_thread(make_socket: MakeSocket, spawn: Spawn, transport: str) -> None:
    """Client and server wait for each other in one thread, and both get on."""
    server, client = connected(make_socket, green.REP, green.REQ, transport)

    def serve() -> None:
        while True:
            server.send(server.recv() + b"!")

    spawn(serve)
    for number in range(200):
        client.send(b"%d" % number)
        assert b"%d!" % number == client.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_recv_waiting_lets_other_greenlets_run(make_socket: MakeSocket, spawn: Spawn, transport: str) -> None:
    """While one greenlet waits in recv, another goes on, and sends what the first waits for."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport)
    receiver = spawn(pull.recv)
    let_others_run()
    assert not receiver.ready()
    push.send(b"here")
    assert b"here" == receiver.get(timeout=TIMEOUT_S)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_messages_pass_between_two_greenlets_in_order(
    make_socket: MakeSocket, spawn: Spawn, transport: str
) -> None:
    """A sender that is quicker than the receiver waits for room; nothing is lost, doubled or reordered."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport, sndhwm=10, rcvhwm=10)

    def send_all() -> None:
        for number in range(5000):
            push.send(b"%d" % number)

    spawn(send_all)
    assert list(range(5000)) == [int(pull.recv()) for _ in range(5000)]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_send_without_room_waits_until_the_peer_reads(make_socket: MakeSocket, spawn: Spawn, transport: str) -> None:
    """A greenlet that waits in send is woken by room, whichever greenlet makes it."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport, sndhwm=1, rcvhwm=1)
    body = bytes(1_000_000)
    done = []

    def send_all() -> None:
        for _ in range(40):
            push.send(body)
            done.append(1)

    sender = spawn(send_all)
    let_others_run()
    assert 40 > len(done)
    for _ in range(40):
        assert len(body) == len(pull.recv())
    sender.get(timeout=TIMEOUT_S)


def test_multipart_recv_waits_for_the_whole_message(make_socket: MakeSocket, spawn: Spawn) -> None:
    """recv_multipart in a greenlet returns all parts of one message."""
    router, dealer = connected(make_socket, green.ROUTER, green.DEALER, "tcp")
    receiver = spawn(router.recv_multipart)
    let_others_run()
    dealer.send_multipart([b"a", b"b", b"c"])
    assert [b"a", b"b", b"c"] == receiver.get(timeout=TIMEOUT_S)[1:]


@TIMEO
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_recv_with_rcvtimeo_raises_again(make_socket: MakeSocket, transport: str) -> None:
    """RCVTIMEO ends a greenlet's recv with Again."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport, rcvtimeo=20)
    with pytest.raises(green.Again):
        pull.recv()
    push.send(b"later")
    pull.rcvtimeo = -1
    assert b"later" == pull.recv()


@TIMEO
def test_send_with_sndtimeo_raises_again(make_socket: MakeSocket) -> None:
    """SNDTIMEO ends a greenlet's send with Again."""
    push = make_socket(green.PUSH, sndtimeo=20)
    with pytest.raises(green.Again):
        push.send(b"nobody is there")


def test_dontwait_raises_again_at_once(make_socket: MakeSocket) -> None:
    """DONTWAIT never waits."""
    pull, _push = connected(make_socket, green.PULL, green.PUSH, "inproc")
    with pytest.raises(green.Again):
        pull.recv(green.DONTWAIT)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_recv_interrupted_by_timeout_loses_no_message(make_socket: MakeSocket, spawn: Spawn, transport: str) -> None:
    """gevent.Timeout may end a recv at any moment: every message is received once, in order."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport)

    def send_all() -> None:
        for number in range(300):
            push.send(b"%d" % number)
            gevent.sleep(0.0005 * (number % 3))

    spawn(send_all)
    got: list[int] = []
    timeouts = 0
    while len(got) < 300:
        try:
            with gevent.Timeout(0.0004):
                while True:
                    got.append(int(pull.recv()))
        except gevent.Timeout:
            timeouts += 1
    assert list(range(300)) == got
    assert timeouts


@purezmq_only("only one greenlet may wait for a socket of pyzmq")
def test_killed_receiver_leaves_the_message_to_the_next(make_socket: MakeSocket, spawn: Spawn) -> None:
    """A greenlet killed while it waits takes no message with it."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, "tcp")
    first, second = spawn(pull.recv), spawn(pull.recv)
    let_others_run()
    first.kill()
    push.send(b"one")
    assert b"one" == second.get(timeout=TIMEOUT_S)


@purezmq_only("only one greenlet may wait for a socket of pyzmq")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_greenlets_on_one_socket_get_every_message_once(
    make_socket: MakeSocket, spawn: Spawn, transport: str
) -> None:
    """A hundred greenlets that wait on one socket share its messages."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport)
    got: list[int] = []

    def receive() -> None:
        while True:
            got.append(int(pull.recv()))
            gevent.sleep(0)

    for _ in range(100):
        spawn(receive)
    let_others_run()
    for number in range(1000):
        push.send(b"%d" % number)
    while len(got) < 1000:
        gevent.sleep(0.001)
    assert list(range(1000)) == sorted(got)


@purezmq_only("pyzmq's green sockets are for one thread")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_greenlets_of_two_threads_share_a_socket(make_socket: MakeSocket, transport: str) -> None:
    """Each thread has its hub; a message wakes a greenlet of either, and none is left lying."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, transport)
    got: list[bytes] = []

    def receive() -> None:
        def take() -> None:
            while True:
                message = pull.recv()
                if not message:
                    return
                got.append(message)

        gevent.joinall([gevent.spawn(take) for _ in range(2)], raise_error=True)

    threads = [threading.Thread(target=receive, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(500):
        push.send(b"%d" % number)
        if number % 7 == 0:
            gevent.sleep(0.0002)
    for _ in range(4):
        push.send(b"")
    for thread in threads:
        while thread.is_alive():
            gevent.sleep(0.002)
    assert 500 == len(set(got)) == len(got)


def test_socket_poll_waits_for_a_message(make_socket: MakeSocket, spawn: Spawn) -> None:
    """Socket.poll blocks its greenlet only, and tells POLLIN when a message comes."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, "tcp")
    poller = spawn(pull.poll, 10_000)
    let_others_run()
    assert not poller.ready()
    push.send(b"x")
    assert green.POLLIN == poller.get(timeout=TIMEOUT_S)
    assert 0 == make_socket(green.PULL).poll(5)


def test_close_wakes_waiting_greenlets(make_socket: MakeSocket, spawn: Spawn) -> None:
    """A greenlet in recv gets ENOTSOCK when another greenlet closes the socket."""
    pull = make_socket(green.PULL)
    waiting = [spawn(pull.recv) for _ in range(3 if IS_PUREZMQ else 1)]
    let_others_run()
    pull.close()
    for greenlet in waiting:
        greenlet.join(TIMEOUT_S)
        assert green.ENOTSOCK == greenlet.exception.errno


@purezmq_only("Context.term blocks the whole thread in pyzmq, which ends in a deadlock")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_term_wakes_waiting_greenlets_and_waits_until_they_closed(spawn: Spawn, transport: str) -> None:
    """term() lets other greenlets run: they get ETERM, close their sockets, and term() returns."""
    context = green.Context()
    seen: list[Any] = []
    pull = context.socket(green.PULL)
    bind(pull, transport)

    def work() -> None:
        try:
            pull.recv()
        except green.ContextTerminated as error:
            seen.append(error)
            gevent.sleep(0.01)
            pull.close()

    spawn(work)
    let_others_run()
    context.term()
    assert 1 == len(seen)
    assert pull.closed
    assert context.closed


def test_term_with_nothing_open_returns_at_once() -> None:
    """A context without sockets ends without waiting."""
    context = green.Context()
    context.term()
    assert context.closed


def test_idle_greenlets_use_no_processor_time(make_socket: MakeSocket, spawn: Spawn) -> None:
    """Waiting is asleep: also with messages of another socket around and after wake-ups in vain."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, "tcp")
    push.send(b"x")
    pull.recv()
    wakes: list[int] = []
    loop = gevent.get_hub().loop
    spawn(pull.recv)
    let_others_run()
    prepare = loop.prepare()
    prepare.start(lambda: wakes.append(1))
    gevent.sleep(0.1)
    prepare.stop()
    prepare.close()
    # Each turn of gevent's loop counts; a descriptor that stays readable would make thousands of them.
    assert 100 > len(wakes)


@purezmq_only("libzmq's sockets in a forked child are undefined")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_child_has_closed_sockets_and_parent_goes_on(make_socket: MakeSocket, spawn: Spawn) -> None:
    """In the child a greenlet that waited gets ENOTSOCK; the parent's greenlet still gets its message."""
    pull, push = connected(make_socket, green.PULL, green.PUSH, "tcp")
    push.send(b"warm")
    assert b"warm" == pull.recv()
    outcome: list[Any] = []
    parent = os.getpid()

    def wait() -> bytes:
        try:
            return pull.recv()
        except green.ZMQError as error:
            outcome.append(error.errno)
            raise

    waiting = spawn(wait)
    let_others_run()
    child = gevent.os.fork_and_watch()
    if child == 0:
        code = 3
        try:
            while not outcome:
                gevent.sleep(0.001)
            code = 0 if outcome == [green.ENOTSOCK] and os.getpid() != parent else 4
        finally:
            os._exit(code)
    _, status = gevent.os.waitpid(child, 0)
    assert 0 == status
    push.send(b"still here")
    assert b"still here" == waiting.get(timeout=TIMEOUT_S)


def test_sender_and_receiver_wait_on_one_socket(make_socket: MakeSocket, spawn: Spawn) -> None:
    """A greenlet in recv and one in send wait on the same socket, each for its own."""
    pair, other = connected(make_socket, green.PAIR, green.PAIR, "tcp", sndhwm=1, rcvhwm=1)
    body = bytes(1_000_000)
    done = Event()

    def send_all() -> None:
        for _ in range(30):
            pair.send(body)
        done.set()

    receiver = spawn(pair.recv)
    spawn(send_all)
    let_others_run()
    assert not done.is_set()
    for _ in range(30):
        other.recv()
    assert done.wait(TIMEOUT_S)
    other.send(b"reply")
    assert b"reply" == receiver.get(timeout=TIMEOUT_S)
