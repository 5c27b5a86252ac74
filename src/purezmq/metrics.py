"""A context's statistics for Prometheus: ``REGISTRY.register(purezmq.metrics.Collector(context))``.

Read at scrape time, so nothing is counted twice and a program that isn't scraped pays nothing. Rules of the names:

* A socket's counts are counters (they include peers that are gone, and so only grow). What is told per peer are gauges
  of the peers that are there now: a peer that vanishes takes its series with it, and peers that share endpoint and
  routing id (subscribers mostly have none) are one series, their sum.
* No label holds an address or a number of a connection: a peer that comes again has the labels it had.
* No label holds raw bytes of a peer: routing ids are escaped as in Python's ``repr``.

Needs the extra: ``pip install purezmq[metrics]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector as _Collector
except ImportError as error:
    text = "purezmq.metrics needs prometheus_client: pip install purezmq[metrics]"
    raise ImportError(text) from error

from purezmq.error import ZMQError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from purezmq.sockets.statistics import ContextStats, PeerStats, SocketStats

    class Observed(Protocol):
        """What a collector needs of a context."""

        def stats(self) -> ContextStats:
            """The numbers of now."""


__all__ = ["MAX_PEERS", "Collector"]

#: A socket has so many series of peers at most; `peers_not_shown` counts what is over.
MAX_PEERS = 100

_SOCKET = ("socket", "type")
_PEER = (*_SOCKET, "endpoint", "peer")

#: Attributes of SocketStats: name of the metric, and what it means.
_SOCKET_COUNTERS = {
    "sent": ("messages_sent", "Messages given to the queues of peers."),
    "received": ("messages_received", "Messages taken by the application."),
    "reconnects": ("reconnects", "Connections made again after a loss."),
    "handshake_failures": ("handshake_failures", "Connections ended by a fault, a refusal or the silence of the peer."),
}
#: Attributes of SocketStats and PeerStats.
_QUEUES = {
    "queued": ("queued_messages", "Messages waiting to leave."),
    "queued_bytes": ("queued_bytes", "Bytes of the messages waiting to leave."),
    "unread": ("unread_messages", "Messages that arrived and were not taken by the application."),
    "unread_bytes": ("unread_bytes", "Bytes of the messages that were not taken by the application."),
    "spilled": ("spilled_messages", "Messages waiting to leave that are on disk."),
    "spilled_bytes": ("spilled_bytes", "Bytes of the messages on disk."),
}
#: Attributes of PeerStats.
_PEER_GAUGES = {
    **_QUEUES,
    "connected": ("connected", "Connections that are there now."),
    "sent": ("messages_sent", "Messages given to the queues of the peers that are there now."),
    "received": ("messages_received", "Messages taken by the application, of the peers that are there now."),
    "dropped": ("messages_dropped", "Messages given up, of the peers that are there now."),
    "reconnects": ("reconnects", "Connections made again, of the peers that are there now."),
}


class Collector(_Collector):
    """Reads a context's statistics whenever Prometheus asks.

    Labels: `socket` (its name, or its place among the context's open sockets), `type` ("PUB"), `endpoint` (as given
    to bind or connect), `peer` (escaped routing id), `reason` (of a drop, or a
    refusal: the name of a limit).

    Args:
        context: what has ``stats()``.
        prefix: what the names of the metrics begin with.
        max_peers: how many series of peers a socket has at most; 0 for sockets only.
    """

    def __init__(self, context: Observed, prefix: str = "purezmq", *, max_peers: int = MAX_PEERS) -> None:
        self._context = context
        self._prefix = prefix
        self._max_peers = max_peers

    def describe(self) -> Iterable[Metric]:
        """The metrics without numbers, so that registering asks the context nothing."""
        return _Scrape(self._prefix, self._max_peers).families()

    def collect(self) -> Iterable[Metric]:
        """The metrics of now; no numbers once the context has ended."""
        scrape = _Scrape(self._prefix, self._max_peers)
        try:
            stats = self._context.stats()
        except ZMQError:  # it ends: one context must not fail the whole scrape
            return scrape.families()
        scrape.add_context(stats)
        return scrape.families()


class _Scrape:
    """The metrics of one moment."""

    def __init__(self, prefix: str, max_peers: int) -> None:
        self._prefix = prefix
        self._max_peers = max_peers
        self._sockets = self._gauge("sockets", "Open sockets.", ())
        self._limit = self._gauge("queued_bytes_limit", "Bytes that may be queued in the context; 0: no limit.", ())
        self._dropped = self._counter("messages_dropped", "Messages given up.", (*_SOCKET, "reason"))
        self._refused = self._counter("refusals", "What peers wanted and didn't get.", (*_SOCKET, "reason"))
        self._counters = {key: self._counter(*entry, _SOCKET) for key, entry in _SOCKET_COUNTERS.items()}
        self._queues = {key: self._gauge(*entry, _SOCKET) for key, entry in _QUEUES.items()}
        self._peers = self._gauge("peers", "Peers that are there or waited for.", _SOCKET)
        self._not_shown = self._gauge("peers_not_shown", "Series of peers above the limit.", _SOCKET)
        self._peer_gauges = {
            key: self._gauge(f"peer_{name}", help_text, _PEER) for key, (name, help_text) in _PEER_GAUGES.items()
        }

    def _gauge(self, name: str, help_text: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"{self._prefix}_{name}", help_text, labels=labels)

    def _counter(self, name: str, help_text: str, labels: tuple[str, ...]) -> CounterMetricFamily:
        return CounterMetricFamily(f"{self._prefix}_{name}", help_text, labels=labels)

    def families(self) -> list[Metric]:
        """All metrics."""
        single = [self._sockets, self._limit, self._dropped, self._refused, self._peers, self._not_shown]
        return [*single, *self._counters.values(), *self._queues.values(), *self._peer_gauges.values()]

    def add_context(self, stats: ContextStats) -> None:
        """Take the numbers of a context and its sockets."""
        self._sockets.add_metric((), len(stats.sockets))
        self._limit.add_metric((), stats.max_bytes)
        for index, socket in enumerate(stats.sockets):
            labels = (socket.name or str(index), socket.type)
            self._add_socket(labels, socket)
            self._add_peers(labels, socket.peers)

    def _add_socket(self, labels: tuple[str, str], socket: SocketStats) -> None:
        for key, counter in self._counters.items():
            counter.add_metric(labels, getattr(socket, key))
        for key, gauge in self._queues.items():
            gauge.add_metric(labels, getattr(socket, key))
        for reason, count in socket.dropped_by_reason.items():
            self._dropped.add_metric((*labels, reason), count)
        rest = socket.dropped - sum(socket.dropped_by_reason.values())
        if rest > 0 or not socket.dropped_by_reason:
            self._dropped.add_metric((*labels, ""), max(rest, 0))
        for reason, count in (socket.refusals or {"": 0}).items():  # a series that isn't there has no rate
            self._refused.add_metric((*labels, reason), count)
        self._peers.add_metric(labels, len(socket.peers))

    def _add_peers(self, labels: tuple[str, str], peers: Iterable[PeerStats]) -> None:
        by_label: dict[tuple[str, str], list[PeerStats]] = {}
        for peer in peers:
            by_label.setdefault((peer.endpoint, escape_routing_id(peer.routing_id)), []).append(peer)
        for own, same in list(by_label.items())[: self._max_peers]:
            for key, gauge in self._peer_gauges.items():
                gauge.add_metric((*labels, *own), sum(getattr(peer, key) for peer in same))
        self._not_shown.add_metric(labels, max(0, len(by_label) - self._max_peers))


def escape_routing_id(routing_id: bytes) -> str:
    """A routing id as printable text, different for different ids."""
    return repr(bytes(routing_id))[2:-1]
