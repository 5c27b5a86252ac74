"""A server of clone: the active one of two gives each update its place, applies it and publishes it.

The other follows as any client does. It also gets each update from its client, and keeps it until it hears
it from the active server: so what that server took, and did not publish before it died, is not lost.
"""

from __future__ import annotations

from time import monotonic
from typing import NamedTuple

from binary_star_machine import BEAT_S, Role
from clone_follower import BEAT, GET, OK, ROLE, STATE, Follower
from clone_table import Update

import purezmq as zmq

__all__ = ["COMPLETE", "Ends", "Server", "run_server"]

COMPLETE, PARTIAL = b"complete", b"partial"  # does a server that stands by have everything?


class Ends(NamedTuple):
    """Endpoints of a server."""

    requests: str
    publisher: str


class Server:
    """One of the two servers.

    Args:
        role: decides whether it serves.
        requests: a ROUTER, for clients.
        publisher: a PUB, for followers and the peer.
        roles: a SUB that hears the role of the peer.
        follower: copies the table of the peer while that is active.
    """

    def __init__(
        self, role: Role, requests: zmq.Socket, publisher: zmq.Socket, roles: zmq.Socket, follower: Follower
    ) -> None:
        self._role = role
        self._requests = requests
        self._publisher = publisher
        self._roles = roles
        self._follower = follower
        self._table = follower.table
        self._pending: dict[bytes, Update] = {}  # taken from clients, not yet heard from the active server
        self._serves = False

    def run(self) -> None:
        """Serve, or stand by, for ever."""
        poller = self._follower.poller
        poller.register(self._requests, zmq.POLLIN)
        poller.register(self._roles, zmq.POLLIN)
        next_beat = monotonic()
        while True:
            if monotonic() >= next_beat:
                next_beat = monotonic() + BEAT_S
                self._beat()
            ready = dict(poller.poll(max(0.0, next_beat - monotonic()) * 1000))
            if self._roles in ready:
                self._role.handle_heartbeat(self._roles.recv_multipart()[1], monotonic())
            if not self._serves:
                self._follower.handle_ready()
                self._pending = {
                    key: update for key, update in self._pending.items() if not self._table.has_done(update)
                }
            if self._requests in ready:
                self._handle_request(*self._requests.recv_multipart())
            if self._role.is_active and not self._serves:
                self._take_over()

    def _beat(self) -> None:
        complete = COMPLETE if self._follower.is_complete else PARTIAL
        self._publisher.send_multipart([ROLE, self._role.heartbeat(), complete])
        if self._serves:
            self._publisher.send_multipart([BEAT])
            for key in self._table.expired(monotonic()):
                self._publish(Update(key, b""))

    def _handle_request(self, client: bytes, kind: bytes, *frames: bytes) -> None:
        # Who has heard of an active server, and does not have its table yet, must not take its place.
        may_take_over = self._follower.is_complete or self._table.sequence == 0
        if may_take_over and self._role.handle_client(monotonic()) and not self._serves:
            self._take_over()
        if kind == GET:
            if self._serves:
                self._requests.send_multipart([client, STATE, *self._table.encode(frames[0].decode())])
            return
        update = Update.decode(list(frames))
        if not self._serves:
            self._pending[update.update_id] = update
            return
        self._publish_once(update)
        self._requests.send_multipart([client, OK, update.update_id])

    def _take_over(self) -> None:
        self._serves = True
        for update in self._pending.values():
            self._publish_once(update)
        self._pending.clear()

    def _publish_once(self, update: Update) -> None:
        if not self._table.has_done(update):
            self._publish(update)

    def _publish(self, update: Update) -> None:
        self._publisher.send_multipart(self._table.append(update, monotonic()).encode())


def run_server(own: Ends, peer: Ends, *, primary: bool) -> None:
    """Be one of the two servers, as a process of its own."""
    with (
        zmq.Context() as context,
        context.socket(zmq.ROUTER) as requests,
        context.socket(zmq.PUB, sndhwm=0) as publisher,  # a slow follower costs memory, but gets everything
        context.socket(zmq.SUB) as roles,
        Follower(context, [peer]) as follower,
    ):
        requests.bind(own.requests)
        publisher.bind(own.publisher)
        roles.subscribe(ROLE)
        roles.connect(peer.publisher)
        Server(Role(primary=primary, now=monotonic()), requests, publisher, roles, follower).run()
