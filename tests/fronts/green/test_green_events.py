"""The events of a green socket: waiting for one lets other greenlets run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from tests.support import TIMEOUT_S, bind, library_module, purezmq_only, run_in_thread

green: Any = library_module("green")
MakeSocket = Callable[..., Any]
Spawn = Callable[..., Any]

pytestmark = purezmq_only("pyzmq has a monitor socket and no typed events")


def test_waiting_greenlet_lets_others_run(make_socket: MakeSocket, spawn: Spawn) -> None:
    """Events of this thread and of the I/O thread wake it."""
    push, pull = make_socket(green.PUSH), make_socket(green.PULL)
    stream = pull.events()

    def listen() -> list[str]:
        return [stream.get().kind for _ in range(3)]

    listening = spawn(listen)
    gevent.sleep(0)
    push.connect(bind(pull, "tcp"))
    push.send(b"x")
    assert b"x" == pull.recv()
    assert ["listening", "accepted", "handshake_succeeded"] == listening.get(timeout=TIMEOUT_S)


def test_timeout_and_end(make_socket: MakeSocket, spawn: Spawn) -> None:
    """Iteration ends when no event comes, and when the socket is closed by another thread."""
    pull = make_socket(green.PULL)
    stream = pull.events(timeout=0.01)
    assert [] == list(stream)
    with pytest.raises(green.Again):
        stream.get()
    waiting = spawn(lambda: list(pull.events()))
    gevent.sleep(0)
    run_in_thread(pull.close, 0).result()
    assert [] == waiting.get(timeout=TIMEOUT_S)


def test_killed_greenlet_loses_no_event(make_socket: MakeSocket, spawn: Spawn) -> None:
    """It takes an event only when it runs."""
    pull = make_socket(green.PULL)
    stream = pull.events()
    waiting = spawn(stream.get)
    gevent.sleep(0)
    bind(pull, "tcp")
    waiting.kill()
    assert "listening" == stream.get(timeout=TIMEOUT_S).kind
