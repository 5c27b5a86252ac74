"""Whatever a ZAP handler replies: a verdict, or the one error."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from purezmq.engine.zap import parse_reply
from purezmq.wire.commands import encode_properties
from purezmq.wire.error import RemoteProtocolError

NAMES = st.text("abcXYZ-0123456789", min_size=1, max_size=20)
METADATA = st.dictionaries(NAMES, st.binary(max_size=20), max_size=4).map(
    lambda found: encode_properties(found.items())
)
GOOD = [b"", b"1.0", b"1", b"200", b"OK", b"joe", b""]


@given(st.one_of(st.binary(), st.lists(st.binary(max_size=40), max_size=12)))
@example(b"")
@example([])
@example(GOOD)
def test_anything_is_a_verdict_or_the_one_error(reply: Any) -> None:
    """What is let in has the one form that RFC 27 gives."""
    try:
        verdict = parse_reply(reply)
    except RemoteProtocolError:
        return
    assert reply[:3] == GOOD[:3]
    assert len(reply) == len(GOOD)
    assert str(verdict.status).encode() == reply[3]
    assert verdict.user_id.encode() == reply[5]


@given(st.integers(0, 6), st.binary(max_size=20))
def test_one_part_changed_is_let_in_only_where_it_may_differ(index: int, part: bytes) -> None:
    """Delimiter, version, request id and status are what they are; text and user id are the handler's."""
    reply = [*GOOD]
    reply[index] = part
    try:
        is_in = parse_reply(reply).status == 200
    except RemoteProtocolError:
        is_in = False
    assert not is_in or index in {4, 5, 6} or part == GOOD[index]


@given(st.text(max_size=20), st.text(max_size=20), METADATA)
def test_good_reply_is_read_whole(text: str, user_id: str, metadata: bytes) -> None:
    """Text, user id and properties come out as they were put in."""
    reply = [*GOOD[:4], text.encode("utf-8", "replace"), user_id.encode("utf-8", "replace"), metadata]
    verdict = parse_reply(reply)
    assert (200, reply[5]) == (verdict.status, verdict.user_id.encode())
    assert metadata == encode_properties(verdict.properties.items())
