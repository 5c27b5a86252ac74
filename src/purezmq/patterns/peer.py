"""PEER: one of equals, that binds, connects, and addresses each other peer by a number (RFC 51)."""

from __future__ import annotations

from purezmq.patterns.clientserver import Addressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.pipe import Pipe

__all__ = ["Peer"]


class Peer(Addressed):
    """As SERVER, but between equals. `Socket.connect_peer` tells the number before the connection is made."""

    type_name = "PEER"
    peer_types = frozenset({"PEER"})

    def hiccup(self, pipe: Pipe) -> None:
        """The connection was lost and the number stays: tell the application when HICCUP_MSG asks for it."""
        self.note_hiccup(pipe)
