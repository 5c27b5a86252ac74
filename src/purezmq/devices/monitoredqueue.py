"""monitored_queue: a proxy that sends copies to a third socket, with a prefix that tells the direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purezmq.constants import ROUTER
from purezmq.sockets.proxy import Direction, pass_messages

if TYPE_CHECKING:
    from purezmq.sockets.socket import Socket

__all__ = ["monitored_queue"]


class _MonitoredDirection(Direction):
    """A direction whose copies begin with a prefix; from ROUTER to ROUTER the first two parts change places.

    Args:
        source: where messages come from.
        sink: where they go.
        monitor: gets the copies.
        prefix: the part that is put in front of a copy.
    """

    __slots__ = ("prefix", "swaps")

    def __init__(self, source: Socket, sink: Socket, monitor: Socket, prefix: bytes) -> None:
        super().__init__(source, sink, monitor, counts=False)
        self.prefix = prefix
        # A ROUTER puts the sender's id in front, and takes off the receiver's, which the sender wrote behind it.
        self.swaps = source.type == sink.type == ROUTER

    def _note_received(self) -> None:
        assert self.capture is not None
        if self.swaps:
            for message in self.waiting:  # in place: `move` holds this list, too
                message[:2] = message[1::-1]
        self.capture.send_many(
            [[self.prefix, *message] if type(message) is list else [self.prefix, message] for message in self.waiting]
        )


def monitored_queue(
    in_socket: Socket, out_socket: Socket, mon_socket: Socket, in_prefix: bytes = b"in", out_prefix: bytes = b"out"
) -> None:
    """Pass messages between two sockets, both ways, and a copy of each to a third one.

    Two ROUTER sockets make a router of peers that know each other's ids: a message of A that begins with B's id arrives
    at B beginning with A's.

    Args:
        in_socket: one side.
        out_socket: the other side.
        mon_socket: gets the copies; usually a PUB.
        in_prefix: the part in front of copies of what came from `in_socket`.
        out_prefix: the part in front of copies of what came from `out_socket`.

    Raises:
        ContextTerminated: the context was terminated.
        ZMQError: ENOTSOCK: a socket was closed.
        TypeError: a prefix isn't bytes.
    """
    for prefix in (in_prefix, out_prefix):
        if not isinstance(prefix, bytes):
            raise TypeError(f"a prefix of monitored_queue is bytes, not {type(prefix).__name__}")
    forward = _MonitoredDirection(in_socket, out_socket, mon_socket, in_prefix)
    pass_messages(forward, _MonitoredDirection(out_socket, in_socket, mon_socket, out_prefix))
