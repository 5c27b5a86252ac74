"""The limits on peers as settings: names, defaults, what they accept, and how a peer that runs into one is told."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, purezmq_only, zmq
from tests.support.raw_peer import RawPeer

from purezmq import limits
from purezmq.sockets.limit_settings import LimitSettings

pytestmark = purezmq_only("libzmq has no such settings")

MakeSocket = Callable[..., Any]
NAMES = [name for name, value in vars(LimitSettings).items() if hasattr(value, "__set__")]


@pytest.mark.parametrize("name", NAMES)
def test_setting_has_the_default_of_its_limit(make_socket: MakeSocket, name: str) -> None:
    """As named in `purezmq.limits`, and documented."""
    assert getattr(limits, name.upper()) == getattr(make_socket(zmq.PULL), name)
    assert getattr(LimitSettings, name).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_setting_takes_counts_only(make_socket: MakeSocket, context: Any, name: str) -> None:
    """Integers from 0 on, as attribute and as keyword; a refused value changes nothing."""
    with context.socket(zmq.PULL, **{name: 7}) as pull:
        assert 7 == getattr(pull, name)
        setattr(pull, name, 0)
        assert 0 == getattr(pull, name)
        with pytest.raises(zmq.ZMQError) as caught:
            setattr(pull, name, -1)
        assert errno.EINVAL == caught.value.errno
        for wrong in ("1", 1.0, None, True):
            with pytest.raises(TypeError):
                setattr(pull, name, wrong)
        assert 0 == getattr(pull, name)
    with pytest.raises(zmq.ZMQError) as caught:
        setattr(pull, name, 1)
    assert zmq.ENOTSOCK == caught.value.errno


def test_settings_are_of_one_socket(make_socket: MakeSocket) -> None:
    """Another one has the defaults."""
    pull, other = make_socket(zmq.PULL), make_socket(zmq.PULL)
    pull.max_parts = 3
    assert limits.MAX_PARTS == other.max_parts


def test_limit_of_parts_is_of_the_endpoint(make_socket: MakeSocket) -> None:
    """What bind() found is kept by the connections of that endpoint; a later endpoint has the later value."""
    pull = make_socket(zmq.PULL)
    pull.max_parts = 2
    strict = bind(pull, "tcp")
    pull.max_parts = 0
    lax = bind(pull, "tcp")
    with RawPeer.connect(lax) as raw:
        raw.shake_hands("PUSH")
        raw.send(b"\x01\x01a\x01\x01b\x00\x01c")
        assert [b"a", b"b", b"c"] == pull.recv_multipart()
    with RawPeer.connect(strict) as raw:
        raw.shake_hands("PUSH")
        raw.send(b"\x01\x01a\x00\x01b" + b"\x01\x01a\x01\x01b\x00\x01c")
        raw.wait_until_closed()
    assert [b"a", b"b"] == pull.recv_multipart()
    assert {"max_parts": 1} == pull.stats().refusals == pull._context.stats().refusals


def test_refusals_reach_the_log(make_socket: MakeSocket, caplog: pytest.LogCaptureFixture) -> None:
    """One line tells that a peer ran into a limit, and into which."""
    pull = make_socket(zmq.PULL)
    pull.max_parts = 2
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        raw.send(b"\x01\x01a" * 3)
        raw.wait_until_closed()
    pull.close(0)
    from purezmq.engine import event_log

    assert event_log._writer._thread.wait(5)
    lines = [record.getMessage() for record in caplog.records]
    assert any("1 peer ran into a limit" in line and "max_parts" in line for line in lines), lines
