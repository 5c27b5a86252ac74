"""proxy, proxy_steerable, device."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, link, purezmq_only, run_in_thread, subscribe_and_wait, try_recv, zmq

MakeSocket = Callable[..., Any]


def run_until_term(function: Callable[..., Any], *args: Any) -> None:
    """Run a proxy; the end of its context ends it."""
    try:
        function(*args)
    except zmq.ContextTerminated:
        for socket in args:
            if isinstance(socket, zmq.Socket):
                socket.close(0)


@pytest.fixture
def proxy_context(make_context: Callable[[], Any]) -> Any:
    """A context for the sockets of the proxy, terminated at the end of the test."""
    return make_context()


def broker(make_socket: MakeSocket, context: Any, run: Callable[..., Any], *more: Any) -> tuple[Any, Any, Any]:
    """A ROUTER-DEALER broker in a thread, with one REQ and one REP linked to it; returns req, rep, running call."""
    front = make_socket(zmq.ROUTER, within=context)
    back = make_socket(zmq.DEALER, within=context)
    req, rep = make_socket(zmq.REQ), make_socket(zmq.REP)
    link(front, req)
    link(back, rep)
    return req, rep, run_in_thread(run_until_term, run, front, back, *more)


def ask(req: Any, rep: Any, parts: list[bytes]) -> None:
    """One request and its reply through the proxy."""
    req.send_multipart(parts)
    assert parts == rep.recv_multipart()
    rep.send_multipart([b"re", *parts])
    assert [b"re", *parts] == req.recv_multipart()


def end(context: Any, call: Any) -> None:
    """Terminate the proxy's context and wait for the proxy."""
    term = run_in_thread(context.term)
    call.wait()
    term.result()


@pytest.mark.parametrize("size", [1, 1000, 1_000_000])
def test_proxy_passes_requests_and_replies(make_socket: MakeSocket, proxy_context: Any, size: int) -> None:
    """Messages of one and more parts in both directions, until ETERM."""
    req, rep, call = broker(make_socket, proxy_context, zmq.proxy)
    for number in range(20):
        ask(req, rep, [b"%d" % number, b"", bytes(size)])
    end(proxy_context, call)


def test_proxy_copies_to_capture(make_socket: MakeSocket, proxy_context: Any) -> None:
    """The capture socket gets every message of both directions."""
    capture, reader = make_socket(zmq.PUSH, within=proxy_context), make_socket(zmq.PULL)
    link(capture, reader)
    req, rep, call = broker(make_socket, proxy_context, zmq.proxy, capture)
    ask(req, rep, [b"x"])
    assert [[b"", b"x"], [b"", b"re", b"x"]] == [reader.recv_multipart()[1:] for _ in range(2)]
    end(proxy_context, call)


def test_proxy_forwards_subscriptions_and_messages(make_socket: MakeSocket, proxy_context: Any) -> None:
    """XSUB-XPUB: subscriptions go up, messages come down."""
    xsub, xpub = make_socket(zmq.XSUB, within=proxy_context), make_socket(zmq.XPUB, within=proxy_context)
    source, sub = make_socket(zmq.XPUB), make_socket(zmq.SUB)
    link(xsub, source)
    link(xpub, sub)
    call = run_in_thread(run_until_term, zmq.proxy, xsub, xpub)
    subscribe_and_wait(source, sub, b"t")
    source.send_multipart([b"t", b"x"])
    assert [b"t", b"x"] == sub.recv_multipart()
    sub.setsockopt(zmq.UNSUBSCRIBE, b"t")
    assert b"\x00t" == source.recv()
    end(proxy_context, call)


def test_proxy_of_pipeline_loses_nothing(make_socket: MakeSocket, proxy_context: Any) -> None:
    """PULL-PUSH: a thousand messages in order."""
    pull, push = make_socket(zmq.PULL, within=proxy_context), make_socket(zmq.PUSH, within=proxy_context)
    source, sink = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, source)
    link(push, sink)
    call = run_in_thread(run_until_term, zmq.proxy, pull, push)
    for number in range(1000):
        source.send(b"%d" % number)
    assert [b"%d" % number for number in range(1000)] == [sink.recv() for _ in range(1000)]
    end(proxy_context, call)


CONTROL_TYPES = pytest.mark.parametrize("control_types", [("PAIR", "PAIR"), ("REP", "REQ")], ids="-".join)


def steered(make_socket: MakeSocket, context: Any, control_types: tuple[str, str]) -> tuple[Any, Any, Any, Any]:
    """A steerable broker; returns req, rep, the remote control, and the running call."""
    control = make_socket(getattr(zmq, control_types[0]), within=context)
    remote = make_socket(getattr(zmq, control_types[1]))
    link(control, remote)
    req, rep, call = broker(make_socket, context, zmq.proxy_steerable, None, control)
    return req, rep, remote, call


def command(remote: Any, word: bytes) -> None:
    """Send a command and take the empty answer, which libzmq 4.3.5 gives to a PAIR, too."""
    remote.send(word)
    assert b"" == remote.recv()


@CONTROL_TYPES
def test_steerable_proxy_counts_and_ends(
    make_socket: MakeSocket, proxy_context: Any, control_types: tuple[str, str]
) -> None:
    """STATISTICS and TERMINATE."""
    req, rep, remote, call = steered(make_socket, proxy_context, control_types)
    ask(req, rep, [b"before"])
    remote.send(b"STATISTICS")
    counters = [struct.unpack("=Q", part)[0] for part in remote.recv_multipart()]
    # Parts and bytes: received and sent by the front, received and sent by the back. Envelope: 5 + 0 bytes.
    assert [3, 11, 4, 13, 4, 13, 3, 11] == counters
    ask(req, rep, [b"after"])
    command(remote, b"TERMINATE")
    call.result()


@purezmq_only("libzmq 4.3.5 goes on after PAUSE and stops after RESUME")
@CONTROL_TYPES
def test_steerable_proxy_pauses(make_socket: MakeSocket, proxy_context: Any, control_types: tuple[str, str]) -> None:
    """PAUSE holds messages back, RESUME lets them go."""
    req, rep, remote, call = steered(make_socket, proxy_context, control_types)
    ask(req, rep, [b"before"])
    command(remote, b"PAUSE")
    req.send(b"waits")
    assert try_recv(rep, 50) is None
    command(remote, b"RESUME")
    assert b"waits" == rep.recv()
    rep.send(b"ok")
    assert b"ok" == req.recv()
    command(remote, b"TERMINATE")
    call.result()


def test_device_is_a_proxy(make_socket: MakeSocket, proxy_context: Any) -> None:
    """zmq.device(type, front, back) is the old name."""
    front, back = make_socket(zmq.ROUTER, within=proxy_context), make_socket(zmq.DEALER, within=proxy_context)
    req, rep = make_socket(zmq.REQ), make_socket(zmq.REP)
    link(front, req)
    link(back, rep)

    def run(front: Any, back: Any) -> None:
        zmq.device(zmq.QUEUE, front, back)

    call = run_in_thread(run_until_term, run, front, back)
    ask(req, rep, [b"x"])
    end(proxy_context, call)


def test_proxy_between_inproc_and_tcp(make_socket: MakeSocket, proxy_context: Any) -> None:
    """One side of a proxy may be bound to several transports."""
    front, back = make_socket(zmq.ROUTER, within=proxy_context), make_socket(zmq.DEALER, within=proxy_context)
    workers = bind(back, "inproc")
    bind(back, "tcp")
    rep = make_socket(zmq.REP, within=proxy_context)
    rep.connect(workers)
    req = make_socket(zmq.REQ)
    link(front, req)
    call = run_in_thread(run_until_term, zmq.proxy, front, back)
    for number in range(10):
        ask(req, rep, [b"%d" % number])
    rep.close()
    end(proxy_context, call)
