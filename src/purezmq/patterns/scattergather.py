"""SCATTER and GATHER: the pipeline of single-part messages (RFC 49)."""

from __future__ import annotations

from purezmq.patterns.pipeline import Pull, Push

__all__ = ["Gather", "Scatter"]


class Gather(Pull):
    """Receives from all peers in turn."""

    type_name = "GATHER"
    peer_types = frozenset({"SCATTER"})
    single_part = True


class Scatter(Push):
    """Sends each message to the next peer with room; blocks when there is none."""

    type_name = "SCATTER"
    peer_types = frozenset({"GATHER"})
    single_part = True
