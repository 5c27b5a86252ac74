"""Which pattern serves which socket type.

A pattern is imported when the first socket of its type is made: `import purezmq` loads none of them. Which types may
be connected with each other stands in each class (`Pattern.peer_types`) and nowhere else.
"""

from __future__ import annotations

from purezmq.constants import EINVAL
from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.patterns.base import Pattern

__all__ = ["SOCKET_TYPES", "pattern_for"]

#: Number of the socket type: (module in this package, class).
SOCKET_TYPES = {
    0: ("pair", "Pair"),
    1: ("pubsub", "Pub"),
    2: ("pubsub", "Sub"),
    3: ("reqrep", "Req"),
    4: ("reqrep", "Rep"),
    5: ("dealer", "Dealer"),
    6: ("router", "Router"),
    7: ("pipeline", "Pull"),
    8: ("pipeline", "Push"),
    9: ("pubsub", "Xpub"),
    10: ("pubsub", "Xsub"),
    11: ("stream", "Stream"),
    12: ("clientserver", "Server"),
    13: ("clientserver", "Client"),
    14: ("radiodish", "Radio"),
    15: ("radiodish", "Dish"),
    16: ("scattergather", "Gather"),
    17: ("scattergather", "Scatter"),
    18: ("dgram", "Dgram"),
    19: ("peer", "Peer"),
    20: ("channel", "Channel"),
}


def pattern_for(socket_type: int) -> type[Pattern]:
    """Find the pattern of a socket type.

    Args:
        socket_type: its number (``purezmq.PUSH``).

    Returns:
        The class, to be made with the socket's options.

    Raises:
        ZMQError: EINVAL for a number that is no socket type of this version.
    """
    from importlib import import_module

    try:
        module, name = SOCKET_TYPES[socket_type]
    except (KeyError, TypeError):
        raise make_error(
            EINVAL, f"{socket_type!r} is no socket type; use one of purezmq.PAIR, PUB, SUB ... STREAM"
        ) from None
    pattern: type[Pattern] = getattr(import_module(f"purezmq.patterns.{module}"), name)
    return pattern
