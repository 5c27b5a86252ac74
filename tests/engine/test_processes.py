"""fork, kill -9, Ctrl-C and the end of the interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import (
    LIBRARY,
    TRANSPORTS,
    EventWatch,
    bind,
    eventually,
    free_endpoint,
    link,
    purezmq_only,
    run_in_thread,
    zmq,
)
from tests.support.peer_process import PeerProcess

MakeSocket = Callable[..., Any]
MakePeer = Callable[..., PeerProcess]

ROOT = Path(__file__).parents[2]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
FORK = purezmq_only("libzmq's sockets in a forked child are undefined")


def in_child(check: Callable[[], Any]) -> None:
    """Run `check` in a forked child; fail with its traceback's end when it raises or hangs."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            signal.alarm(10)
            check()
            code = 0
        except BaseException as error:  # noqa: BLE001 (reported by the parent)
            os.write(writer, repr(error).encode()[:1000])
        os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    report = os.read(reader, 1000)
    os.close(reader)
    assert (0, b"") == (status, report)


def expect_enotsock(*calls: Callable[[], Any]) -> None:
    """Each call raises ENOTSOCK."""
    for call in calls:
        with pytest.raises(zmq.ZMQError) as caught:
            call()
        assert zmq.ENOTSOCK == caught.value.errno


@needs_fork
@FORK
def test_event_stream_ends_in_forked_child(make_socket: MakeSocket) -> None:
    """It is the parent's; what was collected before can be read, and nothing is waited for."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    bind(pull, "tcp")
    in_child(lambda: check_ended(stream))
    assert "listening" == stream.get(timeout=5).kind
    bind(pull, "tcp")
    assert "listening" == stream.get(timeout=5).kind


def check_ended(stream: Any) -> None:
    """The child's copy."""
    assert ["listening"] == [event.kind for event in stream]
    assert stream.closed


@needs_fork
@FORK
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_child_gets_closed_sockets_and_parent_goes_on(make_socket: MakeSocket, transport: str) -> None:
    """P17: In the child every socket is closed; the parent's traffic is not disturbed."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    endpoint = link(pull, push, transport=transport)
    push.send(b"before")

    def check() -> None:
        expect_enotsock(lambda: push.send(b"child"), pull.recv, lambda: pull.getsockopt(zmq.LINGER))
        push.close()
        pull.close()

    for _ in range(3):
        in_child(check)
    push.send(b"after")
    assert [b"before", b"after"] == [pull.recv(), pull.recv()]
    if transport == "ipc":
        assert os.path.exists(endpoint.removeprefix("ipc://"))


@needs_fork
@FORK
def test_child_can_use_new_context(make_socket: MakeSocket) -> None:
    """A new context in the child talks to the parent and to itself."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")

    def check() -> None:
        with zmq.Context() as context:
            for transport in TRANSPORTS:
                with context.socket(zmq.PAIR) as a, context.socket(zmq.PAIR) as b:
                    a.rcvtimeo = b.rcvtimeo = 5000
                    link(a, b, transport=transport)
                    b.send(b"x")
                    assert b"x" == a.recv()
            with context.socket(zmq.PUSH) as push:
                push.connect(endpoint)
                push.send(b"from the child")

    in_child(check)
    assert b"from the child" == pull.recv()


@needs_fork
@FORK
def test_child_gets_new_instance(make_socket: MakeSocket) -> None:
    """Context.instance() in the child is another one and works."""
    instance = zmq.Context.instance()

    def check() -> None:
        fresh = zmq.Context.instance()
        assert fresh is not instance
        with fresh.socket(zmq.PULL) as pull:
            bind(pull, "tcp")
        fresh.term()

    in_child(check)
    assert zmq.Context.instance() is instance
    assert not instance.closed
    instance.term()


@needs_fork
@FORK
def test_child_of_busy_parent(make_socket: MakeSocket) -> None:
    """P17: Forks while other threads send and receive: nothing is lost in the parent, no child hangs."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    count, stop = 0, threading.Event()

    def send() -> int:
        number = 0
        while not stop.is_set():
            push.send(b"%d" % number)
            number += 1
        push.send(b"end")
        return number

    def receive() -> list[bytes]:
        return list(iter(pull.recv, b"end"))

    sending, receiving = run_in_thread(send), run_in_thread(receive)

    def check() -> None:
        expect_enotsock(pull.recv)
        with zmq.Context() as context, context.socket(zmq.PULL) as own:
            bind(own, "tcp")

    for _ in range(5):
        in_child(check)
    stop.set()
    count = sending.result()
    assert [b"%d" % number for number in range(count)] == receiving.result(20)


@pytest.mark.parametrize("we_bind", [True, False])
def test_killed_peer_is_replaced(make_socket: MakeSocket, make_peer: MakePeer, we_bind: bool) -> None:
    """kill -9 of the peer process: its successor is served, in both roles."""
    dealer = make_socket(zmq.DEALER, reconnect_ivl=10)
    endpoint = bind(dealer, "tcp") if we_bind else free_endpoint()
    if not we_bind:
        dealer.connect(endpoint)
    with EventWatch(dealer) as events:
        for round_ in range(2):
            peer = make_peer()
            peer.open("s", "DEALER")
            if we_bind:
                peer.connect("s", endpoint)
            else:
                peer.bind("s", endpoint)
            peer.send("s", [b"I am %d" % round_])
            assert b"I am %d" % round_ == dealer.recv()
            dealer.send(b"welcome")
            assert [b"welcome"] == peer.recv("s")
            peer.kill()
            events.wait_for(zmq.EVENT_DISCONNECTED)
            eventually(lambda: dealer.poll(0) == 0)


def test_work_of_killed_worker_does_not_block_others(make_socket: MakeSocket, make_peer: MakePeer) -> None:
    """A bound PUSH goes on with the other worker when one is killed."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    endpoint = link(push, pull)
    peer = make_peer()
    peer.open("s", "PULL")
    with EventWatch(push) as events:
        peer.connect("s", endpoint)
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        peer.kill()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    pull.rcvtimeo = 50

    def all_arrive() -> bool:
        for number in range(10):
            push.send(b"%d" % number)
        return [b"%d" % number for number in range(10)] == [message for _ in range(10) if (message := take(pull))]

    eventually(all_arrive)


def take(socket: Any) -> bytes | None:
    """A message, or None after RCVTIMEO."""
    try:
        return socket.recv()
    except zmq.Again:
        return None


INTERRUPTED = {
    "recv": "s = c.socket(zmq.PULL); s.bind('tcp://127.0.0.1:*'); ready(); s.recv()",
    "recv inproc": "s = c.socket(zmq.PULL); s.bind('inproc://x'); ready(); s.recv()",
    "send": "s = c.socket(zmq.PUSH); s.bind('tcp://127.0.0.1:*'); ready(); s.send(b'x')",
    "poll": "s = c.socket(zmq.PULL); s.bind('tcp://127.0.0.1:*'); ready(); s.poll()",
    "poller": "s = c.socket(zmq.PULL); p = zmq.Poller(); p.register(s); p.register(s, zmq.POLLIN); ready(); p.poll()",
    "term": "s = c.socket(zmq.PUSH); ready(); c.term()",
    "proxy": "a = c.socket(zmq.PULL); b = c.socket(zmq.PUSH); a.bind('inproc://a'); b.bind('inproc://b'); ready(); "
    "zmq.proxy(a, b)",
}


def run_script(body: str, **popen: Any) -> subprocess.Popen[str]:
    """Start an interpreter with the library under test imported as zmq, a context c and ready()."""
    prelude = (
        f"import sys, {LIBRARY} as zmq\ndef ready():\n    print('ready', flush=True)\nc = zmq.Context()\nc.linger = 0\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", prelude + body],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **popen,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("name", INTERRUPTED)
def test_interrupt_ends_blocked_call(name: str) -> None:
    """P18: Ctrl-C raises KeyboardInterrupt out of every blocking call of the main thread."""
    script = (
        f"try:\n    exec({INTERRUPTED[name]!r})\n"
        "except KeyboardInterrupt:\n    print('interrupted', flush=True)\n    import os; os._exit(7)\n"
        "print('returned', flush=True)\n"
    )
    with run_script(script) as process:
        try:
            assert process.stdout is not None
            assert "ready\n" == process.stdout.readline()
            # A signal may come just before the call blocks; the second one comes when it blocks for certain.
            for _ in range(20):
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(0.25)
                    break
                except subprocess.TimeoutExpired:
                    continue
            output, errors = process.communicate(timeout=5)
        finally:
            process.kill()
    assert ("interrupted\n", 7) == (output, process.returncode), errors


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_signal_with_handler_does_not_end_call() -> None:
    """P18: A handler that returns: recv goes on to wait (PEP 475)."""
    script = (
        "import signal\n"
        "signal.signal(signal.SIGUSR1, lambda *a: print('handled', flush=True))\n"
        "s = c.socket(zmq.PULL); s.bind('tcp://127.0.0.1:*')\n"
        "print(s.getsockopt(zmq.LAST_ENDPOINT).decode(), flush=True)\n"
        "print(s.recv().decode(), flush=True)\n"
    )
    with run_script(script) as process, zmq.Context() as context, context.socket(zmq.PUSH) as push:
        try:
            assert process.stdout is not None
            push.connect(process.stdout.readline().strip())
            for _ in range(3):
                process.send_signal(signal.SIGUSR1)
                assert "handled\n" == process.stdout.readline()
            push.send(b"still here")
            assert "still here\n" == process.stdout.readline()
            assert 0 == process.wait(5)
        finally:
            process.kill()


ENDINGS = {
    "everything left open": "s = c.socket(zmq.PUSH); s.connect('tcp://127.0.0.1:1'); s.send(b'x')",
    "socket blocked in daemon thread": "import threading; s = c.socket(zmq.PULL); s.bind('tcp://127.0.0.1:*'); "
    "threading.Thread(target=lambda: s.poll(), daemon=True).start()",
    "instance": "i = zmq.Context.instance(); s = i.socket(zmq.PULL); s.linger = 0; s.bind('tcp://127.0.0.1:*')",
    "exception": "s = c.socket(zmq.PULL); s.bind('tcp://127.0.0.1:*'); raise SystemExit(0)",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_interpreter_ends(name: str) -> None:
    """A program that closes nothing (LINGER 0) ends."""
    if name == "socket blocked in daemon thread" and LIBRARY == "zmq":
        pytest.skip("purezmq only: undefined with libzmq")
    with run_script(ENDINGS[name]) as process:
        try:
            assert 0 == process.wait(10)
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("imports", ["", "import logging\n"])
def test_interrupted_program_with_messages_left_ends_by_the_signal(imports: str) -> None:
    """What is told at the end about undelivered messages leaves the exit status of an unhandled Ctrl-C as it is."""
    body = f"{imports}c.linger = -1; {ENDINGS['everything left open']}; raise KeyboardInterrupt"
    with run_script(body) as process:
        try:
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert -signal.SIGINT == process.returncode
    if LIBRARY == "purezmq":
        assert "not delivered at exit: 1 messages for tcp://127.0.0.1:1" == errors.splitlines()[-1]


def test_messages_sent_just_before_the_end_arrive(make_socket: MakeSocket) -> None:
    """connect, send, end of the program: a live peer gets everything."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    body = (
        f"c.linger = -1; s = c.socket(zmq.PUSH); s.connect({endpoint!r})\n"
        "for n in range(100): s.send(b'%d' % n)\n"
        "s.close(); c.term()"
    )
    with run_script(body) as process:
        try:
            assert [b"%d" % number for number in range(100)] == [pull.recv() for _ in range(100)]
            assert 0 == process.wait(5)
        finally:
            process.kill()
