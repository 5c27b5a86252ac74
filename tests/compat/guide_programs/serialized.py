"""Serialisers of one's own: send_serialized, subclasses of Socket and Context."""

from __future__ import annotations

import json
import pickle
import zlib

import zmq


def to_frames(message):
    return [json.dumps(part).encode() for part in message]


def from_frames(frames):
    return [json.loads(frame) for frame in frames]


class SerializingSocket(zmq.Socket):
    """A socket that sends zipped pickles."""

    def send_zipped_pickle(self, obj, flags=0, protocol=pickle.HIGHEST_PROTOCOL):
        return self.send(zlib.compress(pickle.dumps(obj, protocol)), flags=flags)

    def recv_zipped_pickle(self, flags=0):
        return pickle.loads(zlib.decompress(self.recv(flags)))


class SerializingContext(zmq.Context):
    _socket_class = SerializingSocket


context = SerializingContext()
a, b = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
a.bind("inproc://serialized")
b.connect("inproc://serialized")
print(type(a).__name__, isinstance(a, zmq.Socket))
a.send_serialized([{"msg_type": "x"}, [1, 2]], to_frames)
print(b.recv_serialized(from_frames))
a.send_serialized([{"copy": False}], serialize=to_frames, copy=False)
print(b.recv_serialized(lambda frames: [json.loads(bytes(frame)) for frame in frames], copy=False))
print(a.send_zipped_pickle({"k": list(range(5))}), b.recv_zipped_pickle())
a.send_json({"text": "é", "list": (1, 2.5, None)})
print(b.recv())
a.send_json([1, 2], separators=(", ", ": "))
print(b.recv_string(), end=" ")
a.send_json({"b": 1, "a": 2}, sort_keys=True)
print(b.recv_json(object_pairs_hook=list))
a.send_pyobj({1: {2}})
print(b.recv_pyobj())
a.send_string("é", encoding="latin-1")
print(b.recv_string(encoding="latin-1"))
a.send_string("x", zmq.SNDMORE)
a.send_unicode("y")
print(b.recv_unicode(), b.recv_multipart())
for bad in ("text", 5, None, object):
    try:
        a.send(bad)
    except TypeError as error:
        print(type(error).__name__)
try:
    a.send_multipart([b"x", "text"])
except TypeError:
    print("TypeError of send_multipart")
try:
    a.send_string(b"bytes")
except TypeError:
    print("TypeError of send_string")
a.send(b"\xff")
try:
    b.recv_string()
except UnicodeDecodeError:
    print("UnicodeDecodeError")
a.send(b"no json")
try:
    b.recv_json()
except ValueError:
    print("ValueError")
context.destroy()
