"""DEALER: sends to its peers in turn, receives from all in turn (RFC 28)."""

from __future__ import annotations

from purezmq.patterns.balanced import Balanced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.pipe import Pipe

__all__ = ["Dealer"]


class Dealer(Balanced):
    """An asynchronous client or worker."""

    type_name = "DEALER"
    peer_types = frozenset({"REP", "DEALER", "ROUTER"})
    sends_routing_id = True
    single_connect = True

    def attach(self, pipe: Pipe) -> None:
        """Send to and receive from this pipe; probe the peer when PROBE_ROUTER asks for it."""
        if self.options.probe_router:
            pipe.write(b"")
        super().attach(pipe)
