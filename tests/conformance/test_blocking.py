"""Time limits, DONTWAIT, RCVMORE: how calls wait, and how messages are taken in parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, bind, link, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]


@effect_of("RCVTIMEO")
def test_rcvtimeo_limits_recv(make_socket: MakeSocket) -> None:
    """recv raises Again after RCVTIMEO milliseconds, not before."""
    pull = make_socket(zmq.PULL, rcvtimeo=60)
    bind(pull, "tcp")
    began = time.monotonic()
    with pytest.raises(zmq.Again):
        pull.recv()
    assert 0.055 <= time.monotonic() - began < 2


@effect_of("SNDTIMEO")
def test_sndtimeo_limits_send(make_socket: MakeSocket) -> None:
    """send raises Again after SNDTIMEO milliseconds, not before."""
    push = make_socket(zmq.PUSH, sndtimeo=60)
    bind(push, "tcp")
    began = time.monotonic()
    with pytest.raises(zmq.Again):
        push.send(b"x")
    assert 0.055 <= time.monotonic() - began < 2


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_timed_recv_returns_when_message_comes(make_socket: MakeSocket, transport: str) -> None:
    """A message that arrives within the limit ends the wait."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(pull, push, transport=transport)
    call = run_in_thread(pull.recv)
    assert call.still_runs_after(0.02)
    push.send(b"x")
    assert b"x" == call.result()


def test_dontwait_raises_again_at_once(make_socket: MakeSocket) -> None:
    """DONTWAIT wins over any time limit; NOBLOCK is its old name."""
    pull = make_socket(zmq.PULL, rcvtimeo=-1)
    bind(pull, "tcp")
    assert zmq.DONTWAIT == zmq.NOBLOCK
    with pytest.raises(zmq.Again) as caught:
        pull.recv(zmq.DONTWAIT)
    assert zmq.EAGAIN == caught.value.errno


def test_poll_waits_for_message(make_socket: MakeSocket) -> None:
    """poll returns 0 after its time, POLLIN as soon as there is something."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(pull, push)
    began = time.monotonic()
    assert 0 == pull.poll(60)
    assert 0.055 <= time.monotonic() - began < 2
    push.send(b"x")
    assert zmq.POLLIN == pull.poll(5000)
    assert zmq.POLLOUT == push.poll(0, zmq.POLLOUT | zmq.POLLIN)


def test_poll_without_time_limit_waits(make_socket: MakeSocket) -> None:
    """poll(None) waits until something comes."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(pull, push)
    call = run_in_thread(pull.poll, None)
    assert call.still_runs_after(0.02)
    push.send(b"x")
    assert zmq.POLLIN == call.result()


@effect_of("RCVMORE")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_parts_are_taken_one_by_one(make_socket: MakeSocket, transport: str) -> None:
    """recv gives a part at a time, RCVMORE tells whether the message goes on."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport=transport)
    push.send(b"a", zmq.SNDMORE)
    push.send(b"b", zmq.SNDMORE)
    push.send(b"c")
    push.send(b"next")
    got = []
    for _ in range(4):
        part = pull.recv()
        got.append((part, bool(pull.getsockopt(zmq.RCVMORE)), bool(pull.rcvmore)))
    assert [(b"a", True, True), (b"b", True, True), (b"c", False, False), (b"next", False, False)] == got


def test_unfinished_multipart_is_not_delivered(make_socket: MakeSocket) -> None:
    """Parts sent with SNDMORE travel when the last one is there."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport="inproc")
    push.send(b"a", zmq.SNDMORE)
    assert try_recv(pull) is None
    push.send(b"b")
    assert [b"a", b"b"] == pull.recv_multipart()


def test_recv_multipart_after_recv_gives_rest(make_socket: MakeSocket) -> None:
    """The parts that are left of a message that was begun."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    push.send_multipart([b"a", b"b", b"c"])
    assert b"a" == pull.recv()
    assert [b"b", b"c"] == pull.recv_multipart()


def test_send_multipart_appends_to_unfinished_message(make_socket: MakeSocket) -> None:
    """SNDMORE on send_multipart holds the message open."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    push.send_multipart([b"a", b"b"], zmq.SNDMORE)
    push.send_multipart([b"c"])
    assert [b"a", b"b", b"c"] == pull.recv_multipart()


def test_timeouts_can_be_attributes_and_context_defaults(context: Any) -> None:
    """Socket options set on the context are defaults of sockets made later."""
    context.setsockopt(zmq.RCVTIMEO, 30)
    context.linger = 0
    pull = context.socket(zmq.PULL)
    assert (30, 0) == (pull.rcvtimeo, pull.linger)
    bind(pull, "inproc")
    with pytest.raises(zmq.Again):
        pull.recv()
    pull.close()


@purezmq_only("pyzmq has no time limit per call")
def test_timeout_of_one_call(make_socket: MakeSocket) -> None:
    """timeout= (seconds) limits this recv or send, whatever the options say."""
    pull, push = make_socket(zmq.PULL, rcvtimeo=-1), make_socket(zmq.PUSH, sndtimeo=-1)
    bind(pull, "tcp")
    bind(push, "tcp")
    for call in (lambda: pull.recv(timeout=0.03), lambda: pull.recv_multipart(timeout=0.03)):
        with pytest.raises(zmq.Again):
            call()
    for call in (lambda: push.send(b"x", timeout=0.03), lambda: push.send_multipart([b"x"], timeout=0.03)):
        with pytest.raises(zmq.Again):
            call()


@purezmq_only("pyzmq has no batches")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_batches_keep_messages_and_order(make_socket: MakeSocket, transport: str) -> None:
    """send_many and recv_many move several messages, single and multipart, per call."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport=transport)
    messages = [[b"%d" % n, b"x"] if n % 5 == 0 else b"%d" % n for n in range(700)]
    push.send_many(messages)
    received: list[Any] = []
    while len(received) < len(messages):
        batch = pull.recv_many(100)
        assert 1 <= len(batch) <= 100
        received += batch
    assert messages == received
