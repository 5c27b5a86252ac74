"""The news of one socket: the two doors through which they come, and who listens.

* `emit`: libzmq's events, for the monitor (whose bytes are libzmq's) and for the observers.
* `tell`: what libzmq has no event for, for the observers and, at a bounded rate, for the log.

Nothing is built or imported while nobody listens: making events is `announcer`'s matter, log lines are `event_log`'s.
Everything here needs the lease, and nothing here raises.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.engine.event_log import EventLog
    from purezmq.engine.socket_event import SocketEvent
    from purezmq.pipe import Pipe

__all__ = ["EventSource", "endpoint_of"]


class EventSource:
    """What a socket's engine tells.

    Attributes:
        monitor: called with (event, value, endpoint) while a monitor is attached.
        observers: called with each SocketEvent. One that has a method ``end(errno)`` is told when no event will follow,
            one that has ``abandon()`` is told in a forked child, where nothing of the parent may be waited for.
    """

    __slots__ = ("_event_log", "monitor", "observers")

    def __init__(self) -> None:
        self.monitor: Callable[[int, int, str], None] | None = None
        self.observers: tuple[Callable[[SocketEvent], object], ...] = ()
        self._event_log: EventLog | None = None

    def emit(
        self,
        event: int,
        value: int,
        endpoint: str,
        session: Any = None,
        error: str = "",
        reason: str = "",
        count: int = 0,
    ) -> None:
        """Tell one of libzmq's events.

        Args:
            event: a member of `Event`.
            value: the monitor's value.
            endpoint: the monitor's endpoint.
            session: of the connection, or the listener, that it is about.
            error: why, as a text for people.
            reason: why, as a word for programs.
            count: of messages.
        """
        if self.monitor is not None:
            self.monitor(event, value, endpoint)
        if self.observers:
            from purezmq.engine.announcer import announce, classic_kind

            announce(
                self.observers,
                classic_kind(event),
                carrier=session,
                endpoint=endpoint_of(session) or endpoint,
                resolved=endpoint,
                value=value,
                error=error,
                reason=reason,
                count=count,
            )

    def tell(
        self,
        kind: str,
        *,
        pipe: Pipe | None = None,
        endpoint: str = "",
        session: Any = None,
        count: int = 0,
        reason: str = "",
        error: str = "",
    ) -> None:
        """Tell what libzmq has no event for (kinds: see `SocketEvent`).

        Args:
            kind: what happened.
            pipe: of the peer that it is about.
            endpoint: where neither pipe nor session tell it.
            session: of the peer, where that isn't the pipe's carrier.
            count: of messages.
            reason: why, as a word for programs.
            error: why, as a text for people; in the log it stands behind the reason.
        """
        carrier = session if session is not None or pipe is None else pipe.carrier
        endpoint = endpoint_of(carrier) or endpoint
        log = self._event_log
        if log is None:
            from purezmq.engine.event_log import EventLog

            log = self._event_log = EventLog(self)
        log.note(kind, endpoint, count, reason, error)
        if not self.observers:
            return
        if kind == "message_dropped":
            from purezmq.engine.announcer import announce_drop

            announce_drop(self.observers, carrier, pipe, endpoint, count, reason, error)
            return
        from purezmq.engine.announcer import announce

        announce(
            self.observers,
            kind,
            carrier=carrier,
            pipe=pipe,
            endpoint=endpoint,
            count=count,
            reason=reason,
            error=error,
        )

    def remove_observer(self, observer: object) -> None:
        """Tell it no more. Idempotent."""
        self.observers = tuple(known for known in self.observers if known is not observer)

    def end_observers(self, errno: int) -> None:
        """No event will follow: the socket was closed (ENOTSOCK) or its context terminated (ETERM)."""
        observers, self.observers = self.observers, ()
        for observer in observers:
            end = getattr(observer, "end", None)
            if end is not None:
                end(errno)

    def end_log(self) -> None:
        """The engine is at its end: say in the log what was not said yet."""
        if self._event_log is not None:
            self._event_log.close()

    def abandon_observers(self) -> None:
        """In a forked child: events are the parent's."""
        observers, self.observers = self.observers, ()
        for observer in observers:
            abandon = getattr(observer, "abandon", None)
            if abandon is not None:
                abandon()


def endpoint_of(carrier: Any) -> str:
    """The endpoint of a session, listener or inproc link as the application gave it; empty if it has none."""
    text = getattr(carrier, "text", None)
    if text is None and getattr(carrier, "is_direct", False):
        return f"inproc://{carrier.name}"
    return str(text or getattr(carrier, "endpoint", ""))
