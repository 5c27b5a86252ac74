"""`stats()`, `peers()` and `Context.stats()`: every message is counted once, whatever became of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, bind_again, eventually, library_module, purezmq_only, run_in_thread, try_recv, zmq

pytestmark = purezmq_only("libzmq has no statistics")

MakeSocket = Callable[..., Any]
TRANSPORTS = ("tcp", "ipc", "inproc")
#: Sender, which binds, and receiver.
PAIRS = {
    "PUSH-PULL": (zmq.PUSH, zmq.PULL),
    "DEALER-DEALER": (zmq.DEALER, zmq.DEALER),
    "DEALER-ROUTER": (zmq.DEALER, zmq.ROUTER),
    "ROUTER-DEALER": (zmq.ROUTER, zmq.DEALER),
    "PAIR-PAIR": (zmq.PAIR, zmq.PAIR),
    "PUB-SUB": (zmq.PUB, zmq.SUB),
    "XPUB-SUB": (zmq.XPUB, zmq.SUB),
    "PUB-XSUB": (zmq.PUB, zmq.XSUB),
}
#: How long statistics are asked for under traffic.
TRAFFIC_S = 0.5
SMALL = {"sndbuf": 20_000, "rcvbuf": 20_000}


class Line:
    """A sender and receivers that know each other."""

    def __init__(
        self,
        make_socket: MakeSocket,
        name: str,
        transport: str,
        *,
        peers: int = 1,
        sender_binds: bool = True,
        **options: Any,
    ) -> None:
        kind, other = PAIRS[name]
        self.is_shared = transport == "inproc"
        self.sender = make_socket(kind, **options)
        self.prefix = [b"D0"] if name == "ROUTER-DEALER" else []
        self.receivers = []
        self.endpoint = bind(self.sender, transport) if sender_binds else ""
        for number in range(peers):
            receiver = make_socket(other, **options)
            if other in {zmq.DEALER, zmq.ROUTER}:
                receiver.routing_id = b"D%d" % number
            if other == zmq.SUB:
                receiver.subscribe(b"")
            if sender_binds:
                receiver.connect(self.endpoint)
            else:
                self.endpoint = bind(receiver, transport)
                self.sender.connect(self.endpoint)
            self.receivers.append(receiver)
        self.receiver = self.receivers[0]
        eventually(lambda: peers == len(self.sender.peers()) and all(socket.peers() for socket in self.receivers))
        for receiver in self.receivers:
            if other == zmq.XSUB:
                receiver.send(b"\x01")
        if kind in {zmq.PUB, zmq.XPUB}:
            eventually(lambda: all(peer.subscriptions for peer in self.sender.peers()))

    def send(self, *parts: bytes, flags: int = 0) -> None:
        self.sender.send_multipart([*self.prefix, *parts], flags)

    def is_balanced(self) -> bool:
        """Whether nothing is on its way, and both sides' numbers add up."""
        sent = self.sender.stats()
        got = [receiver.stats() for receiver in self.receivers]
        found = sent.dropped + sum(stats.received + stats.dropped for stats in got)
        unread = sum(stats.unread for stats in got)
        if self.is_shared:
            assert sent.queued <= unread  # a fair queue may have taken some ahead of the application
        else:
            found += sent.queued
        assert sent.sent == sum(peer.sent for peer in sent.peers) or len(sent.peers) != len(self.receivers)
        return bool(sent.sent == found + unread)

    def wait_for_balance(self) -> None:
        eventually(self.is_balanced)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("sender_binds", [True, False], ids=["sender-binds", "sender-connects"])
@pytest.mark.parametrize("name", PAIRS)
def test_numbers_add_up_at_rest(make_socket: MakeSocket, name: str, transport: str, sender_binds: bool) -> None:
    """Messages and their bytes: sent, unread, received, a multipart being one."""
    line = Line(make_socket, name, transport, sender_binds=sender_binds)
    for number in range(20):
        line.send(*[b"%02d" % number] * (1 + number % 3))
    parts = sum(1 + number % 3 for number in range(20))
    eventually(lambda: 20 == line.receiver.stats().unread)
    stats, other = line.sender.stats(), line.receiver.stats()
    assert (20, 0, 20) == (stats.sent, stats.dropped, other.unread)
    assert 2 * parts == other.unread_bytes
    assert ((20, 2 * parts) if line.is_shared else (0, 0)) == (stats.queued, stats.queued_bytes)
    for number in range(1, 21):
        line.receiver.recv_multipart()
        other = line.receiver.stats()
        assert (number, 20 - number) == (other.received, other.unread)
    assert 0 == line.receiver.stats().unread_bytes == line.sender.stats().queued_bytes == line.sender.stats().queued
    line.wait_for_balance()
    assert (line.sender.type.name, line.receiver.type.name) == (stats.type, other.type)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_request_and_reply_count_once(make_socket: MakeSocket, transport: str) -> None:
    """On both sides, in both directions."""
    rep, req = make_socket(zmq.REP), make_socket(zmq.REQ)
    req.connect(bind(rep, transport))
    for _ in range(5):
        req.send_multipart([b"ab", b"c"])
        assert [b"ab", b"c"] == rep.recv_multipart()
        rep.send(b"d")
        assert b"d" == req.recv()
    for stats in (req.stats(), rep.stats()):
        assert (5, 5, 0, 0, 0, 0) == (
            stats.sent, stats.received, stats.queued, stats.unread, stats.queued_bytes, stats.unread_bytes
        )  # fmt: skip


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["PUSH-PULL", "DEALER-ROUTER", "PUB-SUB"])
def test_several_peers_are_counted_each(make_socket: MakeSocket, name: str, transport: str) -> None:
    """A publication counts once for each subscriber; what is balanced, once."""
    line = Line(make_socket, name, transport, peers=3)
    for number in range(30):
        line.send(b"%d" % number)
    factor = 3 if name == "PUB-SUB" else 1
    eventually(lambda: 30 * factor == sum(receiver.stats().unread for receiver in line.receivers))
    stats = line.sender.stats()
    assert 30 * factor == stats.sent
    assert [10 * factor] * 3 == [peer.sent for peer in stats.peers]
    for receiver in line.receivers:
        for _ in range(4):
            receiver.recv_multipart()
        receiver.recv_many(3)
    line.wait_for_balance()
    assert [7] * 3 == [receiver.stats().received for receiver in line.receivers]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_fan_in_is_counted(make_socket: MakeSocket, transport: str) -> None:
    """What a fair queue took ahead of the application is unread still."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, transport)
    pushes = [make_socket(zmq.PUSH) for _ in range(3)]
    for push in pushes:
        push.connect(endpoint)
        for number in range(50):
            push.send(b"%d" % number)
    eventually(lambda: 150 == pull.stats().unread)
    for number in range(1, 151):
        pull.recv()
        stats = pull.stats()
        assert (number, 150 - number) == (stats.received, stats.unread)
    assert 0 == stats.unread_bytes
    assert 150 == sum(push.stats().sent for push in pushes)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("which", ["close", "disconnect", "unbind"])
@pytest.mark.parametrize("name", ["PUSH-PULL", "PUB-SUB", "DEALER-ROUTER", "ROUTER-DEALER"])
def test_numbers_outlive_peers(make_socket: MakeSocket, name: str, transport: str, which: str) -> None:
    """The receiver goes on with what it has, and the sum of the sender stays."""
    line = Line(make_socket, name, transport)
    for number in range(10):
        line.send(b"%d" % number)
    eventually(lambda: 10 == line.receiver.stats().unread)
    for _ in range(4):
        line.receiver.recv_multipart()
    if which == "close":
        line.sender.close()
        eventually(lambda: not line.receiver.peers())
    elif which == "disconnect":
        line.receiver.disconnect(line.endpoint)
        eventually(lambda: not line.sender.peers())
        assert (10, 0) == (line.sender.stats().sent, line.sender.stats().queued)
    else:
        line.sender.unbind(line.endpoint)
        assert 10 == line.sender.stats().sent
    stats = line.receiver.stats()
    assert (4, 6) == (stats.received, stats.unread)
    for _ in range(6):
        line.receiver.recv_multipart()
    stats = line.receiver.stats()
    assert (10, 0, 0) == (stats.received, stats.unread, stats.unread_bytes)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_peers_come_and_go(make_socket: MakeSocket, transport: str) -> None:
    """More than are remembered one by one."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, transport)
    for number in range(80):
        push = make_socket(zmq.PUSH)
        push.connect(endpoint)
        push.send(b"xy")
        push.close(5000)
        eventually(lambda number=number: number + 1 == (stats := pull.stats()).received + stats.unread)
        if number % 2:
            pull.recv()
    stats = pull.stats()
    assert (40, 40, 80) == (stats.received, stats.unread, stats.unread_bytes)
    for _ in range(40):
        pull.recv()
    stats = pull.stats()
    assert (80, 0, 0) == (stats.received, stats.unread, stats.unread_bytes)
    eventually(lambda: () == pull.stats().peers)


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_reconnect_is_counted(make_socket: MakeSocket, transport: str) -> None:
    """And the same queue goes on."""
    push, pull = make_socket(zmq.PUSH, reconnect_ivl=5), make_socket(zmq.PULL)
    endpoint = bind(pull, transport)
    push.connect(endpoint)
    for number in range(4):
        eventually(push.peers)
        push.send(b"%d" % number)
        assert b"%d" % number == pull.recv()
        assert (number + 1, number) == (push.stats().sent, push.stats().reconnects)
        pull.close(0)
        eventually(lambda: not push.peers())
        pull = make_socket(zmq.PULL)
        bind_again(pull, endpoint)
    eventually(lambda: 4 == push.stats().reconnects)
    assert 1 == len(push.stats().peers)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_p06_stalled_subscriber_beside_live_one(make_socket: MakeSocket, transport: str) -> None:
    """Each has numbers of its own, and nothing is missing."""
    line = Line(make_socket, "PUB-SUB", transport, peers=2, sndhwm=10, rcvhwm=10, **SMALL)
    live, stalled = line.receivers
    for number in range(300):
        line.send(b"%d" % number, b"x" * 5000)
        assert b"%d" % number == live.recv_multipart()[0]
    stats = line.sender.stats()
    assert 600 == stats.sent
    assert {"newest": stats.dropped} == dict(stats.dropped_by_reason)
    assert [0, stats.dropped] == sorted(peer.dropped for peer in stats.peers)
    assert [300, 300] == [peer.sent for peer in stats.peers]
    assert stats.dropped > 100
    for _ in range(300 - stats.dropped):
        stalled.recv_multipart()
    assert try_recv(stalled, 10) is None
    line.wait_for_balance()
    assert (0, 0) == (line.sender.stats().queued, line.sender.stats().queued_bytes)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", ["PUSH-PULL", "PUB-SUB"])
def test_threads_that_send_together_are_counted(make_socket: MakeSocket, name: str, transport: str) -> None:
    """The lock-free path counts, too, while somebody asks for statistics all the time."""
    line = Line(make_socket, name, transport, sndhwm=0, rcvhwm=0)
    calls = [run_in_thread(lambda: [line.send(b"x") for _ in range(500)]) for _ in range(4)]
    while any(call.running for call in calls):
        assert line.sender.stats().sent <= 2000
        assert line.receiver.stats().unread <= 2000
    for call in calls:
        call.result()
    eventually(lambda: 2000 == line.receiver.stats().unread)
    line.wait_for_balance()
    assert 2000 == line.sender.stats().sent


def test_statistics_under_traffic(context: Any, make_socket: MakeSocket) -> None:
    """From another thread, all of them, for a while: no error, and no number goes back."""
    lines = [
        Line(make_socket, name, transport)
        for name, transport in {
            "PUSH-PULL": "tcp",
            "PUB-SUB": "inproc",
            "PAIR-PAIR": "ipc",
            "DEALER-ROUTER": "inproc",
        }.items()
    ]
    is_over = threading.Event()

    def send(line: Line) -> int:
        count = 0
        while not is_over.is_set():
            try:
                line.send(b"x", b"y" * (count % 100), flags=zmq.DONTWAIT)
                count += 1
            except zmq.Again:
                line.sender.poll(5, zmq.POLLOUT)
        return count

    def receive(line: Line) -> int:
        count = 0
        while not is_over.is_set():
            count += try_recv(line.receiver, 1) is not None
        return count

    calls = [run_in_thread(function, line) for line in lines for function in (send, receive)]
    last = 0
    end = time.monotonic() + TRAFFIC_S
    while time.monotonic() < end:
        stats = context.stats()
        assert len(lines) * 2 == len(stats.sockets)
        assert last <= stats.sent
        last = stats.sent
        for line in lines:
            assert 1 == len(line.sender.peers())
            assert line.sender.stats().sent >= 0 <= line.receiver.stats().received
    is_over.set()
    for line, sender, receiver in zip(lines, calls[::2], calls[1::2], strict=True):
        sent, received = sender.result(), receiver.result()
        assert received == line.receiver.stats().received
        assert sent == line.sender.stats().sent
        while try_recv(line.receiver, 20) is not None:  # what the system's buffers hold nobody counts
            pass
        line.wait_for_balance()


def test_context_sums_up_its_sockets(context: Any, make_socket: MakeSocket) -> None:
    """Those that are open."""
    line = Line(make_socket, "PUSH-PULL", "inproc")
    other = Line(make_socket, "PUB-SUB", "inproc")
    for _ in range(3):
        line.send(b"abc")
        other.send(b"ab")
    line.receiver.recv()
    context.max_bytes = 10_000
    stats = context.stats()
    assert (6, 1, 5, 12, 10_000) == (stats.sent, stats.received, stats.unread, stats.unread_bytes, stats.max_bytes)
    assert ["PUB", "PULL", "PUSH", "SUB"] == sorted(socket.type for socket in stats.sockets)
    other.sender.close()
    assert 3 == context.stats().sent


def test_drops_have_reasons(make_socket: MakeSocket) -> None:
    """What a ROUTER can't route is sent and dropped."""
    router = make_socket(zmq.ROUTER)
    for _ in range(3):
        router.send_multipart([b"nobody", b"x"])
    stats = router.stats()
    assert (3, 3, {"unroutable": 3}) == (stats.sent, stats.dropped, dict(stats.dropped_by_reason))


def test_what_waits_for_a_peer_is_queued(make_socket: MakeSocket) -> None:
    """The record of a peer that is not there yet says so."""
    push = make_socket(zmq.PUSH)
    push.connect("tcp://127.0.0.1:1")
    push.send_multipart([b"abc", b"de"])
    (peer,) = push.stats().peers
    assert ("tcp://127.0.0.1:1", "", False, 1, 5) == (
        peer.endpoint, peer.address, peer.connected, peer.queued, peer.queued_bytes
    )  # fmt: skip
    assert [] == push.peers()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_peers_tell_who_is_connected(make_socket: MakeSocket, transport: str) -> None:
    """Type, id, mechanism, subscriptions, since when; a connection has a number of its own."""
    line = Line(make_socket, "PUB-SUB", transport)
    line.receiver.subscribe(b"topic")
    eventually(lambda: (b"", b"topic") == line.sender.peers()[0].subscriptions)
    (peer,), (other,) = line.sender.peers(), line.receiver.peers()
    assert ("SUB", "PUB") == (peer.socket_type, other.socket_type)
    assert other.endpoint == line.endpoint
    assert peer.since > 1_600_000_000
    assert (("", (0, 0)) if line.is_shared else ("NULL", (3, 1))) == (peer.mechanism, peer.version)
    if transport == "tcp":
        assert peer.address.startswith("127.0.0.1")
    line.receiver.close()
    eventually(lambda: [] == line.sender.peers())


def test_records_do_not_change(make_socket: MakeSocket) -> None:
    """They are what was true when they were made."""
    line = Line(make_socket, "PUSH-PULL", "inproc")
    stats = line.sender.stats()
    line.send(b"x")
    assert 0 == stats.sent
    with pytest.raises(AttributeError):
        stats.sent = 5
    with pytest.raises(TypeError):
        stats.dropped_by_reason["newest"] = 1


@pytest.mark.parametrize("name", ["PUSH-PULL", "PUB-SUB"])
def test_spilled_messages_are_counted(make_socket: MakeSocket, name: str, tmp_path: Any) -> None:
    """As queued, by number and bytes, and as ever spilled when they have left."""
    line = Line(make_socket, name, "inproc", sndhwm=5, rcvhwm=5)
    line.sender.overflow, line.sender.swap_dir = "spill", str(tmp_path)
    for number in range(100):
        line.send(b"%02d" % number)
    stats = line.sender.stats()
    assert (100, 100, 200) == (stats.sent, stats.queued, stats.queued_bytes)
    assert (90, 180) == (stats.spilled, stats.spilled_bytes)
    assert [b"%02d" % number for number in range(100)] == [line.receiver.recv() for _ in range(100)]
    stats = line.sender.stats()
    assert (100, 0, 0, 90, 180) == (stats.sent, stats.queued, stats.queued_bytes, stats.spilled, stats.spilled_bytes)
    assert 100 == line.receiver.stats().received


def test_handshake_failures_are_counted(make_socket: MakeSocket) -> None:
    """A peer that speaks another protocol."""
    from tests.support.raw_peer import RawPeer

    pull = make_socket(zmq.PULL)
    with RawPeer.connect(bind(pull, "tcp")) as peer:
        peer.send(b"GET / HTTP/1.0\r\n\r\n" * 10)
        eventually(lambda: 1 == pull.stats().handshake_failures)


def test_shadows_and_asyncio_share_the_numbers() -> None:
    """All handles of a socket tell the same."""
    context = library_module("asyncio").Context()
    push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)

    async def main() -> None:
        push.connect(bind(pull, "tcp"))
        for number in range(10):
            await push.send_multipart([b"%d" % number, b"x"])
        for _ in range(6):
            await asyncio.wait_for(pull.recv_multipart(), 5)

    try:
        asyncio.run(main())
        shadow = zmq.Socket.shadow(pull)
        eventually(lambda: 10 == (stats := shadow.stats()).received + stats.unread)
        assert 6 == shadow.stats().received == pull.stats().received
        assert shadow.stats() == pull.stats()
        assert 10 == push.stats().sent
        assert context.stats().received == 6
        assert ["PULL"] == [peer.socket_type for peer in push.peers()]
    finally:
        context.destroy(0)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_part_by_part_counts_once(make_socket: MakeSocket, transport: str) -> None:
    """A message whose first part was read is received."""
    line = Line(make_socket, "DEALER-DEALER", transport)
    line.sender.send(b"a", zmq.SNDMORE)
    assert 0 == line.sender.stats().sent
    line.sender.send(b"b")
    assert b"a" == line.receiver.recv()
    assert (1, 0) == (line.receiver.stats().received, line.receiver.stats().unread)
    assert b"b" == line.receiver.recv()
    line.wait_for_balance()


@pytest.mark.parametrize("call", ["stats", "peers"])
def test_closed_socket_has_no_statistics(make_socket: MakeSocket, call: str) -> None:
    """ENOTSOCK."""
    socket = make_socket(zmq.PUSH)
    socket.close()
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(socket, call)()
    assert zmq.ENOTSOCK == caught.value.errno
