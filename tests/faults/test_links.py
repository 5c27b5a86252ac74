"""Links that go bad: found in time, and only when they are bad. Partitions, resets, cables, losses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.faults.length import SECONDS
from tests.faults.network import Host, Network
from tests.support.peer_process import PeerProcess

MakeNetwork = Callable[..., Network]
Start = Callable[..., PeerProcess]
Figure = Callable[[str, object], None]

PORT = 7001
INTERVAL_S = 0.4
#: PING each interval, and dead when nothing came for another one.
HEARTBEATS = {"HEARTBEAT_IVL": int(INTERVAL_S * 1000), "HEARTBEAT_TIMEOUT": int(INTERVAL_S * 1000)}
#: A peer must be found dead within three intervals.
INTERVALS = 3
LIBRARIES = [("purezmq", "purezmq"), ("purezmq", "zmq"), ("zmq", "purezmq")]
#: In the short form the foreign library plays its part where it matters most.
both_libraries = pytest.mark.parametrize(("ours", "theirs"), LIBRARIES if SECONDS else LIBRARIES[:1])
WAIT_S = 15.0


def link_hosts(server: PeerProcess, client: PeerProcess, host: Host, types: tuple[str, str], **options: Any) -> str:
    """Bind on the server, connect from the client; both watch their events, and the handshake has succeeded."""
    endpoint = f"tcp://{host.address}:{PORT}"
    for peer, kind in ((server, types[0]), (client, types[1])):
        peer.open("s", kind, **{"RCVTIMEO": 500, "SNDTIMEO": 500, "RECONNECT_IVL": 50, **options})
        peer.watch("s")
    server.bind("s", endpoint)
    client.connect("s", endpoint)
    for peer in (server, client):
        assert peer.wait_event("s", "HANDSHAKE_SUCCEEDED", 1, WAIT_S)
    return endpoint


HALVES = [
    (*pair, way)
    for pair in LIBRARIES
    for way in ("both ways", "to the server", "to the client")
    if SECONDS or way == "both ways" or pair == LIBRARIES[0]
]


@pytest.mark.parametrize(("ours", "theirs", "way"), HALVES)
def test_p14_half_open_link_is_found(
    network: MakeNetwork, program: Start, figure: Figure, ours: str, theirs: str, way: str
) -> None:
    """Packets vanish: whoever hears nothing knows it within three heartbeat intervals, and nobody before the fault."""
    a, b = network().hosts
    server, client = program(a, ours), program(b, theirs)
    link_hosts(server, client, a, ("DEALER", "DEALER"), **HEARTBEATS)
    cut_at = time.monotonic()
    b.cut(inbound=way != "to the server", outbound=way != "to the client")
    deaf = [server] if way == "to the server" else [client] if way == "to the client" else [server, client]
    for peer in deaf:
        found_at = peer.wait_event("s", "DISCONNECTED", 1, WAIT_S)
        assert found_at is not None
        intervals = (found_at - cut_at) / INTERVAL_S
        figure("intervals until it was found", intervals)
        assert 0 < intervals <= INTERVALS


@both_libraries
def test_p14_no_false_alarm_on_a_bad_link(
    network: MakeNetwork, program: Start, figure: Figure, ours: str, theirs: str
) -> None:
    """2 % of the packets lost, 200 ms of jitter: no peer is taken for dead, every message arrives in order."""
    net = network(2, switched=False)
    net.start_relay(delay=100, jitter=100, loss=2)
    a, b = net.hosts
    server, client = program(a, ours), program(b, theirs)
    link_hosts(server, client, a, ("PULL", "PUSH"), HEARTBEAT_IVL=1000, HEARTBEAT_TIMEOUT=3000)
    count = int(max(2.0, SECONDS) / 0.02)
    server.collect("s")
    client.send_paced("s", count, 0.02, 100)
    deadline = time.monotonic() + max(2.0, SECONDS) * 3 + WAIT_S
    while server.wait_number("s", count - 1, 10.0) is None:
        assert time.monotonic() < deadline
    assert list(range(count)) == server.collected("s")
    figure("longest gap in seconds", server.longest_gap("s"))
    assert [] == server.event_times("s", "DISCONNECTED") + client.event_times("s", "DISCONNECTED")


#: Library of the publisher, of the subscriber, which way is cut, for how long (seconds).
PARTITIONS = [(*pair, "both ways", 1.0) for pair in LIBRARIES] + [("purezmq", "purezmq", "one way", 2.0)]
if SECONDS:
    PARTITIONS += [
        (*pair, way, seconds)
        for pair in LIBRARIES
        for way in ("both ways", "one way")
        for seconds in (1.0, 5.0, 15.0, 60.0)
        if seconds <= SECONDS
    ]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("ours", "theirs", "way", "seconds"), dict.fromkeys(PARTITIONS))
def test_p15_partition_is_survived(
    network: MakeNetwork, program: Start, figure: Figure, ours: str, theirs: str, way: str, seconds: float
) -> None:
    """Parted and joined again: the subscription returns, and what is missing is what the publisher's numbers say.

    What comes is in order, and nothing comes twice.
    """
    a, b = network().hosts
    publisher, subscriber = program(a, ours), program(b, theirs)
    link_hosts(publisher, subscriber, a, ("XPUB", "SUB"), **HEARTBEATS)
    if ours == "purezmq":
        publisher.listen("s")
    subscriber.set("s", "SUBSCRIBE", b"t")
    assert [b"\x01t"] == publisher.recv("s")
    subscriber.collect("s", "t")
    publisher.send_paced("s", 0, 0.01, 20, "t")
    assert subscriber.wait_number("s", 20, WAIT_S)
    b.cut(inbound=True, outbound=way == "both ways")
    # The partition's length is its subject: nothing comes in this time that could be waited for.
    time.sleep(seconds)  # the length of the partition is its subject
    b.heal()
    healed_at = time.monotonic()
    sent = publisher.wait_sent("s", 0, 0)
    back_at = subscriber.wait_number("s", sent, WAIT_S)
    assert back_at is not None
    figure("seconds to the first message after the heal", back_at - healed_at)
    total = publisher.stop_sending("s")
    assert subscriber.wait_number("s", total - 1, WAIT_S)
    got = subscriber.collected("s")
    assert sorted(set(got)) == got
    lost = total - len(got)
    figure("lost of published", f"{lost} of {total}")
    if ours == "purezmq":
        stats = publisher.stats("s")
        unheard = total - stats["sent"]  # published while nobody was subscribed
        assert 0 == stats["queued"]
        assert unheard + stats["dropped"] <= lost
        assert lost <= unheard + stats["dropped"] + publisher.handed_over("s")


#: Which way is cut, and for how long (seconds).
DURABLE_PARTITIONS = [("both ways", 1.0), ("one way", 2.0), *[("both ways", s) for s in (5.0, 60.0) if s <= SECONDS]]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("way", "seconds"), DURABLE_PARTITIONS)
def test_p15_durable_subscriber_misses_nothing_that_was_not_on_its_way(
    network: MakeNetwork, program: Start, figure: Figure, way: str, seconds: float
) -> None:
    """What was published while it was cut off arrives behind that, in order; nothing is dropped, or for nobody."""
    a, b = network().hosts
    publisher, subscriber = program(a), program(b)
    link_hosts(publisher, subscriber, a, ("XPUB", "SUB"), ROUTING_ID=b"reader", **HEARTBEATS)
    publisher.keep_for_absent("s", 100_000_000, 100.0)
    publisher.listen("s")
    subscriber.set("s", "SUBSCRIBE", b"t")
    assert [b"\x01t"] == publisher.recv("s")
    subscriber.collect("s", "t")
    publisher.send_paced("s", 0, 0.01, 20, "t")
    assert subscriber.wait_number("s", 20, WAIT_S)
    b.cut(inbound=True, outbound=way == "both ways")
    assert publisher.wait_event("s", "DISCONNECTED", 1, WAIT_S)
    time.sleep(seconds)  # the length of the partition is its subject
    b.heal()
    assert subscriber.wait_number("s", publisher.wait_sent("s", 0, 0), WAIT_S)
    total = publisher.stop_sending("s")
    assert subscriber.wait_number("s", total - 1, WAIT_S)
    got = subscriber.collected("s")
    assert sorted(set(got)) == got
    stats = publisher.stats("s")
    figure("lost of published", f"{total - len(got)} of {total}")
    assert (total, 0, 0) == (stats["sent"], stats["dropped"], stats["queued"])
    missing = sorted(set(range(total)) - set(got))
    assert len(missing) <= publisher.handed_over("s")
    assert not missing or missing == list(range(missing[0], missing[-1] + 1))


def start_stream(server: PeerProcess, client: PeerProcess, size: int = 100, interval_s: float = 0.005) -> None:
    """The client pushes numbered messages, the server pulls them."""
    server.collect("s")
    client.send_paced("s", 0, interval_s, size)
    assert server.wait_number("s", 20, WAIT_S) is not None


def finish_stream(server: PeerProcess, client: PeerProcess) -> tuple[int, list[int]]:
    """Stop, and wait for the last message; how many were sent, and which came."""
    total = client.stop_sending("s")
    assert server.wait_number("s", total - 1, WAIT_S) is not None
    got = server.collected("s")
    assert sorted(set(got)) == got
    return total, got


@pytest.mark.parametrize(("ours", "theirs"), LIBRARIES)
def test_connection_that_is_reset_is_made_again(
    network: MakeNetwork, program: Start, figure: Figure, ours: str, theirs: str
) -> None:
    """A firewall that resets the connection and refuses new ones: both sides know at once, and go on when it stops."""
    a, b = network().hosts
    server, client = program(a, ours), program(b, theirs)
    link_hosts(server, client, a, ("PULL", "PUSH"))
    start_stream(server, client)
    reset_at = time.monotonic()
    a.reset(PORT)
    found_at = client.wait_event("s", "DISCONNECTED", 1, WAIT_S)
    assert found_at is not None
    figure("seconds until the sender knew", found_at - reset_at)
    assert client.wait_event("s", "CONNECT_RETRIED", 3, WAIT_S)
    a.heal("refuse")
    healed_at = time.monotonic()
    count = len(server.collected("s"))
    assert server.wait_collected("s", count + 1, WAIT_S) > count
    figure("seconds until messages came again", time.monotonic() - healed_at)
    total, got = finish_stream(server, client)
    figure("lost", f"{total - len(got)} of {total}")
    if theirs == "purezmq":
        stats = client.stats("s")
        assert stats["by_reason"].get("disconnected", 0) <= 1


@both_libraries
def test_carrier_that_is_lost_for_a_moment_costs_nothing(
    network: MakeNetwork, program: Start, ours: str, theirs: str
) -> None:
    """The cable is pulled and put in again within the heartbeat timeout: nothing is lost, no connection is."""
    a, b = network().hosts
    server, client = program(a, ours), program(b, theirs)
    link_hosts(server, client, a, ("PULL", "PUSH"), HEARTBEAT_IVL=1000, HEARTBEAT_TIMEOUT=5000)
    start_stream(server, client)
    b.set_carrier(up=False)
    client.wait_sent("s", client.wait_sent("s", 0, 0) + 50, WAIT_S)
    b.set_carrier(up=True)
    total, got = finish_stream(server, client)
    assert list(range(total)) == got
    assert [] == server.event_times("s", "DISCONNECTED") + client.event_times("s", "DISCONNECTED")


@pytest.mark.parametrize("fault", ["small packets", "slow line"])
def test_narrow_link_carries_everything(network: MakeNetwork, program: Start, figure: Figure, fault: str) -> None:
    """An MTU of 576, or 8 Mbit/s: large messages arrive whole, in order, and heartbeats don't fail behind them."""
    a, b = network().hosts
    server, client = program(a), program(b)
    if fault == "small packets":
        for host in (a, b):
            host.set_mtu(576)
    else:
        b.limit_rate(8000)
    link_hosts(server, client, a, ("PULL", "PUSH"), SNDHWM=5, HEARTBEAT_IVL=500, HEARTBEAT_TIMEOUT=2000)
    started = time.monotonic()
    start_stream(server, client, size=20_000, interval_s=0)
    figure("kB/s", 20 * 20 / (time.monotonic() - started))
    total, got = finish_stream(server, client)
    assert list(range(total)) == got
    assert [] == server.event_times("s", "DISCONNECTED") + client.event_times("s", "DISCONNECTED")


def test_disorder_below_is_none_above(network: MakeNetwork, program: Start, figure: Figure) -> None:
    """Packets doubled, reordered, damaged and lost: messages arrive as they were sent."""
    net = network(2, switched=False)
    net.start_relay(delay=5, jitter=5, loss=1, dup=2, reorder=5, corrupt=1)
    a, b = net.hosts
    server, client = program(a), program(b)
    link_hosts(server, client, a, ("PULL", "PUSH"), HEARTBEAT_IVL=1000, HEARTBEAT_TIMEOUT=5000)
    start_stream(server, client, size=2000)
    assert server.wait_number("s", 300, 3 * WAIT_S) is not None
    total, got = finish_stream(server, client)
    figure("messages", total)
    assert list(range(total)) == got
