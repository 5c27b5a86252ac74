"""Peers that come, go, break off and misbehave with messages: nothing partial is delivered, nothing is kept."""

from __future__ import annotations

import random
import select
import socket
import struct
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from tests.support import EventWatch, bind, eventually, link, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.memory import resident_bytes
from tests.support.raw_peer import RawPeer, greeting, ready_command, tcp_address
from tests.support.scale import scaled

MakeSocket = Callable[..., Any]


def frames(*parts: bytes) -> bytes:
    """A message on the wire."""
    return b"".join(
        bytes([index < len(parts), len(part)]) + part
        if len(part) < 256
        else bytes([2 | (index < len(parts))]) + struct.pack(">Q", len(part)) + part
        for index, part in enumerate(parts, 1)
    )


def reset(raw: RawPeer) -> None:
    """End the connection the hard way."""
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.socket.close()


# -- messages that break off -----------------------------------------------------------------------------------------


def test_v08_unfinished_messages_of_lost_servers_are_not_kept(make_socket: MakeSocket) -> None:
    """V08: a server that sends MORE parts and resets, again and again: no half message, no memory, then a whole one."""
    pull = make_socket(zmq.PULL, reconnect_ivl=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        pull.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        before = 0
        rounds = scaled(10_000, least=100)
        for index in range(rounds):
            raw = RawPeer(server.accept()[0])
            raw.shake_hands("PUSH")
            raw.send(b"\x01\x01a" * 50 + b"\x03" + struct.pack(">Q", 60_000) + bytes(30_000))
            reset(raw)
            if index == rounds // 4:
                before = resident_bytes()
        with RawPeer(server.accept()[0]) as raw:
            raw.shake_hands("PUSH")
            raw.send(frames(b"whole", b"message"))
            assert [b"whole", b"message"] == pull.recv_multipart()
    assert try_recv(pull) is None
    assert resident_bytes() - before < 2 << 20


def test_v31_peer_that_is_lost_at_any_byte_leaves_no_part(make_socket: MakeSocket) -> None:
    """V31: a message of five parts that breaks off at every byte is never delivered; another peer's is, whole."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    broken = frames(b"b1", b"", b"b3" * 100, b"b4", b"b5")
    with RawPeer.connect(endpoint) as good:
        good.shake_hands("PUSH")
        for size in range(len(broken)):
            with RawPeer.connect(endpoint) as raw:
                raw.shake_hands("PUSH")
                raw.send(broken[:size])
                if size % 2:
                    reset(raw)
            good.send(frames(b"g%d" % size, b"good"))
            assert [b"g%d" % size, b"good"] == pull.recv_multipart()
        with RawPeer.connect(endpoint) as raw:
            raw.shake_hands("PUSH")
            raw.send(broken)
            assert [b"b1", b"", b"b3" * 100, b"b4", b"b5"] == pull.recv_multipart()
    eventually(lambda: not pull.peers())
    assert try_recv(pull) is None


@purezmq_only("libzmq tells only that the connection has ended")
def test_v42_message_over_the_limit_is_told(make_socket: MakeSocket) -> None:
    """V42: one frame over MAXMSGSIZE ends the connection with an event that says so, and is counted."""
    pull = make_socket(zmq.PULL, maxmsgsize=10)
    with pull.events() as events, RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        raw.send(frames(b"x" * 10) + frames(b"x" * 11))
        raw.wait_until_closed()
        seen = []
        while not seen or seen[-1].kind != "disconnected":
            seen.append(events.get(timeout=5))
    assert [("limit_exceeded", "maxmsgsize"), ("disconnected", "too big")] == [
        (event.kind, event.reason) for event in seen[-2:]
    ]
    assert b"x" * 10 == pull.recv()
    assert {"maxmsgsize": 1} == pull.stats().refusals


# -- envelopes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 100, 10_000])
@pytest.mark.parametrize("has_delimiter", [False, True])
def test_v25_requests_with_any_envelope(make_socket: MakeSocket, count: int, has_delimiter: bool) -> None:
    """V25: a REP answers with the envelope that came, drops what has no delimiter, and serves the next request."""
    rep = make_socket(zmq.REP)
    with RawPeer.connect(bind(rep, "tcp")) as raw:
        raw.shake_hands("DEALER")
        envelope = [b"e%d" % index for index in range(count)] + [b""] * has_delimiter
        raw.send(frames(*envelope, b"question") + frames(b"", b"next"))
        if has_delimiter:
            assert b"question" == rep.recv()
            rep.send(b"answer")
            assert [*envelope, b"answer"] == [raw.receive_frame()[1] for _ in range(len(envelope) + 1)]
        assert b"next" == rep.recv()
        rep.send(b"done")
        assert [b"", b"done"] == [raw.receive_frame()[1] for _ in range(2)]


def test_v25_request_of_a_delimiter_alone(make_socket: MakeSocket) -> None:
    """V25: nothing behind the delimiter, or nothing but delimiters: the REP stays usable."""
    rep = make_socket(zmq.REP)
    with RawPeer.connect(bind(rep, "tcp")) as raw:
        raw.shake_hands("DEALER")
        raw.send(frames(b"") + frames(b"", b"") + frames(b"", b"real"))
        while b"real" != rep.recv():
            rep.send(b"?")
        rep.send(b"answer")
        while b"answer" != raw.receive_frame()[1]:
            pass


@pytest.mark.parametrize("relaxed", [0, 1])
def test_v25_replies_without_delimiter_or_with_a_wrong_id(make_socket: MakeSocket, relaxed: int) -> None:
    """V25: a REQ drops what is no reply to its request, and takes the one that is."""
    req = make_socket(zmq.REQ, req_correlate=relaxed, req_relaxed=relaxed)
    with RawPeer.connect(bind(req, "tcp")) as raw:
        raw.shake_hands("REP")
        for _ in range(3):
            eventually(lambda: req.poll(0, zmq.POLLOUT))
            req.send(b"question")
            request = [raw.receive_frame()[1] for _ in range(3 if relaxed else 2)]
            for wrong in (
                [b"no delimiter"],
                [b"", b""][:1],
                [b"bad!", b"", b"wrong id"] if relaxed else [b"x", b"", b"y"],
            ):
                raw.send(frames(*wrong))
            raw.send(frames(*request[:-1], b"answer"))
            assert b"answer" == req.recv()


# -- routing ids -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handover", [0, 1])
def test_v26_many_peers_of_one_routing_id(make_socket: MakeSocket, opened: ExitStack, handover: int) -> None:
    """V26: of a hundred that share an id one has it: without ROUTER_HANDOVER the first, with it the last."""
    router = make_socket(zmq.ROUTER, router_handover=handover)
    endpoint = bind(router, "tcp")
    raws = []
    for index in range(100):
        raw = opened.enter_context(RawPeer.connect(endpoint))
        raw.shake_hands("DEALER", {"Identity": b"same"})
        raw.send(frames(b"%d" % index))
        if handover or not index:
            assert [b"same", b"%d" % index] == router.recv_multipart()
        raws.append(raw)
    owner = raws.pop(-1 if handover else 0)
    for raw in raws:
        raw.wait_until_closed()
    router.send_multipart([b"same", b"yours"])
    assert (0, b"yours") == owner.receive_frame()


def test_v26_reconnections_of_one_routing_id(make_socket: MakeSocket) -> None:
    """V26: 10,000 times the same id, after the one before has left: each is served, none is kept."""
    router = make_socket(zmq.ROUTER)
    endpoint = bind(router, "tcp")
    before = 0
    rounds = scaled(10_000, least=150)
    for index in range(rounds):
        with RawPeer.connect(endpoint) as raw:
            raw.shake_hands("DEALER", {"Identity": b"same"})
            raw.send(frames(b"%d" % index))
            message = router.recv_multipart()
            assert [b"same", b"%d" % index] == message
        eventually(lambda: not router.peers())
        if index == rounds // 4:
            before = resident_bytes()
    assert resident_bytes() - before < 2 << 20


# -- raw peers -------------------------------------------------------------------------------------------------------


def test_v30_stream_of_anything(make_socket: MakeSocket) -> None:
    """V30: early data, any data, ends at any time: what arrives is what was sent, and an empty part closes that one."""
    randomness = random.Random(30)
    stream = make_socket(zmq.STREAM, rcvhwm=0)
    endpoint = bind(stream, "tcp")
    received: dict[bytes, bytes] = {}
    ended: list[bytes] = []
    sent = []

    def receive() -> None:
        routing_id, body = stream.recv_multipart()
        if routing_id not in received:
            assert b"" == body
            received[routing_id] = b""
        elif body:
            received[routing_id] += body
        else:
            ended.append(routing_id)

    for _ in range(scaled(2000, least=50)):
        data = randomness.randbytes(randomness.choice([0, 1, 63, 64, 5000]))
        with RawPeer.connect(endpoint) as raw:
            raw.send(data)
        sent.append(data)
    while len(ended) < len(sent):
        receive()
    assert sorted(sent) == sorted(received.values())
    with RawPeer.connect(endpoint) as kept, RawPeer.connect(endpoint) as dropped:
        ids = [stream.recv_multipart()[0] for _ in range(2)]
        stream.send_multipart([ids[0], b"first"])
        first, second = (
            (kept, dropped)
            if select.select([kept.socket, dropped.socket], [], [], 5)[0][0] is kept.socket
            else (dropped, kept)
        )
        stream.send_multipart([ids[0], b""])
        first.wait_until_closed()
        stream.send_multipart([ids[1], b"still"])
        assert b"still" == second.receive(5)


# -- comings and goings ----------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_v18_v40_storm_of_connections_with_a_monitor(make_context: Callable[[], Any]) -> None:
    """V18, V40: eight threads connect, send, disconnect and close while a monitor watches: nothing breaks or hangs."""
    context = make_context()
    pull = context.socket(zmq.PULL, linger=0, rcvhwm=0)
    endpoint = bind(pull, "tcp")
    rounds = scaled(100_000 // 8, least=25)

    def storm(seed: int) -> int:
        randomness = random.Random(seed)
        for _ in range(rounds):
            with context.socket(zmq.PUSH, linger=0) as push, EventWatch(push):
                push.connect(endpoint)
                for _ in range(randomness.randrange(3)):
                    push.send(b"x", zmq.DONTWAIT)
                if randomness.random() < 0.5:
                    push.disconnect(endpoint)
        return rounds

    with EventWatch(pull):
        calls = [run_in_thread(storm, seed) for seed in range(8)]
        assert 8 * rounds == sum(call.result(250) for call in calls)
        with context.socket(zmq.PUSH, linger=0) as push:
            push.connect(endpoint)
            push.send(b"after")
            while pull.recv() != b"after":
                pass
    eventually(lambda: not pull.peers())
    pull.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", ["tcp", "ipc", "inproc"])
def test_v50_connecting_and_disconnecting_costs_nothing(make_socket: MakeSocket, transport: str) -> None:
    """V50: a million connections, made and ended: the memory of the process doesn't grow with their number."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = bind(pull, transport)
    rounds = scaled(100_000 if transport == "inproc" else 20_000, least=300)
    before = 0
    for index in range(rounds):
        push.connect(endpoint)
        push.send(b"%d" % index)
        assert b"%d" % index == pull.recv()
        push.disconnect(endpoint)
        if index == rounds // 3:
            before = resident_bytes()
    grown = resident_bytes() - before
    print(f"{transport}: {rounds} connections, {grown / rounds:.0f} bytes each")
    assert grown < 1 << 20
    assert grown / rounds < 200 or rounds < 5000


@pytest.mark.parametrize("kind", ["PUSH", "DEALER"])
def test_p30_threads_share_a_socket(make_socket: MakeSocket, kind: str) -> None:
    """P30: two threads send 100,000 messages of three parts each by one socket: none is lost, mixed or out of order."""
    sender, receiver = (
        make_socket(getattr(zmq, kind), sndhwm=0),
        make_socket(zmq.PULL if kind == "PUSH" else zmq.DEALER),
    )
    link(receiver, sender)
    count = scaled(100_000, least=1000)

    def send(name: bytes) -> None:
        for index in range(count):
            sender.send_multipart([name, b"%d" % index, name])

    calls = [run_in_thread(send, name) for name in (b"a", b"b")]
    expected = {b"a": 0, b"b": 0}
    for _ in range(2 * count):
        first, number, last = receiver.recv_multipart()
        assert first == last
        assert expected[first] == int(number)
        expected[first] += 1
    for call in calls:
        call.result()


# -- connections that can't be made ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://127.0.0.1:1",  # nobody listens
        "tcp://255.255.255.255:1",  # broadcast
        "tcp://[::1]:1",
        "tcp://host.invalid:1",  # RFC 6761: it has no address
        "ipc:///nonexistent/path",
    ],
)
def test_v35_connection_that_cannot_be_made_is_told(make_socket: MakeSocket, endpoint: str) -> None:
    """V35: unreachable in every way: an event says so, attempts go on, and the other peer is served."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=20, connect_timeout=100, ipv6=1)
    with EventWatch(push) as events:
        push.connect(endpoint)
        events.wait_for(zmq.EVENT_CLOSED)
        events.wait_for(zmq.EVENT_CONNECT_RETRIED)
        events.wait_for(zmq.EVENT_CONNECT_RETRIED)
    push.disconnect(endpoint)
    push.connect(bind(pull, "tcp"))
    push.send(b"served")
    assert b"served" == pull.recv()


def test_v39_zero_sizes_of_the_application(make_socket: MakeSocket) -> None:
    """V39: empty messages, parts, topics and bodies through sockets of every pattern."""
    pairs = [(zmq.PUSH, zmq.PULL), (zmq.DEALER, zmq.DEALER), (zmq.PAIR, zmq.PAIR), (zmq.XPUB, zmq.SUB)]
    for left, right in pairs:
        sender, receiver = make_socket(left), make_socket(right)
        if right == zmq.SUB:
            receiver.subscribe(b"")
        link(sender, receiver)
        if left == zmq.XPUB:
            assert b"\x01" == sender.recv()
        for message in ([b""], [b"", b""], [b"", b"", b"x"], [b"x", b""]):
            sender.send_multipart(message)
            assert message == receiver.recv_multipart()
    router, req = make_socket(zmq.ROUTER), make_socket(zmq.REQ)
    link(router, req)
    req.send(b"")
    routing_id, *rest = router.recv_multipart()
    assert [b"", b""] == rest
    router.send_multipart([routing_id, b"", b""])
    assert b"" == req.recv()


def test_v22_greeting_and_reset_over_and_over(make_socket: MakeSocket) -> None:
    """V22: handshakes that end with a reset right after READY."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    for _ in range(scaled(5000, least=100)):
        raw = RawPeer(socket.create_connection(tcp_address(endpoint), 5))
        raw.send(greeting() + ready_command("PUSH"))
        reset(raw)
    with RawPeer.connect(endpoint) as raw:
        raw.shake_hands("PUSH")
        raw.send(frames(b"good"))
        assert b"good" == pull.recv()
    eventually(lambda: not pull.peers())
