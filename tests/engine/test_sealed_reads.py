"""Large messages under CURVE are read several in a row, as far as the high-water mark allows."""

from __future__ import annotations

import socket as socket_module
from time import monotonic
from typing import Any

import pytest
from tests.support import purezmq_only, zmq

from purezmq.engine.inbox import READS_PER_TURN

SIZE = 100_000


class WholeReads:
    """A stream whose reads wait until they come back full."""

    def __init__(self, stream: Any) -> None:
        self._sock = stream.sock
        self._sock.setblocking(True)

    def try_read(self, size: int) -> bytes:
        """Read exactly so much."""
        data: bytes = self._sock.recv(size, socket_module.MSG_WAITALL)
        return data


@purezmq_only("the test looks at purezmq's queue after each turn of reading")
@pytest.mark.parametrize(("mark", "turns"), [(1000, [READS_PER_TURN] * 2), (3, [3, 0]), (1, [1, 0])])
def test_a_turn_reads_several_large_sealed_messages_up_to_the_mark(mark: int, turns: list[int]) -> None:
    """So many of them where there is room, never more than the mark, and none is lost."""
    messages = [bytes((number,)) * SIZE for number in range(2 * READS_PER_TURN + 1)]
    public, secret = zmq.curve_keypair()
    # A context, and so an I/O thread, for each: the one of the receiver has to wait here.
    with zmq.Context() as context, zmq.Context() as other, context.socket(zmq.PULL) as pull:
        pull.rcvhwm = mark
        pull.curve_server, pull.curve_secretkey = True, secret
        port = pull.bind_to_random_port("tcp://127.0.0.1")
        with other.socket(zmq.PUSH) as push:
            push.curve_serverkey = public
            push.curve_publickey, push.curve_secretkey = zmq.curve_keypair()
            push.connect(f"tcp://127.0.0.1:{port}")
            push.send(messages[0])
            assert messages[0] == pull.recv()
            (session,) = pull._engine.sessions.values()
            with pull._engine.lease:
                for message in messages[1:]:
                    push.send(message)
                stream = session.stream
                session.stream = WholeReads(stream)
                counts = []
                for _ in turns:
                    before = len(session.pipe.inbound)
                    session._read(monotonic())
                    counts.append(len(session.pipe.inbound) - before)
                stream.sock.setblocking(False)
                session.stream = stream
            assert turns == counts
            assert messages[1:] == [pull.recv() for _ in messages[1:]]
