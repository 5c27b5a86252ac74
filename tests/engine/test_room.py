"""A sender that waits for room is woken however the room came about."""

from __future__ import annotations

import socket as socket_module
from collections.abc import Callable
from typing import Any

from tests.support import TIMEOUT_S, eventually, purezmq_only, run_in_thread, zmq
from tests.support.raw_peer import RawPeer


@purezmq_only("the test replaces a method of purezmq's socket")
def test_room_made_by_the_end_of_the_handshake_is_seen_by_a_sender_about_to_sleep(context: Any) -> None:
    """The queue is full before the handshake; its end empties the queue just before the sender goes to sleep."""
    listener = socket_module.create_server(("127.0.0.1", 0))
    listener.settimeout(TIMEOUT_S)
    peers: list[RawPeer] = []

    class LateSleeper(zmq.Socket):  # type: ignore[misc]  # the library under test is chosen at run time
        def _wait(self, timeout: float | None, hint: Callable[[], object]) -> None:
            if not peers:
                peers.append(RawPeer(listener.accept()[0]))
                peers[0].shake_hands("PULL")
                assert (0, b"first") == peers[0].receive_frame()
                # The I/O thread is done with it, wake-ups and all.
                with self._engine.lease:
                    pass
                eventually(lambda: not self._engine.leadership.leads)
            super()._wait(timeout, hint)

    with listener, LateSleeper(context, zmq.PUSH) as push:
        push.linger = 0
        push.sndhwm = 1
        push.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        push.send(b"first")
        run_in_thread(push.send, b"second").result()
        assert (0, b"second") == peers[0].receive_frame()
        peers[0].socket.close()
