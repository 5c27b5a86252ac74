"""Newcomers: accepted connections whose handshake isn't over. Strangers, so they are bounded in number and in bytes.

The oldest makes room for the next: an honest one is through in a moment, so that who waits longest is least likely one.
Numbers are a listener's matter (its socket's lease guards them), bytes one of the whole process.
"""

from __future__ import annotations

import os
import socket

from purezmq.limits import HANDSHAKE_CHARGE, HANDSHAKE_GRACE_S, MAX_HANDSHAKE_BYTES
from purezmq.native import RLock
from purezmq.wire.events import ConnectionFailed, FailureReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.session import Session

__all__ = ["Newcomers"]

#: The part of an IPv6 address that names the network.
_NETWORK_SIZE = 8


class Newcomers:
    """Those of one listener (lease held).

    Attributes:
        sessions: when each was accepted, and from which network; oldest first.
    """

    __slots__ = ("_networks", "sessions")

    def __init__(self) -> None:
        self.sessions: dict[Session, tuple[float, str | bytes]] = {}
        #: Those of each network that counts by itself, oldest first.
        self._networks: dict[str | bytes, dict[Session, None]] = {}

    def admit(self, session: Session, address: str, now: float) -> None:
        """A connection was accepted, and speaks soon; the oldest makes room where there are too many.

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
                text = f"more than {limit} connections of {address} are amid their handshake"
                _give_up(next(iter(others)), "max_handshakes_per_address", text)
                others = self._networks.setdefault(network, {})
            others[session] = None
        limit = options.max_handshakes
        if 0 < limit <= len(self.sessions):
            text = f"more than {limit} connections are amid their handshake"
            _give_up(next(iter(self.sessions)), "max_handshakes", text)
        self.sessions[session] = (now, network)
        session.newcomers = self

    def note(self, session: Session, size: int) -> None:
        """How many bytes it has sent by now."""
        _held_bytes.note(session, 2 * size + HANDSHAKE_CHARGE)

    def discard(self, session: Session) -> None:
        """Its handshake is over, or it is."""
        network = self.sessions.pop(session, (0.0, ""))[1]
        others = self._networks.get(network)
        if others is not None:
            others.pop(session, None)
            if not others:
                del self._networks[network]
        _held_bytes.discard(session)

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
        self._sizes: dict[Session, int] = {}
        self._total = 0

    def note(self, session: Session, size: int) -> None:
        """How many bytes one holds; where all together are too many, the oldest of them end."""
        victims = []
        with self._lock:
            self._total += size - self._sizes.get(session, 0)
            self._sizes[session] = size
            while self._total > MAX_HANDSHAKE_BYTES:
                victim = next(iter(self._sizes))
                self._total -= self._sizes.pop(victim)
                victims.append(victim)
        for victim in victims:
            # It may be another socket's: its lease is taken when it's free.
            victim.engine.post(lambda victim=victim: _give_up_for_bytes(victim))

    def discard(self, session: Session) -> None:
        """It counts no more."""
        with self._lock:
            self._total -= self._sizes.pop(session, 0)

    def reset(self) -> None:
        """In a forked child: they are the parent's."""
        self.__init__()  # type: ignore[misc]  # made anew, on purpose


def _give_up_for_bytes(session: Session) -> None:
    if session.newcomers is not None:
        text = f"connections amid their handshake hold more than {MAX_HANDSHAKE_BYTES} bytes"
        _give_up(session, "max_handshake_bytes", text)


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
