"""Newcomers: accepted connections whose handshake isn't over. Strangers, so they are bounded in number and in bytes.

Where there are too many, who had time enough makes room for the next: an honest one is through in a moment. While all
are young the next one has to wait, or to come back: many honest ones that come at once, over a slow line, would push
each other out for ever otherwise. Numbers are a listener's matter (its socket's lease guards them), bytes one of the
whole process.
"""

from __future__ import annotations

import os
import socket
from time import monotonic

from purezmq.limits import HANDSHAKE_CHARGE, HANDSHAKE_GRACE_S, MAX_HANDSHAKE_BYTES, SILENCE_GRACE_S
from purezmq.native import RLock
from purezmq.wire.events import ConnectionFailed, FailureReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.engine.session import Session

__all__ = ["Newcomers"]

#: The part of an IPv6 address that names the network.
_NETWORK_SIZE = 8


class Newcomers:
    """Those of one listener (lease held).

    Args:
        handle_room: called when one of them is through, or gone.

    Attributes:
        sessions: when each was accepted, and from which network; oldest first.
    """

    __slots__ = ("_handle_room", "_networks", "_silent", "sessions")

    def __init__(self, handle_room: Callable[[], None]) -> None:
        self._handle_room = handle_room
        self.sessions: dict[Session, tuple[float, str | bytes]] = {}
        #: Those of each network that counts by itself, oldest first.
        self._networks: dict[str | bytes, dict[Session, None]] = {}
        #: Those that have said nothing yet, oldest first.
        self._silent: dict[Session, None] = {}

    def wait_for_room(self, options: Any, now: float) -> float:
        """Seconds until the next connection can be accepted, unless one of them is through before; 0 for at once."""
        limit = options.max_handshakes
        if not 0 < limit <= len(self.sessions):
            return 0.0
        waits = [self.sessions[next(iter(self.sessions))][0] + HANDSHAKE_GRACE_S - now]
        if self._silent:
            waits.append(self.sessions[next(iter(self._silent))][0] + SILENCE_GRACE_S - now)
        return max(min(waits), 0.0)

    def find_refusal(self, options: Any, address: str, now: float) -> str:
        """Why a connection of that address can't be taken now; empty where it can, as one of them had time enough."""
        others = self._networks.get(_network_of(address))
        limit = options.max_handshakes_per_address
        if others is None or not 0 < limit <= len(others):
            return ""
        oldest = next(iter(others))
        return "" if now - self.sessions[oldest][0] >= HANDSHAKE_GRACE_S else _say_too_many(limit, address)

    def admit(self, session: Session, address: str, now: float) -> None:
        """A connection was accepted, and speaks soon; who had time enough makes room where there are too many.

        Args:
            session: its own.
            address: the peer's, empty where peers have none.
            now: seconds of a monotonic clock.
        """
        options = session.engine.options
        network = _network_of(address)
        if network:
            others = self._networks.setdefault(network, {})
            limit = options.max_handshakes_per_address
            if 0 < limit <= len(others):
                _give_up(next(iter(others)), "max_handshakes_per_address", _say_too_many(limit, address))
                others = self._networks.setdefault(network, {})
            others[session] = None
        limit = options.max_handshakes
        if 0 < limit <= len(self.sessions):
            text = f"more than {limit} connections are amid their handshake"
            _give_up(self._find_oldest(now), "max_handshakes", text)
        self.sessions[session] = (now, network)
        self._silent[session] = None
        session.newcomers = self

    def _find_oldest(self, now: float) -> Session:
        """Who had time enough; of two such the one that says nothing."""
        silent = next(iter(self._silent), None)
        if silent is not None and now - self.sessions[silent][0] >= SILENCE_GRACE_S:
            return silent
        return next(iter(self.sessions))

    def note(self, session: Session, size: int) -> None:
        """How many bytes it has sent by now."""
        if size:
            self._silent.pop(session, None)
        _held_bytes.note(session, 2 * size + HANDSHAKE_CHARGE)

    def discard(self, session: Session) -> None:
        """Its handshake is over, or it is."""
        network = self.sessions.pop(session, (0.0, ""))[1]
        self._silent.pop(session, None)
        others = self._networks.get(network)
        if others is not None:
            others.pop(session, None)
            if not others:
                del self._networks[network]
        _held_bytes.discard(session)
        self._handle_room()

    def give_up_oldest(self, now: float) -> bool:
        """Free a descriptor, where one is amid its handshake longer than an honest one takes; whether one was."""
        session = next(iter(self.sessions), None)
        if session is None or now - self.sessions[session][0] < HANDSHAKE_GRACE_S:
            return False
        _give_up(session, "descriptors", "its descriptor is needed, and its handshake goes on for too long")
        return True


class _HeldBytes:
    """What the newcomers of the whole process hold (any thread). Its lock is re-entrant: see `Timers`."""

    def __init__(self) -> None:
        self._lock = RLock()
        #: Of each how much, and when it was noted first.
        self._sizes: dict[Session, tuple[int, float]] = {}
        self._total = 0

    def note(self, session: Session, size: int) -> None:
        """How many bytes one holds. Where all together are too many the oldest end, or this one while all are young."""
        victims = []
        now = monotonic()
        with self._lock:
            former, begun = self._sizes.get(session, (0, now))
            self._sizes[session] = size, begun
            self._total += size - former
            while self._total > MAX_HANDSHAKE_BYTES and self._sizes:
                victim = next(iter(self._sizes))
                if now - self._sizes[victim][1] < HANDSHAKE_GRACE_S and session in self._sizes:
                    victim = session
                self._forget(victim)
                victims.append(victim)
        for victim in victims:
            # It may be another socket's: its lease is taken when it's free.
            victim.engine.post(lambda victim=victim: _give_up_for_bytes(victim))

    def discard(self, session: Session) -> None:
        """It counts no more."""
        with self._lock:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        # Two steps: the collector of garbage may end another session amid a call, whose bytes would be counted again.
        size = self._sizes.pop(session, (0, 0.0))[0]
        self._total -= size
        if not self._sizes:  # an interrupt between the two steps would count for ever
            self._total = 0

    def reset(self) -> None:
        """In a forked child: they are the parent's."""
        self.__init__()  # type: ignore[misc]  # made anew, on purpose


def _give_up_for_bytes(session: Session) -> None:
    if session.newcomers is not None:
        text = f"connections amid their handshake hold more than {MAX_HANDSHAKE_BYTES} bytes"
        _give_up(session, "max_handshake_bytes", text)


def _say_too_many(limit: int, address: str) -> str:
    return f"more than {limit} connections of {address} are amid their handshake"


def _give_up(session: Session, limit: str, text: str) -> None:
    """End a connection that is amid its handshake (lease held)."""
    session.turn_away(ConnectionFailed(FailureReason.LIMIT, text, limit=limit))
    session.leave_newcomers()  # also where there was nothing to end


def _network_of(address: str) -> str | bytes:
    """What newcomers are counted by: an IPv4 address, an IPv6 network; nothing for this machine's own."""
    if ":" in address:
        try:
            raw = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
        except (OSError, ValueError):  # of ipc it names the process
            return ""
        return b"" if raw == bytes(15) + b"\1" else raw[:_NETWORK_SIZE]
    return "" if address.startswith("127.") else address


_held_bytes = _HeldBytes()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_held_bytes.reset)
