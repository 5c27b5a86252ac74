from __future__ import annotations

from tests.unit.patterns.carrier import ScriptedPeer, make_pattern, texts

from purezmq.constants import CHANNEL


def test_channel_serves_one_peer_at_a_time() -> None:
    """As PAIR: the second is refused, the next one after the first is welcome."""
    channel = make_pattern(CHANNEL)
    first, second = ScriptedPeer(channel), ScriptedPeer(channel)
    assert (False, True) == (first.is_refused, second.is_refused)
    first.bring(b"in")
    assert channel.fast_target() is first.pipe
    assert channel.try_send(b"out")
    assert ([b"out"], [b"in"]) == (first.sent(), texts(channel))
    first.leave()
    assert not ScriptedPeer(channel).is_refused
