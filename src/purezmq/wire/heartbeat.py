"""Heartbeats of one connection (RFC 37 PING and PONG): when to send a PING, and when the peer counts as dead.

Time is an argument. Any byte from the peer is life. Made only where heartbeats are wanted by us or by the peer's TTL,
because an idle connection must stay small.
"""

from __future__ import annotations

__all__ = ["Heartbeat"]


class Heartbeat:
    """Timers of one connection.

    Args:
        now: seconds of a monotonic clock.
        interval: seconds between our PINGs, or None.
        timeout: seconds after a PING in which some byte must come; 0 means no such check.

    Attributes:
        last_received: when the peer's last byte came; the owner sets it.
        peer_ttl: seconds of silence after which the peer wants to be taken for dead, or None; from its PINGs.
    """

    __slots__ = ("_interval", "_next_ping", "_timeout", "_waiting_since", "last_received", "peer_ttl")

    def __init__(self, now: float, interval: float | None, timeout: float) -> None:
        self.last_received = now
        self.peer_ttl: float | None = None
        self._interval = interval
        self._timeout = timeout
        self._next_ping = None if interval is None else now + interval
        self._waiting_since: float | None = None

    def deadline(self) -> float | None:
        """Return when the peer counts as dead if nothing comes, or None."""
        deadline = None
        waiting = self._waiting_since
        # An answer is a byte that came after the PING left; at the same instant it can't be the answer.
        if waiting is not None and self.last_received <= waiting and self._timeout > 0:
            deadline = waiting + self._timeout
        if self.peer_ttl is not None:
            ttl_deadline = self.last_received + self.peer_ttl
            deadline = ttl_deadline if deadline is None else min(deadline, ttl_deadline)
        return deadline

    def next_timer(self) -> float | None:
        """Return when to look next: at the next PING or at the deadline, or None."""
        deadline = self.deadline()
        if self._next_ping is None:
            return deadline
        return self._next_ping if deadline is None else min(deadline, self._next_ping)

    def is_ping_due(self, now: float) -> bool:
        """Tell whether a PING is to be sent now; if so, the next one is scheduled and the wait for an answer begins."""
        if self._next_ping is None or self._interval is None or now < self._next_ping:
            return False
        self._next_ping = now + self._interval
        if self._waiting_since is None or self.last_received > self._waiting_since:
            self._waiting_since = now
        return True
