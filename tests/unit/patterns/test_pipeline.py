from __future__ import annotations

import pytest
from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import DEALER, ENOTSUP, PULL, PUSH, SUB
from purezmq.error import ZMQError


@pytest.mark.parametrize("kind", [PUSH, DEALER])
def test_sender_balances_and_blocks_when_all_are_full(kind: int) -> None:
    """In turn, past full peers, and with a reason at the end."""
    pattern = make_pattern(kind)
    assert (False, "no peer is connected") == (pattern.can_send(), pattern.why_blocked())
    a, b = ScriptedPeer(pattern, hwm=1), ScriptedPeer(pattern, hwm=2)
    assert pattern.fast_target() is None
    assert [True, True, True, False] == [pattern.try_send(b"%d" % number) for number in range(4)]
    assert "full" in pattern.why_blocked()
    assert ([b"0"], [b"1", b"2"]) == (a.sent(), b.sent())
    a.leave()
    assert b.pipe is pattern.fast_target()
    b.leave()
    assert pattern.fast_target() is None


def test_push_never_receives() -> None:
    """ENOTSUP."""
    push = make_pattern(PUSH)
    assert not push.can_recv()
    with pytest.raises(ZMQError) as caught:
        push.check_recv()
    assert ENOTSUP == caught.value.errno


@pytest.mark.parametrize("kind", [PULL, SUB])
def test_receiver_never_sends(kind: int) -> None:
    """ENOTSUP, and no lock-free path."""
    pattern = make_pattern(kind)
    for call in (pattern.check_send, lambda: pattern.try_send(b"x")):
        with pytest.raises(ZMQError) as caught:
            call()
        assert ENOTSUP == caught.value.errno
    assert (False, None) == (pattern.can_send(), pattern.fast_target())
    pattern.check_recv()


def test_pull_tells_origin_when_asked() -> None:
    """The application reads metadata: each message is taken with its pipe."""
    pull = make_pattern(PULL)
    peers = [ScriptedPeer(pull) for _ in range(2)]
    pull.take_origin = True
    for peer in peers:
        peer.bring(b"x")
    origins = []
    while pull.try_recv() is not None:
        origins.append(pull.last_pipe)
    assert [peer.pipe for peer in peers] == origins


def test_dealer_receives_and_probes() -> None:
    """Fair queue; PROBE_ROUTER sends an empty message first."""
    dealer = make_pattern(DEALER, probe_router=1)
    peer = ScriptedPeer(dealer)
    peer.bring(b"x")
    assert dealer.can_recv()
    assert ([b""], [b"x"]) == (peer.sent(), texts(dealer))
