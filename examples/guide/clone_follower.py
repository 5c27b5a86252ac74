"""The follower of clone: keeps a table the same as that of whichever server is active.

It subscribes first to its subtree and then to the beats, so who hears a beat hears every update from then
on. The snapshot that it asks for after that beat overlaps with the updates; sequence numbers tell which of
them the snapshot has already.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Self

from binary_star_machine import LIFETIME_S
from clone_table import Table, Update

import purezmq as zmq

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BEAT", "GET", "OK", "ROLE", "SET", "STATE", "Follower"]

BEAT, ROLE = b"\x00beat", b"\x00role"  # topics that are no keys
GET, SET = b"GET", b"SET"  # requests
STATE, OK = b"STATE", b"OK"  # replies
RETRY_S = 0.3


class Follower:
    """A copy of the table, or of a part of it.

    Args:
        context: owner of the sockets.
        servers: of each, the endpoint for requests and that of its publisher.
        subtree: with what the keys begin that are of interest.
    """

    def __init__(self, context: zmq.Context, servers: Sequence[tuple[str, str]], subtree: str = "") -> None:
        self.table = Table()
        self.confirmed: set[bytes] = set()
        self.is_complete = False
        self._subtree = subtree
        self._current: zmq.Socket | None = None  # where we ask the server that beats
        self._backlog: list[Update] = []
        self._asked = 0.0
        self.last_beat = monotonic()
        self._askers: dict[zmq.Socket, zmq.Socket] = {}  # subscriber -> where we ask the same server
        self.poller = zmq.Poller()
        for requests, publisher in servers:
            asker, subscriber = context.socket(zmq.DEALER, linger=0, immediate=True), context.socket(zmq.SUB)
            asker.connect(requests)
            subscriber.subscribe(subtree)
            subscriber.subscribe(BEAT)
            subscriber.connect(publisher)
            self._askers[subscriber] = asker
            self.poller.register(asker, zmq.POLLIN)
            self.poller.register(subscriber, zmq.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for subscriber, asker in self._askers.items():
            subscriber.close()
            asker.close()

    def tell_all(self, *frames: bytes) -> None:
        """Send a request to every server that is connected; only the active one replies."""
        for asker in self._askers.values():
            _try_tell(asker, *frames)

    def handle_ready(self) -> None:
        """Take in whatever has come."""
        for subscriber, asker in self._askers.items():
            while subscriber.poll(0):
                self._handle_news(asker, *subscriber.recv_multipart())
            while asker.poll(0):
                self._handle_reply(asker, *asker.recv_multipart())

    def _handle_news(self, server: zmq.Socket, topic: bytes, *frames: bytes) -> None:
        if topic == BEAT:
            self.last_beat = monotonic()
            if server is not self._current or (not self.is_complete and monotonic() > self._asked + LIFETIME_S):
                self._current = server
                self.is_complete = False
                self._backlog.clear()
                told = _try_tell(server, GET, self._subtree.encode())
                self._asked = monotonic() if told else 0.0  # else the next beat reminds us
        elif topic != ROLE and server is self._current:
            update = Update.decode([topic, *frames])
            if self.is_complete:
                self.table.apply(update, monotonic())
            else:
                self._backlog.append(update)

    def _handle_reply(self, server: zmq.Socket, kind: bytes, *frames: bytes) -> None:
        if kind == OK:
            self.confirmed.add(frames[0])
        elif server is self._current and not self.is_complete:
            self.is_complete = True
            self.table.load(list(frames), monotonic())
            for update in self._backlog:
                self.table.apply(update, monotonic())


def _try_tell(server: zmq.Socket, *frames: bytes) -> bool:
    """Send a request, if the server is there."""
    try:
        server.send_multipart(frames, zmq.DONTWAIT)
    except zmq.Again:
        return False  # what a server misses while it is gone, it learns from the other one
    return True
