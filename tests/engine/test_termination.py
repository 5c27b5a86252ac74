"""The end of a context with many threads in it, again and again."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.faults.length import choose
from tests.support import purezmq_only, run_in_thread, zmq

MakeContext = Callable[..., Any]


def block(context: Any, what: str) -> Callable[[], Any]:
    """A call that blocks, and closes its sockets when it ends."""
    kinds = {"send": [zmq.PUSH], "proxy": [zmq.PULL, zmq.PUSH]}.get(what, [zmq.PULL])
    sockets = [context.socket(kind) for kind in kinds]
    for socket in sockets:
        socket.bind("tcp://127.0.0.1:*")

    def run() -> None:
        try:
            {
                "recv": sockets[0].recv,
                "send": lambda: sockets[0].send(b"x"),
                "poll": lambda: sockets[0].poll(None),
                "proxy": lambda: zmq.proxy(*sockets),
            }[what]()
        finally:
            for socket in sockets:
                socket.close(0)

    return run


def test_p16_termination_wakes_64_threads(make_context: MakeContext) -> None:
    """64 threads that block in recv, send, poll and proxy: all raise ContextTerminated, at once, and term() returns."""
    context = make_context()
    calls = [run_in_thread(block(context, what)) for what in ("recv", "send", "poll", "proxy") for _ in range(16)]
    assert all(call.still_runs_after(0.001) for call in calls)
    started = time.monotonic()
    run_in_thread(context.term).result()
    for call in calls:
        with pytest.raises(zmq.ContextTerminated):
            call.result()
    # A tenth of a second on a machine that has nothing else to do.
    assert max(call.ended_at for call in calls) - started < 2.0


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors as Linux lists them")
@purezmq_only("libzmq frees descriptors some time later")
def test_p16_contexts_leave_nothing_behind() -> None:
    """Contexts that are made, used and terminated: threads and descriptors are as many as before."""

    def cycle() -> None:
        with zmq.Context() as context, context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
            pull.bind("tcp://127.0.0.1:*")
            push.connect(pull.last_endpoint)
            push.send(b"x")
            assert b"x" == pull.recv(timeout=5)

    cycle()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(choose(100, 10_000)):
        cycle()
    gc.collect()  # descriptors of what lies in a cycle of references
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert threading.active_count() <= threads
