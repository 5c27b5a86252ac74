"""V46: any option of any socket takes any value, or says no by a ZMQError or a TypeError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import link, zmq

NUMBERS = range(-10, 201)
VALUES = (
    *(0, 1, -1, 2, 255, -(2**31), 2**31 - 1, 2**31, -(2**63), 2**63 - 1, 2**64, True),
    *(b"", b"x", b"\0", b"x" * 31, b"x" * 32, b"x" * 40, b"x" * 255, b"x" * 256, b"\xff" * 1000, b"x" * 65536),
    *("text", None, 1.5, [], bytearray(b"x"), memoryview(b"x"), object()),
)
TYPES = sorted(zmq.SocketType)
CONTEXT_NUMBERS = range(-10, 30)
#: Descriptors that the socket would take over from the test.
NOT_TRIED = {int(zmq.USE_FD)}


def refused(call: Callable[..., Any], *args: Any) -> bool:
    """Whether a call was refused in one of the ways that there are."""
    text = None
    try:
        call(*args)
    except (zmq.ZMQError, TypeError) as error:
        text = str(error)
    assert text != "", "a refusal without a word"
    return text is not None


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_v46_setsockopt_any_value_is_taken_or_refused(make_socket: Callable[..., Any], kind: Any) -> None:
    """Nothing else happens, what is taken can be read, and the next socket knows nothing of it."""
    socket = make_socket(kind)
    taken = 0
    for number in NUMBERS:
        if number in NOT_TRIED:
            continue
        for value in VALUES:
            taken += not refused(socket.setsockopt, number, value)
        refused(socket.getsockopt, number)
        refused(socket.setsockopt_string, number, "text")
        refused(socket.getsockopt_string, number)
    assert taken > 100
    socket.close(0)
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    push.send(b"unharmed")
    assert b"unharmed" == pull.recv()


def test_v46_attributes_take_or_refuse_the_same(make_socket: Callable[..., Any]) -> None:
    """Options as attributes."""
    socket = make_socket(zmq.ROUTER)
    for option in zmq.SocketOption:
        if option not in NOT_TRIED:
            for value in VALUES:
                try:
                    refused(setattr, socket, option.name.lower(), value)
                except AttributeError:  # of an option that can only be read
                    assert refused(socket.setsockopt, option, value)


def test_v46_context_takes_or_refuses_any_value(make_context: Callable[..., Any]) -> None:
    """The same for the options of contexts, and the numbers that have none."""
    taken = 0
    for number in CONTEXT_NUMBERS:
        for value in VALUES:
            context = make_context()
            taken += not refused(context.set, number, value)
            refused(context.get, number)
            context.term()
    assert taken > 10
