"""The error numbers and exception types of wrong calls: endpoints, options, states, types of arguments."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import IS_PUREZMQ, bind, purezmq_only, zmq

MakeSocket = Callable[..., Any]

BAD_BINDS = {
    "": errno.EINVAL,
    "tcp": errno.EINVAL,
    "tcp://": errno.EINVAL,
    "://x": errno.EINVAL,
    "foo://x": errno.EPROTONOSUPPORT,
    "tcp://127.0.0.1": errno.EINVAL,
    "tcp://127.0.0.1:x": errno.EINVAL,
    "tcp://256.1.1.1:5": errno.ENODEV,
    "tcp://nosuchif:5555": errno.ENODEV,
    "tcp://8.8.8.8:5555": errno.EADDRNOTAVAIL,
    "inproc://": errno.EINVAL,
    "ipc://": errno.EINVAL,
    "ipc:///nonexistent/dir/x": errno.ENOENT,
    "ipc:///" + "a" * 120: errno.ENAMETOOLONG,
    "udp://127.0.0.1:5555": zmq.ENOCOMPATPROTO,
}
BAD_CONNECTS = {
    "": errno.EINVAL,
    "tcp": errno.EINVAL,
    "tcp://": errno.EINVAL,
    "://x": errno.EINVAL,
    "foo://x": errno.EPROTONOSUPPORT,
    "tcp://127.0.0.1": errno.EINVAL,
    "tcp://127.0.0.1:x": errno.EINVAL,
    "tcp://127.0.0.1:*": errno.EINVAL,
    "tcp://*:5555": errno.EINVAL,
    "tcp://no such host:5": errno.EINVAL,
    "inproc://": errno.EINVAL,
    "ipc://": errno.EINVAL,
    "ipc:///" + "a" * 120: errno.ENAMETOOLONG,
    "udp://127.0.0.1:5555": zmq.ENOCOMPATPROTO,
}


def errno_of(call: Callable[..., Any], *args: Any) -> int:
    """The errno of the ZMQError that the call raises."""
    with pytest.raises(zmq.ZMQError) as caught:
        call(*args)
    return caught.value.errno


@pytest.mark.parametrize("endpoint", BAD_BINDS)
def test_bad_bind_gives_errno(make_socket: MakeSocket, endpoint: str) -> None:
    """bind() to a wrong endpoint."""
    assert BAD_BINDS[endpoint] == errno_of(make_socket(zmq.PULL).bind, endpoint)


@pytest.mark.parametrize("endpoint", BAD_CONNECTS)
def test_bad_connect_gives_errno(make_socket: MakeSocket, endpoint: str) -> None:
    """connect() to a wrong endpoint."""
    assert BAD_CONNECTS[endpoint] == errno_of(make_socket(zmq.PUSH).connect, endpoint)


@purezmq_only("libzmq takes the port modulo 65536")
@pytest.mark.parametrize("call", ["bind", "connect"])
@pytest.mark.parametrize("port", ["99999", "65536", "-1"])
def test_port_out_of_range_gives_einval(make_socket: MakeSocket, call: str, port: str) -> None:
    """A port has 16 bits."""
    assert errno.EINVAL == errno_of(getattr(make_socket(zmq.PULL), call), f"tcp://127.0.0.1:{port}")


@purezmq_only("libzmq's text is the one of the errno")
@pytest.mark.parametrize("endpoint", BAD_BINDS)
def test_text_of_bad_bind_names_endpoint(make_socket: MakeSocket, endpoint: str) -> None:
    """The text names the address that was refused."""
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.PULL).bind(endpoint)
    assert repr(endpoint)[1:-1] in str(caught.value)
    assert zmq.strerror(caught.value.errno) != str(caught.value)


CLOSED_CALLS: dict[str, Callable[[Any], Any]] = {
    "recv": lambda s: s.recv(),
    "recv_multipart": lambda s: s.recv_multipart(),
    "send": lambda s: s.send(b""),
    "send_multipart": lambda s: s.send_multipart([b"x"]),
    "setsockopt": lambda s: s.setsockopt(zmq.LINGER, 0),
    "getsockopt": lambda s: s.getsockopt(zmq.LINGER),
    "attribute": lambda s: s.linger,
    "bind": lambda s: s.bind("inproc://x"),
    "connect": lambda s: s.connect("inproc://x"),
    "unbind": lambda s: s.unbind("inproc://x"),
    "disconnect": lambda s: s.disconnect("inproc://x"),
    "fileno": lambda s: s.fileno(),
    "monitor": lambda s: s.monitor("inproc://m", zmq.EVENT_ALL),
}


@pytest.mark.parametrize("name", CLOSED_CALLS)
def test_closed_socket_gives_enotsock(make_socket: MakeSocket, name: str) -> None:
    """Every call on a closed socket."""
    socket = make_socket(zmq.DEALER)
    socket.close()
    assert zmq.ENOTSOCK == errno_of(CLOSED_CALLS[name], socket)


def test_poll_on_closed_socket_gives_enotsup(make_socket: MakeSocket) -> None:
    """pyzmq's number for this one."""
    socket = make_socket(zmq.DEALER)
    socket.close()
    assert zmq.ENOTSUP == errno_of(socket.poll, 0)


def test_close_twice_is_allowed(make_socket: MakeSocket) -> None:
    """close() is idempotent."""
    socket = make_socket(zmq.DEALER)
    socket.close()
    socket.close()
    assert socket.closed


def test_unknown_socket_type_gives_einval(context: Any) -> None:
    """There is no type 99."""
    assert errno.EINVAL == errno_of(context.socket, 99)


WRONG_VALUES = [
    ("SNDHWM", -1), ("RCVHWM", -1), ("LINGER", -2), ("RCVTIMEO", -2), ("SNDTIMEO", -2), ("RECONNECT_IVL", -2),
    ("BACKLOG", -1), ("IMMEDIATE", 2), ("IPV6", 2), ("CONFLATE", 2), ("HEARTBEAT_TTL", 6553600),
    ("HEARTBEAT_IVL", -1), ("HANDSHAKE_IVL", -1), ("TOS", -1), ("TCP_KEEPALIVE", 2), (9999, 1),
    ("SUBSCRIBE", b""), ("ROUTER_MANDATORY", 1), ("XPUB_VERBOSE", 1), ("REQ_RELAXED", 1), ("PROBE_ROUTER", 1),
    ("CONNECT_ROUTING_ID", b"x"), ("XPUB_WELCOME_MSG", b""),
    ("TYPE", 1), ("RCVMORE", 1), ("FD", 1), ("EVENTS", 1), ("MECHANISM", 1), ("THREAD_SAFE", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_VALUES)
def test_wrong_option_gives_einval(make_socket: MakeSocket, name: str | int, value: Any) -> None:
    """Values out of range, options of other types, read-only options: on a PULL."""
    option = getattr(zmq, name) if isinstance(name, str) else name
    assert errno.EINVAL == errno_of(make_socket(zmq.PULL).setsockopt, option, value)


@pytest.mark.parametrize("name", ["SUBSCRIBE", "UNSUBSCRIBE", "ROUTER_MANDATORY", "PROBE_ROUTER", "REQ_CORRELATE",
                                  "REQ_RELAXED", "XPUB_VERBOSE", "XPUB_NODROP", "CONNECT_ROUTING_ID",
                                  "ROUTER_HANDOVER", "XPUB_WELCOME_MSG", "XPUB_MANUAL"])  # fmt: skip
def test_reading_write_only_option_gives_einval(make_socket: MakeSocket, name: str) -> None:
    """getsockopt of options that can only be set."""
    assert errno.EINVAL == errno_of(make_socket(zmq.PULL).getsockopt, getattr(zmq, name))


def test_unknown_option_gives_einval(make_socket: MakeSocket) -> None:
    """getsockopt of a number that is none."""
    assert errno.EINVAL == errno_of(make_socket(zmq.PULL).getsockopt, 9999)


@pytest.mark.parametrize("option", ["IO_THREADS", 9999])
def test_wrong_context_option_gives_einval(context: Any, option: str | int) -> None:
    """Context.set with a wrong value or number."""
    number = getattr(zmq, option) if isinstance(option, str) else option
    assert errno.EINVAL == errno_of(context.set, number, -1)


TYPE_ERRORS: dict[str, Callable[[Any], Any]] = {
    "send text": lambda s: s.send("x"),
    "send int": lambda s: s.send(1),
    "send None": lambda s: s.send(None),
    "send_multipart text": lambda s: s.send_multipart([b"x", "y"]),
    "send_multipart bytes": lambda s: s.send_multipart(b"xy"),
    "int option from text": lambda s: s.setsockopt(zmq.LINGER, "x"),
    "int option from bytes": lambda s: s.setsockopt(zmq.LINGER, b"x"),
    "bytes option from int": lambda s: s.setsockopt(zmq.ROUTING_ID, 3),
    "bytes option from text": lambda s: s.setsockopt(zmq.ROUTING_ID, "x"),
    "bind int": lambda s: s.bind(3),
}


@pytest.mark.parametrize("name", TYPE_ERRORS)
def test_wrong_type_of_argument_gives_type_error(make_socket: MakeSocket, name: str) -> None:
    """Text where bytes are due, and the like."""
    socket = make_socket(zmq.DEALER)
    bind(socket, "inproc")
    with pytest.raises(TypeError):
        TYPE_ERRORS[name](socket)


def test_unknown_attribute_gives_attribute_error(make_socket: MakeSocket, context: Any) -> None:
    """Attributes are options; others don't exist."""
    socket = make_socket(zmq.DEALER)
    with pytest.raises(AttributeError):
        _ = socket.nosuch
    with pytest.raises(AttributeError):
        socket.nosuch = 1
    with pytest.raises(AttributeError):
        _ = socket.router_mandatory
    with pytest.raises(AttributeError):
        context.nosuch = 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("EAGAIN", "Again"),
        ("ETERM", "ContextTerminated"),
        ("EINTR", "InterruptedSystemCall"),
    ],
)
def test_errno_has_exception_of_its_own(number: str, kind: str) -> None:
    """zmq.Again is a ZMQError with EAGAIN, and so on."""
    value = errno.EINTR if number == "EINTR" else getattr(zmq, number)
    error = getattr(zmq.error, kind)()
    assert isinstance(error, zmq.ZMQError)
    assert value == error.errno


def test_error_number_and_text() -> None:
    """ZMQError(errno) knows its text; str and repr show it."""
    error = zmq.ZMQError(zmq.EFSM)
    assert (zmq.EFSM, zmq.strerror(zmq.EFSM)) == (error.errno, error.strerror)
    assert "Operation cannot be accomplished in current state" == zmq.strerror(zmq.EFSM) == str(error)
    assert "Context was terminated" == zmq.strerror(zmq.ETERM)
    assert "custom" == str(zmq.ZMQError(zmq.EFSM, "custom"))
    assert IS_PUREZMQ or "ZMQError('custom')" == repr(zmq.ZMQError(zmq.EFSM, "custom"))


def test_libzmq_error_numbers() -> None:
    """libzmq's own numbers start at 156384712."""
    numbers = (zmq.EFSM, zmq.ENOCOMPATPROTO, zmq.ETERM, zmq.EMTHREAD)
    assert (156384763, 156384764, 156384765, 156384766) == numbers
