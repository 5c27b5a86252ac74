"""PUSH and PULL: the pipeline (RFC 30)."""

from __future__ import annotations

from purezmq.patterns.balanced import Balanced
from purezmq.patterns.base import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.message import Message

__all__ = ["Pull", "Push"]


class Pull(Pattern):
    """Receives from all peers in turn."""

    type_name = "PULL"
    peer_types = frozenset({"PUSH"})
    receives_by_policy = True


class Push(Balanced):
    """Sends each message to the next peer with room; blocks when there is none."""

    type_name = "PUSH"
    peer_types = frozenset({"PULL"})
    can_receive = False
    fast_recv = False
    no_delay = True

    def can_recv(self) -> bool:
        """Never."""
        return False

    def try_recv(self) -> Message | None:
        """Nothing, whatever a peer sends upstream."""
        return None
