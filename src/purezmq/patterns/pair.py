"""PAIR: exactly one peer at a time (RFC 31).

A second peer is refused visibly: its connection is closed, so that it backs off, comes again, and is served as soon
as the first one left. (libzmq keeps such a connection open and swallows what is sent over it.)
"""

from __future__ import annotations

from purezmq.patterns.base import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget
    from purezmq.pipe import Pipe

__all__ = ["Pair"]


class Pair(Pattern):
    """Both ends of an exclusive pair.

    Attributes:
        pipe: the one live peer, or None.
    """

    type_name = "PAIR"
    peer_types = frozenset({"PAIR"})
    can_transmit = True
    picks_peer = True
    exclusive = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.pipe: Pipe | None = None
        #: The peer before this one; what it brought is read first.
        self.former: Pipe | None = None

    def attach(self, pipe: Pipe) -> None:
        """Take the first peer; refuse any other while it lives."""
        if self.pipe is not None and self.pipe is not pipe:  # it is where the first time was interrupted
            pipe.carrier.end_pipe(pipe)
            return
        if self.former is not None:
            self.inbox.retire(self.former)
            self.former = None
        self.pipe = pipe
        super().attach(pipe)
        self.handle_changed()

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone: the next one is welcome. What it brought stays readable."""
        if pipe is not self.pipe:
            return
        self.pipe = None
        self.former = pipe
        super().detach(pipe)
        self.handle_changed()

    def try_send(self, message: Message) -> bool:
        """Send to the peer; False while there is none or its queue is full."""
        pipe = self.pipe
        return pipe is not None and pipe.send(message)

    def can_send(self) -> bool:
        """Whether there is a peer with room."""
        return self.pipe is not None and self.pipe.is_open()

    def fast_target(self) -> FastTarget | None:
        """The peer."""
        return self.pipe

    def why_blocked(self) -> str:
        """No peer, or full."""
        if self.pipe is None:
            return "no peer is connected"
        return f"the only peer is full: {self.pipe.why_full()}"
