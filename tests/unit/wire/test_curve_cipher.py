"""MESSAGE of CURVE: the methods for batches against their plain twins, nonces, and everything that isn't authentic."""

from __future__ import annotations

import pytest

from purezmq.wire import FailureReason, framing
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.framing import COMMAND, MORE
from purezmq.wire.framing_fast import FastFrameDecoder
from purezmq.wire.framing_sealed import SealedFrameDecoder
from purezmq.wire.limits import LARGE_BODY_SIZE, MAX_BODY_READ_SIZE, MAX_CHUNK_SIZE, READ_SIZE
from purezmq.wire.mechanisms import curve_cipher, sodium
from purezmq.wire.mechanisms.curve_cipher import NONCE_MAX, CurveCipher

ALL = 1 << 30
KEY = bytes(range(32))

BATCHES = {
    "empty body": [b""],
    "one": [b"hello"],
    "a run": [bytes((i,)) * 10 for i in range(200)] * 3,
    "a run of empty bodies": [b""] * 600,
    "a run of long frames": [bytes((i,)) * 300 for i in range(100)],
    "a run at its largest": [bytes((i,)) * 8159 for i in range(40)],
    "too large for a run": [bytes((i,)) * 8193 for i in range(40)],
    "mixed sizes": [bytes(i % 270) for i in range(600)],
    "at the borders": [bytes(n) for n in (0, 1, 221, 222, 223, 255, 256, 2000, 65535, 65536, 200_000)],
    "multipart": [[b"a", b"b"], [b"", b"", b""]],
    "multipart of one shape": [[b"12345", b"", bytes((i,)) * 10] for i in range(200)],
    "parts and bodies": [b"single", [b"two", b"parts"], b"single"] * 20,
    "large": [bytes(100_000), b"small", [b"id", bytes(70_000)], bytes(8192)],
    "runs interrupted": ([b"x" * 10] * 30 + [b"y"] + [b"z" * 300] * 20 + [[b"e", b""]] * 20) * 5,
    "other buffers": [bytearray(b"array"), memoryview(b"view"), memoryview(bytes(16)).cast("I")] * 20,
}


def make_pair(sent: int = 2, received: int = 1) -> tuple[CurveCipher, CurveCipher]:
    """A client's cipher and its server's."""
    client = CurveCipher(KEY, as_server=False, sent=sent, received=received)
    return client, CurveCipher(KEY, as_server=True, sent=received, received=sent)


def plain(messages):
    """Messages with bytes instead of other buffers."""
    return [[bytes(part) for part in m] if isinstance(m, list) else bytes(m) for m in messages]


def decode_all(decoder, data: bytes, step: int | None = None, limit: int = ALL):
    """Decode ``data`` in pieces of ``step``."""
    messages = []
    for at in range(0, len(data), step or len(data)):
        messages += decoder.decode(data[at : at + (step or len(data))], limit)
        while decoder.has_buffered:
            more = decoder.decode(b"", limit)
            assert len(more) <= limit
            messages += more
    return messages


def make_decoder(cipher: CurveCipher, max_size: int = -1) -> SealedFrameDecoder:
    """The fast decoder."""
    return SealedFrameDecoder(FastFrameDecoder(), cipher, max_size)


@pytest.mark.parametrize("sent", [2, 250, 254, 255, 256, 65_530, 2**32 - 3])
@pytest.mark.parametrize("name", BATCHES)
def test_encode_batch_gives_the_bytes_of_the_plain_twin(name, sent) -> None:
    """Whatever the batch, and wherever the counter stands, fast and plain give the same bytes."""
    fast, plain_twin = make_pair(sent)[0], make_pair(sent)[0]
    expected = b"".join(framing.encode_batch(plain(BATCHES[name]), plain_twin))
    assert expected == b"".join(fast.encode_batch(BATCHES[name]))
    assert fast.encode_frame(0, b"next") == plain_twin.encode_frame(0, b"next")


@pytest.mark.parametrize("step", [None, 7, 5000])
@pytest.mark.parametrize("limit", [1, 100, ALL])
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("name", BATCHES)
def test_decode_gives_the_messages_back(name, fast, limit, step) -> None:
    """Both decoders, in every splitting and with every limit."""
    client, server = make_pair()
    data = b"".join(client.encode_batch(BATCHES[name]))
    if step == 7 and len(data) > 100_000:
        step = 70_001
    decoder = make_decoder(server) if fast else framing.FrameDecoder(-1, server)
    assert plain(BATCHES[name]) == decode_all(decoder, data, step, limit)
    assert decoder.failure is None


def test_frame_to_the_byte() -> None:
    """RFC 26: name, short nonce, box of flags and body; the letter in the nonce is the sender's."""
    for as_server, letter in ((False, b"C"), (True, b"S")):
        cipher = CurveCipher(KEY, as_server=as_server, sent=6, received=0)
        flags, body = cipher.encode_frame(COMMAND, b"\x04PING\0\0")
        nonce = bytes(7) + b"\x07"
        box = sodium.seal_box(b"\x02\x04PING\0\0", b"CurveZMQMESSAGE" + letter + nonce, KEY)
        assert (0, b"\x07MESSAGE" + nonce + box) == (flags, body)
        assert 33 + len(b"\x04PING\0\0") == len(body)


def test_frame_reflected_to_its_sender_is_refused() -> None:
    """What a side has sealed it doesn't open itself."""
    client, _ = make_pair()
    _, body = client.encode_frame(0, b"hello")
    reflected = CurveCipher(KEY, as_server=False, sent=0, received=0)
    with pytest.raises(RemoteProtocolError, match="authentic"):
        reflected.decode_frame(0, body)
    assert reflected.open_batch([body])[2] is not None


@pytest.mark.parametrize("count", [1, 40])
def test_every_changed_byte_is_noticed(count) -> None:
    """Those before the changed frame are delivered, and none after it, alone and in a run."""
    frames = [make_pair()[0].encode_frame(0, b"x" * 5)[1] for _ in range(1)]
    for at in range(len(frames[0])):
        client, server = make_pair()
        bodies = [client.encode_frame(0, b"%05d" % number)[1] for number in range(count)]
        spoiled = count // 2
        frame = bytearray(bodies[spoiled])
        frame[at] ^= 1
        bodies[spoiled] = bytes(frame)
        flags, opened, failure = server.open_batch(bodies)
        assert failure is not None
        assert FailureReason.PROTOCOL is failure.reason
        assert [b"%05d" % number for number in range(spoiled)] == opened
        assert spoiled == len(flags)


@pytest.mark.parametrize("size", range(33))
def test_frame_too_short_for_a_message_is_refused_unopened(size, monkeypatch) -> None:
    """No box is opened when the length is wrong."""
    monkeypatch.setattr(curve_cipher, "open_at", None)
    monkeypatch.setattr(curve_cipher, "open_box", None)
    _, server = make_pair()
    body = (b"\x07MESSAGE" + bytes(7) + b"\x09" + bytes(17))[:size]
    for frames in ([body], [body] * 50):
        flags, bodies, failure = server.open_batch(frames)
        assert (b"", []) == (flags, bodies)
        assert failure is not None
    with pytest.raises(RemoteProtocolError, match="MESSAGE"):
        server.decode_frame(0, body)


@pytest.mark.parametrize("flag", [4, 8, 128, 255, 7])
def test_reserved_flags_inside_the_seal_are_refused(flag) -> None:
    """RFC 26: the other bits are zero."""
    client, server = make_pair()
    bodies = [client.encode_frame(0, b"ok")[1] for _ in range(20)]
    nonce = (50).to_bytes(8, "big")
    bodies.append(b"\x07MESSAGE" + nonce + sodium.seal_box(bytes((flag,)) + b"no", b"CurveZMQMESSAGEC" + nonce, KEY))
    flags, opened, failure = server.open_batch(bodies)
    assert [b"ok"] * 20 == opened
    assert bytes(20) == flags
    assert failure is not None
    assert "reserved" in failure.text


@pytest.mark.parametrize("second", ["same", "lower"])
@pytest.mark.parametrize("count", [1, 30])
def test_nonce_that_does_not_increase_is_refused(second, count) -> None:
    """A repetition, and anything from before."""
    client, server = make_pair()
    bodies = [client.encode_frame(0, b"x")[1] for _ in range(count + 1)]
    assert (bytes(count + 1), [b"x"] * (count + 1), None) == server.open_batch(bodies)
    again = bodies[-count:] if second == "same" else bodies[:count]
    flags, opened, failure = server.open_batch(again)
    assert (b"", []) == (flags, opened)
    assert failure is not None
    assert "replay" in failure.text
    with pytest.raises(RemoteProtocolError, match="replay"):
        server.decode_frame(0, again[0])


def test_nonces_may_skip() -> None:
    """What a peer dropped after having sealed it leaves a gap: RFC 26 wants them larger, not consecutive."""
    client, server = make_pair()
    bodies = [client.encode_frame(0, b"%d" % (number % 10))[1] for number in range(100)]
    flags, opened, failure = server.open_batch(bodies[::2])
    assert (bytes(50), [b"%d" % (n % 10) for n in range(0, 100, 2)], None) == (flags, opened, failure)


def test_nonces_used_up_fail_closed() -> None:
    """The last one is used, and then nothing is sealed any more; nothing begins anew at zero."""
    cipher = CurveCipher(KEY, as_server=False, sent=NONCE_MAX - 2, received=0)
    cipher.encode_frame(0, b"")
    with pytest.raises(OverflowError, match="used up"):
        cipher.encode_batch([b"a", b"b"])
    server = CurveCipher(KEY, as_server=True, sent=0, received=NONCE_MAX - 1)
    _, last = CurveCipher(KEY, as_server=False, sent=NONCE_MAX - 1, received=0).encode_frame(0, b"last")
    assert (0, b"last") == server.decode_frame(0, last)
    with pytest.raises(RemoteProtocolError, match="replay"):
        server.decode_frame(0, last)
    full = CurveCipher(KEY, as_server=False, sent=NONCE_MAX, received=0)
    for encode in (lambda: full.encode_frame(0, b""), lambda: full.encode_batch([b"x"]),
                   lambda: full.encode_batch([b"x"] * 50)):  # fmt: skip
        with pytest.raises(OverflowError):
            encode()


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_command_stops_decoding_until_it_is_taken(fast) -> None:
    """As without a cipher; what follows stays in order."""
    client, server = make_pair()
    frames = [(0, b"a"), (COMMAND, b"\x04PONG"), (0, b"b"), (MORE, b"c"), (0, b"d"), (COMMAND, b"\x04PONG2"), (0, b"e")]
    data = b"".join(framing.encode_frame(*client.encode_frame(*frame)) for frame in frames)
    decoder = make_decoder(server) if fast else framing.FrameDecoder(-1, server)
    assert [b"a"] == decoder.decode(data, ALL)
    assert (b"\x04PONG", True) == (decoder.command, decoder.has_buffered)
    assert [] == decoder.decode(b"", ALL)
    more = b"".join(client.encode_batch([b"f"]))
    assert [] == decoder.decode(more, ALL)
    decoder.command = None
    assert [b"b", [b"c", b"d"]] == decoder.decode(b"", ALL)
    assert b"\x04PONG2" == decoder.command
    decoder.command = None
    assert [b"e", b"f"] == decoder.decode(b"", ALL)
    assert not decoder.has_buffered


def test_commands_are_taken_without_a_copy_of_what_follows() -> None:
    """Or many in a row would cost their number squared; messages behind them come all, and in order."""
    ours, theirs = make_pair()
    frames = [(COMMAND, b"\x04PONG%d" % number) for number in range(100)] + [(0, b"%d" % number) for number in range(9)]
    decoder = make_decoder(ours)
    assert [] == decoder.decode(b"".join(framing.encode_frame(*theirs.encode_frame(*frame)) for frame in frames), ALL)
    batches: list[object] = []
    for number in range(100):
        assert b"\x04PONG%d" % number == decoder.command
        if decoder._opened is not None and not any(decoder._opened is batch for batch in batches):
            batches.append(decoder._opened)
        decoder.command = None
        messages = decoder.decode(b"", 4 if number == 99 else ALL)
    assert 0 < len(batches) < 10
    assert [b"0", b"1", b"2", b"3"] == messages
    assert [b"4", b"5", b"6", b"7", b"8"] == decoder.decode(b"", ALL)
    assert (False, None) == (decoder.has_buffered, decoder.command)


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("frames", [[(MORE, b"a"), (COMMAND, b"\x04PING\0\0")]], ids=["command inside a message"])
def test_command_inside_a_message_is_refused(fast, frames) -> None:
    """The grammar holds inside the seal, too."""
    client, server = make_pair()
    data = b"".join(framing.encode_frame(*client.encode_frame(*frame)) for frame in frames)
    decoder = make_decoder(server) if fast else framing.FrameDecoder(-1, server)
    assert [] == decoder.decode(data, ALL)
    assert decoder.failure is not None


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_more_outside_of_the_seal_is_refused(fast) -> None:
    """MORE is sealed; outside it would be anybody's."""
    client, server = make_pair()
    first, second = (client.encode_frame(0, b"x")[1] for _ in range(2))
    decoder = make_decoder(server) if fast else framing.FrameDecoder(-1, server)
    data = framing.encode_frame(MORE, first) + framing.encode_frame(0, second)
    assert [] == decoder.decode(data, ALL)
    assert decoder.failure is not None


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_message_as_a_command_frame_is_taken(fast) -> None:
    """RFC 26 calls MESSAGE a command; implementations that flag it so are understood."""
    client, server = make_pair()
    data = b"".join(framing.encode_frame(COMMAND, client.encode_frame(0, b"%d" % n)[1]) for n in range(3))
    decoder = make_decoder(server) if fast else framing.FrameDecoder(-1, server)
    assert [b"0", b"1", b"2"] == decode_all(decoder, data)


@pytest.mark.parametrize(("size", "is_taken"), [(600, True), (601, False)])
def test_largest_message_counts_without_the_seal(size, is_taken) -> None:
    """MAXMSGSIZE is about what the application sent; one byte more is too big."""
    client, server = make_pair()
    decoder = make_decoder(server, 600)
    assert ([bytes(size)] if is_taken else []) == decoder.decode(b"".join(client.encode_batch([bytes(size)])), ALL)
    assert is_taken == (decoder.failure is None)


def test_command_passes_a_small_limit() -> None:
    """A PING must not fail for MAXMSGSIZE; a message of its size does."""
    client, server = make_pair()
    decoder = make_decoder(server, 3)
    decoder.decode(framing.encode_frame(*client.encode_frame(COMMAND, b"\x04PING\0\0")), ALL)
    assert b"\x04PING\0\0" == decoder.command
    decoder.command = None
    assert [b"123"] == decoder.decode(b"".join(client.encode_batch([b"123", b"1234"])), ALL)
    assert FailureReason.TOO_BIG is decoder.failure.reason


@pytest.mark.parametrize("batch", [[bytes(1000)] * 1000, [bytes(n) for n in range(2000)], [[bytes(500), b""]] * 3000])
def test_chunks_are_few_and_bounded(batch) -> None:
    """About as large as those without a cipher."""
    chunks = make_pair()[0].encode_batch(batch)
    assert max(map(len, chunks)) <= 2 * MAX_CHUNK_SIZE
    assert len(chunks) <= sum(map(len, chunks)) // 4000


def test_large_body_gets_reads_of_its_own() -> None:
    """The next read is what is missing of it."""
    client, server = make_pair()
    decoder = make_decoder(server)
    data = b"".join(client.encode_batch([bytes(2 * LARGE_BODY_SIZE)]))
    assert [] == decoder.decode(data[:100], ALL)
    assert len(data) - 100 == decoder.read_size
    assert [bytes(2 * LARGE_BODY_SIZE)] == decoder.decode(data[100:], ALL)


@pytest.mark.parametrize("step", [None, 30_000])
def test_large_frame_is_read_whole_after_one_like_it(step) -> None:
    """Its header needs no read of its own, however the one before has come; without a cipher it has one."""
    client, server = make_pair()
    decoder = make_decoder(server)
    body = bytes(LARGE_BODY_SIZE)
    size = len(b"".join(client.encode_batch([body])))
    data = b"".join(client.encode_batch([body] * 3))
    assert [body] == decode_all(decoder, data[:size], step)
    assert size == decoder.read_size
    assert [body] == decoder.decode(data[size : 2 * size], ALL)
    assert size == decoder.read_size
    assert [body] == decode_all(decoder, data[2 * size :], step)


@pytest.mark.parametrize("max_size", [-1, LARGE_BODY_SIZE, LARGE_BODY_SIZE - 1])
@pytest.mark.parametrize(
    "second",
    [
        *(f"changed at {at}" for at in (0, 1, 8, 9, 16, 17, 24, 25, 40, 41, 42, -1)),
        "good",
        "again",
        "flags 1",
        "flags 2",
        "flags 4",
    ],
)
def test_frame_that_is_read_whole_has_no_other_outcome(second: str, max_size: int) -> None:
    """The short way for it takes what the long one takes, and leaves everything else to that one."""
    outcomes = []
    for step in (None, 30_000):
        client, server = make_pair()
        decoder = make_decoder(server, max_size)
        body = bytes(LARGE_BODY_SIZE)
        first = b"".join(client.encode_batch([body]))
        what, _, number = second.rpartition(" ")
        if second == "again":
            frame = bytearray(first)
        elif what == "flags":
            short = (client._sent + 1).to_bytes(8, "big")
            box = sodium.seal_box(bytes((int(number),)) + body, b"CurveZMQMESSAGEC" + short, KEY)
            frame = bytearray(framing.encode_frame(0, b"\x07MESSAGE" + short + box))
        else:
            frame = bytearray(b"".join(client.encode_batch([body])))
        if what == "changed at":
            frame[int(number)] ^= 1
        messages = decode_all(decoder, first)
        assert step is None or messages == outcomes[0][0][:1]
        messages += decode_all(decoder, bytes(frame), step)
        command, decoder.command = decoder.command, None
        messages += decode_all(decoder, b"".join(client.encode_batch([[b"the", b"last"]])))
        outcomes.append((messages, decoder.failure and decoder.failure.reason, command))
    assert outcomes[0] == outcomes[1]


def test_next_size_is_only_foretold_of_large_frames_that_end_with_the_read() -> None:
    """Small ones keep the reads that they have, larger ones than a read the header's; what is begun is completed."""
    client, server = make_pair()
    decoder = make_decoder(server)
    small, large, huge = (b"".join(client.encode_batch([bytes(n)])) for n in (100, LARGE_BODY_SIZE, 1 << 20))
    decoder.decode(small, ALL)
    assert READ_SIZE == decoder.read_size
    decoder.decode(large + huge[:1000], ALL)
    assert MAX_BODY_READ_SIZE == decoder.read_size
    decoder.decode(huge[1000:], ALL)
    assert 9 == decoder.read_size


def test_arenas_are_given_back() -> None:
    """After any number of batches there are as many as were in use at once, also when a batch was bad."""
    client, server = make_pair()
    counts = []
    for _ in range(5):
        frames = [client.encode_frame(0, bytes(9))[1] for _ in range(40)]
        server.open_batch(frames)
        server.open_batch(frames)
        client.encode_batch([bytes(9)] * 40)
        counts.append(len(curve_cipher._arenas))
    assert {counts[0]} == set(counts)


def test_more_outside_of_the_seal_is_refused_before_the_message_is_complete() -> None:
    """Nothing is collected for a message that can't be one."""
    client, server = make_pair()
    decoder = make_decoder(server)
    frames = [client.encode_frame(0, b"x")[1] for _ in range(3)]
    data = framing.encode_frame(0, frames[0]) + framing.encode_frame(MORE, frames[1])
    assert [b"x"] == decoder.decode(data, ALL)
    assert decoder.failure is not None
    assert [] == decoder.decode(framing.encode_frame(0, frames[2]), ALL)


RUNS = {
    "same size": [bytes((i % 256,)) * 40 for i in range(3000)],
    "same size, long": [bytes((i % 256,)) * 1000 for i in range(700)],
    "commands among them": [bytes((i % 256,)) * 40 for i in range(900)],
    "two sizes in turn": [bytes(40 if i % 300 < 150 else 41) for i in range(1500)],
    "large": [bytes((i % 256,)) * 10_000 for i in range(60)],
    "large, of every size": [bytes((i % 256,)) * (8000 + 23 * i) for i in range(40)],
    "larger than an arena": [bytes((i % 256,)) * 140_000 for i in range(5)],
    "large and small": [bytes(9000 if i % 40 < 2 else 100) for i in range(400)],
}


@pytest.mark.parametrize("limit", [17, 1000, ALL])
@pytest.mark.parametrize("name", RUNS)
def test_reads_of_every_size_give_the_same(name, limit) -> None:
    """What the socket gives is cut anywhere, the sizes of reads are the decoder's wish, and both decoders agree."""
    for wanted in (5_000, 65_536, 100_003, 300_000):
        client, server = make_pair(sent=200)
        data = b""
        for at in range(0, len(RUNS[name]), 100):
            data += b"".join(client.encode_batch(RUNS[name][at : at + 100]))
            if name == "commands among them":
                data += framing.encode_frame(*client.encode_frame(COMMAND, b"\x04PONG%d" % at))
        twin = CurveCipher(KEY, as_server=True, sent=1, received=server._received)
        results = []
        for decoder in (make_decoder(server), framing.FrameDecoder(-1, twin)):
            messages, commands = [], []
            for at in range(0, len(data), wanted):
                messages += decoder.decode(data[at : at + wanted], limit)
                while decoder.has_buffered or decoder.command is not None:
                    if decoder.command is not None:
                        commands.append((len(messages), decoder.command))
                        decoder.command = None
                    messages += decoder.decode(b"", limit)
            assert decoder.failure is None
            results.append((messages, commands))
        assert results[0] == results[1]
        assert RUNS[name] == results[0][0]


@pytest.mark.parametrize("spoiled", [0, 1, 4, 9])
@pytest.mark.parametrize("at", [0, 5, 12, 24, 30, 9_000])
def test_spoiled_large_frame_ends_it_there(spoiled, at) -> None:
    """As in a run of small ones: header, name, nonce or box."""
    client, server = make_pair()
    data = bytearray(b"".join(client.encode_batch([bytes((number,)) * 9_000 for number in range(10)])))
    data[spoiled * (len(data) // 10) + at] ^= 0x80
    decoder = make_decoder(server)
    assert [bytes((number,)) * 9_000 for number in range(spoiled)] == decoder.decode(bytes(data), ALL)
    assert decoder.failure is not None or at == 5  # a larger size: more bytes are awaited


@pytest.mark.parametrize("again", [0, 3, 9])
def test_large_frame_that_comes_again_is_refused(again) -> None:
    """A replay is noticed where large frames are opened in a row, and behind them."""
    client, server = make_pair()
    data = b"".join(client.encode_batch([bytes(9_000)] * 10))
    stride = len(data) // 10
    decoder = make_decoder(server)
    replayed = data[: again * stride + stride] + data[again * stride :]
    assert [bytes(9_000)] * (again + 1) == decoder.decode(replayed, ALL)
    assert "replay" in decoder.failure.text


@pytest.mark.parametrize("flag", [4, 7, 255])
def test_reserved_flags_of_a_large_frame_are_refused(flag, monkeypatch) -> None:
    """What was opened before is delivered."""
    client, server = make_pair()
    data = b"".join(client.encode_batch([bytes(9_000)] * 3))
    monkeypatch.setitem(curve_cipher._FLAGS_TO_WIRE, 0, bytes((flag,)))
    data += framing.encode_frame(*client.encode_frame(0, bytes(9_000))) + data
    decoder = make_decoder(server)
    assert [bytes(9_000)] * 3 == decoder.decode(data, ALL)
    assert f"0x{flag:02x}" in decoder.failure.text


def test_header_cut_by_a_read_behind_a_run_is_completed() -> None:
    """Wherever the last frame is cut: in its header, behind it, or in its body."""
    for cut in range(1, 60):
        client, server = make_pair()
        data = b"".join(client.encode_batch([bytes(300)] * 40))
        decoder = make_decoder(server)
        stop = len(data) - len(data) // 40 + cut
        assert [bytes(300)] * 39 == decoder.decode(data[:stop], ALL)
        assert not decoder.has_buffered
        assert [bytes(300)] == decoder.decode(data[stop:], ALL)


def test_read_size_grows_while_reads_come_back_full() -> None:
    """As without a cipher, also where runs are decoded where they are."""
    client, server = make_pair()
    decoder, plain_decoder = make_decoder(server), FastFrameDecoder()
    data = b"".join(client.encode_batch([bytes(100)] * 8000))
    sizes: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        sizes.append((decoder.read_size, plain_decoder.read_size))
        piece = data[at : at + decoder.read_size]
        decoder.decode(piece, ALL)
        plain_decoder.decode(piece, ALL)
        at += len(piece)
    assert [] == [pair for pair in sizes if pair[0] != pair[1]]
    assert sizes[-1][0] > sizes[0][0]


@pytest.mark.parametrize("spoiled", [0, 1, 100, 255, 256, 599])
@pytest.mark.parametrize("at", [0, 1, 5, 17, 30])
def test_spoiled_frame_in_a_run_ends_it_there(spoiled, at) -> None:
    """Header, name, nonce or box: everything before it is delivered, nothing from it on."""
    client, server = make_pair()
    data = bytearray(b"".join(client.encode_batch([b"%05d" % number for number in range(600)])))
    data[spoiled * (len(data) // 600) + at] ^= 0x80
    decoder = make_decoder(server)
    messages = decoder.decode(bytes(data), ALL)
    assert [b"%05d" % number for number in range(spoiled)] == messages
    assert decoder.failure is not None or at == 1  # a larger size: more bytes are awaited
