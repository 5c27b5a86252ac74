from __future__ import annotations

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import EHOSTUNREACH, STREAM
from purezmq.error import ZMQError


def test_stream_tells_of_connections_and_chunks() -> None:
    """Connect, data, disconnect, each with the id."""
    stream = make_pattern(STREAM)
    peer = ScriptedPeer(stream)
    routing_id = peer.pipe.routing_id
    peer.bring(b"data")
    peer.leave()
    assert (5, 0) == (len(routing_id), routing_id[0])
    assert [[routing_id, b""], [routing_id, b"data"], [routing_id, b""]] == texts(stream)


def test_stream_without_notify_gives_data_only() -> None:
    """STREAM_NOTIFY 0."""
    stream = make_pattern(STREAM, stream_notify=0)
    peer = ScriptedPeer(stream)
    peer.bring(b"data")
    peer.leave()
    assert [[peer.pipe.routing_id, b"data"]] == texts(stream)


def test_stream_sends_chunks_to_addressed_connection() -> None:
    """Without the id."""
    stream = make_pattern(STREAM)
    a, b = ScriptedPeer(stream), ScriptedPeer(stream)
    assert stream.try_send([b.pipe.routing_id, b"x"])
    assert stream.try_send([b.pipe.routing_id, b"y", b"z"])
    assert ([], [b"x", b"y", b"z"]) == (a.sent(), b.sent())


def test_stream_closes_connection_by_empty_chunk() -> None:
    """What was sent before leaves; nothing more can be sent; the closing isn't told to its author."""
    stream = make_pattern(STREAM)
    peer = ScriptedPeer(stream)
    texts(stream)
    routing_id = peer.pipe.routing_id
    stream.try_send([routing_id, b"bye"])
    stream.try_send([routing_id, b""])
    assert peer.is_refused
    assert [b"bye"] == peer.sent()
    assert [] == texts(stream)
    with pytest.raises(ZMQError):
        stream.try_send([routing_id, b"x"])


def test_stream_unknown_id_gives_ehostunreach() -> None:
    """Always, without any option."""
    with pytest.raises(ZMQError) as caught:
        make_pattern(STREAM).try_send([b"nobody", b"x"])
    assert EHOSTUNREACH == caught.value.errno


def test_stream_full_connection_would_block() -> None:
    """EAGAIN rather than a loss; POLLOUT stays set as in libzmq."""
    stream = make_pattern(STREAM)
    peer = ScriptedPeer(stream, hwm=1)
    assert stream.try_send([peer.pipe.routing_id, b"x"])
    assert not stream.try_send([peer.pipe.routing_id, b"y"])
    assert stream.can_send()
    assert "full" in stream.why_blocked()


def test_stream_single_frame_is_dropped_and_counted() -> None:
    """An id without data."""
    stream = make_pattern(STREAM)
    assert stream.try_send(b"id")
    assert 1 == stream.dropped


def test_stream_connect_routing_id_names_connection() -> None:
    """It survives reconnects, and a second one of the same name is refused."""
    stream = make_pattern(STREAM)
    peer = ScriptedPeer(stream, connects=True, connect_routing_id=b"C")
    other = ScriptedPeer(stream, connects=True, connect_routing_id=b"C")
    assert (False, True) == (peer.is_refused, other.is_refused)
    peer.connected()
    stream.hiccup(peer.pipe)
    peer.connected()
    assert [[b"C", b""]] * 3 == texts(stream)


def test_stream_keeps_generated_id_of_connecting_pipe() -> None:
    """The handshake tells no identity."""
    stream = make_pattern(STREAM)
    stream.seed_ids(7)
    peer = ScriptedPeer(stream, connects=True)
    peer.connected()
    assert [[b"\0\0\0\0\7", b""]] == texts(stream)
