"""Context: making, sharing, options, destroy, term and ETERM."""

from __future__ import annotations

import copy
import errno
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, link, purezmq_only, run_in_thread, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


def test_defaults_of_context_options(context: Any) -> None:
    """libzmq's defaults."""
    names = ("IO_THREADS", "MAX_SOCKETS", "SOCKET_LIMIT", "MSG_T_SIZE", "BLOCKY", "MAX_MSGSZ", "IPV6")
    assert [1, 1023, 65535, 64, 1, 2147483647, 0] == [context.get(getattr(zmq, name)) for name in names]


def test_context_options_are_attributes(make_context: Callable[..., Any]) -> None:
    """Context(io_threads), set, get, attributes."""
    context = make_context(3)
    assert 3 == context.get(zmq.IO_THREADS) == context.IO_THREADS
    context.set(zmq.MAX_SOCKETS, 77)
    assert 77 == context.get(zmq.MAX_SOCKETS) == context.max_sockets


@effect_of("Context.MAX_SOCKETS")
def test_max_sockets_gives_emfile(make_context: Callable[..., Any]) -> None:
    """One socket more than MAX_SOCKETS is refused."""
    context = make_context()
    context.set(zmq.MAX_SOCKETS, 4)
    sockets = []
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.extend(context.socket(zmq.PULL) for _ in range(5))
    assert errno.EMFILE == caught.value.errno
    for socket in sockets:
        socket.close()
    context.destroy(0)


def test_instance_is_shared_until_closed() -> None:
    """Context.instance() is one object; after term() there is a new one."""
    first = zmq.Context.instance()
    assert zmq.Context.instance() is first
    first.term()
    second = zmq.Context.instance()
    assert second is not first
    assert not second.closed
    second.term()


def test_with_closes_sockets_and_context() -> None:
    """The end of the block destroys the context."""
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        assert not socket.closed
    assert socket.closed
    assert context.closed


def test_destroy_closes_sockets(make_context: Callable[..., Any]) -> None:
    """destroy(linger) closes all sockets of the context."""
    context = make_context()
    sockets = [context.socket(zmq.PUSH) for _ in range(5)]
    sockets[0].connect("tcp://127.0.0.1:1")
    sockets[0].send(b"never")
    context.destroy(linger=0)
    assert context.closed
    assert all(socket.closed for socket in sockets)


def test_socket_of_terminated_context_is_refused(make_context: Callable[..., Any]) -> None:
    """A context that has ended makes no sockets."""
    context = make_context()
    context.term()
    with pytest.raises(zmq.ZMQError):
        context.socket(zmq.PULL)


def test_term_twice_is_allowed(make_context: Callable[..., Any]) -> None:
    """term() is idempotent."""
    context = make_context()
    context.term()
    context.term()
    assert context.closed


BLOCKING: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "recv": (zmq.PULL, lambda s: s.recv()),
    "recv_multipart": (zmq.DEALER, lambda s: s.recv_multipart()),
    "send": (zmq.PUSH, lambda s: s.send(b"x")),
    "poll": (zmq.PULL, lambda s: s.poll(None)),
    "poller": (zmq.PULL, lambda s: poll_with_poller(s, None)),
}


def poll_with_poller(socket: Any, timeout: Any) -> Any:
    """Block in Poller.poll."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    return poller.poll(timeout)


@pytest.mark.parametrize("transport", ["tcp", "inproc"])
@pytest.mark.parametrize("name", BLOCKING)
def test_term_gives_eterm_to_blocked_call(make_context: Callable[..., Any], name: str, transport: str) -> None:
    """P16: A call that blocks raises ContextTerminated; term() returns when the socket is closed."""
    context = make_context()
    kind, block = BLOCKING[name]
    socket = context.socket(kind)
    bind(socket, transport)
    call = run_in_thread(block, socket)
    assert call.still_runs_after(0.02)
    term = run_in_thread(context.term)
    with pytest.raises(zmq.ContextTerminated) as caught:
        call.result()
    assert zmq.ETERM == caught.value.errno
    assert term.still_runs_after(0.02)
    with pytest.raises(zmq.ContextTerminated):
        socket.send(b"x") if kind == zmq.PUSH else socket.recv(zmq.DONTWAIT)
    socket.close(0)
    term.result()


def test_term_waits_for_open_sockets(make_context: Callable[..., Any]) -> None:
    """term() blocks until the last socket is closed."""
    context = make_context()
    sockets = [context.socket(zmq.PULL) for _ in range(3)]
    term = run_in_thread(context.term)
    for socket in sockets:
        assert term.still_runs_after(0.01)
        socket.close()
    term.result()


@effect_of("Context.BLOCKY")
def test_blocky_zero_makes_linger_zero(make_context: Callable[..., Any]) -> None:
    """BLOCKY=0: new sockets get LINGER 0."""
    context = make_context()
    context.set(zmq.BLOCKY, 0)
    with context.socket(zmq.PUSH) as socket:
        assert 0 == socket.linger


def test_default_linger_is_infinite(context: Any) -> None:
    """-1 for all types."""
    with context.socket(zmq.PUSH) as socket:
        assert -1 == socket.linger


def test_socket_options_of_context_are_defaults(context: Any) -> None:
    """Set on the context, they hold for sockets made later."""
    context.sndhwm = 7
    context.setsockopt(zmq.RCVHWM, 8)
    with context.socket(zmq.PUSH) as socket:
        assert (7, 8) == (socket.sndhwm, socket.rcvhwm)
    assert 7 == context.sockopts[zmq.SNDHWM]


def test_shadow_shares_context(context: Any) -> None:
    """copy.copy gives another handle of the same context: inproc reaches across."""
    other = copy.copy(context)
    a, b = context.socket(zmq.PAIR), other.socket(zmq.PAIR)
    link(a, b, transport="inproc")
    a.send(b"x")
    assert b"x" == b.recv()
    a.close()
    b.close()


def test_socket_class_can_be_chosen(context: Any) -> None:
    """Context.socket(type, socket_class=...)."""

    class Special(zmq.Socket):
        pass

    with context.socket(zmq.PULL, socket_class=Special) as socket:
        assert isinstance(socket, Special)


def test_socket_repr_and_type(make_socket: MakeSocket) -> None:
    """type and context are there; repr names the type."""
    socket = make_socket(zmq.DEALER)
    assert zmq.DEALER == socket.type == socket.getsockopt(zmq.TYPE)
    assert "DEALER" in repr(socket)
    socket.close()
    assert "closed" in repr(socket)


def test_io_threads_zero_serves_inproc(make_context: Callable[..., Any], make_socket: MakeSocket) -> None:
    """Without I/O threads inproc works."""
    context = make_context(0)
    a, b = make_socket(zmq.PAIR, within=context), make_socket(zmq.PAIR, within=context)
    link(a, b, transport="inproc")
    a.send(b"x")
    assert b"x" == b.recv()


@purezmq_only("libzmq ends in undefined behaviour when a socket is closed under another thread")
@pytest.mark.parametrize("name", BLOCKING)
def test_destroy_from_other_thread_ends_blocked_call(make_context: Callable[..., Any], name: str) -> None:
    """destroy() closes sockets that other threads block on: they get a ZMQError, and destroy() returns."""
    context = make_context()
    kind, block = BLOCKING[name]
    socket = context.socket(kind)
    bind(socket, "tcp")
    call = run_in_thread(block, socket)
    assert call.still_runs_after(0.02)
    run_in_thread(context.destroy, 0).result()
    with pytest.raises(zmq.ZMQError) as caught:
        call.result()
    assert caught.value.errno in {zmq.ETERM, zmq.ENOTSOCK}
