"""Confirmations of subscriptions: the count, and the order of a publisher's PONG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, purezmq_only, zmq
from tests.support.raw_peer import COMMAND, RawPeer

from purezmq.engine.confirmation import Confirmation

pytestmark = purezmq_only("libzmq has no such thing")


def test_context_covers_what_was_told() -> None:
    """One PING per state is enough, and its echo confirms that state."""
    confirmation = Confirmation()
    confirmation.note_told()
    first = confirmation.next_context()
    assert first is not None
    assert 16 >= len(first)
    assert confirmation.next_context() is None
    confirmation.note_told()
    second = confirmation.next_context()
    assert second not in {None, first}
    assert -1 == confirmation.confirmed
    confirmation.handle_echo(first)
    assert 1 == confirmation.confirmed
    confirmation.handle_echo(second or b"")
    confirmation.handle_echo(first)
    assert 2 == confirmation.confirmed


def test_confirmation_of_nothing_is_an_answer_too() -> None:
    """A subscriber without subscriptions waits for the connection only."""
    confirmation = Confirmation()
    confirmation.handle_echo(confirmation.next_context() or b"")
    assert 0 == confirmation.told == confirmation.confirmed


@pytest.mark.parametrize("kind", ["PUB", "XPUB"])
def test_publication_after_pong_reaches_subscriber(make_socket: Callable[..., Any], kind: str) -> None:
    """When the PONG is on the wire, the subscription before its PING counts."""
    publisher = make_socket(getattr(zmq, kind))
    endpoint = bind(publisher, "tcp")
    with RawPeer.connect(endpoint) as everything, RawPeer.connect(endpoint) as peer:
        everything.shake_hands("SUB")
        everything.send_frame(b"\x09SUBSCRIBE", COMMAND)  # opens the publisher's lock-free path
        everything.send_frame(b"\x04PING\0\0all", COMMAND)
        assert (COMMAND, b"\x04PONGall") == everything.receive_frame()
        peer.shake_hands("SUB")
        for number in range(200):
            topic = b"%d" % number
            peer.send_frame(b"\x09SUBSCRIBE" + topic, COMMAND)
            peer.send_frame(b"\x04PING\0\0" + topic, COMMAND)
            assert (COMMAND, b"\x04PONG" + topic) == peer.receive_frame()
            publisher.send(topic)
            assert (0, topic) == peer.receive_frame()
