"""Every option has its effect: the list of what is shown where, the options that answer, and wrong values."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import link, purezmq_only, subscribe_and_wait, try_send, zmq
from tests.support.effects import effect_of, marked_options, options_with_effect

MakeSocket = Callable[..., Any]


def test_every_option_without_note_has_an_effect_test() -> None:
    """An option that is only stored must say so in its note; any other must be shown to work."""
    assert set() == options_with_effect() - set(marked_options())


def test_every_note_says_why() -> None:
    """A note is a sentence for the compatibility table, not a mark."""
    from purezmq.option_table import CONTEXT_OPTIONS, SOCKET_OPTIONS

    notes = [spec.note for table in (SOCKET_OPTIONS, CONTEXT_OPTIONS) for spec in table.values() if spec.note]
    assert [] == [note for note in notes if " " not in note or note.endswith(".")]


@effect_of("TYPE", "MECHANISM")
@pytest.mark.parametrize("kind", ["PAIR", "REQ", "ROUTER", "XSUB", "STREAM"])
def test_type_and_mechanism_tell_what_the_socket_is(make_socket: MakeSocket, kind: str) -> None:
    """TYPE is the number the socket was made with, MECHANISM is NULL without a security option."""
    socket = make_socket(getattr(zmq, kind))
    assert (getattr(zmq, kind), zmq.NULL) == (socket.getsockopt(zmq.TYPE), socket.getsockopt(zmq.MECHANISM))


@effect_of("THREAD_SAFE")
@purezmq_only("its stable socket types must stay in one thread")
def test_thread_safe_is_true_for_every_type(make_socket: MakeSocket) -> None:
    """Any thread may use any socket."""
    assert 1 == make_socket(zmq.PULL).getsockopt(zmq.THREAD_SAFE)


@effect_of("HWM")
def test_hwm_limits_what_is_queued(make_socket: MakeSocket) -> None:
    """HWM sets both marks: a connecting PUSH without a peer takes that many messages."""
    push = make_socket(zmq.PUSH)
    push.hwm = 7
    push.connect("tcp://127.0.0.1:1")
    assert 7 == sum(try_send(push, b"x") for _ in range(20))


@effect_of("TOPICS_COUNT")
@purezmq_only("a draft option")
def test_topics_count_follows_subscriptions(make_socket: MakeSocket) -> None:
    """Both sides count different topics."""
    xpub, sub = make_socket(zmq.XPUB), make_socket(zmq.SUB)
    link(xpub, sub)
    for topic in (b"a", b"b"):
        subscribe_and_wait(xpub, sub, topic)
    assert (2, 2) == (xpub.getsockopt(zmq.TOPICS_COUNT), sub.getsockopt(zmq.TOPICS_COUNT))
    sub.unsubscribe(b"a")
    assert b"\x00a" == xpub.recv()
    assert (1, 1) == (xpub.getsockopt(zmq.TOPICS_COUNT), sub.getsockopt(zmq.TOPICS_COUNT))


@purezmq_only("its errors have one text for all")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LINGER", -2, ["LINGER", "-2", ">= -1"]),
        ("TCP_KEEPALIVE", 2, ["TCP_KEEPALIVE", "2", "from -1 to 1"]),
        ("ROUTER_NOTIFY", 4, ["ROUTER_NOTIFY", "4", "from 0 to 3"]),
        ("ROUTING_ID", b"", ["ROUTING_ID", "1..255 bytes", "not 0 bytes"]),
        ("METADATA", b"key:value", ["METADATA", "X-name:value", "key:value"]),
        ("TCP_ACCEPT_FILTER", b"10.0.0.0/33", ["TCP_ACCEPT_FILTER", "10.0.0.0/33", "network"]),
        ("SOCKS_USERNAME", b"x" * 256, ["SOCKS_USERNAME", "0..255 bytes", "256"]),
    ],
)
def test_wrong_value_gives_einval_that_names_option_value_and_range(
    make_socket: MakeSocket, name: str, value: Any, words: list[str]
) -> None:
    """The text tells what was wrong and what is right."""
    socket = make_socket(zmq.DEALER)
    with pytest.raises(zmq.ZMQError) as caught:
        socket.setsockopt(getattr(zmq, name), value)
    assert errno.EINVAL == caught.value.errno
    assert [] == [word for word in words if word not in str(caught.value)]


@purezmq_only("its errors have one text for all")
@pytest.mark.parametrize(
    ("kind", "name", "types"),
    [
        ("PULL", "ROUTER_MANDATORY", ["REP", "ROUTER"]),
        ("ROUTER", "REQ_RELAXED", ["REQ"]),
        ("SUB", "XPUB_VERBOSE", ["PUB", "XPUB"]),
        ("XPUB", "XSUB_VERBOSE_UNSUBSCRIBE", ["XSUB"]),
        ("DEALER", "STREAM_NOTIFY", ["STREAM"]),
    ],
)
def test_option_of_another_type_gives_einval_that_names_the_types(
    make_socket: MakeSocket, kind: str, name: str, types: list[str]
) -> None:
    """Which types take the option is in the text."""
    socket = make_socket(getattr(zmq, kind))
    with pytest.raises(zmq.ZMQError) as caught:
        socket.setsockopt(getattr(zmq, name), 1)
    assert errno.EINVAL == caught.value.errno
    assert [] == [word for word in (name, kind, *types) if word not in str(caught.value)]


@purezmq_only("its errors have one text for all")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("IO_THREADS", -1, ["IO_THREADS", "-1", ">= 0"]),
        ("THREAD_PRIORITY", -1, ["THREAD_PRIORITY", "-1", ">= 0"]),
        ("THREAD_AFFINITY_CPU_REMOVE", 3, ["THREAD_AFFINITY_CPU_REMOVE", "3", "not added"]),
        ("THREAD_NAME_PREFIX", "x" * 17, ["THREAD_NAME_PREFIX", "1..16 bytes", "xxx"]),
    ],
)
def test_wrong_context_value_gives_einval_that_names_option_value_and_range(
    context: Any, name: str, value: Any, words: list[str]
) -> None:
    """As for sockets."""
    with pytest.raises(zmq.ZMQError) as caught:
        context.set(getattr(zmq, name), value)
    assert errno.EINVAL == caught.value.errno
    assert [] == [word for word in words if word not in str(caught.value)]
