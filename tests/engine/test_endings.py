"""Ends that once went wrong: many peers at close, forgotten sockets, second handles of a context, replaced binders."""

from __future__ import annotations

import copy
import gc
import socket as system_socket
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import bind, purezmq_only, run_in_thread, zmq

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
