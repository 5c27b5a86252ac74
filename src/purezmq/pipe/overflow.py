"""What happens to a message when the queue to (or from) a peer is full: the words of the setting ``overflow``."""

from __future__ import annotations

__all__ = [
    "BLOCK",
    "DROPPING",
    "DROP_NEWEST",
    "DROP_OLDEST",
    "ERROR",
    "POLICIES",
    "SPILL",
    "DropReason",
]

#: The sender waits; a reader lets the peer wait.
BLOCK = "block"
#: The message that comes too late is dropped and counted.
DROP_NEWEST = "drop-newest"
#: The message that has waited longest is dropped and counted; what is half on its way still leaves whole.
DROP_OLDEST = "drop-oldest"
#: The sender gets `Again` at once.
ERROR = "error"
#: The message waits on disk; when there is no room either, the type's own policy decides.
SPILL = "spill"

POLICIES = (BLOCK, DROP_NEWEST, DROP_OLDEST, ERROR, SPILL)
#: Those by which a full queue takes every message.
DROPPING = frozenset({DROP_NEWEST, DROP_OLDEST})


class DropReason:
    """Why messages were dropped: the keys of ``dropped_by_reason`` in statistics and events."""

    #: The queue was full and the policy is `DROP_NEWEST`.
    NEWEST = "newest"
    #: The queue was full and the policy is `DROP_OLDEST`.
    OLDEST = "oldest"
    #: A newer message with the same key took its place (``conflate_key``, CONFLATE).
    CONFLATED = "conflated"
    #: The peer went away for good, or its connection broke within the message.
    DISCONNECTED = "disconnected"
    #: Nobody by that address is connected.
    UNROUTABLE = "unroutable"
    #: It is no message of this type of socket, or larger than a limit allows.
    MALFORMED = "malformed"
    #: The swap file could not be read back.
    CORRUPT = "corrupt"
    #: A durable subscriber stayed away too long.
    EXPIRED = "expired"
    #: A request was taken back before its server read it.
    WITHDRAWN = "withdrawn"
    #: The system refused a datagram.
    REFUSED = "refused"
