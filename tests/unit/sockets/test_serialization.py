"""Tests of text, JSON, pickles and own formats as messages, on a socket that returns what was sent."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from collections import deque

import pytest
import zmq

from purezmq.sockets import serialization
from purezmq.sockets.serialization import Serialization


class Loopback(Serialization):
    """A socket that receives what it sent, and remembers the arguments."""

    def __init__(self):
        self.queue = deque()
        self.calls = []

    def send(self, data, flags=0, copy=True, track=False, **kwargs):
        """Keep a message."""
        self.calls.append(("send", flags, copy, track, kwargs))
        self.queue.append(data)
        return "tracker" if track else None

    def recv(self, flags=0, copy=True, track=False):
        """Return the oldest message."""
        self.calls.append(("recv", flags, copy, track))
        return self.queue.popleft()

    def send_multipart(self, msg_parts, flags=0, copy=True, track=False, **kwargs):
        """Keep a message of several parts."""
        self.calls.append(("send_multipart", flags, copy, track, kwargs))
        self.queue.append(list(msg_parts))
        return "tracker" if track else None

    def recv_multipart(self, flags=0, copy=True, track=False):
        """Return the oldest message."""
        self.calls.append(("recv_multipart", flags, copy, track))
        return self.queue.popleft()


class Delayed(Loopback):
    """A front whose ``recv`` returns something else than bytes, like a future."""

    def _deserialize(self, recvd, load):
        return lambda: load(recvd)


@pytest.fixture
def socket():
    """A socket that receives what it sent."""
    return Loopback()


METHODS = ["send_string", "send_unicode", "recv_string", "recv_unicode", "send_json", "recv_json", "send_pyobj"]
METHODS += ["recv_pyobj", "send_serialized", "recv_serialized"]


@pytest.mark.parametrize("name", METHODS)
def test_signature_compared_with_pyzmq_has_timeout_besides(name):
    """Each method takes pyzmq's arguments, in its order and with its defaults, and `timeout` by keyword besides."""
    expected = [(p.name, p.kind, p.default) for p in inspect.signature(getattr(zmq.Socket, name)).parameters.values()]
    takes_any = expected[-1][1] is inspect.Parameter.VAR_KEYWORD
    expected.insert(len(expected) - takes_any, ("timeout", inspect.Parameter.KEYWORD_ONLY, None))
    actual = inspect.signature(getattr(Serialization, name)).parameters.values()
    assert expected == [(p.name, p.kind, p.default) for p in actual]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_string_sent_is_received(socket, encoding):
    """Text goes through in any encoding."""
    assert socket.send_string("grüße", encoding=encoding) is None
    assert ["grüße".encode(encoding)] == list(socket.queue)
    assert socket.recv_string(encoding=encoding) == "grüße"


def test_send_string_hands_arguments_to_send(socket):
    """Flags, copy and further arguments reach ``send``, and its tracker comes back."""
    assert socket.send_string("a", 1, False, track=True, group="g") == "tracker"
    assert [("send", 1, False, True, {"group": "g"})] == socket.calls


def test_send_string_of_bytes_raises_type_error(socket):
    """Bytes are no text."""
    with pytest.raises(TypeError, match="use send for bytes"):
        socket.send_string(b"abc")
    assert not socket.queue


def test_recv_string_of_other_encoding_raises(socket):
    """A message that is not text in the encoding raises Python's error."""
    socket.queue.append(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        socket.recv_string()


@pytest.mark.parametrize("obj", [None, 1.5, "ü", [1, {"a": None}], {"k": [True]}])
def test_json_sent_is_received(socket, obj):
    """What JSON can express goes through."""
    assert socket.send_json(obj) is None
    assert obj == socket.recv_json()


def test_send_json_divides_arguments(socket):
    """``routing_id`` and ``group`` go to ``send``, the others to ``json.dumps``."""
    socket.send_json({"b": 1, "a": 2}, 1, sort_keys=True, routing_id=5, group="g")
    assert [("send", 1, True, False, {"routing_id": 5, "group": "g"})] == socket.calls
    assert [b'{"a": 2, "b": 1}'] == list(socket.queue)


def test_recv_json_hands_arguments_to_loads(socket):
    """Arguments of ``recv_json`` reach ``json.loads``."""
    socket.queue.append(b"[1.5]")
    assert ["1.5"] == socket.recv_json(parse_float=str)


def test_json_impossible_object_sends_nothing(socket):
    """An object that JSON can't express raises before anything is sent."""
    with pytest.raises(TypeError):
        socket.send_json({1, 2})
    assert not socket.queue


@pytest.mark.parametrize("protocol", [0, 4, -1])
def test_pyobj_sent_is_received(socket, protocol):
    """A pickle goes through in every protocol."""
    obj = {"set": {1, 2}, "tuple": (1, b"a")}
    socket.send_pyobj(obj, protocol=protocol)
    assert [pickle.dumps(obj, protocol)] == list(socket.queue)
    assert obj == socket.recv_pyobj()


def test_send_pyobj_hands_arguments_to_send(socket):
    """Flags and further arguments reach ``send``, and its tracker comes back."""
    assert socket.send_pyobj(1, 2, track=True, copy=False) == "tracker"
    assert [("send", 2, False, True, {})] == socket.calls


def test_serialized_sent_is_received(socket):
    """Own functions make the parts and read them."""
    assert socket.send_serialized("a b", lambda text: [part.encode() for part in text.split()]) is None
    assert [[b"a", b"b"]] == list(socket.queue)
    assert socket.recv_serialized(b"-".join) == b"a-b"


def test_serialized_hands_arguments_on(socket):
    """Flags, copy and further arguments reach ``send_multipart`` and ``recv_multipart``."""
    assert socket.send_serialized(b"a", lambda part: [part], 1, False, track=True) == "tracker"
    socket.recv_serialized(len, 3, False)
    assert [("send_multipart", 1, False, True, {}), ("recv_multipart", 3, False, False)] == socket.calls


def test_deserialize_overridden_sees_every_receiving_method():
    """One hook is enough for a front whose ``recv`` returns a future."""
    socket = Delayed()
    socket.send_string("a")
    socket.send_json([1])
    socket.send_pyobj({2})
    socket.send_serialized(b"b", lambda part: [part])
    results = [socket.recv_string(), socket.recv_json(), socket.recv_pyobj(), socket.recv_serialized(list)]
    assert ["a", [1], {2}, [b"b"]] == [result() for result in results]


def test_import_loads_neither_json_nor_pickle():
    """The mixin costs nothing until it is used."""
    code = "import sys, purezmq.sockets.serialization as s; print(sorted({'json', 'pickle'} & set(sys.modules)))"
    before = "import sys; print(sorted({'json', 'pickle'} & set(sys.modules)))"
    expected, actual = (
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
        for text in (before, code)
    )
    assert expected == actual


def test_functions_are_exported():
    """The pure functions can be used without a socket."""
    assert serialization.decode_json(serialization.encode_json([1])) == [1]
    assert serialization.decode_pyobj(serialization.encode_pyobj({1})) == {1}
    assert serialization.decode_string(serialization.encode_string("ü")) == "ü"
