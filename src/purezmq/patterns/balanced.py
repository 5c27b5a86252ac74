"""The sending side of DEALER, PUSH, CLIENT and SCATTER: each message to the next peer with room (RFC 28, 30, 41, 49).

What these types differ in is in their own files; who is next is decided by `LoadBalancer`.
"""

from __future__ import annotations

from purezmq.patterns.base import Pattern
from purezmq.patterns.load_balancer import LoadBalancer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget
    from purezmq.pipe import Pipe

__all__ = ["Balanced"]


class Balanced(Pattern):
    """A pattern that sends to its peers in turn; blocks when there is none, or all are full.

    Attributes:
        balancer: the peers, and whose turn it is.
    """

    can_transmit = True
    picks_peer = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.balancer = LoadBalancer()

    def attach(self, pipe: Pipe) -> None:
        """Send to this pipe, too, and receive from it if the type receives at all."""
        if self.can_receive:
            super().attach(pipe)
        self.balancer.attach(pipe)
        self.handle_changed()

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone; its queue is not given to another (as in libzmq)."""
        if self.can_receive:
            super().detach(pipe)
        self.balancer.detach(pipe)
        self.handle_changed()

    def connected(self, pipe: Pipe) -> None:
        """The peer is there: greet it when HELLO_MSG asks for it."""
        self.greet(pipe)

    def hiccup(self, pipe: Pipe) -> None:
        """The connection was lost: tell the application when HICCUP_MSG asks for it."""
        self.note_hiccup(pipe)

    def try_send(self, message: Message) -> bool:
        """Send to the next pipe with room."""
        return self.balancer.send(message) is not None

    def try_send_many(self, messages: list[Any]) -> int:
        """Send from the front of a list while any pipe has room."""
        return self.balancer.send_many(messages)

    def can_send(self) -> bool:
        """Whether any peer has room."""
        return self.balancer.can_send()

    def fast_target(self) -> FastTarget | None:
        """The only pipe, when there is just one."""
        pipes = self.balancer.pipes
        return pipes[0] if len(pipes) == 1 else None

    def why_blocked(self) -> str:
        """No peer, or all full."""
        return self.balancer.why_blocked()
