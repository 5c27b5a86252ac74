"""DEALER: sends to its peers in turn, receives from all in turn (RFC 28)."""

from __future__ import annotations

from purezmq.patterns.base import Pattern
from purezmq.patterns.load_balancer import LoadBalancer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget
    from purezmq.pipe import Pipe

__all__ = ["Dealer"]


class Dealer(Pattern):
    """An asynchronous client or worker."""

    type_name = "DEALER"
    peer_types = frozenset({"REP", "DEALER", "ROUTER"})
    can_transmit = True
    sends_routing_id = True
    single_connect = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.balancer = LoadBalancer()

    def attach(self, pipe: Pipe) -> None:
        """Send to and receive from this pipe; probe the peer when PROBE_ROUTER asks for it."""
        if self.options.probe_router:
            pipe.write(b"")
        super().attach(pipe)
        self.balancer.attach(pipe)
        self.handle_changed()

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone."""
        super().detach(pipe)
        self.balancer.detach(pipe)
        self.handle_changed()

    def try_send(self, message: Message) -> bool:
        """Send to the next pipe with room."""
        return self.balancer.send(message) is not None

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
