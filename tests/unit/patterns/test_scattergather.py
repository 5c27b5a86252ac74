from __future__ import annotations

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import CLIENT, DEALER, GATHER, PUSH, SCATTER


@pytest.mark.parametrize("kind", [SCATTER, PUSH])
def test_scatter_never_receives(kind: int) -> None:
    """Nothing that a peer sends upstream is ever read."""
    pattern = make_pattern(kind)
    ScriptedPeer(pattern).bring(b"x")
    assert (None, False) == (pattern.try_recv(), pattern.can_recv())


def test_gather_reads_its_only_peer_without_detour() -> None:
    """The queue of the peer is what the lock-free path pops from."""
    gather = make_pattern(GATHER)
    peer = ScriptedPeer(gather)
    peer.bring(b"1", b"2")
    assert peer.pipe.inbound is gather.inbox.ready
    assert [b"1", b"2"] == texts(gather)


@pytest.mark.parametrize("kind", [SCATTER, PUSH, CLIENT, DEALER])
def test_balanced_type_sends_batches_in_turn(kind: int) -> None:
    """Each to the next peer with room, and as many as fit."""
    pattern = make_pattern(kind)
    a, b = ScriptedPeer(pattern, hwm=1), ScriptedPeer(pattern, hwm=2)
    assert 3 == pattern.try_send_many([b"0", b"1", b"2", b"3"])
    assert ([b"0"], [b"1", b"2"]) == (a.sent(), b.sent())
    assert pattern.can_send()
    a.leave()
    b.leave()
    assert (False, "no peer is connected") == (pattern.can_send(), pattern.why_blocked())
