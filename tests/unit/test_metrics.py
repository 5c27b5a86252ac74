from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from purezmq.error import ContextTerminated
from purezmq.metrics import Collector, escape_routing_id
from purezmq.sockets.statistics import ContextStats, PeerStats, SocketStats


class ScriptedContext:
    """What has the numbers that a test gives it."""

    def __init__(self, *sockets: SocketStats, limit: int = 0) -> None:
        self.current = ContextStats(sockets=sockets, max_bytes=limit)
        self.reads = 0

    def stats(self) -> ContextStats:
        self.reads += 1
        return self.current


def scrape(*collectors: Collector) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What Prometheus would read: by name and labels."""
    registry = CollectorRegistry(auto_describe=True)
    for collector in collectors:
        registry.register(collector)
    samples: dict[Any, float] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"{key} twice: Prometheus refuses the scrape"
            samples[key] = sample.value
    return samples


def value_of(samples: Any, name: str, **labels: str) -> float:
    """One number."""
    return samples[name, tuple(sorted(labels.items()))]


def names_of(samples: Any, label: str) -> set[str]:
    """The values of one label."""
    return {dict(labels)[label] for _, labels in samples if label in dict(labels)}


PUSH = SocketStats(
    type="PUSH",
    sent=10,
    received=1,
    dropped=4,
    dropped_by_reason={"newest": 2, "expired": 1},
    queued=3,
    queued_bytes=300,
    unread=5,
    unread_bytes=50,
    spilled=2,
    spilled_bytes=200,
    reconnects=6,
    handshake_failures=7,
    refusals={"max_parts": 8},
)


def test_socket_has_counters_and_gauges() -> None:
    """By its place and type; drops by reason, and the rest without one."""
    samples = scrape(Collector(ScriptedContext(PUSH, limit=99)))
    own = {"socket": "0", "type": "PUSH"}
    expected = {
        "messages_sent_total": 10, "messages_received_total": 1, "reconnects_total": 6, "handshake_failures_total": 7,
        "queued_messages": 3, "queued_bytes": 300, "unread_messages": 5, "unread_bytes": 50, "spilled_messages": 2,
        "spilled_bytes": 200, "peers": 0, "peers_not_shown": 0,
    }  # fmt: skip
    assert expected == {name: value_of(samples, f"purezmq_{name}", **own) for name in expected}
    drops = {"newest": 2, "expired": 1, "": 1}
    assert drops == {
        reason: value_of(samples, "purezmq_messages_dropped_total", reason=reason, **own) for reason in drops
    }
    assert 8 == value_of(samples, "purezmq_refusals_total", reason="max_parts", **own)
    assert (1, 99) == (value_of(samples, "purezmq_sockets"), value_of(samples, "purezmq_queued_bytes_limit"))


def test_socket_without_drops_has_a_zero() -> None:
    """A series that begins with the first drop would hide it from rate()."""
    samples = scrape(Collector(ScriptedContext(SocketStats(type="SUB"))))
    assert 0 == value_of(samples, "purezmq_messages_dropped_total", socket="0", type="SUB", reason="")
    assert 0 == value_of(samples, "purezmq_refusals_total", socket="0", type="SUB", reason="")


def test_sockets_are_told_apart_by_name() -> None:
    """Which stays when another socket is closed; else by place."""
    first, second = SocketStats(type="PUB", sent=1, name="17"), SocketStats(type="PUB", sent=2, name="18")
    context = ScriptedContext(first, second)
    collector = Collector(context)
    assert {"17", "18"} == names_of(scrape(collector), "socket")
    context.current = ContextStats(sockets=(second,))
    samples = scrape(collector)
    assert 2 == value_of(samples, "purezmq_messages_sent_total", socket="18", type="PUB")
    assert {"18"} == names_of(samples, "socket")


def test_peers_have_gauges() -> None:
    """By endpoint and routing id."""
    peer = PeerStats(endpoint="tcp://*:1", routing_id=b"A\0", connected=True, sent=3, dropped=1, queued=2)
    samples = scrape(Collector(ScriptedContext(SocketStats(type="ROUTER", peers=(peer,)))))
    labels = {"socket": "0", "type": "ROUTER", "endpoint": "tcp://*:1", "peer": r"A\x00"}
    expected = {"connected": 1, "messages_sent": 3, "messages_dropped": 1, "queued_messages": 2, "reconnects": 0}
    assert expected == {name: value_of(samples, f"purezmq_peer_{name}", **labels) for name in expected}


def test_peers_with_the_same_labels_are_one_series() -> None:
    """Subscribers have no routing id; a series of each would be refused as a duplicate."""
    peers = tuple(PeerStats(endpoint="tcp://*:1", address=f"1.2.3.4:{n}", queued=n) for n in range(4))
    samples = scrape(Collector(ScriptedContext(SocketStats(type="PUB", peers=peers))))
    own = {"socket": "0", "type": "PUB"}
    assert 6 == value_of(samples, "purezmq_peer_queued_messages", endpoint="tcp://*:1", peer="", **own)
    assert 4 == value_of(samples, "purezmq_peers", **own)


def test_vanished_peers_take_their_series_with_them() -> None:
    """A thousand come and go, and the labels don't grow."""
    context = ScriptedContext()
    collector = Collector(context)
    for number in range(1000):
        peer = PeerStats(endpoint="tcp://*:1", routing_id=b"%d" % number)
        context.current = ContextStats(sockets=(SocketStats(type="ROUTER", peers=(peer,)),))
        if number % 100 == 0:
            assert {str(number)} == names_of(scrape(collector), "peer")


@pytest.mark.parametrize("limit", [0, 3])
def test_series_of_peers_are_limited(limit: int) -> None:
    """What isn't shown is counted."""
    peers = tuple(PeerStats(endpoint="tcp://*:1", routing_id=b"%d" % number) for number in range(10))
    samples = scrape(Collector(ScriptedContext(SocketStats(type="ROUTER", peers=peers)), max_peers=limit))
    assert limit == len(names_of(samples, "peer"))
    assert 10 - limit == value_of(samples, "purezmq_peers_not_shown", socket="0", type="ROUTER")


def test_registering_reads_nothing_and_scraping_once() -> None:
    """Numbers are those of the scrape."""
    context = ScriptedContext(PUSH)
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Collector(context))
    assert 0 == context.reads
    generate_latest(registry)
    assert 1 == context.reads


def test_prefix_tells_contexts_apart() -> None:
    """Two collectors in one registry; with the same prefix they are refused at once."""
    samples = scrape(Collector(ScriptedContext(PUSH)), Collector(ScriptedContext(PUSH), prefix="other"))
    assert 1 == value_of(samples, "other_sockets")
    with pytest.raises(ValueError, match="Duplicated"):
        scrape(Collector(ScriptedContext()), Collector(ScriptedContext()))


def test_context_that_ends_gives_no_numbers() -> None:
    """And doesn't fail the scrape of all others."""

    class Ended:
        def stats(self) -> ContextStats:
            raise ContextTerminated

    assert {} == scrape(Collector(Ended()))


@pytest.mark.parametrize(
    ("routing_id", "expected"),
    [
        (b"", ""),
        (b"plain-1", "plain-1"),
        (b"\0\xff\n", r"\x00\xff\n"),
        (rb"\x00", r"\\x00"),
        ("ä".encode(), r"\xc3\xa4"),
    ],
)
def test_routing_id_is_escaped(routing_id: bytes, expected: str) -> None:
    """Printable, and different ids stay different."""
    assert expected == escape_routing_id(routing_id)


def test_missing_library_is_named_with_its_extra() -> None:
    """The cure is in the text."""
    program = "import sys; sys.modules['prometheus_client'] = None; import purezmq.metrics"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "pip install purezmq[metrics]" in done.stderr
