"""Second handles of sockets and contexts: `shadow`, copies, and who ends what."""

from __future__ import annotations

import copy
import gc
import warnings
from typing import Any

import pytest
from tests.support import TIMEOUT_S, eventually, library_module, link, purezmq_only, zmq


@pytest.fixture
def pair(make_socket: Any) -> tuple[Any, Any]:
    """Two connected PAIR sockets."""
    first, second = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    link(first, second)
    return first, second


@pytest.mark.parametrize("make", [zmq.Socket, lambda s: zmq.Socket.shadow(s.underlying), copy.copy])
def test_shadow_sends_and_receives_for_the_socket(pair: Any, make: Any) -> None:
    """What one handle does, the socket does."""
    first, second = pair
    shadow = make(first)
    assert shadow.underlying == first.underlying
    assert zmq.PAIR == shadow.getsockopt(zmq.TYPE)
    shadow.send(b"out")
    assert b"out" == second.recv()
    second.send(b"in")
    assert shadow.poll(TIMEOUT_S * 1000)
    assert b"in" == shadow.recv()


def test_shadow_goes_on_with_a_multipart_message(pair: Any) -> None:
    """A message begun by one handle is ended by the other, both ways."""
    first, second = pair
    shadow = zmq.Socket.shadow(first.underlying)
    first.send(b"a", zmq.SNDMORE)
    shadow.send(b"b")
    assert [b"a", b"b"] == second.recv_multipart()
    second.send_multipart([b"c", b"d"])
    assert b"c" == first.recv()
    assert shadow.getsockopt(zmq.RCVMORE)
    assert b"d" == shadow.recv()
    assert not first.getsockopt(zmq.RCVMORE)


def test_option_set_by_a_shadow_is_the_sockets(pair: Any) -> None:
    """Options belong to the socket, not to the handle."""
    first, _ = pair
    zmq.Socket.shadow(first.underlying).setsockopt(zmq.LINGER, 123)
    assert 123 == first.getsockopt(zmq.LINGER)


def test_forgotten_shadow_leaves_the_socket_open(pair: Any) -> None:
    """A shadow that is collected closes nothing."""
    first, second = pair
    shadow = zmq.Socket.shadow(first.underlying)
    del shadow
    gc.collect()
    first.send(b"still there")
    assert b"still there" == second.recv()


def test_closed_shadow_closes_the_socket(pair: Any) -> None:
    """close() closes the socket, whichever handle it is called on."""
    first, _ = pair
    shadow = zmq.Socket.shadow(first.underlying)
    shadow.close()
    assert shadow.closed
    assert first.closed
    with pytest.raises(zmq.ZMQError) as caught:
        first.send(b"x", zmq.DONTWAIT)
    assert zmq.ENOTSOCK == caught.value.errno


@purezmq_only("libzmq's socket is closed with the first handle, and the shadow points nowhere")
def test_shadow_that_outlives_the_first_handle_keeps_the_socket(make_context: Any) -> None:
    """The socket lives as long as any handle; the last one forgotten closes it and warns."""
    context = make_context()
    first = context.socket(zmq.PULL)
    first.bind("inproc://outlived")
    shadow = zmq.Socket.shadow(first.underlying)
    del first
    gc.collect()
    with context.socket(zmq.PUSH) as push:
        push.connect("inproc://outlived")
        push.send(b"x")
        assert b"x" == shadow.recv()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        del shadow
        gc.collect()
    assert [ResourceWarning] == [warning.category for warning in seen]
    eventually(lambda: not context._state.engines)


@purezmq_only("libzmq dereferences any number")
def test_address_where_no_socket_lives_is_refused() -> None:
    """A wrong address is an error, not a crash."""
    for make in (zmq.Socket.shadow, zmq.Context.shadow):
        with pytest.raises(zmq.ZMQError) as caught:
            make(0x1234)
        assert zmq.EINVAL == caught.value.errno


def test_context_shadowed_by_address_is_the_same(context: Any) -> None:
    """Sockets of both meet over inproc."""
    shadow = zmq.Context.shadow(context.underlying)
    assert shadow.underlying == context.underlying
    with shadow.socket(zmq.PAIR) as one, context.socket(zmq.PAIR) as other:
        one.bind("inproc://shadowed")
        other.connect("inproc://shadowed")
        other.send(b"hello")
        assert b"hello" == one.recv()


def test_closed_context_of_shadow_is_seen(make_context: Any) -> None:
    """A shadow of an ended context makes no socket."""
    context = make_context()
    shadow = zmq.Context.shadow(context.underlying)
    context.term()
    with pytest.raises(zmq.ZMQError):
        shadow.socket(zmq.PAIR)


def test_forgotten_shadow_leaves_the_context_open(context: Any) -> None:
    """Only an explicit term() or destroy() ends a context."""
    shadow = zmq.Context.shadow(context.underlying)
    del shadow
    gc.collect()
    with context.socket(zmq.PAIR) as socket:
        socket.bind("inproc://alive")


def test_terminated_shadow_ends_the_context(make_context: Any) -> None:
    """term() acts on the context, whichever handle it is called on."""
    context = make_context()
    zmq.Context.shadow(context.underlying).term()
    with pytest.raises(zmq.ZMQError):
        context.socket(zmq.PAIR)


@pytest.mark.parametrize("front", ["Socket", "asyncio.Socket"])
@pytest.mark.parametrize("source", [lambda s: s, lambda s: s.underlying], ids=["socket", "address"])
def test_shadow_keyword_makes_a_second_handle(pair: Any, source: Any, front: str) -> None:
    """pyzmq's constructor takes the socket, or its address, by this name."""
    first, second = pair
    make = library_module("asyncio").Socket if front == "asyncio.Socket" else zmq.Socket
    shadow = make(shadow=source(first))
    assert first.underlying == shadow.underlying
    zmq.Socket(shadow).send(b"by the shadow")
    assert b"by the shadow" == second.recv()


def test_socket_without_context_raises_type_error(context: Any) -> None:
    """It needs a context, or a socket to shadow; without a type it's a PAIR, as pyzmq's."""
    for arguments in ((), (None,)):
        with pytest.raises(TypeError, match="context"):
            zmq.Socket(*arguments)
    with zmq.Socket(context) as socket:
        assert zmq.PAIR == socket.getsockopt(zmq.TYPE)


@purezmq_only("options by keyword")
def test_shadow_with_wrong_option_leaves_the_socket_open(pair: Any) -> None:
    """What fails is the second handle, not the first."""
    first, second = pair
    with pytest.raises(AttributeError):
        zmq.Socket(first, no_such_option=1)
    first.send(b"still here")
    assert b"still here" == second.recv()


@purezmq_only("libzmq follows the dangling pointer")
def test_shadow_of_a_socket_that_is_just_dropped_raises_einval(context: Any) -> None:
    """Another thread still looks at the record of the socket, whose last handle is gone."""
    socket = context.socket(zmq.PAIR)
    record, address = socket._shared, socket.underlying
    del socket
    with pytest.raises(zmq.ZMQError) as caught:
        zmq.Socket.shadow(address)
    assert zmq.EINVAL == caught.value.errno
    record.close(0)


def test_forgotten_socket_stops_its_monitor(context: Any) -> None:
    """Whoever reads the monitor learns that the socket is gone, though nobody closed it."""
    socket = context.socket(zmq.PAIR)
    with socket.get_monitor_socket() as monitor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            del socket
            gc.collect()
        assert monitor.poll(TIMEOUT_S * 1000)
        assert zmq.EVENT_MONITOR_STOPPED == library_module("utils.monitor").recv_monitor_message(monitor)["event"]


@purezmq_only("the address is the library's business")
def test_monitor_has_the_same_address_whichever_handle_asks(pair: Any) -> None:
    """A handle may be forgotten and its place in memory given to a handle of another socket."""
    first, _ = pair
    endpoints = []
    for handle in (first, zmq.Socket(first)):
        with handle.get_monitor_socket() as monitor:
            endpoints.append(monitor.last_endpoint)
        first.disable_monitor()
    assert endpoints[0] == endpoints[1]
