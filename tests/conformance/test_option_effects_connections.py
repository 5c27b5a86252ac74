"""Options about making and keeping connections: reconnects, time limits, heartbeats, batches, I/O threads."""

from __future__ import annotations

import socket as stdlib_socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import EventWatch, bind, bind_again, free_endpoint, link, purezmq_only, try_recv, zmq
from tests.support.effects import effect_of
from tests.support.raw_peer import RawPeer

MakeSocket = Callable[..., Any]
DRAFT = purezmq_only("a draft option, which its wheels don't have")
NOTHING_S = 0.1  # how long an event that must not come is waited for


@pytest.fixture
def deaf_endpoint() -> Iterator[str]:
    """An endpoint whose host answers no more connections: its queue of them is full."""
    with stdlib_socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [stdlib_socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        for sock in waiting:
            sock.close()


@effect_of("RECONNECT_IVL")
def test_reconnect_ivl_is_the_time_before_another_attempt(make_socket: MakeSocket) -> None:
    """The monitor tells the wait: at least the interval, with jitter less than twice."""
    push = make_socket(zmq.PUSH, reconnect_ivl=30)
    with EventWatch(push) as events:
        push.connect(free_endpoint())
        waits = [events.wait_for(zmq.EVENT_CONNECT_RETRIED)["value"] for _ in range(3)]
    assert [] == [wait for wait in waits if not 30 <= wait <= 60]


@effect_of("RECONNECT_IVL")
def test_reconnect_ivl_of_minus_one_tries_once(make_socket: MakeSocket) -> None:
    """After the first failure nothing follows."""
    push = make_socket(zmq.PUSH, reconnect_ivl=-1)
    with EventWatch(push) as events:
        push.connect(free_endpoint())
        events.wait_for(zmq.EVENT_CLOSED)
        assert events.next(NOTHING_S) is None


@effect_of("RECONNECT_IVL_MAX")
def test_reconnect_ivl_max_lets_the_wait_grow_up_to_it(make_socket: MakeSocket) -> None:
    """The wait doubles from attempt to attempt and stays at the maximum."""
    push = make_socket(zmq.PUSH, reconnect_ivl=4, reconnect_ivl_max=60)
    with EventWatch(push) as events:
        push.connect(free_endpoint())
        waits = [events.wait_for(zmq.EVENT_CONNECT_RETRIED)["value"] for _ in range(7)]
    assert 60 >= max(waits) >= waits[-1] > 2 * 4


@effect_of("RECONNECT_STOP")
@pytest.mark.parametrize(("mask", "stops"), [(0, False), (1, True), (2, False), (7, True)])
def test_reconnect_stop_after_a_refused_connection(make_socket: MakeSocket, mask: int, stops: bool) -> None:
    """CONN_REFUSED (1): nobody listens, and nobody is asked again."""
    push = make_socket(zmq.PUSH, reconnect_ivl=10, reconnect_stop=mask)
    with EventWatch(push) as events:
        push.connect(free_endpoint())
        events.wait_for(zmq.EVENT_CLOSED)
        event = events.next(NOTHING_S)
    assert stops == (event is None)


@effect_of("RECONNECT_STOP")
@pytest.mark.parametrize(("mask", "stops"), [(0, False), (1, False), (2, True)])
def test_reconnect_stop_after_a_failed_handshake(make_socket: MakeSocket, mask: int, stops: bool) -> None:
    """HANDSHAKE_FAILED (2): who answers doesn't speak ZMTP, and isn't asked again."""
    with stdlib_socket.create_server(("127.0.0.1", 0)) as server:
        push = make_socket(zmq.PUSH, reconnect_ivl=10, reconnect_stop=mask)
        with EventWatch(push) as events:
            push.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
            with server.accept()[0] as peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            events.wait_for(zmq.EVENT_DISCONNECTED)
            event = events.next(NOTHING_S)
    assert stops == (event is None)


@purezmq_only("goes on trying for as long as LINGER allows")
@effect_of("RECONNECT_STOP")
@pytest.mark.parametrize(("mask", "expected"), [(0, [b"queued"]), (4, None)])
def test_reconnect_stop_after_disconnect(make_socket: MakeSocket, mask: int, expected: Any) -> None:
    """AFTER_DISCONNECT (4): an endpoint that was given up isn't tried any more, whatever waits for it."""
    endpoint = free_endpoint()
    push = make_socket(zmq.PUSH, reconnect_ivl=10, reconnect_stop=mask, linger=-1)
    push.linger = -1
    push.connect(endpoint)
    push.send(b"queued")
    push.disconnect(endpoint)
    pull = make_socket(zmq.PULL)
    bind_again(pull, endpoint)
    assert expected == try_recv(pull, 2000 if expected else 100)


@effect_of("CONNECT_TIMEOUT")
def test_connect_timeout_ends_an_attempt_that_hangs(make_socket: MakeSocket, deaf_endpoint: str) -> None:
    """Then the next attempt follows; without it the attempt lasts as long as the system says."""
    patient, push = make_socket(zmq.PUSH), make_socket(zmq.PUSH, connect_timeout=50, reconnect_ivl=10)
    with EventWatch(push) as events, EventWatch(patient) as others:
        patient.connect(deaf_endpoint)
        push.connect(deaf_endpoint)
        events.wait_for(zmq.EVENT_CONNECT_RETRIED, 2)
        others.wait_for(zmq.EVENT_CONNECT_DELAYED)
        assert others.next(0) is None


@effect_of("HEARTBEAT_IVL", "HEARTBEAT_TTL")
def test_heartbeats_carry_the_time_to_live(make_socket: MakeSocket) -> None:
    """PINGs come by themselves; the TTL is in tenths of a second."""
    pull = make_socket(zmq.PULL, heartbeat_ivl=20, heartbeat_ttl=1300)
    with RawPeer.connect(bind(pull, "tcp")) as peer:
        peer.shake_hands("PUSH")
        for _ in range(2):
            _, body = peer.receive_frame()
            assert b"\x04PING\x00\x0d" == body[:7]
            peer.send_frame(b"\x04PONG" + body[7:], 4)


@DRAFT
@effect_of("IN_BATCH_SIZE")
@pytest.mark.parametrize("size", [100, 20_000])
def test_in_batch_size_is_the_largest_chunk_of_a_stream(make_socket: MakeSocket, size: int) -> None:
    """A STREAM socket's message is what one read gave."""
    stream = make_socket(zmq.STREAM, in_batch_size=size)
    with RawPeer.connect(bind(stream, "tcp")) as peer:
        stream.recv_multipart()
        peer.send(bytes(40 * size))
        chunks = []
        while sum(map(len, chunks)) < 40 * size:
            chunks.append(stream.recv_multipart()[1])
    assert size == max(map(len, chunks))


@DRAFT
@effect_of("IN_BATCH_SIZE", "OUT_BATCH_SIZE")
@pytest.mark.parametrize(("sender", "receiver"), [("PUSH", "PULL"), ("PUB", "SUB")])
def test_batch_sizes_limit_reads_and_writes(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, sender: str, receiver: str
) -> None:
    """No system call moves much more than was asked for, and every message arrives."""
    from purezmq.transports.base import SocketStream

    reads, writes = [], []
    try_read, try_write = SocketStream.try_read, SocketStream.try_write

    def note_read(self: Any, size: int) -> Any:
        data = try_read(self, size)
        reads.append(len(data or b""))
        return data

    def note_write(self: Any, chunks: Any) -> int:
        writes.append(sum(map(len, chunks)))
        return try_write(self, chunks)

    monkeypatch.setattr(SocketStream, "try_read", note_read)
    monkeypatch.setattr(SocketStream, "try_write", note_write)
    source = make_socket(getattr(zmq, sender), out_batch_size=2000, sndhwm=0)
    sink = make_socket(getattr(zmq, receiver), in_batch_size=1500, rcvhwm=0)
    endpoint = bind(source, "tcp")
    if receiver == "SUB":
        sink.subscribe(b"")
    link(source, sink, endpoint=endpoint)
    count = 0
    while sink.poll(0) == 0:  # a publisher may not know of the subscription yet
        source.send(b"%050d" % count)
        count += 1
        sink.poll(1)
    for _ in range(2000):
        source.send(b"%050d" % count)
        count += 1
    while int(sink.recv()) != count - 1:
        pass
    assert 1500 == max(reads)
    assert 1000 < max(writes) < 2500


@purezmq_only("it tells nobody which thread serves a socket")
@effect_of("AFFINITY")
@pytest.mark.parametrize(("mask", "index"), [(1, 0), (2, 1), (4, 2)])
def test_affinity_chooses_the_io_thread(
    make_socket: MakeSocket, make_context: Callable[..., Any], mask: int, index: int
) -> None:
    """Bit n stands for I/O thread n of the context."""
    context = make_context(3)
    for _ in range(2):
        pull = make_socket(zmq.PULL, within=context, affinity=mask)
        bind(pull, "tcp")
        assert pull._engine.loop is context.loops.loops[index]


@effect_of("AFFINITY")
def test_affinity_to_no_thread_gives_emthread(make_socket: MakeSocket) -> None:
    """A mask that names no I/O thread of the context is refused at bind and connect."""
    pull = make_socket(zmq.PULL, affinity=1 << 40)
    with pytest.raises(zmq.ZMQError) as caught:
        bind(pull, "tcp")
    assert zmq.EMTHREAD == caught.value.errno
