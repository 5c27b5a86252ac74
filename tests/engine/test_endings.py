"""Ends that once went wrong: many peers at close, forgotten sockets, second handles of a context, replaced binders."""

from __future__ import annotations

import copy
import gc
import os
import socket as system_socket
import sys
from errno import ENOMEM
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import bind, eventually, free_endpoint, purezmq_only, run_in_thread, zmq

from purezmq.engine.loop import Loop
from purezmq.engine.queues import _MAX_ENDED
from purezmq.engine.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = purezmq_only("what libzmq does here is not our matter")


def test_close_with_hundreds_of_peers_ends_all_of_them(make_context: Callable[[], Any]) -> None:
    """However many connections are open, close() and term() return."""
    context = make_context()
    socket = context.socket(zmq.PULL)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    peers = [system_socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
    for peer in peers:
        assert peer.recv(10)  # the greeting: this one was accepted
    socket.close(0)
    run_in_thread(context.term).result(10)
    for peer in peers:
        peer.close()


@pytest.mark.filterwarnings("ignore:Unclosed socket:ResourceWarning")
def test_forgotten_socket_does_not_hold_up_term(make_context: Callable[[], Any]) -> None:
    """A socket that nobody refers to is closed by the collector."""
    context = make_context()
    bind(context.socket(zmq.PULL), "tcp")
    gc.collect()
    run_in_thread(context.term).result(10)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="other Pythons don't count references")
@pytest.mark.parametrize("has_peer", [True, False])
def test_v50_ended_connection_leaves_nothing_to_the_collector(make_socket: Callable[..., Any], has_peer: bool) -> None:
    """What a connection held is free at its end: those that come and go don't pile up between two collections."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, linger=0)
    endpoint = bind(pull, "tcp") if has_peer else free_endpoint("tcp")

    def count_sessions() -> int:
        return sum(type(one) is Session for one in gc.get_objects())

    gc.collect()
    before = count_sessions()
    gc.disable()
    try:
        for _ in range(3 * _MAX_ENDED):
            push.connect(endpoint)
            if has_peer:
                push.send(b"x")
                assert b"x" == pull.recv()
            push.disconnect(endpoint)
        # Either socket keeps that many for its sums, and the last one here and there.
        eventually(lambda: count_sessions() - before < 2 * _MAX_ENDED + 5)
    finally:
        gc.enable()


def test_socket_of_second_handle_hears_of_termination(make_context: Callable[[], Any]) -> None:
    """term() of a context ends calls of sockets that were made by a copy of it."""
    context = make_context()
    socket = copy.copy(context).socket(zmq.PULL)
    blocked = run_in_thread(socket.recv)
    term = run_in_thread(context.term)
    with pytest.raises(zmq.ContextTerminated):
        blocked.result(10)
    socket.close()
    term.result(10)


def test_connect_to_inproc_again_after_binder_was_replaced(make_socket: Callable[..., Any]) -> None:
    """A second connect to a name is no silent no-op when the first peer is gone."""
    dealer, first = make_socket(zmq.DEALER), make_socket(zmq.DEALER)
    endpoint = bind(first, "inproc")
    dealer.connect(endpoint)
    first.close()
    second = make_socket(zmq.DEALER)
    second.bind(endpoint)
    dealer.connect(endpoint)
    dealer.send(b"x")
    assert b"x" == second.recv()


@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_without_a_thread_to_be_had_nothing_is_left_behind(
    make_context: Callable[[], Any], make_socket: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """bind and connect raise EMTHREAD, hold no address, socket or file, and close() and term() return."""

    def refuse(run: Callable[[], None], name: str) -> None:
        raise RuntimeError("can't start new thread")

    context = make_context()
    endpoint = "inproc://name" if transport == "inproc" else free_endpoint(transport)
    socket = context.socket(zmq.PULL)
    with monkeypatch.context() as patch:
        patch.setattr("purezmq.engine.loop.start_thread", refuse)
        for call in (socket.bind, socket.connect) if transport != "inproc" else ():
            with pytest.raises(zmq.ZMQError, match="no I/O thread can be started") as caught:
                call(endpoint)
            assert zmq.EMTHREAD == caught.value.errno
        if transport == "inproc":  # it needs none
            socket.bind(endpoint)
        assert transport != "ipc" or not os.path.exists(endpoint.removeprefix("ipc://"))
        socket.close()
        run_in_thread(context.term).result(10)
    pull, push = make_socket(zmq.PULL, rcvtimeo=5000), make_socket(zmq.PUSH)
    pull.bind(endpoint)
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(ENOMEM, "no memory")], ids=lambda error: type(error).__name__
)
def test_bind_that_fails_late_gives_the_address_back(
    make_socket: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """A signal handler raises, or the system refuses, when the address is taken already: it's free again."""
    socket, endpoint = make_socket(zmq.PULL), free_endpoint()
    watch = Loop.watch
    raised: list[BaseException] = []

    def watch_and_raise(self: Loop, *args: Any) -> None:
        watch(self, *args)
        if not raised:
            raised.append(error)
            raise error

    monkeypatch.setattr(Loop, "watch", watch_and_raise)
    with pytest.raises(zmq.ZMQError if isinstance(error, OSError) else type(error)):
        socket.bind(endpoint)
    assert [] == socket._engine.listeners
    make_socket(zmq.PULL).bind(endpoint)
