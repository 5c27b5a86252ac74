"""What the fast twin promises beyond the plain one: copies, chunks and reads."""

from __future__ import annotations

import sys

import pytest

from purezmq.wire import framing, framing_fast
from purezmq.wire.encoding_fast import encode_batch
from purezmq.wire.framing_fast import FastFrameDecoder
from purezmq.wire.limits import (
    COALESCE_PIECES,
    LARGE_BODY_SIZE,
    MAX_BODY_READ_SIZE,
    MAX_CHUNK_SIZE,
    MAX_READ_SIZE,
    PASS_THROUGH_SIZE,
    READ_SIZE,
)

ALL = 1 << 30


@pytest.mark.parametrize("body", [bytes(PASS_THROUGH_SIZE), bytearray(PASS_THROUGH_SIZE)])
def test_encode_batch_large_body_is_passed_through(body) -> None:
    """A large body is a chunk of its own: the very object, not a copy; small ones are joined around it."""
    chunks = encode_batch([b"a", b"b", body, b"c", b"d"])
    assert [True] == [chunk is body for chunk in chunks if len(chunk) == PASS_THROUGH_SIZE]
    assert 3 == len(chunks)


@pytest.mark.parametrize("batch", [[bytes(1000)] * 1000, [bytes(n) for n in range(2000)], [[bytes(500), b""]] * 3000])
def test_encode_batch_chunks_are_few_and_bounded(batch) -> None:
    """Small bodies are joined into chunks near, and not far above, their bound."""
    chunks = encode_batch(batch)
    total = sum(map(len, chunks))
    assert max(map(len, chunks)) <= 2 * MAX_CHUNK_SIZE
    assert len(chunks) <= total // MAX_CHUNK_SIZE * 2 + 1


def test_decode_whole_body_in_one_read_is_not_copied() -> None:
    """A read that is exactly the body becomes the message itself."""
    body = bytes(LARGE_BODY_SIZE)
    decoder = FastFrameDecoder()
    assert [] == decoder.decode(b"\x02" + len(body).to_bytes(8, "big"), ALL)
    assert len(body) == decoder.read_size
    (message,) = decoder.decode(body, ALL)
    assert message is body


def test_read_size_follows_large_bodies() -> None:
    """Inside a large body it's what is missing, after its end a header, then the default again."""
    size = MAX_BODY_READ_SIZE + 100_000
    decoder = FastFrameDecoder()
    assert READ_SIZE == decoder.read_size
    decoder.decode(b"\x02" + size.to_bytes(8, "big") + bytes(10), ALL)
    assert MAX_BODY_READ_SIZE == decoder.read_size
    decoder.decode(bytes(size - 1010), ALL)
    assert 1000 == decoder.read_size
    assert [bytes(size)] == decoder.decode(bytes(1000), ALL)
    assert 9 == decoder.read_size
    assert [b"a"] == decoder.decode(b"\x00\x01a", ALL)
    assert READ_SIZE == decoder.read_size


@pytest.mark.parametrize("following", [b"\x00\x01a", b"\x01\x01a\x00\x01b", b"\x00\x01a" * 200, b"\x00"])
def test_read_size_after_large_body_returns_to_default(following) -> None:
    """Whatever follows a large body, reads of nine bytes don't stay."""
    decoder = FastFrameDecoder()
    decoder.decode(b"\x02" + LARGE_BODY_SIZE.to_bytes(8, "big"), ALL)
    decoder.decode(bytes(LARGE_BODY_SIZE), ALL)
    assert 9 == decoder.read_size
    decoder.decode(following, ALL)
    assert READ_SIZE == decoder.read_size


def test_read_size_grows_with_full_reads_and_shrinks_with_small_ones() -> None:
    """Full reads double it up to the ceiling, a small one resets it."""
    decoder = FastFrameDecoder()
    sizes = []
    for _ in range(4):
        decoder.decode(b"\x00\x02ab" * (decoder.read_size // 4), ALL)
        sizes.append(decoder.read_size)
    assert [2 * READ_SIZE, MAX_READ_SIZE, MAX_READ_SIZE, MAX_READ_SIZE] == sizes
    decoder.decode(b"\x00\x01a" * 200, ALL)
    assert READ_SIZE == decoder.read_size


def test_decode_declared_size_allocates_nothing() -> None:
    """A header that promises an exabyte costs nothing."""
    decoder = FastFrameDecoder()
    decoder.decode(b"\x02\x10" + bytes(7) + b"x", ALL)
    assert MAX_BODY_READ_SIZE == decoder.read_size
    assert decoder.failure is None


def test_decode_tiny_pieces_of_a_body_are_coalesced() -> None:
    """A peer that sends a large body byte by byte can't make us keep an object per byte."""
    decoder = FastFrameDecoder()
    size = 5 * COALESCE_PIECES
    decoder.decode(b"\x02" + size.to_bytes(8, "big"), ALL)
    for _ in range(size - 1):
        decoder.decode(b"ab"[:1], ALL)
    assert decoder._pieces is not None
    assert len(decoder._pieces) <= COALESCE_PIECES + 1
    assert [b"a" * size] == decoder.decode(b"a", ALL)


def test_shapes_are_bounded() -> None:
    """The table of compiled shapes doesn't grow with the shapes that peers send."""
    decoder = FastFrameDecoder()
    for size in range(1, 300):
        batch = [bytes(size)] * 300
        assert batch == decoder.decode(b"".join(encode_batch(batch)), ALL)
    assert len(framing_fast._SHAPES) <= framing_fast._MAX_SHAPES


def test_idle_decoder_is_small() -> None:
    """An idle decoder costs one small object."""
    decoder = FastFrameDecoder()
    decoder.decode(b"\x00\x01a" * 1000, ALL)
    owned = [getattr(decoder, name) for name in ("_parts", "_pieces")]
    assert [None, None] == owned
    assert b"" == decoder._rest
    assert sys.getsizeof(decoder) <= 200


@pytest.mark.parametrize("count", [1, 2, 31, 32])
@pytest.mark.parametrize(
    "message",
    [[b"only"], [b"", b"x"], [b"id", b"", bytes(300)], [b"a", memoryview(b"b"), bytearray(b"c")], [b"x"] * 5,
     [bytes(PASS_THROUGH_SIZE), b"", b"x"], [b"", bytes(PASS_THROUGH_SIZE - 1), b"x"]],
)  # fmt: skip
def test_encode_batch_of_parts_gives_the_bytes_of_the_plain_twin(message, count) -> None:
    """However many parts, and however few messages: each number has a way of its own."""
    batch = [message] * count
    assert b"".join(framing.encode_batch(batch)) == b"".join(encode_batch(batch))
    mixed = [*batch, b"single"]
    assert b"".join(framing.encode_batch(mixed)) == b"".join(encode_batch(mixed))
