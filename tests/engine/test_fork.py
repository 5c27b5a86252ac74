"""fork under traffic: nothing of the child reaches the parent's peers, and the child can begin anew."""

from __future__ import annotations

import gc
import os
import signal
import socket as stdlib_socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import bind, purezmq_only, run_in_thread, zmq
from tests.support.raw_peer import RawPeer
from tests.support.security import security_options

MakeSocket = Callable[..., Any]

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    purezmq_only("libzmq's sockets in a forked child are undefined"),
]


def use_everything(socket: Any) -> int:
    """What a child may do with its parent's socket, by mistake or at its end; 0 when all of it is refused."""
    for call in (lambda: socket.send(b"child"), socket.recv, lambda: socket.poll(0), lambda: socket.get(zmq.EVENTS)):
        try:
            call()
        except zmq.ZMQError as error:
            if error.errno not in {zmq.ENOTSOCK, zmq.ENOTSUP}:
                return 2
        else:
            return 1
    socket.close()
    socket.context.term()
    gc.collect()
    with zmq.Context() as context, context.socket(zmq.PAIR) as a, context.socket(zmq.PAIR) as b:
        a.bind("tcp://127.0.0.1:*")
        b.connect(a.last_endpoint)
        b.send(b"own")
        return 0 if a.recv(timeout=5) == b"own" else 3


def test_p17_v43_no_byte_of_the_child_on_the_parents_connections(make_socket: MakeSocket) -> None:
    """V43: a peer sees exactly the parent's frames while children come, misuse the socket, and go."""
    with stdlib_socket.create_server(("127.0.0.1", 0)) as server:
        dealer = make_socket(zmq.DEALER, heartbeat_ivl=10, heartbeat_timeout=30_000)
        dealer.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with RawPeer(server.accept()[0]) as peer:
            peer.shake_hands("DEALER")
            stop = threading.Event()

            def send_all() -> int:
                number = 0
                while not stop.is_set():
                    dealer.send(b"%d" % number)
                    number += 1
                    stop.wait(0.000_5)  # the peer takes them apart in Python
                dealer.send(b"end")
                return number

            def receive_all() -> list[bytes]:
                bodies = []
                while not bodies or bodies[-1] != b"end":
                    flags, body = peer.receive_frame()
                    if not flags & 4:
                        bodies.append(body)
                    else:
                        assert body.startswith(b"\x04PING")
                        peer.send_frame(b"\x04PONG" + body[7:], 4)
                return bodies[:-1]

            sending, receiving = run_in_thread(send_all), run_in_thread(receive_all)
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    code = 9
                    try:
                        signal.alarm(10)
                        code = use_everything(dealer)
                    finally:
                        os._exit(code)
                assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            stop.set()
            received = receiving.result(20)
            count = sending.result()
            assert [b"%d" % number for number in range(count)] == received


def test_p17_no_byte_of_the_child_in_a_curve_session(make_socket: MakeSocket, make_context: Callable[[], Any]) -> None:
    """One byte of a child would end a sealed connection, for its nonces can't fit: it goes on, and nothing is lost."""
    pull = make_socket(zmq.PULL, within=make_context(), rcvhwm=0, **security_options("CURVE", server=True))
    push = make_socket(zmq.PUSH, heartbeat_ivl=10, heartbeat_timeout=30_000, **security_options("CURVE", server=False))
    endpoint = bind(pull, "tcp")
    push.connect(endpoint)
    stop = threading.Event()

    def send_all() -> int:
        number = 0
        while not stop.is_set():
            push.send(b"%d" % number)
            number += 1
            stop.wait(0.000_2)
        push.send(b"end")
        return number

    sending = run_in_thread(send_all)
    received = [pull.recv()]
    for _ in range(20):
        child = os.fork()
        if child == 0:
            code = 9
            try:
                signal.alarm(10)
                code = use_everything(push)
            finally:
                os._exit(code)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        received.append(pull.recv())
    stop.set()
    while received[-1] != b"end":
        received.append(pull.recv())
    assert [b"%d" % number for number in range(sending.result(20))] == received[:-1]
    (peer,) = push.stats().peers
    assert 0 == peer.reconnects


PROGRAM = """
import multiprocessing, sys
import purezmq as zmq

def work(endpoint, number):
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.connect(endpoint)
        push.send(b"child %d" % number)

def main():
    method = multiprocessing.get_context(sys.argv[1])
    context = zmq.Context()
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    pull.bind("tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint.decode().rstrip("\\0")
    push.connect(endpoint)
    push.send(b"parent 0")
    children = [method.Process(target=work, args=(endpoint, number)) for number in range(3)]
    for child in children:
        child.start()
    push.send(b"parent 1")
    for child in children:
        child.join(20)
        assert child.exitcode == 0, child.exitcode
    push.send(b"parent 2")
    got = [pull.recv(timeout=10).decode() for _ in range(6)]
    assert [text for text in got if text.startswith("parent")] == ["parent 0", "parent 1", "parent 2"], got
    assert sorted(text for text in got if text.startswith("child")) == ["child 0", "child 1", "child 2"], got
    context.destroy(0)
    print("well")

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_p17_multiprocessing(tmp_path: Path, method: str) -> None:
    """Children of every start method have a context of their own; the parent's sockets go on."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(script), method],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert (0, "well\n") == (done.returncode, done.stdout), done.stderr
