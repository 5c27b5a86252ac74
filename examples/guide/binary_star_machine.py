"""Who of two servers serves: the states of binary star, as a table. It knows no sockets and no clock.

A server that goes by this table never takes over because of silence alone: only if clients come, too. So a
cable that breaks between the two servers does not make two active ones, as long as clients reach the first.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["BEAT_S", "LIFETIME_S", "Role", "SplitBrainError"]

BEAT_S = 0.1
LIFETIME_S = 15 * BEAT_S  # a peer that was silent for so long is taken for dead


class State(Enum):
    """What a server is at the moment."""

    PRIMARY = b"primary"  # just started, waits for the backup
    BACKUP = b"backup"  # just started, waits for the primary
    ACTIVE = b"active"  # serves
    PASSIVE = b"passive"  # stands by


class SplitBrainError(RuntimeError):
    """Both servers serve, or both stand by: a person has to decide."""


# (own state, state of the peer) -> own next state. What is not here changes nothing.
_TRANSITIONS = {
    (State.PRIMARY, State.BACKUP): State.ACTIVE,
    (State.PRIMARY, State.ACTIVE): State.PASSIVE,
    (State.BACKUP, State.ACTIVE): State.PASSIVE,
    (State.PASSIVE, State.PRIMARY): State.ACTIVE,  # the active one died and was started again, before anybody noticed
    (State.PASSIVE, State.BACKUP): State.ACTIVE,
}


class Role:
    """The role that a server plays, and what makes it change.

    Args:
        primary: is this the server that serves when both are well?
        now: monotonic seconds, as in all methods.
    """

    def __init__(self, *, primary: bool, now: float) -> None:
        self._state = State.PRIMARY if primary else State.BACKUP
        self._peer_expires = now + LIFETIME_S

    @property
    def is_active(self) -> bool:
        """Does this server serve?"""
        return self._state is State.ACTIVE

    def heartbeat(self) -> bytes:
        """Return what to tell the peer."""
        return self._state.value

    def handle_heartbeat(self, heartbeat: bytes, now: float) -> None:
        """Take what the peer tells.

        Raises:
            SplitBrainError: both serve, or both stand by.
        """
        peer = State(heartbeat)
        self._peer_expires = now + LIFETIME_S
        if peer is self._state and peer in {State.ACTIVE, State.PASSIVE}:
            raise SplitBrainError(f"both servers are {peer.name}")
        self._state = _TRANSITIONS.get((self._state, peer), self._state)

    def handle_client(self, now: float) -> bool:
        """A client asks: may it be served? A silent peer and a client together make a server active."""
        if self._state in {State.PRIMARY, State.PASSIVE} and now > self._peer_expires:
            self._state = State.ACTIVE
        return self.is_active
