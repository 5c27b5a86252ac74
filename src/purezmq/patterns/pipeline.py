"""PUSH and PULL: the pipeline (RFC 30)."""

from __future__ import annotations

from purezmq.patterns.base import Pattern
from purezmq.patterns.load_balancer import LoadBalancer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget
    from purezmq.pipe import Pipe

__all__ = ["Pull", "Push"]


class Pull(Pattern):
    """Receives from all peers in turn."""

    type_name = "PULL"
    peer_types = frozenset({"PUSH"})


class Push(Pattern):
    """Sends each message to the next peer with room; blocks when there is none."""

    type_name = "PUSH"
    peer_types = frozenset({"PULL"})
    can_receive = False
    can_transmit = True
    fast_recv = False
    no_delay = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.balancer = LoadBalancer()

    def attach(self, pipe: Pipe) -> None:
        """Balance over this pipe, too."""
        self.balancer.attach(pipe)
        self.handle_changed()

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone; its queue is not given to another (libzmq PUSH)."""
        self.balancer.detach(pipe)
        self.handle_changed()

    def try_send(self, message: Message) -> bool:
        """Send to the next pipe with room."""
        return self.balancer.send(message) is not None

    def can_send(self) -> bool:
        """Whether any peer has room."""
        return self.balancer.can_send()

    def can_recv(self) -> bool:
        """A PUSH never receives."""
        return False

    def fast_target(self) -> FastTarget | None:
        """The only pipe, when there is just one."""
        pipes = self.balancer.pipes
        return pipes[0] if len(pipes) == 1 else None

    def why_blocked(self) -> str:
        """No peer, or all full."""
        return self.balancer.why_blocked()
