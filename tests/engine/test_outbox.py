"""What a lost connection gives back, and what it counts as lost."""

from __future__ import annotations

from typing import Any

import pytest

from purezmq.engine.outbox import Outbox
from purezmq.pipe import Pipe
from purezmq.wire.framing_fast import encode_batch

MESSAGES = [b"one", [b"two", b"parts"], b"x" * 300, b"last"]
SIZES = [5, 5 + 7, 9 + 300, 6]


class Stream:
    """Takes so many bytes and then no more."""

    def __init__(self, takes: int) -> None:
        self.takes = takes

    def try_write(self, chunks: list[Any]) -> int:
        taken = min(self.takes, sum(map(len, chunks)))
        self.takes -= taken
        return taken


class Connection:
    ready = True
    encode = staticmethod(encode_batch)


class Engine:
    closing = False

    def refresh_fast_path(self) -> None: ...

    def note_dirty(self, outbox: Any) -> None: ...

    def handle_room(self) -> None: ...


class Unconnected(Outbox):
    mask = 0
    ending = False
    connection: Any = Connection()
    engine = Engine()

    def _set_interest(self, mask: int) -> None: ...

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None: ...


def lose_connection_after(taken: int) -> Pipe:
    """Write all messages, of which the system takes some bytes, then lose the connection; the pipe."""
    outbox = Unconnected()
    pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
    outbox.stream = Stream(taken)
    pipe.outbound.extend(MESSAGES)
    outbox.flush(0.0)
    outbox.take_back_unsent()
    return pipe


@pytest.mark.parametrize("sent", range(len(MESSAGES) + 1))
def test_write_that_ended_between_messages_loses_none(sent: int) -> None:
    """What has left is gone, the rest is given back whole, nothing is counted as lost."""
    pipe = lose_connection_after(sum(SIZES[:sent]))
    assert MESSAGES[sent:] == pipe.outbound
    assert 0 == pipe.dropped
    assert sent == pipe.sent


@pytest.mark.parametrize("sent", range(len(MESSAGES)))
def test_message_that_left_in_part_is_lost_and_counted(sent: int) -> None:
    """One message is torn by the end of the connection: that one alone is lost."""
    pipe = lose_connection_after(sum(SIZES[:sent]) + 1)
    assert MESSAGES[sent + 1 :] == pipe.outbound
    assert ({"disconnected": 1}, 1) == (pipe.drops, pipe.dropped)
    assert sent == pipe.sent
