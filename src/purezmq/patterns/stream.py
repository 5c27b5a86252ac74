"""STREAM: raw TCP peers, each message a chunk of bytes with the connection's id before it (zmq_socket(3)).

There is no handshake and no framing. An empty chunk tells that a connection was opened or closed (STREAM_NOTIFY);
sending one closes the connection.
"""

from __future__ import annotations

from purezmq.patterns.base import Pattern
from purezmq.patterns.router import RoutingTable, prefix_routing_id, unreachable
from purezmq.pipe import DROPPING, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

__all__ = ["Stream"]


class Stream(Pattern):
    """A client or server of any protocol over TCP.

    Attributes:
        table: routing id to pipe.
    """

    type_name = "STREAM"
    refused_policies = dict.fromkeys(DROPPING, "a STREAM carries bytes without boundaries: a gap would corrupt them")
    can_transmit = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.table = RoutingTable()

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        return prefix_routing_id

    def seed_ids(self, number: int) -> None:
        """Start the generated ids somewhere: any u32, best a random one."""
        self.table.next_id = number

    def attach(self, pipe: Pipe) -> None:
        """Take a connection; it has the id of CONNECT_ROUTING_ID or a generated one."""
        table = self.table
        routing_id = pipe.routing_id or table.generate()
        if routing_id in table.pipes:
            pipe.carrier.end_pipe(pipe)
            return
        table.enter(pipe, routing_id)
        super().attach(pipe)

    def connected(self, pipe: Pipe) -> None:
        """The connection is open: tell it by an empty chunk."""
        if self.table.pipes.get(pipe.state) is pipe:
            pipe.routing_id = pipe.state
            self._notify(pipe)

    def hiccup(self, pipe: Pipe) -> None:
        """The connection was lost; the pipe waits for the next one."""
        if self.table.pipes.get(pipe.state) is pipe:
            self._notify(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The connection is closed: tell it by an empty chunk, unless the application closed it."""
        if self.table.remove(pipe):
            self._notify(pipe)
        super().detach(pipe)

    def _notify(self, pipe: Pipe) -> None:
        if self.options.stream_notify:
            pipe.inbound.append(b"")
            self.inbox.activate(pipe)

    def try_send(self, message: Message) -> bool:
        """Send the parts after the first to the connection that the first names; an empty part closes it.

        Raises:
            ZMQError: EHOSTUNREACH when there is no such connection.
        """
        if not isinstance(message, list) or len(message) < 2:
            self.drop(1, DropReason.MALFORMED)  # an id without data is silently ignored, as by ROUTER
            return True
        pipe = self.table.find(message[0])
        if pipe is None or pipe.ended:
            raise unreachable(message[0])
        chunks = message[1:]
        end = next((index for index, chunk in enumerate(chunks) if not chunk), len(chunks))
        if end and not pipe.send(chunks[0]):
            return False
        for chunk in chunks[1:end]:
            if not pipe.send(chunk):  # the message was begun: its bytes stay together
                pipe.write(chunk)
        if end < len(chunks):
            self.table.remove(pipe)
            pipe.carrier.end_pipe(pipe)
        return True

    def can_send(self) -> bool:
        """Always (libzmq)."""
        return True

    def why_blocked(self) -> str:
        """The connection takes no more bytes now."""
        return "the queue to the addressed connection is full (high-water mark)"
