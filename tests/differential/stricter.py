"""Where purezmq answers a peer otherwise than libzmq does, in ONE list: the differential tests allow nothing else.

``python tests/differential/stricter.py`` writes the page of the documentation; a test checks that it is up to date.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["PAGE", "STRICTER", "Habit", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "strictness.md"

CLOSES, IGNORES, REORDERS = "closes", "ignores", "reorders"


class Habit(NamedTuple):
    """One thing that a peer may send.

    Attributes:
        effect: "closes": purezmq ends the connection there, what came before is delivered; "ignores": it is no message;
            "reorders": it is delivered earlier.
        libzmq: what libzmq 4.3.5 does.
        purezmq: what purezmq does.
        why: the reason.
    """

    effect: str
    libzmq: str
    purezmq: str
    why: str


STRICTER: dict[str, Habit] = {
    "reserved flags": Habit(
        CLOSES, "takes the frame", "closes the connection", "RFC 37: the bits must be zero; garbage is found early"
    ),
    "command with MORE": Habit(
        CLOSES, "takes or ignores the command", "closes the connection", "RFC 37: a command is a single frame"
    ),
    "command inside a message": Habit(
        CLOSES, "takes the command between the parts", "closes the connection", "RFC 37: a message is not interrupted"
    ),
    "second READY": Habit(
        CLOSES,
        "ignores it",
        "closes the connection",
        "RFC 37: the handshake is over, its metadata are known",
    ),
    "name longer than its command": Habit(
        CLOSES, "ignores the command", "closes the connection", "RFC 37: malformed; also with ZMTP 2.0's frames"
    ),
    "command without a name": Habit(
        CLOSES, "ignores the command", "closes the connection", "RFC 37: a name has at least one character"
    ),
    "PING without TTL": Habit(CLOSES, "ignores it", "closes the connection", "RFC 37: the TTL is not optional"),
    "ERROR after the handshake": Habit(
        CLOSES, "ignores it", "closes the connection, and tells why", "the peer says that it won't go on"
    ),
    "subscription as a message": Habit(
        IGNORES,
        "gives the body of a SUBSCRIBE or CANCEL command to the application, on types that have no subscribers",
        "ignores the command",
        "a command is never a message",
    ),
    "CANCEL of what was not subscribed": Habit(
        IGNORES, "an XPUB gets a message about it", "nobody hears of it", "nothing was cancelled"
    ),
    "subscription inside a message": Habit(
        IGNORES,
        "an XPUB takes a part that begins with 00 or 01 for a subscription, and gives it to the application as a part",
        "it is a message of its own, and what stands behind a subscription is dropped",
        "a message of the application holds no subscriptions",
    ),
    "subscription behind messages": Habit(
        REORDERS,
        "an XPUB gets messages and subscriptions of a peer in the order in which they came",
        "a subscription may come before messages that were sent before it",
        "whoever is told of a subscriber can already publish to it",
    ),
}
"""What a peer sends, and the answers."""

_HEAD = """\
# Where purezmq is stricter

Written by `python tests/differential/stricter.py`; a test checks that it is up to date.

purezmq and libzmq 4.3.5 deliver the same messages for the same bytes. The tests in `tests/differential` say streams of
ZMTP 3.1, 3.0, 2.0 and 1.0, good and slightly broken, to both, and compare. The differences below are decisions, and the
only ones that the tests allow. No implementation of ZMTP that we know sends what is refused here. A connection that is
closed for it is counted (`handshake_failures` of `Socket.stats()`); what came before is delivered.

Besides there are limits where libzmq has none: on the greeting's time, the size of commands and of a PING's context,
the parts of a message and the topics of a subscriber: [Limit what peers can do](../how-to/limit-peers.md).

| A peer sends | libzmq | purezmq | Why |
|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    rows = (f"| {name} | {habit.libzmq} | {habit.purezmq} | {habit.why} |\n" for name, habit in STRICTER.items())
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
