"""One suite for both twins of framing, and for ZMTP 1.0's."""

from __future__ import annotations

import pytest

from purezmq.wire import encoding_fast, framing, framing_fast
from purezmq.wire.events import FailureReason

ALL = 1 << 30
DECODERS = [framing.FrameDecoder, framing_fast.FastFrameDecoder]
ENCODERS = [framing.encode_batch, encoding_fast.encode_batch]

BATCHES = {
    "empty body": [b""],
    "one": [b"hello"],
    "same size": [bytes((i,)) * 10 for i in range(200)] * 3,
    "same size, long": [bytes((i,)) * 300 for i in range(100)],
    "bodies that look like headers": [b"\x00\x02", b"\x00\x02", b"\x01\x00"] * 100,
    "mixed sizes": [bytes(i % 270) for i in range(600)],
    "at the borders of short and long": [bytes(n) for n in (0, 1, 254, 255, 256, 257, 65535, 65536)],
    "multipart": [[b"a", b"b"], [b"", b"", b""]],
    "multipart of one shape": [[b"12345", b"", bytes((i,)) * 10] for i in range(200)],
    "multipart of many shapes": [[b"x" * (i % 7), bytes(i)] for i in range(300)],
    "many parts": [[b"p"] * 50] * 40,
    "same object twice": [[b"x", b"x"], b"x"],
    "parts and bodies": [b"single", [b"two", b"parts"], b"single"] * 20,
    "bodies then parts": [b"ab"] * 40 + [[b"a", b"b"]] * 40,
    "large": [bytes(100_000), b"small", [b"id", bytes(70_000)], bytes(8192)],
    "runs interrupted": ([b"x" * 10] * 30 + [b"y"] + [b"z" * 300] * 9 + [[b"e", b""]] * 20) * 5,
}


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


@pytest.mark.parametrize("encode", ENCODERS)
@pytest.mark.parametrize("name", BATCHES)
def test_encode_batch_every_batch_gives_frames_of_rfc(encode, name) -> None:
    """Whatever the batch, the bytes are those of one frame after the other."""
    expected = b""
    for message in BATCHES[name]:
        parts = message if isinstance(message, list) else [message]
        for index, part in enumerate(parts, 1):
            expected += framing.encode_frame(framing.MORE if index < len(parts) else 0, part)
    assert expected == b"".join(encode(BATCHES[name]))


@pytest.mark.parametrize("encode", ENCODERS)
def test_encode_batch_no_messages_gives_no_bytes(encode) -> None:
    """An empty batch is no bytes."""
    assert b"" == b"".join(encode([]))


@pytest.mark.parametrize("encode", ENCODERS)
@pytest.mark.parametrize("count", [1, 3, 50])
@pytest.mark.parametrize("convert", [bytearray, memoryview, lambda b: memoryview(b).cast("I")])
def test_encode_batch_other_buffers_give_their_bytes(encode, count, convert) -> None:
    """bytearray and memoryview are bodies like bytes, whatever their item size."""
    body = bytes(range(16))
    assert b"\x00\x10" + body == b"".join(encode([convert(body)] * count))[:18]
    assert (b"\x00\x10" + body) * (count + 1) == b"".join(encode([body, *[convert(body)] * count]))
    assert (b"\x01\x00\x00\x10" + body) * count == b"".join(encode([[b"", convert(body)]] * count))


def test_encode_frame_size_255_is_short_and_256_long() -> None:
    """LONG starts at 256 bytes."""
    assert b"\x00\xff" == framing.encode_frame(0, bytes(255))[:2]
    assert b"\x02\x00\x00\x00\x00\x00\x00\x01\x00" == framing.encode_frame(0, bytes(256))[:9]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("step", [None, 1, 2, 3, 7, 11, 100, 4096])
@pytest.mark.parametrize("name", BATCHES)
def test_decode_any_step_gives_the_messages(decoder, step, name) -> None:
    """However the bytes come, the messages are the same."""
    data = b"".join(framing.encode_batch(BATCHES[name]))
    expected = BATCHES[name]
    if step is not None and len(data) > 20_000 * step:
        step = len(data) // 20_000
    machine = decoder()
    assert expected == decode_all(machine, data, step)
    assert machine.failure is None


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("limit", [1, 5, 64])
def test_decode_limit_keeps_the_rest(decoder, name, limit) -> None:
    """A limit stops a call, and the next call goes on where it stopped."""
    data = b"".join(framing.encode_batch(BATCHES[name]))
    assert BATCHES[name] == decode_all(decoder(), data, 10_000, limit)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("padding", [0, 100])
def test_decode_limit_counts_messages_not_frames(decoder, padding) -> None:
    """A call returns as many messages as the limit allows and as are there."""
    message = [b"a", b"b" * padding, b"c"] * 5
    data = b"".join(framing.encode_batch([message] * 3))
    machine = decoder()
    assert [message] == machine.decode(data, 1)
    assert [message] * 2 == machine.decode(b"", 2)
    assert not machine.has_buffered


@pytest.mark.parametrize("decoder", DECODERS)
def test_decode_trailing_data_is_kept(decoder) -> None:
    """Bytes of the next frame wait for their rest."""
    machine = decoder()
    assert [b"ab"] == machine.decode(b"\x00\x02ab\x00", ALL)
    assert not machine.has_buffered
    assert [] == machine.decode(b"\x02", ALL)
    assert [] == machine.decode(b"c", ALL)
    assert [b"cd", b""] == machine.decode(b"d\x00\x00\x01", ALL)


@pytest.mark.parametrize("decoder", DECODERS)
def test_decode_data_while_buffered_goes_behind(decoder) -> None:
    """New bytes go behind those that a limit kept."""
    machine = decoder()
    assert [b"a"] == machine.decode(b"\x00\x01a\x00\x01b\x00", 1)
    assert machine.has_buffered
    assert [b"b", b"c"] == machine.decode(b"\x01c", ALL)
    assert not machine.has_buffered


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("step", [None, 1, 2])
def test_decode_command_stops(decoder, step) -> None:
    """A command ends the call, so that its owner sees it between the messages around it."""
    machine = decoder()
    data = b"\x00\x01a\x04\x05\x04PING\x00\x01b"
    if step is None:
        assert [b"a"] == machine.decode(data, ALL)
        assert machine.has_buffered
        assert b"\x04PING" == machine.command
        machine.command = None
        assert [b"b"] == machine.decode(b"", ALL)
    else:
        seen = []
        for at in range(0, len(data), step):
            seen += machine.decode(data[at : at + step], ALL)
            if machine.command is not None:
                seen.append(machine.command)
                machine.command = None
                seen += machine.decode(b"", ALL)
        assert [b"a", b"\x04PING", b"b"] == seen


@pytest.mark.parametrize("decoder", DECODERS)
def test_decode_data_while_command_waits_is_kept(decoder) -> None:
    """What comes before the command was taken isn't lost."""
    machine = decoder()
    machine.decode(b"\x04\x02\x01A\x00\x01", ALL)
    assert [] == machine.decode(b"a", ALL)
    machine.command = None
    assert [b"a"] == machine.decode(b"", ALL)


@pytest.mark.parametrize("decoder", DECODERS)
def test_decode_long_form_of_short_size_is_accepted(decoder) -> None:
    """LONG with a small size is legal (RFC 37 doesn't forbid it)."""
    assert [b"ab"] * 40 == decoder().decode(b"\x02\x00\x00\x00\x00\x00\x00\x00\x02ab" * 40, ALL)


VIOLATIONS = {
    "reserved flag": b"\x08\x00",
    "all flags": b"\xff\x00",
    "command with more": b"\x05\x02\x01A",
    "command inside a message": b"\x01\x01a\x04\x02\x01A",
    "size beyond 2^63-1": b"\x02\xff\xff\xff\xff\xff\xff\xff\xff",
}


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("step", [None, 1])
@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("name", VIOLATIONS)
def test_decode_violation_fails_after_the_messages_before_it(decoder, step, count, name) -> None:
    """A violation is a failure, and what came before it is still good."""
    machine = decoder()
    assert [b"ok"] * count == decode_all(machine, b"\x00\x02ok" * count + VIOLATIONS[name], step)
    assert machine.failure is not None
    assert FailureReason.PROTOCOL == machine.failure.reason
    assert [] == machine.decode(b"\x00\x02ok", ALL)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("size", [0, 10, 254, 255, 256, 1000])
@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("step", [None, 1])
def test_decode_max_size_is_exact(decoder, size, count, step) -> None:
    """MAXMSGSIZE lets its own size pass and refuses one byte more, alone or in a run, by its header alone."""
    machine = decoder(size)
    good = framing.encode_frame(0, bytes(size))
    assert [bytes(size)] * count == decode_all(machine, good * count, step)
    bad = framing.encode_frame(0, bytes(size + 1))
    header = bad[: len(bad) - size - 1]
    assert [] == decode_all(machine, header, step)
    assert machine.failure is not None
    assert FailureReason.TOO_BIG == machine.failure.reason


@pytest.mark.parametrize("decoder", DECODERS)
def test_decode_small_max_size_lets_commands_pass(decoder) -> None:
    """A PING is no message and MAXMSGSIZE isn't about it."""
    machine = decoder(1)
    assert [] == machine.decode(b"\x04\x07\x04PING\x00\x00", ALL)
    assert b"\x04PING\x00\x00" == machine.command


@pytest.mark.parametrize("step", [None, 1, 3])
@pytest.mark.parametrize("name", ["empty body", "multipart", "at the borders of short and long", "parts and bodies"])
def test_v1_encode_decode_identity(step, name) -> None:
    """ZMTP 1.0 frames carry the same messages."""
    data = b"".join(framing.encode_batch_v1(BATCHES[name]))
    assert BATCHES[name] == decode_all(framing.FrameDecoderV1(), data, step if len(data) < 20_000 else None)


def test_v1_encode_frame_borders() -> None:
    """A body of 253 bytes is the last of the short form, because the size counts the flags."""
    assert b"\xfe\x00" == framing.encode_frame_v1(0, bytes(253))[:2]
    assert b"\xff\x00\x00\x00\x00\x00\x00\x00\xff\x01" == framing.encode_frame_v1(1, bytes(254))[:10]


@pytest.mark.parametrize("data", [b"\x00", b"\xff" + bytes(9), b"\x00\x00"])
def test_v1_decode_size_zero_fails(data) -> None:
    """The size counts the flags, so it can't be 0."""
    machine = framing.FrameDecoderV1()
    machine.decode(data, ALL)
    assert machine.failure is not None


def test_v1_decode_max_size_fails() -> None:
    """MAXMSGSIZE holds for old peers, too."""
    machine = framing.FrameDecoderV1(3)
    assert [b"abc"] == machine.decode(b"\x04\x00abc\x05", ALL)
    machine.decode(b"\x00", ALL)
    assert machine.failure is not None
    assert FailureReason.TOO_BIG == machine.failure.reason
