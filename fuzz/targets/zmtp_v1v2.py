"""The decoders alone: ZMTP 1.0, and both twins of the framing of 2.0 and later, against the model.

An input is four bytes, which choose, and the stream::

    0  even: 2.0 and later, odd: 1.0   2  how the stream is cut
    1  largest frame                   3  most messages to take at once, 0 for all
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import ALL, Checks
from fuzz.driving import COMMAND, MAX_STREAM, choose_limit, cut, held_bytes
from fuzz.model import Command, Reading, read_v1, read_v2
from purezmq.wire import framing
from purezmq.wire.encoding_fast import encode_batch as encode_batch_fast
from purezmq.wire.framing import FrameDecoder, FrameDecoderV1, encode_batch, encode_batch_v1, encode_frame
from purezmq.wire.framing_fast import FastFrameDecoder
from purezmq.wire.limits import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterable

    Decoder = FrameDecoder | FastFrameDecoder

__all__ = ["MAX_SIZE", "TOKENS", "run", "seeds"]

MAX_SIZE = 300

_HEADER_SIZE = 4
_MAX_SIZES = (-1, 0, 1, 5, 254, 255, 256, 600, 8192)
_ROOM = 4096
_AMPLIFICATION = 24

TOKENS = (
    *(b"\x02\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x02\x80\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\1\0", b"\x01\x01a"),
    *(b"\xff\0\0\0\0\0\0\0\0", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\xff\x80\0\0\0\0\0\0\1", b"\x00\x00"),
    *(b"\x04\x05\x04PING", b"\x05\x00", b"\x00\x01a" * 9, b"\x01\x00\x00\x01b" * 9, b"\x01\x00" * 30),
)


def run(data: bytes, checks: Checks = ALL) -> None:
    """Run one input."""
    if len(data) < _HEADER_SIZE:
        return
    max_size = _MAX_SIZES[data[1] % len(_MAX_SIZES)]
    step, stream = data[2], data[_HEADER_SIZE : _HEADER_SIZE + MAX_STREAM]
    limit = choose_limit(data[3], stream)
    if data[0] & 1:
        expected = read_v1(stream, max_size)
        kinds: tuple[type[Decoder], ...] = (FrameDecoderV1,)
    else:
        expected = read_v2(stream, max_size)
        kinds = (FrameDecoder, FastFrameDecoder)
        if not checks.twins:
            kinds = (kinds[step >> 3 & 1],)
    for kind in kinds:
        if checks.whole:
            _check(kind(max_size), [stream], UNLIMITED, expected, weigh=checks.weigh)
        if checks.pieces:
            _check(kind(max_size), cut(stream, step, checks.most), limit, expected, weigh=checks.weigh)
    if checks.end:
        _check_encoders([item for item in expected.items if not isinstance(item, Command)], is_v1=bool(data[0] & 1))


def _check(decoder: Decoder, pieces: Iterable[bytes], limit: int, expected: Reading, *, weigh: bool) -> None:
    """Decode, compare with the model, and perhaps look at the memory, which takes as long as all the rest."""
    items: list[object] = []
    received = 0
    for piece in pieces:
        received += len(piece)
        data, turns = piece, received + 2
        while True:
            messages = decoder.decode(data, limit)
            assert len(messages) <= limit
            items += messages
            turns -= 1
            assert turns >= 0, "bytes are buffered for ever"
            data = b""
            if decoder.command is not None:
                items.append(Command(decoder.command))
                decoder.command = None
            elif not decoder.has_buffered:
                break
    if weigh:
        assert held_bytes(decoder) <= _ROOM + _AMPLIFICATION * received, "memory beyond what came"
    assert decoder.read_size > 0
    assert items == expected.items, f"{type(decoder).__name__}: other messages than the model's"
    failure = "" if decoder.failure is None else decoder.failure.reason.name
    assert failure == expected.failure, f"{type(decoder).__name__}: {failure!r}, the model {expected.failure!r}"


def _check_encoders(messages: list[bytes | list[bytes]], *, is_v1: bool) -> None:
    """What was decoded is encoded to something that decodes to the same."""
    if is_v1:
        assert read_v1(b"".join(map(bytes, encode_batch_v1(messages))), -1).items == messages
        return
    plain = b"".join(map(bytes, encode_batch(messages)))
    assert b"".join(map(bytes, encode_batch_fast(messages))) == plain
    assert read_v2(plain, -1).items == messages


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from."""
    batches: tuple[list[bytes | list[bytes]], ...] = (
        [b"", b"one", [b"two", b"parts"], b"x" * 255, b"y" * 256],
        [b"same"] * 60,
        [[b"", b"envelope"]] * 40,
        [[b"a", b"b", b"c", b"d", b"e"], b"z" * 700],
        [[b""] * 60, [b"p"] * 40],
    )
    for number, batch in enumerate(batches):
        command = encode_frame(COMMAND, b"\x04PING\x00\x00")
        yield bytes((0, number, 3 * number, number)) + b"".join(map(bytes, encode_batch(batch))) + command
        yield bytes((1, 8, 40 * number, number)) + b"".join(map(bytes, encode_batch_v1(batch)))
    yield b"\0\0\0\0" + framing.encode_frame(COMMAND, b"\x05READY") + encode_frame(framing.MORE, b"open")
