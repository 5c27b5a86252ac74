"""V47: bind, connect, unbind and disconnect take any text, or say no by a ZMQError."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.support import link, zmq

MIB = 1 << 20
#: No letters: a host that looks like a name would be asked for.
ADDRESSES = st.one_of(
    st.text(alphabet="0123456789.:*[]%;@/ \0\u0660\ud800", max_size=40),
    st.from_regex(r"\A(\*|\[::1?\]|127\.0\.0\.1)[:;]{0,2}[0-9*]{0,7}\Z"),
    st.integers(0, 2**70).map(lambda port: f"127.0.0.1:{port}"),
)
ENDPOINTS = st.one_of(
    st.text(max_size=30).filter(lambda text: "://" not in text),
    st.binary(max_size=30).filter(lambda data: b"://" not in data),
    st.builds("{}://{}".format, st.sampled_from(["tcp", "udp", "inproc", "nope", "TCP", "pgm", "ws", ""]), ADDRESSES),
    st.builds(lambda raw: b"tcp://" + raw.translate(None, string.ascii_letters.encode()), st.binary(max_size=20)),
)
METHODS = ("bind", "connect", "unbind", "disconnect")
HUGE = ["x" * MIB, "tcp://" + "1" * MIB, "tcp://127.0.0.1:" + "9" * MIB, "ipc://" + "x" * MIB, "tcp://[" + ":" * MIB]
HOSTILE = [
    "", "://", "tcp://", "tcp:///", "tcp://:", "tcp://::", "tcp://[]:1", "tcp://[::1:1", "tcp://127.0.0.1:-1",
    "tcp://127.0.0.1:1\0", "ipc://a\0b", "ipc://", "inproc://", "inproc://a\0b", b"\xff\xfe://x", b"tcp://\xff:1",
    "tcp://127.0.0.1:0x50", "tcp://127.0.0.1:1e3", "tcp://127.0.0.1:\u0661", "tcp://127.0.0.1:1 ", "tcp:// 127.0.0.1:1",
    "udp://127.0.0.1:1", "tcp://;:1", "tcp://127.0.0.1:1;", "\ud800://x", "tcp://\ud800:1",
]  # fmt: skip


def attempt(socket: Any, method: str, endpoint: str | bytes) -> None:
    """A call succeeds, or raises a ZMQError whose text can be read."""
    text = "none"
    try:
        getattr(socket, method)(endpoint)
    except zmq.ZMQError as error:
        text = str(error)
    assert text


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("endpoint", [*HOSTILE, *HUGE], ids=lambda text: ascii(text[:24]))
def test_v47_hostile_text_is_refused(make_socket: Callable[..., Any], method: str, endpoint: str | bytes) -> None:
    """Each is an error of the call, and the socket goes on."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    with pytest.raises(zmq.ZMQError):
        getattr(pull, method)(endpoint)
    link(pull, push)
    push.send(b"unharmed")
    assert b"unharmed" == pull.recv()


@pytest.mark.parametrize("method", METHODS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(endpoint=ENDPOINTS)
@example(endpoint="tcp://127.0.0.1:65536")
@example(endpoint="inproc://\u0660")
def test_v47_any_text_is_taken_or_refused(make_socket: Callable[..., Any], method: str, endpoint: str | bytes) -> None:
    """No other exception, whatever the text; what was begun is ended by the close."""
    with make_socket(zmq.PAIR) as socket:
        attempt(socket, method, endpoint)


@pytest.mark.parametrize("value", [None, 1, 1.5, [], object()])
@pytest.mark.parametrize("method", METHODS)
def test_v47_no_text_is_a_type_error(make_socket: Callable[..., Any], method: str, value: object) -> None:
    """As in pyzmq."""
    with pytest.raises(TypeError):
        getattr(make_socket(zmq.PAIR), method)(value)
