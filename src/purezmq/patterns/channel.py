"""CHANNEL: an exclusive pair that exchanges single-part messages (RFC 52)."""

from __future__ import annotations

from purezmq.patterns.pair import Pair

__all__ = ["Channel"]


class Channel(Pair):
    """Both ends of a channel; further peers are refused visibly and served when the first one left, as with PAIR."""

    type_name = "CHANNEL"
    peer_types = frozenset({"CHANNEL"})
    single_part = True
