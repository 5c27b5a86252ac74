"""ROUTER: the application says which peer a message is for (RFC 28).

The first part of an outgoing message is the peer's routing id and is not sent; an incoming message gets the id of its
peer as its first part. `RoutingTable` is shared with STREAM.
"""

from __future__ import annotations

from purezmq.constants import EHOSTUNREACH
from purezmq.error import Again, make_error
from purezmq.patterns.base import Pattern, send_rest
from purezmq.pipe import DROP_NEWEST, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

__all__ = ["Router", "RoutingTable", "prefix_routing_id", "unreachable"]

#: RouterNotify: tell the application of each peer that comes (1) or goes (2) by an empty message.
_NOTIFY_CONNECT, _NOTIFY_DISCONNECT = 1, 2
#: What a peer is told that loses its routing id, or never gets it.
_IN_USE = "routing id already in use"
_TAKEN_OVER = "routing id taken over by a newer peer"


def prefix_routing_id(pipe: Pipe, message: Any) -> list[bytes]:
    """The message as the application sees it; the list that came is not touched (over inproc it is another's)."""
    return [pipe.routing_id, *message] if type(message) is list else [pipe.routing_id, message]


def unreachable(routing_id: bytes) -> Exception:
    """EHOSTUNREACH with a text that names cause and cure."""
    return make_error(
        EHOSTUNREACH, f"no peer with the routing id {routing_id!r} is connected; send to an id that a peer came with"
    )


class RoutingTable:
    """Which pipe a routing id means.

    Attributes:
        pipes: the live peers by routing id.
        next_id: number of the next generated id.
    """

    __slots__ = ("next_id", "pipes")

    def __init__(self) -> None:
        self.pipes: dict[bytes, Pipe] = {}
        self.next_id = 1

    def generate(self) -> bytes:
        """An id that no live peer has: 00 and a u32 (RFC 28 leaves the form open; libzmq's)."""
        while True:
            routing_id = b"\0" + (self.next_id & 0xFFFFFFFF).to_bytes(4, "big")
            self.next_id = (self.next_id + 1) & 0xFFFFFFFF
            if routing_id not in self.pipes:
                return routing_id

    def find(self, routing_id: Any) -> Pipe | None:
        """The live peer with this id; any bytes-like."""
        return self.pipes.get(routing_id if type(routing_id) is bytes else bytes(routing_id))

    def remove(self, pipe: Pipe) -> bool:
        """Forget a pipe; whether its id was still its own."""
        if self.pipes.get(pipe.state) is not pipe:
            return False
        del self.pipes[pipe.state]
        return True

    def enter(self, pipe: Pipe, routing_id: bytes) -> None:
        """Let the id mean this pipe from now on. `pipe.state` holds it, too: a new handshake sets `routing_id`."""
        self.pipes[routing_id] = pipe
        pipe.routing_id = pipe.state = routing_id


def _chose_id(pipe: Pipe) -> bool:
    """Whether the peer came with its id: then it may come again with it. One that we made is known to nobody else."""
    return pipe.peer is None or bool(pipe.peer.routing_id)


def _tell_carriers(pipes: Iterator[Pipe]) -> None:
    """Have written what was queued; where one is interrupted the others are told all the same."""
    try:
        for pipe in pipes:
            if pipe.outbound and (pipe.quiet or len(pipe.outbound) >= pipe.write_batch):
                pipe.carrier.handle_write(pipe)
    except BaseException:
        _tell_carriers(pipes)
        raise


class Router(Pattern):
    """The asynchronous server or broker.

    Attributes:
        table: routing id to pipe.
    """

    type_name = "ROUTER"
    peer_types = frozenset({"REQ", "DEALER", "ROUTER"})
    can_transmit = True
    sends_routing_id = True
    overflow = DROP_NEWEST

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.table = RoutingTable()
        self.inbox.accept_lists = self._receive_lists

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        return self._receive

    def _receive(self, pipe: Pipe, message: Any) -> Message | None:
        """Prefix the routing id; a peer that didn't tell any gets its id here at the latest."""
        if pipe.state is None and (pipe.ended or not self._identify(pipe)):
            return None
        return [pipe.routing_id, *message] if type(message) is list else [pipe.routing_id, message]

    def _receive_lists(self, pipe: Pipe) -> Callable[[list[bytes]], list[bytes]] | None:
        """What does the same in C for the messages of one peer that are lists."""
        return None if pipe.state is None else [pipe.routing_id].__add__

    def seed_ids(self, number: int) -> None:
        """Start the generated ids somewhere: any u32, best a random one.

        An id that a restarted router makes then hardly meets a peer that still knows an old one (libzmq).
        """
        self.table.next_id = number

    # -- peers -------------------------------------------------------------------------------------------------

    def attach(self, pipe: Pipe) -> None:
        """Take a peer under its routing id, unless another live peer has it.

        A pipe of the connect side comes before its handshake: without CONNECT_ROUTING_ID it can't be addressed
        until `connected`.
        """
        if (pipe.routing_id or pipe.peer is not None) and not self._identify(pipe):
            return
        if self.options.probe_router:
            pipe.write(b"")
        super().attach(pipe)

    def _identify(self, pipe: Pipe) -> bool:
        """Enter the pipe in the table; False when it was refused because its id is taken."""
        routing_id = pipe.routing_id
        if not routing_id and pipe.peer is not None and not self.options.router_raw:
            routing_id = bytes(pipe.peer.routing_id)
        if not routing_id:
            routing_id = self.table.generate()
        holder = self.table.pipes.get(routing_id)
        if holder is not None and holder is not pipe and not (self.options.router_handover and _chose_id(holder)):
            self._refuse(pipe)
            return False
        self.table.enter(pipe, routing_id)
        if holder is not None and holder is not pipe:
            holder.carrier.refuse_pipe(holder, _TAKEN_OVER, "handover")
        return True

    def _refuse(self, pipe: Pipe) -> None:
        """The id is taken: end the later pipe and deliver nothing of it."""
        self.inbox.discard(pipe)
        pipe.carrier.refuse_pipe(pipe, _IN_USE, "refused")

    def connected(self, pipe: Pipe) -> None:
        """The peer's Identity is known now; a pipe keeps its first routing id over reconnects (libzmq)."""
        if pipe.state is not None:
            pipe.routing_id = pipe.state
        elif not self._identify(pipe):
            return
        if self.options.router_notify & _NOTIFY_CONNECT or (self.options.router_raw and self.options.stream_notify):
            self._notify(pipe)
        self.greet(pipe)

    def hiccup(self, pipe: Pipe) -> None:
        """The connection was lost; the id stays, what is sent to it waits."""
        self._notify_gone(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone and its id unknown again."""
        if self.table.remove(pipe):
            self._notify_gone(pipe)
            self.note_disconnect(pipe)
        super().detach(pipe)

    def _notify_gone(self, pipe: Pipe) -> None:
        if self.options.router_notify & _NOTIFY_DISCONNECT or (self.options.router_raw and self.options.stream_notify):
            self._notify(pipe)

    def _notify(self, pipe: Pipe) -> None:
        """Put an empty message behind what the peer sent."""
        pipe.inbound.append(b"")
        self.inbox.activate(pipe)

    # -- sending -----------------------------------------------------------------------------------------------

    def try_send(self, message: Message) -> bool:
        """Send to the peer that the first part names.

        Without ROUTER_MANDATORY a message for an unknown or full peer is dropped and counted.

        Raises:
            ZMQError: EHOSTUNREACH for an unknown peer when ROUTER_MANDATORY.
        """
        if not isinstance(message, list) or len(message) < 2:
            self.drop(1, DropReason.MALFORMED)  # libzmq: an id without a message is silently ignored
            return True
        routing_id = message[0]
        pipe = self.table.pipes.get(routing_id) if type(routing_id) is bytes else self.table.find(routing_id)
        if pipe is None or pipe.ended:
            if self.options.router_mandatory:
                raise unreachable(routing_id)
            self.drop(1, DropReason.UNROUTABLE)
            return True
        if len(message) == 2 and not message[1] and self.options.router_raw:  # an empty part closes the connection
            self.table.remove(pipe)
            pipe.carrier.end_pipe(pipe)
            return True
        limit = pipe.send_limit
        if pipe.special or (limit and len(pipe.outbound) + pipe.in_flight >= limit):
            if not self.options.router_mandatory or pipe.has_own_policy:
                return send_rest(pipe, message)
            if not pipe.can_take(message[1:]):
                return False
        del message[0]  # the list is ours, and a tracked one must stay the same object
        pipe.write(message[0] if len(message) == 1 and type(message) is list else message)
        return True

    def try_send_many(self, messages: list[Any]) -> int:
        """As `try_send` for each; what is usual in a broker's batch takes the short way.

        Each peer's carrier is told once, behind the batch, or else it would write the first message alone.
        """
        if self.options.router_mandatory:
            return super().try_send_many(messages)
        find = self.table.pipes.get
        last: Any = None
        told: dict[Pipe, None] = {}
        pipe: Pipe | None = None
        try:
            for count, message in enumerate(messages):
                if type(message) is list and len(message) > 2:
                    routing_id = message[0]
                    if routing_id != last:
                        last = routing_id
                        pipe = find(routing_id) if type(routing_id) is bytes else None
                        if pipe is not None:
                            told[pipe] = None
                    if pipe is not None and not (pipe.special or pipe.ended):
                        outbound, limit = pipe.outbound, pipe.send_limit
                        if not limit or len(outbound) + pipe.in_flight < limit:
                            del message[0]
                            outbound.append(message)
                            if pipe.tickets is not None:
                                next(pipe.tickets)
                            continue
                last = None  # whom an id means may change now
                try:
                    if not self.try_send(message):
                        return count
                except Again:  # the policy `error`: whoever passes on a batch waits
                    return count
        finally:
            _tell_carriers(iter(told))
        return len(messages)

    def can_send(self) -> bool:
        """Always, except with ROUTER_MANDATORY or a policy that waits: whether any peer takes a message."""
        pipes = self.table.pipes.values()
        if self.options.router_mandatory:
            return any(pipe.is_open() if pipe.has_own_policy else pipe.can_write() for pipe in pipes)
        return not pipes or any(pipe.is_open() for pipe in pipes)

    def why_blocked(self) -> str:
        """A message for a full peer."""
        full = [pipe for pipe in self.table.pipes.values() if not pipe.can_write()]
        which = full[0].why_full() if len(full) == 1 else "the queue to the addressed peer is full (high-water mark)"
        return f"{which}, and {'ROUTER_MANDATORY' if self.options.router_mandatory else 'its policy'} forbids to drop"
