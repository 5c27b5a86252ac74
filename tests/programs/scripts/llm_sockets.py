"""How an LLM server makes its sockets and puts tensors on them: no limits, large kernel buffers, nothing copied."""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Sequence
from typing import Any

import zmq

__all__ = ["BUFFER_BYTES", "Tensor", "decode", "encode", "make_socket"]

# What a machine with much memory gets; the kernel may give less.
BUFFER_BYTES = 512 * 1024 * 1024

_RECEIVERS = (zmq.PULL, zmq.DEALER, zmq.ROUTER)
_SENDERS = (zmq.PUSH, zmq.DEALER, zmq.ROUTER)


def make_socket(
    context: Any,
    endpoint: str,
    kind: int,
    *,
    bind: bool | None = None,
    identity: bytes | None = None,
    linger: int | None = None,
) -> Any:
    """Make a socket without limits that binds, or connects if its kind is one that usually does."""
    socket = context.socket(kind)
    if kind in _RECEIVERS:
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.RCVBUF, BUFFER_BYTES)
    if kind in _SENDERS:
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.SNDBUF, BUFFER_BYTES)
    if kind == zmq.ROUTER:
        socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
    if kind == zmq.XPUB:
        socket.setsockopt(zmq.XPUB_VERBOSE, True)
    if identity is not None:
        socket.setsockopt(zmq.IDENTITY, identity)
    if linger is not None:
        socket.setsockopt(zmq.LINGER, linger)
    if endpoint.startswith(("tcp://[", "tcp://*")):
        socket.setsockopt(zmq.IPV6, 1)
    if kind not in (zmq.PUSH, zmq.SUB, zmq.XSUB) if bind is None else bind:
        socket.bind(endpoint)
    else:
        socket.connect(endpoint)
    return socket


class Tensor:
    """Numbers in memory that is sent as it is: pickled out of band."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce_ex__(self, protocol: int) -> Any:
        return Tensor, (pickle.PickleBuffer(self.data),)

    def checksum(self) -> int:
        """Return a number that any wrong byte changes."""
        return zlib.crc32(self.data)

    @classmethod
    def of(cls, seed: int, size: int) -> Tensor:
        """Make a tensor of `size` bytes: a bytearray, or an array of floats."""
        pattern = bytes((seed * 31 + step) & 0xFF for step in range(251))
        data = (pattern * (size // 251 + 1))[:size]
        return cls(bytearray(data) if seed % 2 else memoryview(array("B", data)))


def encode(value: Any) -> list[Any]:
    """Return the frames of a value: the pickle, then the memory of each tensor."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return [head, *(buffer.raw() for buffer in buffers)]


def decode(frames: Sequence[Any]) -> Any:
    """Return the value of frames, or of their buffers; its tensors stay in the frames' memory."""
    buffers = [frame.buffer if isinstance(frame, zmq.Frame) else frame for frame in frames]
    return pickle.loads(buffers[0], buffers=buffers[1:])
