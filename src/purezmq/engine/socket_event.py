"""SocketEvent: one thing that happened to a socket, as `Socket.events` gives it. Plain data.

The kinds that libzmq knows, too, are the members of `purezmq.Event` in lower case: "listening", "accepted",
"connected", "connect_delayed", "connect_retried", "handshake_succeeded", "handshake_failed_protocol", "disconnected",
"closed" and so on. The others:

    message_dropped       messages were given up: reason, count, and the peer they were for
    swap_full             a queue on disk takes no more: reason "full" or "failed"
    swap_corrupt          messages of a queue on disk can't be read any more: count
    duplicate_routing_id  a peer came with the routing id of another one: reason "refused" (the later one was) or
                          "handover" (the earlier one was, ROUTER_HANDOVER)
    peer_refused          the peer refused us: error has its text
    peer_denied           a peer was not let in: reason "denied" (by a status of the authenticator), "no-handler" (there
                          is none, or it went away), "malformed-reply", "handler-timeout", "busy", "no-domain"
                          (ZAP_ENFORCE_DOMAIN) or "routing-id" (it is another user's: bind_identity)
    limit_exceeded        a peer ran into a limit, and its connection ends; or one could not be accepted: reason names
                          the limit as in `purezmq.limits`, in lower case, or "descriptors"
    durable_expired       messages that waited for an absent peer were given up: count

Imported when the first event is made: `dataclasses` takes longer to import than the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from purezmq.constants import Event

__all__ = ["SocketEvent"]


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """One thing that happened to a socket.

    Attributes:
        kind: what happened; see the module's text.
        endpoint: the endpoint that it is about, as given to bind() or connect().
        address: the peer's real address where it is known, such as "127.0.0.1:41234"; of "listening", our own.
        routing_id: the peer's; of a ROUTER also one that it generated. Empty where there is none.
        mechanism: the security mechanism of the connection, such as "NULL"; empty before its handshake's end.
        connection: a number unique among the connections of this process, the same for all events of a connection;
            0 where there is no connection.
        value: the monitor's value: a descriptor, an errno, milliseconds to the next attempt; 0 otherwise.
        error: why, as a text for people.
        reason: why, as a word for programs.
        count: how many messages; of "disconnected", how many this connection had given to the system. Which of them the
            peer's application took is not known: at most so many are lost, besides those that are told as dropped.
        time: when, as `time.time()`.
    """

    kind: str
    endpoint: str = ""
    address: str = ""
    routing_id: bytes = b""
    mechanism: str = ""
    connection: int = 0
    value: int = 0
    error: str = ""
    reason: str = ""
    count: int = 0
    time: float = 0.0

    @property
    def event(self) -> Event | None:
        """The monitor's number of this kind; None for those that libzmq doesn't know."""
        return Event.__members__.get(self.kind.upper())
