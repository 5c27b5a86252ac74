from __future__ import annotations

import pytest
from tests.unit.patterns.carrier import ScriptedCarrier

from purezmq.pipe import BATCH_MESSAGES, Pipe, message_size, queued_bytes


@pytest.mark.parametrize(("mark", "expected"), [(0, 10), (3, 3), (1, 1)])
def test_pipe_has_room_below_its_mark(mark: int, expected: int) -> None:
    """0 is no mark."""
    pipe = Pipe(ScriptedCarrier(), mark, 0)
    count = 0
    while count < 10 and pipe.can_write():
        pipe.write(b"x")
        count += 1
    assert expected == count


def test_pipe_counts_messages_in_flight_against_its_mark() -> None:
    """What the carrier took but the system did not."""
    pipe = Pipe(ScriptedCarrier(), 3, 0)
    pipe.in_flight = 2
    assert (True, 1) == (pipe.can_write(), pipe.write_room())
    pipe.write([b"a", b"b"])
    assert not pipe.can_write()


def test_pipe_write_tells_quiet_carrier_once_and_at_each_full_batch() -> None:
    """A burst costs one call per batch."""
    carrier = ScriptedCarrier()
    pipe = Pipe(carrier, 0, 0)
    for _ in range(pipe.write_batch - 1):
        pipe.write(b"x")
    assert 1 == carrier.writes
    pipe.write(b"x")
    assert 2 == carrier.writes


def test_ended_pipe_has_no_room() -> None:
    """Whatever its mark."""
    pipe = Pipe(ScriptedCarrier(), 0, 0)
    assert BATCH_MESSAGES == pipe.write_room()
    pipe.ended = True
    assert (False, 0) == (pipe.can_write(), pipe.write_room())


def test_conflating_pipe_keeps_last_message_only() -> None:
    """In both directions, without a mark."""
    pipe = Pipe(ScriptedCarrier(), 1, 1, conflate=True)
    for message in (b"1", b"2"):
        assert pipe.can_write()
        pipe.write(message)
        pipe.inbound.append(message)
    assert ([b"2"], [b"2"]) == (list(pipe.outbound), list(pipe.inbound))


def test_pipe_can_read_what_arrived() -> None:
    """Nothing at first."""
    pipe = Pipe(ScriptedCarrier(), 0, 0)
    assert not pipe.can_read()
    pipe.inbound.append(b"x")
    assert pipe.can_read()


def test_bytes_of_messages_are_summed_over_parts() -> None:
    """Without framing."""
    assert (3, 5) == (message_size(b"abc"), message_size([b"abc", b"", b"de"]))
    assert 8 == queued_bytes([b"abc", [b"abc", b"de"]])


def test_repr_of_pipe_tells_queues_and_end() -> None:
    """For people who debug."""
    pipe = Pipe(ScriptedCarrier(), 0, 0)
    pipe.routing_id = b"A"
    pipe.write(b"x")
    assert "<Pipe b'A' in=0 out=1+0>" == repr(pipe)
    pipe.ended = True
    assert "ended" in repr(pipe)
