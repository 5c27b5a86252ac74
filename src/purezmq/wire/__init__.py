r"""ZMTP without I/O: the protocol of ZeroMQ as a machine that takes and gives bytes, importable on its own.

It speaks ZMTP 3.1, 3.0, 2.0 and 1.0, in both roles. Time is an argument, so nothing here sleeps, and tests need no
network. Two connections, mouth to mouth:

>>> from purezmq.wire import Connection, ConnectionConfig
>>> push = Connection(ConnectionConfig("PUSH", frozenset({"PULL"})), bound=False)
>>> pull = Connection(ConnectionConfig("PULL", frozenset({"PUSH"})), bound=True)
>>> push.start(now=0.0); pull.start(now=0.0)
>>> while not (push.ready and pull.ready):
...     for sender, receiver in ((push, pull), (pull, push)):
...         for chunk in sender.data_to_send():
...             _ = receiver.receive_data(bytes(chunk), now=0.0)
>>> pull.next_event()
HandshakeSucceeded(<PeerInfo PUSH ZMTP 3.1 NULL b''>)
>>> data = b"".join(push.encode([b"single", [b"two", b"parts"]]))
>>> data
b'\x00\x06single\x01\x03two\x00\x05parts'
>>> pull.receive_data(data, now=0.1)
[b'single', [b'two', b'parts']]

Files: ``connection`` (the machine), ``state`` (its table), ``config``, ``events``, ``greeting`` (versions),
``framing`` (the plain reference), ``framing_fast`` and ``encoding_fast`` (its hot twins) and ``framing_sealed``
(through a cipher), ``commands``, ``heartbeat``, ``limits`` (every limit, with its reason), ``mechanisms`` (security),
``verdict``, ``error``.
"""

from __future__ import annotations

from purezmq.wire.config import ConnectionConfig
from purezmq.wire.connection import Connection
from purezmq.wire.events import (
    AuthenticationNeeded,
    Cancelled,
    ConnectionFailed,
    Event,
    FailureReason,
    HandshakeSucceeded,
    Joined,
    Left,
    PeerInfo,
    Ponged,
    Subscribed,
)
from purezmq.wire.verdict import Verdict

__all__ = [
    "AuthenticationNeeded",
    "Cancelled",
    "Connection",
    "ConnectionConfig",
    "ConnectionFailed",
    "Event",
    "FailureReason",
    "HandshakeSucceeded",
    "Joined",
    "Left",
    "PeerInfo",
    "Ponged",
    "Subscribed",
    "Verdict",
]
