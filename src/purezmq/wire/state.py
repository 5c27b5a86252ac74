"""The state machine of a connection, as data. What the states do lives in ``connection``.

::

    INITIAL    SEND_GREETING   GREETING     our signature is queued
    GREETING   RECV_GREETING   HANDSHAKE    version known; our READY or identity is queued
    HANDSHAKE  RECV_READY      READY        mechanism done, or identity of an old peer here
    any other  FAIL            CLOSED       ConnectionFailed is the last event
    any        CLOSE           CLOSED       by ourselves, no event
"""

from __future__ import annotations

from enum import Enum

__all__ = ["TRANSITIONS", "Input", "State"]


class State(Enum):
    """Where a connection is in its life."""

    INITIAL = "initial"
    GREETING = "greeting"
    HANDSHAKE = "handshake"
    READY = "ready"
    CLOSED = "closed"


class Input(Enum):
    """What moves a connection from state to state."""

    SEND_GREETING = "send greeting"
    RECV_GREETING = "receive greeting"
    RECV_READY = "receive ready"
    FAIL = "fail"
    CLOSE = "close"


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.INITIAL, Input.SEND_GREETING): State.GREETING,
    (State.GREETING, Input.RECV_GREETING): State.HANDSHAKE,
    (State.HANDSHAKE, Input.RECV_READY): State.READY,
    (State.GREETING, Input.FAIL): State.CLOSED,
    (State.HANDSHAKE, Input.FAIL): State.CLOSED,
    (State.READY, Input.FAIL): State.CLOSED,
    (State.INITIAL, Input.CLOSE): State.CLOSED,
    (State.GREETING, Input.CLOSE): State.CLOSED,
    (State.HANDSHAKE, Input.CLOSE): State.CLOSED,
    (State.READY, Input.CLOSE): State.CLOSED,
    (State.CLOSED, Input.CLOSE): State.CLOSED,
}
"""The state machine. A pair that isn't here is an error of the caller."""
