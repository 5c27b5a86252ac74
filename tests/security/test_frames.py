"""Lengths and shapes of frames that have broken decoders: refused by their header, or read right, in any pieces."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import bind, purezmq_only, zmq
from tests.support.memory import resident_bytes
from tests.support.raw_peer import RawPeer, greeting, ready_command
from tests.support.scale import scaled

from purezmq.limits import MAX_PARTS
from purezmq.wire import Connection, ConnectionConfig, ConnectionFailed, FailureReason
from purezmq.wire.framing import FrameDecoder, FrameDecoderV1, encode_batch, encode_batch_v1, encode_frame
from purezmq.wire.framing_fast import FastFrameDecoder
from purezmq.wire.limits import MAX_COMMAND_SIZE, MAX_READ_SIZE, MIN_FAST_PARTS

MakeSocket = Callable[..., Any]

ALL = 1 << 30
SIZES = [1 << 31, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 0x26]
SIGNATURE = b"\xff\0\0\0\0\0\0\0\x01\x7f"
#: What a peer of each version sends before its first message.
VERSIONS = {
    "1.0": b"\x01\x00",
    "2.0": SIGNATURE + b"\x01\x08\x00\x00",
    "3.1": greeting() + ready_command("PUSH"),
}
decoders = pytest.mark.parametrize("decoder", [FrameDecoder, FastFrameDecoder])


def connection_of(version: str, **options: Any) -> Connection:
    """A PULL whose handshake with a PUSH of that version is over."""
    connection = Connection(ConnectionConfig("PULL", frozenset({"PUSH"}), **options), bound=True)
    connection.start(0.0)
    connection.receive_data(VERSIONS[version], 0.0)
    assert connection.ready
    return connection


def failure_of(connection: Connection) -> ConnectionFailed | None:
    """How it ended."""
    event = connection.next_event()
    last = None
    while event is not None:
        last, event = event, connection.next_event()
    return last if isinstance(last, ConnectionFailed) else None


def header(version: str, size: int) -> bytes:
    """A long header."""
    return (b"\xff" if version == "1.0" else b"\x02") + struct.pack(">Q", size) + (b"\0" if version == "1.0" else b"")


def pieces_of(data: bytes) -> Iterator[list[bytes]]:
    """The data in two pieces, cut at every place; whole; and byte by byte."""
    for at in range(len(data) + 1):
        yield [data[:at], data[at:]]
    yield [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", SIZES, ids=hex)
def test_v04_v12_declared_size_is_refused_by_its_header(version: str, size: int) -> None:
    """V04, V12: with MAXMSGSIZE any of these; without it what no signed number holds. In all pieces."""
    for limit in (1 << 20, -1):
        for pieces in pieces_of(header(version, size) + b"AB"):
            connection = connection_of(version, max_message_size=limit)
            tracemalloc.start()
            for piece in pieces:
                assert [] == connection.receive_data(piece, 0.0)
            held = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert held < 1 << 20
            failure = failure_of(connection)
            largest = (1 << 63) - 1 + (version == "1.0")  # there the size counts the flags
            if limit < 0 and size <= largest:
                assert failure is None
            else:
                assert failure is not None
                assert failure.reason in {FailureReason.TOO_BIG, FailureReason.PROTOCOL}


def test_v04_published_payload_harms_nobody(make_socket: MakeSocket) -> None:
    """V04: that connection ends (MAXMSGSIZE) or waits; memory stays, and the next peer is served."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    before = resident_bytes()
    raws = []
    for size in SIZES:
        raw = RawPeer.connect(endpoint)
        raw.shake_hands("PUSH")
        raw.send(b"\x02" + struct.pack(">Q", size) + b"A" * 1000)
        raws.append(raw)
    with RawPeer.connect(endpoint) as good:
        good.shake_hands("PUSH")
        good.send_frame(b"good")
        assert b"good" == pull.recv()
    assert resident_bytes() - before < 1 << 20
    for raw in raws:
        raw.socket.close()


@pytest.mark.parametrize("size", [8191, 8192, 8193, 20_000, 70_000])
def test_v07_v09_long_frames_of_version_1_in_every_split(size: int) -> None:
    """V07, V09: two messages beyond 8,192 bytes come out as in one piece, after the start of a newer greeting, too."""
    randomness = random.Random(size)
    messages: list[Any] = [randomness.randbytes(size), [randomness.randbytes(size + 1), b"", b"x"], b"end"]
    data = b"".join(map(bytes, encode_batch_v1(messages)))
    for step in (1, 7, 4096, 8191, 8192, 8193, len(data)):
        if step == 1 and size > 10_000:
            continue
        for start in (b"\x01\x00", SIGNATURE + b"\x00\x08\x01\x00"):
            connection = Connection(ConnectionConfig("PULL", frozenset({"PUSH"})), bound=True)
            connection.start(0.0)
            received: list[Any] = connection.receive_data(start, 0.0)
            for at in range(0, len(data), step):
                received += connection.receive_data(data[at : at + step], 0.0)
            assert messages == received


@given(st.binary(max_size=64), st.lists(st.integers(1, 20_000), min_size=1, max_size=8))
def test_v09_any_start_then_long_frames_never_raise(start: bytes, steps: list[int]) -> None:
    """V09: an invalid start of any version, then long frames: messages, or one failure."""
    data = start + b"".join(map(bytes, encode_batch_v1([b"a" * 9000, b"b" * 10_000])))
    connection = Connection(ConnectionConfig("PULL", frozenset({"PUSH"})), bound=True)
    connection.start(0.0)
    at = turn = 0
    while at < len(data):
        step = steps[turn % len(steps)]
        for message in connection.receive_data(data[at : at + step], 0.0):
            assert isinstance(message, bytes | list)
        at, turn = at + step, turn + 1
    assert connection.closed == (failure_of(connection) is not None)


@pytest.mark.parametrize("size", range(25))
def test_v19_ping_of_any_size(size: int) -> None:
    """V19: a PING has a TTL and at most 16 bytes of context, which the PONG echoes; any other ends the connection."""
    body = (b"\x04PING" + bytes(range(65, 85)))[:size]
    frame = encode_frame(4, body)
    for pieces in pieces_of(frame):
        connection = connection_of("3.1")
        connection.data_to_send()
        for piece in pieces:
            connection.receive_data(piece, 0.0)
        sent = b"".join(map(bytes, connection.data_to_send()))
        if 7 <= size <= 23:
            assert encode_frame(4, b"\x04PONG" + body[7:]) == sent
            assert failure_of(connection) is None
        else:
            failure = failure_of(connection)
            if 1 <= size < 5:  # the name is longer than its frame
                assert failure is not None
            assert failure is not None
            assert FailureReason.PROTOCOL is failure.reason
            assert b"" == sent


def test_p27_flood_of_pings_has_one_pong_pending() -> None:
    """P27: what isn't answered yet is answered by one PONG, the newest's: it stands for those before it."""
    connection = connection_of("3.1")
    connection.data_to_send()
    pings = b"".join(encode_frame(4, b"\x04PING\0\0%06d" % number) for number in range(1000))
    for _ in range(100):
        connection.receive_data(pings, 0.0)
        assert [] == connection.data_to_send(keeps_pong=True)
        assert connection.has_control
    assert [encode_frame(4, b"\x04PONG000999")] == connection.data_to_send()
    assert [] == connection.data_to_send()


def test_p27_flood_of_pings_over_a_socket_leaves_memory_alone(make_socket: MakeSocket) -> None:
    """P27: a peer that sends PINGs and reads no PONG costs nothing, and gets its answer when it reads."""
    pull = make_socket(zmq.PULL)
    with RawPeer.connect(bind(pull, "tcp")) as raw:
        raw.shake_hands("PUSH")
        pings = b"\x04\x17\x04PING\0\x00" + b"0123456789abcdef"
        before = resident_bytes()
        flood = pings * 4000
        for _ in range(scaled(400, least=20)):
            raw.send(flood)
        raw.send_frame(b"\x04PING\0\0last", 4)
        while b"\x04PONGlast" != raw.receive_frame()[1]:
            pass
        raw.send_frame(b"message")
        assert b"message" == pull.recv()
        assert resident_bytes() - before < 4 << 20


@pytest.mark.parametrize("tenths", [1, 655, 656, 660, 65_535])
def test_v20_time_to_live_of_every_size(tenths: int) -> None:
    """V20: after so many tenths of a second of silence the peer is gone, and not before."""
    connection = connection_of("3.1")
    failure_of(connection)
    connection.receive_data(encode_frame(4, b"\x04PING" + tenths.to_bytes(2, "big")), 100.0)
    timer = connection.next_timer()
    assert timer is not None
    assert abs(timer - 100.0 - tenths / 10) < 0.001
    connection.handle_timer(timer - 0.01)
    assert failure_of(connection) is None
    connection.handle_timer(timer)
    failure = failure_of(connection)
    assert failure is not None
    assert FailureReason.HEARTBEAT is failure.reason


@pytest.mark.parametrize("version", VERSIONS)
def test_v39_zero_size_everywhere(version: str) -> None:
    """V39: empty messages, parts and bodies are messages; an empty command is a violation."""
    messages: list[Any] = [b"", [b"", b""], [b"", b"", b""], b"", [b"x", b""], b"x"]
    encode = encode_batch_v1 if version == "1.0" else encode_batch
    data = b"".join(map(bytes, encode(messages)))
    for pieces in pieces_of(data):
        connection = connection_of(version)
        received: list[Any] = []
        for piece in pieces:
            received += connection.receive_data(piece, 0.0)
        assert messages == received
    if version == "3.1":
        for body in (b"", b"\0"):
            connection = connection_of(version)
            connection.receive_data(encode_frame(4, body), 0.0)
            failure = failure_of(connection)
            assert failure is not None
            assert FailureReason.PROTOCOL is failure.reason


@pytest.mark.parametrize("limit", [0, 1, 255, 256, 300, 70_000])
def test_p09_largest_frame_at_the_limit(limit: int) -> None:
    """P09: one byte less and exactly the limit pass, one more and 2^63-1 are refused by the header, in all splits."""
    for size in sorted({max(limit - 1, 0), limit, limit + 1, (1 << 63) - 1}):
        long = size > 255
        start = (b"\x02" + struct.pack(">Q", size)) if long else bytes([0, size])
        body = bytes(size) if size <= limit else b"z"
        data = start + body
        cuts = [at for at in range(len(data) + 1) if at <= 12 or at >= len(data) - 2]
        for pieces in [[data[:at], data[at:]] for at in cuts]:
            connection = connection_of("3.1", max_message_size=limit)
            failure_of(connection)
            received: list[Any] = []
            for piece in pieces:
                received += connection.receive_data(piece, 0.0)
            failure = failure_of(connection)
            if size <= limit:
                assert [body] == received
                assert failure is None
            else:
                assert [] == received
                assert failure is not None
                assert (FailureReason.TOO_BIG, "maxmsgsize") == (failure.reason, failure.limit)


def decode_in_steps(decoder: Any, data: bytes, step: int) -> list[Any]:
    """All messages that it gives."""
    messages: list[Any] = []
    for at in range(0, len(data), step):
        messages += decoder.decode(data[at : at + step], ALL)
    return messages


@pytest.mark.parametrize("step", [1, 2, 3, 100, 255, 257, 600, 100_000])
@pytest.mark.parametrize("count", [MIN_FAST_PARTS - 1, MIN_FAST_PARTS, MIN_FAST_PARTS + 1, 3 * MIN_FAST_PARTS])
@pytest.mark.parametrize("size", [0, 1, 300])
@decoders
def test_p08_parts_of_a_message_at_the_limit(decoder: type[Any], size: int, count: int, step: int) -> None:
    """P08: as many parts as the limit says pass, one more is refused, in whatever pieces, by both decoders."""
    instance = decoder()
    instance.max_parts = MIN_FAST_PARTS
    message = [bytes(size)] * count
    data = b"".join(map(bytes, encode_batch([b"before", message, b"after"])))
    messages = decode_in_steps(instance, data, step)
    if count <= MIN_FAST_PARTS:
        assert [b"before", message, b"after"] == messages
        assert instance.failure is None
    else:
        assert [b"before"] == messages
        assert (FailureReason.LIMIT, "max_parts") == (instance.failure.reason, instance.failure.limit)


@pytest.mark.parametrize("step", [1000, 65_536, MAX_READ_SIZE])
@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("size", [1000, 100_000])
@decoders
def test_p08_bytes_of_a_message_at_the_limit(decoder: type[Any], size: int, excess: int, step: int) -> None:
    """P08: the bytes of all parts may be what the limit says, and not one more."""
    limit = 2 * MAX_READ_SIZE
    parts = [bytes(size)] * (limit // size)
    parts.append(bytes(limit - sum(map(len, parts)) + excess))
    instance = decoder()
    instance.max_multipart_bytes = limit
    messages = decode_in_steps(instance, b"".join(map(bytes, encode_batch([[b"b"] * 2, parts, b"after"]))), step)
    if excess <= 0:
        assert [[b"b"] * 2, parts, b"after"] == messages
        assert instance.failure is None
    else:
        assert [[b"b"] * 2] == messages
        assert (FailureReason.LIMIT, "max_multipart_bytes") == (instance.failure.reason, instance.failure.limit)


def test_p08_bytes_are_counted_for_each_message() -> None:
    """P08: many messages, each below the limit and cut by reads, are no offence together."""
    instance = FastFrameDecoder()
    instance.max_multipart_bytes = MAX_READ_SIZE
    batch: list[Any] = [[bytes(60_000), bytes(60_000), bytes(size)] for size in range(100)]
    assert batch == decode_in_steps(instance, b"".join(map(bytes, encode_batch(batch))), 50_000)
    assert instance.failure is None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("max_parts", "max_bytes"), [(3, 0), (0, 100)])
def test_p08_strict_limits_hold_in_every_version(version: str, max_parts: int, max_bytes: int) -> None:
    """P08: limits below what the fast decoder counts, which then isn't used; 0 is no limit."""
    encode = encode_batch_v1 if version == "1.0" else encode_batch
    fine: list[Any] = [[b"x" * 30] * 3, b"y" * 1000]
    for step in (1, 1000):
        connection = connection_of(version, max_parts=max_parts, max_multipart_bytes=max_bytes)
        data = b"".join(map(bytes, encode([*fine, [b"x" * 30] * 4])))
        received: list[Any] = []
        for at in range(0, len(data), step):
            received += connection.receive_data(data[at : at + step], 0.0)
        assert fine == received
        failure = failure_of(connection)
        assert failure is not None
        assert ("max_parts" if max_parts else "max_multipart_bytes") == failure.limit


def test_p08_version_1_decoder_counts_parts() -> None:
    """P08: the limit that is on by default, for the decoder of old peers."""
    instance = FrameDecoderV1()
    assert [] == instance.decode(b"\x01\x01" * (MAX_PARTS + 1), ALL)
    assert instance.failure is not None
    assert "max_parts" == instance.failure.limit


@decoders
def test_p08_command_over_its_limit_is_refused_by_its_header(decoder: type[Any]) -> None:
    """No command is longer than a SUBSCRIBE to the longest topic, whatever MAXMSGSIZE says."""
    for size, is_fine in ((MAX_COMMAND_SIZE, True), (MAX_COMMAND_SIZE + 1, False)):
        instance = decoder()
        instance.decode(b"\x06" + struct.pack(">Q", size) + b"\x04", ALL)
        assert is_fine == (instance.failure is None)
    assert "max_command_size" == instance.failure.limit


@purezmq_only("libzmq has no such limit")
def test_p08_endless_message_ends_with_its_connection(make_socket: MakeSocket) -> None:
    """P08: parts without end: cut at the limit, told and counted, memory stays, and the next peer is served."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    before = resident_bytes()
    with pull.events() as events, RawPeer.connect(endpoint) as raw:
        raw.shake_hands("PUSH")
        for _ in range(100):
            raw.send(b"\x01\x01a" * 10_000)
        raw.wait_until_closed()
        kinds = {}
        while "disconnected" not in kinds:
            event = events.get(timeout=5)
            kinds[event.kind] = event.reason
    assert ("max_parts", "limit") == (kinds["limit_exceeded"], kinds["disconnected"])
    assert {"max_parts": 1} == pull.stats().refusals
    assert resident_bytes() - before < 16 << 20
    with RawPeer.connect(endpoint) as good:
        good.shake_hands("PUSH")
        good.send_frame(b"good")
        assert b"good" == pull.recv()
