"""What is lost when: one row per pattern and fault. The tests check each row, and the page of reliability shows them.

Where a message can be when something breaks: in the sender's queue, handed to the system (its buffers, the network, the
queue of the receiving library), or taken by the receiving application. A row says what becomes of the first two.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "LOSSES", "PATTERNS", "Fate", "Loss", "Pattern"]


class Fate:
    """What becomes of messages, and what tells it."""

    ARRIVES = "arrives"
    KEPT = "kept, and sent when there is a connection again"
    #: dropped_by_reason["disconnected"]
    DROPPED = 'lost, counted: `dropped_by_reason["disconnected"]`'
    #: what handed-over messages are: at most the count of the event
    IN_DOUBT = "lost unless it was taken; at most the `count` of the event `disconnected`"
    GONE = "lost with the process, which counts no more"
    REPEATED = "sent again by `request()`; the server may see it twice"


@dataclass(frozen=True)
class Pattern:
    """Who sends, who receives, who binds.

    Attributes:
        sender / receiver: socket types.
        sender_binds: else the receiver does.
        meanwhile: what becomes of what is sent while there is no peer.
    """

    sender: str
    receiver: str
    sender_binds: bool
    meanwhile: str

    def __str__(self) -> str:
        return f"{self.sender} {'binds' if self.sender_binds else 'connects'}, {self.receiver}"


_WAITS = "queued up to SNDHWM, then `send` waits"
_NOBODY = "`send` waits for a peer"

#: By the name that tests have.
PATTERNS = {
    "push-connects": Pattern("PUSH", "PULL", False, _WAITS),
    "push-binds": Pattern("PUSH", "PULL", True, _NOBODY),
    "pub-binds": Pattern("PUB", "SUB", True, "for nobody: neither sent nor counted"),
    "req-connects": Pattern("REQ", "REP", False, "`request()` waits"),
    "dealer-connects": Pattern("DEALER", "ROUTER", False, _WAITS),
    "router-binds": Pattern("ROUTER", "DEALER", True, 'lost, counted: `dropped_by_reason["unroutable"]`'),
    "pair-connects": Pattern("PAIR", "PAIR", False, _WAITS),
}

FAULTS = {
    "receiver-killed": "the receiving process is killed",
    "sender-killed": "the sending process is killed",
    "healed-in-time": "a partition, healed within the heartbeat timeout",
    "healed-late": "a partition, healed after it",
}


@dataclass(frozen=True)
class Loss:
    """What becomes of a message.

    Attributes:
        pattern: key of PATTERNS.
        fault: key of FAULTS.
        queued: the fate of what is in the sender's queue.
        handed_over: the fate of what the system has taken.
    """

    pattern: str
    fault: str
    queued: str
    handed_over: str


def _losses() -> list[Loss]:
    rows = []
    for name, pattern in PATTERNS.items():
        outlives = Fate.DROPPED if pattern.sender_binds else Fate.KEPT
        lost = (outlives, Fate.IN_DOUBT)
        if pattern.sender == "REQ":
            lost = (Fate.KEPT, Fate.REPEATED)
        rows += [
            Loss(name, "receiver-killed", *lost),
            Loss(name, "sender-killed", Fate.GONE, Fate.ARRIVES),
            Loss(name, "healed-in-time", Fate.ARRIVES, Fate.ARRIVES),
            Loss(name, "healed-late", *lost),
        ]
    return rows


LOSSES = _losses()
