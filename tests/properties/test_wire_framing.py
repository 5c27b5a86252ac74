"""Framing under any input: both twins do the same, and nothing is lost however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purezmq.wire import encoding_fast, framing, framing_fast

ALL = 1 << 30

bodies = st.binary(max_size=300)
single_runs = st.builds(
    lambda size, count, fill: [bytes((fill,)) * size] * count,
    st.integers(0, 300),
    st.integers(1, 40),
    st.integers(0, 2),
)
part_lists = st.lists(bodies, min_size=2, max_size=6)
multi_runs = st.builds(lambda parts, count: [list(parts) for _ in range(count)], part_lists, st.integers(1, 40))
batches = st.lists(st.one_of(single_runs, multi_runs, bodies.map(lambda body: [body])), max_size=6).map(
    lambda runs: [message for run in runs for message in run]
)
steps = st.lists(st.integers(1, 700), min_size=1, max_size=20)
limits = st.one_of(st.just(ALL), st.integers(1, 30))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut ``data`` into pieces of ``sizes``, again and again."""
    pieces, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


def run(decoder, pieces: list[bytes], limit: int) -> tuple[list[object], object]:
    """Decode ``pieces``; return messages and commands in order, and the reason of a failure."""
    seen: list[object] = []
    for piece in pieces:
        data = piece
        while True:
            messages = decoder.decode(data, limit)
            assert len(messages) <= limit
            seen += messages
            if decoder.command is not None:
                seen.append(("command", decoder.command))
                decoder.command = None
            elif not decoder.has_buffered:
                break
            data = b""
    return seen, None if decoder.failure is None else decoder.failure.reason


@given(batches)
def test_encode_both_twins_give_the_same_bytes(batch) -> None:
    """The fast encoder's bytes are the plain one's."""
    assert b"".join(framing.encode_batch(batch)) == b"".join(encoding_fast.encode_batch(batch))


@pytest.mark.parametrize("decoder", [framing.FrameDecoder, framing_fast.FastFrameDecoder])
@given(batch=batches, sizes=steps, limit=limits)
def test_decode_any_chunking_gives_the_messages(decoder, batch, sizes, limit) -> None:
    """However the bytes are cut and whatever the limit, what was encoded comes out."""
    data = b"".join(encoding_fast.encode_batch(batch))
    assert (batch, None) == run(decoder(), cut(data, sizes), limit)


@given(batch=batches, sizes=steps, limit=limits)
def test_decode_v1_any_chunking_gives_the_messages(batch, sizes, limit) -> None:
    """The same for ZMTP 1.0."""
    data = b"".join(framing.encode_batch_v1(batch))
    assert (batch, None) == run(framing.FrameDecoderV1(), cut(data, sizes), limit)


frames = st.builds(
    framing.encode_frame,
    st.sampled_from([0, 0, 0, 1, 1, 4, 5, 8]),
    st.binary(max_size=300),
)
streams = st.one_of(
    st.binary(max_size=200),
    st.lists(frames, max_size=30).map(b"".join),
    st.builds(lambda good, bad: good + bad, st.lists(frames, max_size=30).map(b"".join), st.binary(max_size=20)),
)


@given(data=streams, sizes=steps, other_sizes=steps, limit=limits, max_size=st.sampled_from([-1, 0, 5, 254, 255, 256]))
def test_decode_any_bytes_both_twins_do_the_same(data, sizes, other_sizes, limit, max_size) -> None:
    """Whatever comes, in whatever pieces: the same messages, the same commands, the same failure."""
    plain = run(framing.FrameDecoder(max_size), cut(data, sizes), ALL)
    fast = run(framing_fast.FastFrameDecoder(max_size), cut(data, other_sizes), limit)
    assert plain == fast
