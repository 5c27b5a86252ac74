"""The one exception inside the wire: what the peer did wrong.

:class:`~purezmq.wire.connection.Connection` turns it into a ``ConnectionFailed`` event. A pattern may raise it, too,
when the engine tells it what a peer asks for; then the engine ends the connection in the same way.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.wire.events import FailureReason

__all__ = ["RemoteProtocolError"]


class RemoteProtocolError(Exception):
    """The peer broke the protocol, refused us, or is of a type that we refuse.

    Args:
        reason: the kind of failure.
        text: what happened, for people.
        status: the peer's status code (300, 400, 500), or 0 where there is none.
        limit: name of the limit that the peer ran into; empty where it was none.
    """

    def __init__(self, reason: FailureReason, text: str, status: int = 0, limit: str = "") -> None:
        super().__init__(text)
        self.limit = limit
        self.reason = reason
        self.text = text
        self.status = status
