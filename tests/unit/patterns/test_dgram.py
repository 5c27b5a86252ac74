from __future__ import annotations

from typing import Any

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import DGRAM, EINVAL, EMSGSIZE
from purezmq.error import ZMQError, make_error

TO = b"127.0.0.1:5555"


@pytest.fixture
def bound() -> tuple[Any, ScriptedPeer]:
    """A DGRAM with an endpoint that has room for one message, and refuses a body of "x"."""

    def check(message: Any) -> None:
        if message[1] == b"x":
            raise make_error(EMSGSIZE, "too large")

    pattern = make_pattern(DGRAM)
    endpoint = ScriptedPeer(pattern, hwm=1)
    endpoint.carrier.check_message = check  # type: ignore[attr-defined]  # carriers of datagrams have it
    return pattern, endpoint


def test_dgram_has_one_endpoint(bound: tuple[Any, ScriptedPeer]) -> None:
    """A second one is refused; once the first is gone the next is welcome, and what came is still readable."""
    pattern, first = bound
    second = ScriptedPeer(pattern)
    assert second.is_refused
    first.bring([TO, b"1"])
    first.leave()
    assert not pattern.can_send()
    assert "bind" in pattern.why_blocked()
    third = ScriptedPeer(pattern)
    assert not third.is_refused
    assert pattern.can_send()
    assert [[TO, b"1"]] == texts(pattern)


def test_dgram_waits_for_an_endpoint_and_for_room(bound: tuple[Any, ScriptedPeer]) -> None:
    """Nothing is sent, and nothing lost, while nothing is bound or the queue is full."""
    pattern, endpoint = bound
    assert not make_pattern(DGRAM).try_send([TO, b"1"])
    assert pattern.try_send([TO, b"1"])
    assert not pattern.try_send([TO, b"2"])
    assert not pattern.can_send()
    assert "high-water mark" in pattern.why_blocked()
    assert [[TO, b"1"]] == endpoint.sent()
    assert pattern.try_send([TO, b"2"])


@pytest.mark.parametrize(
    ("message", "number"), [(b"1", EINVAL), ([TO], EINVAL), ([TO, b"a", b"b"], EINVAL), ([TO, b"x"], EMSGSIZE)]
)
def test_dgram_refuses_what_is_no_datagram(bound: tuple[Any, ScriptedPeer], message: Any, number: int) -> None:
    """By an error for who sends it; in a batch of others' messages it is dropped and counted."""
    pattern, endpoint = bound
    with pytest.raises(ZMQError) as caught:
        pattern.try_send(message)
    assert number == caught.value.errno
    assert 2 == pattern.try_send_many([message, [TO, b"1"]])
    assert 1 == pattern.dropped
    assert [[TO, b"1"]] == endpoint.sent()
