"""CLIENT and SERVER: single-part requests and replies in any order (RFC 41).

A SERVER knows each peer by a number from 1 to 2**32-1 that it made when the peer came. Inside the library a message
of it is ``[number, body]``, on its way in and out; on the wire there is the body alone. `Addressed` is shared with
PEER.
"""

from __future__ import annotations

from purezmq.constants import EHOSTUNREACH
from purezmq.error import make_error
from purezmq.patterns.balanced import Balanced
from purezmq.patterns.base import Pattern, send_rest
from purezmq.pipe import BLOCK, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

__all__ = ["Addressed", "Client", "Server"]

_ROUTING_ID_MASK = 2**32 - 1


class Client(Balanced):
    """Sends to its servers in turn, receives from all in turn."""

    type_name = "CLIENT"
    peer_types = frozenset({"SERVER"})
    single_part = True


class Addressed(Pattern):
    """What SERVER and PEER share: the application says by number which peer a message is for.

    Attributes:
        peers: the pipes by routing id; `pipe.state` holds the id, too, beyond the end of the pipe.
        last_routing_id: of the pipe that was attached last; 0 before the first.
    """

    can_transmit = True
    fast_recv = False
    single_part = True
    addressing = "routing_id"
    undeliverable = frozenset({EHOSTUNREACH})

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.peers: dict[int, Pipe] = {}
        self.last_routing_id = 0
        self._next_id = 1

    def seed_ids(self, number: int) -> None:
        """Start the numbers somewhere: any u32, best a random one (see `Router.seed_ids`)."""
        self._next_id = number

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        return self._receive

    def _receive(self, pipe: Pipe, message: Any) -> Any:
        """Put the number before the body; a multipart is dropped (RFC 41)."""
        if type(message) is bytes:
            return [pipe.state, message]
        self.drop(1, DropReason.MALFORMED)
        return None

    def attach(self, pipe: Pipe) -> None:
        """Give the peer a number that no live peer has."""
        if self.peers.get(pipe.state) is not pipe:  # it is where the first time was interrupted
            routing_id = self._next_id & _ROUTING_ID_MASK
            while not routing_id or routing_id in self.peers:
                routing_id = (routing_id + 1) & _ROUTING_ID_MASK
            self._next_id = routing_id + 1
            self.peers[routing_id] = pipe
            self.last_routing_id = pipe.state = routing_id
        super().attach(pipe)

    def connected(self, pipe: Pipe) -> None:
        """The peer is there: greet it when HELLO_MSG asks for it."""
        self.greet(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone and its number unknown again."""
        if self.peers.pop(pipe.state, None) is not None:
            self.note_disconnect(pipe)
        super().detach(pipe)

    def find_peer(self, routing_id: int) -> Pipe:
        """The live peer with this number.

        Raises:
            ZMQError: EHOSTUNREACH: there is none.
        """
        pipe = self.peers.get(routing_id)
        if pipe is None:
            if not routing_id:
                text = f"a {self.type_name} socket needs the routing id of a peer: send(data, routing_id=...)"
            else:
                text = f"no peer with the routing id {routing_id} is connected; ids are told by recv(copy=False)"
            raise make_error(EHOSTUNREACH, text)
        return pipe

    def try_send(self, message: Any) -> bool:
        """Send to the peer with the number before the body; False while that peer's queue is full.

        Raises:
            ZMQError: EHOSTUNREACH: there is no such peer.
        """
        addressed = type(message) is not bytes and len(message) > 1
        pipe = self.find_peer(message[0] if addressed else 0)
        if pipe.policy == BLOCK and not pipe.can_write():
            return False
        return send_rest(pipe, message)

    def can_send(self) -> bool:
        """Always (libzmq): whether there is room depends on the peer."""
        return True

    def why_blocked(self) -> str:
        """The addressed peer is full."""
        return "the queue to the addressed peer is full (high-water mark)"


class Server(Addressed):
    """Answers clients by their numbers."""

    type_name = "SERVER"
    peer_types = frozenset({"CLIENT"})
