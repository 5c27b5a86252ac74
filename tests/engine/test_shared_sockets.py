"""Any thread may call any socket: sixteen threads at once, and close() under a blocked call.

libzmq's sockets are not thread-safe, so nothing here can run on it. PUREZMQ_STRESS_S says how many seconds a
stress test lasts (5 unless set, 60 at length).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, bind, eventually, link, purezmq_only, run_in_thread, zmq

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("libzmq's sockets must not be shared between threads")

STRESS_S = float(os.environ.get("PUREZMQ_STRESS_S", "5"))
THREADS = 16
CLOSE_BOUND_S = 0.5

BLOCKING: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "recv": (zmq.PULL, lambda s: s.recv()),
    "recv_multipart": (zmq.DEALER, lambda s: s.recv_multipart()),
    "send": (zmq.PUSH, lambda s: s.send(b"x")),
    "send_multipart": (zmq.DEALER, lambda s: s.send_multipart([b"x", b"y"])),
    "rep recv": (zmq.REP, lambda s: s.recv()),
    "req send": (zmq.REQ, lambda s: s.send(b"x")),
    "sub recv": (zmq.SUB, lambda s: s.recv()),
    "router recv": (zmq.ROUTER, lambda s: s.recv()),
    "poll": (zmq.PULL, lambda s: s.poll(None)),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", BLOCKING)
def test_close_wakes_blocked_call_with_enotsock(make_socket: MakeSocket, name: str, transport: str) -> None:
    """close() in one thread ends the call that blocks in another, soon, with ENOTSOCK."""
    kind, block = BLOCKING[name]
    socket = make_socket(kind, rcvtimeo=-1, sndtimeo=-1)
    bind(socket, transport)
    call = run_in_thread(block, socket)
    assert call.still_runs_after(0.02)
    closed_at = time.monotonic()
    socket.close(0)
    call.wait()
    assert isinstance(call.error, zmq.ZMQError)
    assert call.error.errno in ({zmq.ENOTSOCK, zmq.ENOTSUP} if name == "poll" else {zmq.ENOTSOCK})
    assert call.ended_at - closed_at < CLOSE_BOUND_S


def test_close_wakes_all_blocked_threads(make_socket: MakeSocket) -> None:
    """Eight threads in recv on one socket: each gets ENOTSOCK."""
    socket = make_socket(zmq.PULL, rcvtimeo=-1)
    bind(socket, "tcp")
    calls = [run_in_thread(socket.recv) for _ in range(8)]
    assert all(call.still_runs_after(0.01) for call in calls)
    socket.close()
    for call in calls:
        with pytest.raises(zmq.ZMQError) as caught:
            call.result()
        assert zmq.ENOTSOCK == caught.value.errno


def test_close_wakes_poller(make_socket: MakeSocket) -> None:
    """A Poller that blocks on a socket which is closed ends with a ZMQError, or tells of the socket."""
    socket = make_socket(zmq.PULL)
    bind(socket, "tcp")
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    call = run_in_thread(poller.poll, None)
    assert call.still_runs_after(0.02)
    socket.close()
    call.wait()
    assert call.error is None or isinstance(call.error, zmq.ZMQError)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_message_goes_to_one_of_many_receivers(make_socket: MakeSocket, transport: str) -> None:
    """Eight threads send on one socket, eight receive on another: nothing lost, doubled or torn."""
    push, pull = make_socket(zmq.PUSH, sndhwm=50), make_socket(zmq.PULL, rcvhwm=50, rcvtimeo=-1)
    link(pull, push, transport=transport)
    count = 300
    received: list[list[list[bytes]]] = [[] for _ in range(8)]

    def send(sender: int) -> None:
        for number in range(count):
            push.send_multipart([b"%d" % sender, b"%d" % number, b"%d-%d" % (sender, number) * (number % 50)])

    def receive(bucket: list[list[bytes]]) -> None:
        while (message := pull.recv_multipart()) != [b"end"]:
            bucket.append(message)

    receivers = [run_in_thread(receive, bucket) for bucket in received]
    senders = [run_in_thread(send, sender) for sender in range(8)]
    for call in senders:
        call.result(20)
    for _ in receivers:
        push.send(b"end")
    for call in receivers:
        call.result(20)
    messages = [message for bucket in received for message in bucket]
    for sender, number, body in messages:
        assert b"%s-%s" % (sender, number) * (int(number) % 50) == body
    assert 8 * count == len(messages) == len({(sender, number) for sender, number, _ in messages})


def test_one_thread_sends_while_another_receives(make_socket: MakeSocket) -> None:
    """A DEALER that is full duplex: one thread writes, another reads its echoes."""
    dealer, echo = make_socket(zmq.DEALER), make_socket(zmq.DEALER)
    link(echo, dealer)
    count = 2000

    def echo_all() -> None:
        for _ in range(count):
            echo.send_multipart(echo.recv_multipart())

    def send_all() -> None:
        for number in range(count):
            dealer.send(b"%d" % number)

    calls = [run_in_thread(echo_all), run_in_thread(send_all)]
    assert [b"%d" % number for number in range(count)] == [dealer.recv() for _ in range(count)]
    for call in calls:
        call.result()


def test_messages_sent_in_parts_by_one_thread_stay_whole(make_socket: MakeSocket) -> None:
    """A thread that sends part by part under the application's own lock isn't mixed with another's polls."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    stop = threading.Event()

    def poll_all_the_time() -> None:
        while not stop.is_set():
            push.poll(0, zmq.POLLOUT)
            push.getsockopt(zmq.EVENTS)

    pollers = [run_in_thread(poll_all_the_time) for _ in range(4)]
    for number in range(500):
        push.send(b"a", zmq.SNDMORE)
        push.send(b"%d" % number)
    assert [[b"a", b"%d" % number] for number in range(500)] == [pull.recv_multipart() for _ in range(500)]
    stop.set()
    for call in pollers:
        call.result()


class Stress:
    """Threads that do everything to a few shared sockets, and collect what must not happen."""

    def __init__(self, make_context: Callable[..., Any]) -> None:
        self.context = make_context()
        self.wrong: list[Any] = []
        self.received = 0
        self.deadline = time.monotonic() + STRESS_S
        self.sockets: list[Any] = []
        self.endpoints: list[str] = []
        self.guard = threading.Lock()
        for transport in TRANSPORTS:
            self.add_pair(transport)

    def add_pair(self, transport: str) -> None:
        """Two linked DEALERs."""
        a, b = self.context.socket(zmq.DEALER), self.context.socket(zmq.DEALER)
        for socket in (a, b):
            socket.linger = 0
            socket.rcvtimeo = socket.sndtimeo = 20
        b.connect(bind(a, transport))
        with self.guard:
            self.sockets += [a, b]

    def work(self, seed: int) -> None:
        """What each thread does until the time is over."""
        randomness = random.Random(seed)
        while time.monotonic() < self.deadline:
            socket = randomness.choice(self.sockets)
            try:
                self.act(socket, randomness)
            except zmq.ZMQError:
                pass
            except BaseException as error:
                self.wrong.append(error)
                raise

    def act(self, socket: Any, randomness: random.Random) -> None:
        """One call, chosen at random."""
        choice = randomness.random()
        if choice < 0.45:
            word = b"%d" % randomness.randrange(1_000_000)
            socket.send_multipart([word] * randomness.randrange(1, 5))
        elif choice < 0.85:
            parts = socket.recv_multipart()
            self.received += 1
            if len(set(parts)) != 1 or len(parts) > 4:
                self.wrong.append(parts)
        elif choice < 0.93:
            socket.poll(randomness.randrange(3), randomness.choice([zmq.POLLIN, zmq.POLLOUT]))
        elif choice < 0.97:
            socket.setsockopt(zmq.SNDHWM, randomness.randrange(1, 1000))
            socket.setsockopt(zmq.LINGER, 0)
            socket.getsockopt(zmq.EVENTS)
        elif choice < 0.999:
            socket.getsockopt(zmq.LAST_ENDPOINT)
        else:
            self.replace(socket, randomness)

    def replace(self, socket: Any, randomness: random.Random) -> None:
        """Close a socket under the others, and put a new pair in."""
        with self.guard:
            if socket not in self.sockets or len(self.sockets) < 4:
                return
            self.sockets = [other for other in self.sockets if other is not socket]
        socket.close(0)
        self.add_pair(randomness.choice(TRANSPORTS))


@pytest.mark.timeout(STRESS_S + 60)
def test_sixteen_threads_share_sockets(make_context: Callable[..., Any]) -> None:
    """Sending, receiving, polling, setting options, closing: no torn message, only ZMQErrors, no hang."""
    stress = Stress(make_context)
    calls = [run_in_thread(stress.work, seed) for seed in range(THREADS)]
    for call in calls:
        call.result(STRESS_S + 20)
    for socket in stress.sockets:
        socket.close(0)
    assert [] == stress.wrong
    assert stress.received > 100


def test_sockets_are_made_and_closed_in_many_threads(make_context: Callable[..., Any]) -> None:
    """Making, using and closing sockets of one context in sixteen threads."""
    context = make_context()

    def work(number: int) -> None:
        for round_ in range(10):
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.linger = push.linger = 0
                pull.rcvtimeo = 5000
                push.connect(bind(pull, TRANSPORTS[(number + round_) % len(TRANSPORTS)]))
                push.send(b"%d" % number)
                assert b"%d" % number == pull.recv()

    calls = [run_in_thread(work, number) for number in range(THREADS)]
    for call in calls:
        call.result(20)


@pytest.mark.parametrize("kinds", [(zmq.PUSH, zmq.PULL), (zmq.CLIENT, zmq.SERVER)], ids=["PULL", "SERVER"])
def test_metadata_of_a_frame_is_its_own_peers(context: Any, make_socket: MakeSocket, kinds: tuple[int, int]) -> None:
    """Another thread that receives between the look into the queue and the making of the Frame changes nothing."""
    inner: list[Any] = []

    class Overtaken(zmq.Socket):  # type: ignore[misc]  # the library under test is chosen at run time
        def _recv_message(self, *args: Any) -> Any:
            taken = super()._recv_message(*args)
            inner.append(run_in_thread(lambda: zmq.Socket(self).recv(copy=False)).result())
            return taken

    with Overtaken(context, kinds[1], rcvtimeo=5000) as receiver:
        endpoint = bind(receiver, "tcp")
        senders = []
        for name in (b"a", b"b"):
            senders.append(make_socket(kinds[0], metadata=b"X-name:" + name))
            senders[-1].connect(endpoint)
            senders[-1].send(name)
        eventually(lambda: 2 == len(receiver._engine.pipes()))
        frames = [receiver.recv(copy=False), *inner]
    assert {b"a": "a", b"b": "b"} == {frame.bytes: frame["X-name"] for frame in frames}
