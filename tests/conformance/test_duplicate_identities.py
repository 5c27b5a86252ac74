"""Two peers with one routing id at a ROUTER: who is served, and that both sides are told."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.test_events import next_of
from tests.support import bind, eventually, link, purezmq_only, try_recv, zmq
from tests.support.peer_process import PeerProcess
from tests.support.raw_peer import RawPeer, greeting, ready_command

MakeSocket = Callable[..., Any]
MakePeer = Callable[..., PeerProcess]
WIRES = ["tcp"] if sys.platform == "win32" else ["tcp", "ipc"]

pytestmark = purezmq_only("libzmq ignores the later peer and tells nobody")


@pytest.fixture
def dealers(make_socket: MakeSocket) -> tuple[Any, Any]:
    """Two sockets with the same routing id that come again soon."""
    options = {"routing_id": b"X", "reconnect_ivl": 10, "reconnect_ivl_max": 40}
    return make_socket(zmq.DEALER, **options), make_socket(zmq.DEALER, **options)


def log_lines(caplog: pytest.LogCaptureFixture, text: str) -> list[str]:
    """What was logged so far with this text in it."""
    lines = [record.getMessage() for record in caplog.records if record.name == "purezmq"]
    return [line for line in lines if text in line]


@pytest.mark.parametrize("transport", WIRES)
def test_later_peer_is_refused_and_told_why(
    make_socket: MakeSocket, dealers: Any, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Events and log lines on both sides; the first peer is served as before."""
    router, (first, second) = make_socket(zmq.ROUTER), dealers
    endpoint = link(router, first, transport=transport)
    ours, theirs = router.events(), second.events()
    second.connect(endpoint)
    duplicate, refused = next_of(ours, "duplicate_routing_id"), next_of(theirs, "peer_refused")
    assert (b"X", "refused") == (duplicate.routing_id, duplicate.reason)
    assert "already in use" in duplicate.error
    assert "already in use" in refused.error
    assert endpoint == refused.endpoint
    assert duplicate.connection == next_of(ours, "disconnected").connection
    assert refused.connection == next_of(theirs, "disconnected").connection
    assert eventually(lambda: log_lines(caplog, "with the routing id of another"))
    assert eventually(lambda: log_lines(caplog, "refused 1 time by"))
    assert {logging.WARNING} == {record.levelno for record in caplog.records if record.name == "purezmq"}
    first.send(b"still here")
    assert [b"X", b"still here"] == router.recv_multipart()


@pytest.mark.parametrize("transport", [*WIRES, "inproc"])
def test_refused_peer_is_served_when_the_first_leaves(make_socket: MakeSocket, dealers: Any, transport: str) -> None:
    """It comes again by itself."""
    router, (first, second) = make_socket(zmq.ROUTER), dealers
    endpoint = bind(router, transport)
    first.connect(endpoint)
    first.send(b"first")
    assert [b"X", b"first"] == router.recv_multipart()
    theirs = second.events()
    second.connect(endpoint)
    assert "already in use" in next_of(theirs, "peer_refused").error
    first.close(0)

    def ask() -> Any:
        second.send(b"second", zmq.DONTWAIT)
        return try_recv(router, 50)

    assert [b"X", b"second"] == eventually(ask)
    router.send_multipart([b"X", b"reply"])
    assert b"reply" == second.recv()


def test_refused_peer_over_inproc_keeps_its_messages(
    make_socket: MakeSocket, dealers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Both sockets tell; what the refused one sends waits until the first has left."""
    router, (first, second) = make_socket(zmq.ROUTER), dealers
    endpoint = link(router, first, transport="inproc")
    ours, theirs = router.events(), second.events()
    second.connect(endpoint)
    second.send(b"waits")
    assert endpoint == next_of(ours, "duplicate_routing_id").endpoint
    assert endpoint == next_of(theirs, "peer_refused").endpoint
    assert try_recv(router, 20) is None
    first.close(0)
    assert [b"X", b"waits"] == router.recv_multipart()
    assert eventually(lambda: log_lines(caplog, f"refused 1 time by {endpoint}"))


def test_refused_peer_backs_off(make_socket: MakeSocket) -> None:
    """Although each handshake succeeds, the waits double, as after failed ones."""
    router, first = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"X")
    second = make_socket(zmq.DEALER, routing_id=b"X", reconnect_ivl=8)
    endpoint = link(router, first)
    stream = second.events()
    second.connect(endpoint)
    waits = [next_of(stream, "connect_retried").value for _ in range(5)]
    # 8 ms doubled four times is 128 ms, less a jitter of one half at most; without back-off none exceeds 16 ms.
    assert 60 <= waits[4] <= 130
    assert waits[0] <= 8


def test_old_peer_gets_no_command(make_socket: MakeSocket, dealers: Any) -> None:
    """ZMTP 2.0 has none: the connection just ends."""
    router, (first, _) = make_socket(zmq.ROUTER), dealers
    endpoint = link(router, first)
    with RawPeer.connect(endpoint) as peer:
        # RFC 15: signature, revision 1, type DEALER, identity.
        peer.send(b"\xff" + bytes(8) + b"\x7f\x01\x05" + b"\x00\x01X")
        received = peer.receive(1000)
    assert b"ERROR" not in received


def test_peer_of_version_3_gets_error_command(make_socket: MakeSocket, dealers: Any) -> None:
    """The reason, then the end of the stream."""
    router, (first, _) = make_socket(zmq.ROUTER), dealers
    endpoint = link(router, first)
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("DEALER", {"Identity": b"X"})
        reason = b"routing id already in use"
        assert b"\x04" + bytes([7 + len(reason)]) + b"\x05ERROR" + bytes([len(reason)]) + reason == peer.receive(1000)


def test_messages_of_a_refused_peer_are_counted(make_socket: MakeSocket, dealers: Any) -> None:
    """What came with its handshake is given up, and told."""
    router, (first, _) = make_socket(zmq.ROUTER), dealers
    endpoint = link(router, first)
    with router.events() as stream, RawPeer.connect(endpoint) as peer:
        peer.send(greeting())
        peer.send(ready_command("DEALER", {"Identity": b"X"}) + 3 * b"\x00\x01x")
        dropped = next_of(stream, "message_dropped")
    assert (3, "refused", b"X") == (dropped.count, dropped.reason, dropped.routing_id)


@pytest.mark.parametrize("transport", WIRES)
def test_handover_tells_the_older_peer(make_socket: MakeSocket, dealers: Any, transport: str) -> None:
    """ROUTER_HANDOVER: the newer one takes the id over; what was sent to the older one arrives before its refusal."""
    router, (first, second) = make_socket(zmq.ROUTER, router_handover=1), dealers
    first.reconnect_ivl = -1
    endpoint = link(router, first, transport=transport)
    ours, theirs = router.events(), first.events()
    router.send_multipart([b"X", b"before"])
    second.connect(endpoint)
    second.send(b"newer")
    assert [b"X", b"newer"] == router.recv_multipart()
    assert "handover" == next_of(ours, "duplicate_routing_id").reason
    assert "taken over" in next_of(theirs, "peer_refused").error
    assert b"before" == first.recv()
    router.send_multipart([b"X", b"after"])
    assert b"after" == second.recv()
    assert try_recv(first) is None


def test_handover_over_inproc_tells_the_older_peer(make_socket: MakeSocket, dealers: Any) -> None:
    """The same without a wire."""
    router, (first, second) = make_socket(zmq.ROUTER, router_handover=1), dealers
    endpoint = link(router, first, transport="inproc")
    theirs = first.events()
    second.connect(endpoint)
    second.send(b"newer")
    assert [b"X", b"newer"] == router.recv_multipart()
    assert "taken over" in next_of(theirs, "peer_refused").error


def test_handover_is_not_for_ids_that_the_router_made(make_socket: MakeSocket) -> None:
    """A peer without an id of its own can't come again with it; who does is another one, and is refused."""
    router, first = make_socket(zmq.ROUTER, router_handover=1), make_socket(zmq.DEALER)
    endpoint = link(router, first)
    first.send(b"1")
    made, _ = router.recv_multipart()
    ours = router.events()
    thief = make_socket(zmq.DEALER, routing_id=made, reconnect_ivl=-1)
    thief.connect(endpoint)
    assert "refused" == next_of(ours, "duplicate_routing_id").reason
    router.send_multipart([made, b"for the first"])
    assert b"for the first" == first.recv()
    assert try_recv(thief) is None


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP here")
@pytest.mark.parametrize("queued", [0, 3000])
def test_handover_replaces_a_peer_that_hangs(
    make_socket: MakeSocket, make_peer: MakePeer, dealers: Any, queued: int
) -> None:
    """V26: A stopped process keeps its connection, and may be full of messages; a live one gets its id all the same."""
    router, (_, second) = make_socket(zmq.ROUTER, router_handover=1, sndhwm=0), dealers
    endpoint = bind(router, "tcp")
    hanging = make_peer()
    hanging.open("s", "DEALER", routing_id=b"X", rcvhwm=1)
    hanging.connect("s", endpoint)
    hanging.send("s", [b"here"])
    assert [b"X", b"here"] == router.recv_multipart()
    os.kill(hanging._process.pid, signal.SIGSTOP)
    try:
        for _ in range(queued):
            router.send_multipart([b"X", bytes(10_000)])
        ours = router.events()
        second.connect(endpoint)
        second.send(b"alive")
        assert [b"X", b"alive"] == router.recv_multipart()
        assert "handover" == next_of(ours, "duplicate_routing_id").reason
        router.send_multipart([b"X", b"reply"])
        assert b"reply" == second.recv()
    finally:
        os.kill(hanging._process.pid, signal.SIGCONT)
        hanging.kill()


def test_refusal_of_a_peer_that_takes_nothing_is_bounded(
    make_socket: MakeSocket, dealers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is queued for a peer that lost its id is given up after some seconds, and the connection ends."""
    monkeypatch.setattr("purezmq.engine.session.REFUSAL_LINGER_S", 0.05)
    router, (_, second) = make_socket(zmq.ROUTER, router_handover=1, sndhwm=0, linger=-1), dealers
    endpoint = bind(router, "tcp")
    with RawPeer.connect(endpoint) as silent:
        silent.shake_hands("DEALER", {"Identity": b"X"})
        silent.send(b"\x00\x02hi")
        assert [b"X", b"hi"] == router.recv_multipart()
        for _ in range(3000):
            router.send_multipart([b"X", bytes(10_000)])
        ours = router.events()
        second.connect(endpoint)
        second.send(b"alive")
        assert [b"X", b"alive"] == router.recv_multipart()
        duplicate = next_of(ours, "duplicate_routing_id")
        assert duplicate.connection == next_of(ours, "disconnected").connection
