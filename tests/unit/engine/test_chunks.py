from __future__ import annotations

import pytest

from purezmq.engine.chunks import cut, skip

CHUNKS = [b"ab", b"", b"cde", memoryview(b"f")]


@pytest.mark.parametrize("size", range(7))
def test_what_is_cut_off_and_what_is_skipped_are_the_whole(size: int) -> None:
    """At every place: within a chunk, between two, at either end."""
    assert b"abcdef"[:size] == b"".join(cut(CHUNKS, size))
    assert b"abcdef"[size:] == b"".join(skip(CHUNKS, size))


def test_nothing_is_copied() -> None:
    """A part of a chunk is a view of it; the chunks given stay as they are."""
    body = bytes(100)
    for (part,) in (cut([body], 40), skip([body], 60)):
        assert isinstance(part, memoryview)
        assert part.obj is body
        assert 40 == len(part)
