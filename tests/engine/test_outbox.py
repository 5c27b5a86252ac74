"""What a lost connection gives back, and what it counts as lost."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, purezmq_only, zmq
from tests.support.interrupting import interrupted_at
from tests.support.raw_peer import RawPeer

from purezmq.engine.outbox import Outbox, take_batch
from purezmq.pipe import Pipe, key_function
from purezmq.wire.encoding_fast import encode_batch
from purezmq.wire.mechanisms.curve_cipher import CurveCipher

MESSAGES = [b"one", [b"two", b"parts"], b"x" * 300, b"last"]
SIZES = [5, 5 + 7, 9 + 300, 6]
SEALED_SIZES = [38, 38 + 40, 42 + 300, 39]


class Stream:
    """Takes so many bytes and then no more."""

    def __init__(self, takes: int, error: OSError | None = None) -> None:
        self.takes = takes
        self.error = error

    def try_write(self, chunks: list[Any]) -> int:
        if self.error is not None:
            raise self.error
        taken = min(self.takes, sum(map(len, chunks)))
        self.takes -= taken
        return taken


class Connection:
    ready = shares_encoding = True
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
    ended_by: BaseException | None = None

    def _set_interest(self, mask: int) -> None: ...

    def close_stream(self, error: BaseException | None, *, reads_rest: bool = False) -> None:
        self.ended_by = error

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None: ...


class SealedConnection(Connection):
    def __init__(self) -> None:
        self.encode = CurveCipher(bytes(32), as_server=False, sent=2, received=1).encode_batch


def flush_queue(outbox: Outbox) -> None:
    """Write all messages from the peer's own queue."""
    assert outbox.pipe is not None
    outbox.pipe.outbound.extend(MESSAGES)
    outbox.flush(0.0)


def flush_shared(outbox: Outbox) -> None:
    """Write all messages from a queue that others read, too."""
    chunks = encode_batch(MESSAGES)
    outbox.flush_shared(chunks, MESSAGES.copy(), sum(map(len, chunks)), 0.0)


def lose_connection_after(taken: int, *, sealed: bool = False, write: Callable[[Outbox], None] = flush_queue) -> Pipe:
    """Write all messages, of which the system takes some bytes, then lose the connection; the pipe."""
    outbox = Unconnected()
    if sealed:
        outbox.connection, outbox.frame_overhead = SealedConnection(), CurveCipher.overhead
    pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
    outbox.stream = Stream(taken)
    write(outbox)
    outbox.take_back_unsent()
    return pipe


@pytest.mark.parametrize("sealed", [False, True], ids=["NULL", "CURVE"])
@pytest.mark.parametrize("sent", range(len(MESSAGES) + 1))
def test_write_that_ended_between_messages_loses_none(sent: int, sealed: bool) -> None:
    """What has left is gone, the rest is given back whole, nothing is counted as lost."""
    pipe = lose_connection_after(sum((SEALED_SIZES if sealed else SIZES)[:sent]), sealed=sealed)
    assert MESSAGES[sent:] == pipe.outbound
    assert 0 == pipe.dropped
    assert sent == pipe.sent


@pytest.mark.parametrize("sealed", [False, True], ids=["NULL", "CURVE"])
@pytest.mark.parametrize("sent", range(len(MESSAGES)))
def test_message_that_left_in_part_is_lost_and_counted(sent: int, sealed: bool) -> None:
    """One message is torn by the end of the connection: that one alone is lost."""
    pipe = lose_connection_after(sum((SEALED_SIZES if sealed else SIZES)[:sent]) + 1, sealed=sealed)
    assert MESSAGES[sent + 1 :] == pipe.outbound
    assert ({"disconnected": 1}, 1) == (pipe.drops, pipe.dropped)
    assert sent == pipe.sent


@pytest.mark.parametrize("sent", range(len(MESSAGES)))
def test_rest_of_a_shared_batch_stays_with_the_subscriber(sent: int) -> None:
    """As with a queue of its own: what has not left is there still, and only a torn message is lost."""
    whole, torn = [lose_connection_after(sum(SIZES[:sent]) + more, write=flush_shared) for more in (0, 1)]
    assert (MESSAGES[sent:], sent, 0) == (whole.outbound, whole.sent, whole.dropped)
    assert (MESSAGES[sent + 1 :], sent, {"disconnected": 1}) == (torn.outbound, torn.sent, torn.drops)


@pytest.mark.parametrize("write", [flush_queue, flush_shared], ids=["own queue", "shared queue"])
def test_write_that_fails_ends_the_connection_and_loses_none(write: Callable[[Outbox], None]) -> None:
    """The system refused the whole batch: it's given back, and the connection ends by that error."""
    outbox = Unconnected()
    pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
    error = BrokenPipeError(errno.EPIPE, "Broken pipe")
    outbox.stream = Stream(0, error)
    write(outbox)
    assert error is outbox.ended_by
    outbox.take_back_unsent()
    assert (MESSAGES, 0, 0) == (pipe.outbound, pipe.sent, pipe.dropped)


@pytest.mark.parametrize("write", [flush_queue, flush_shared], ids=["own queue", "shared queue"])
def test_what_a_handler_raises_in_a_write_travels_on(write: Callable[[Outbox], None]) -> None:
    """It looks like an error of the system, but has no number: the caller gets it, after the connection has ended."""
    outbox = Unconnected()
    outbox.pipe = Pipe(outbox, 1000, 1000)
    error = TimeoutError("of a handler")
    outbox.stream = Stream(0, error)
    with pytest.raises(TimeoutError, match="of a handler"):
        write(outbox)
    assert error is outbox.ended_by


@pytest.mark.parametrize("event", ["call", "return"])
def test_batch_that_a_handler_raises_behind_is_counted(event: str) -> None:
    """Taken and counted are one: what is lost by Ctrl-C between queue and system is in the counters."""
    outbox = Unconnected()
    pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
    outbox.stream = Stream(10_000)
    pipe.outbound.extend(MESSAGES)

    def interrupt(frame: Any, kind: str, _: Any) -> Any:
        if frame.f_code is take_batch.__code__ and kind == event:
            raise KeyboardInterrupt
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            outbox.flush(0.0)
    finally:
        sys.settrace(before)
    assert (0 if event == "call" else len(MESSAGES)) == pipe.sent
    assert len(MESSAGES) == pipe.sent + len(pipe.outbound)


@pytest.mark.parametrize("message", [b"one", [b"", b"two"], [b"id", b"", b"three"]])
def test_message_that_is_written_alone_is_counted_wherever_it_is_interrupted(message: Any) -> None:
    """It's queued still, or it counts as sent."""

    def check(moment: int) -> list[str]:
        outbox = Unconnected()
        pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
        outbox.stream = Stream(10_000)
        pipe.outbound.append(message)
        with interrupted_at(moment) as reached:
            outbox.handle_write(pipe)
        assert 1 == pipe.sent + len(pipe.outbound), reached
        assert reached or [] == pipe.outbound
        return reached

    at_every_moment(check)


def at_every_moment(check: Callable[[int], list[str]]) -> None:
    """Run a check that is interrupted at moment after moment, until there is none left."""
    moment = 0
    while check(moment):
        moment += 1
    assert moment > 4


@pytest.mark.parametrize("taken", [0, 3, 5, 330])
def test_what_a_lost_connection_gives_back_is_whole_wherever_it_is_interrupted(taken: int) -> None:
    """A handler raises amid the end of a connection, which is then done once more: nothing is lost uncounted."""
    expected = lose_connection_after(taken)

    def check(moment: int) -> list[str]:
        outbox = Unconnected()
        pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
        outbox.stream = Stream(taken)
        pipe.outbound.extend(MESSAGES[:2])
        outbox.flush(0.0)
        outbox._keep(encode_batch(MESSAGES[2:]), MESSAGES[2:], 0, pipe)  # a second entry
        outbox.stream.takes = max(0, taken - sum(SIZES[:2]))
        outbox._write_unsent()
        pipe.sent += 2
        with interrupted_at(moment) as reached:
            outbox.take_back_unsent()
        if reached:
            outbox.take_back_unsent()
        assert expected.outbound == pipe.outbound, reached
        assert (expected.sent, expected.drops, 0) == (pipe.sent, pipe.drops, pipe.in_flight), reached
        return reached

    at_every_moment(check)


@pytest.mark.parametrize("taken", [0, 3, 5])
def test_making_room_loses_nothing_wherever_it_is_interrupted(taken: int) -> None:
    """What is encoded and has not left is given back at once, or not at all."""

    def check(moment: int) -> list[str]:
        outbox = Unconnected()
        pipe = outbox.pipe = Pipe(outbox, 1000, 1000)
        outbox.stream = Stream(taken)
        pipe.outbound.extend(MESSAGES)
        outbox.flush(0.0)
        with interrupted_at(moment) as reached:
            outbox.free_unsent(pipe)
        flying = [message for entry in outbox.unsent or () for message in entry.messages]
        assert len(flying) == pipe.in_flight, reached
        assert MESSAGES[-len(flying + pipe.outbound) :] == flying + pipe.outbound, reached
        assert len(MESSAGES) == pipe.sent + len(pipe.outbound), reached
        return reached

    at_every_moment(check)


@pytest.mark.parametrize("keyed", [False, True])
def test_what_is_discarded_is_counted_wherever_that_is_interrupted(keyed: bool) -> None:
    """A queue is emptied and counted in one; done again after an interruption it counts nothing twice."""

    def check(moment: int) -> list[str]:
        outbox = Unconnected()
        pipe = outbox.pipe = Pipe(outbox, 1000, 1000, key_function(0) if keyed else False)
        pipe.outbound.extend([b"a", b"b", b"c"])
        with interrupted_at(moment) as reached:
            pipe.discard_outbound("disconnected")
        if reached:
            pipe.discard_outbound("disconnected")
        assert (3, {"disconnected": 3}, 0) == (pipe.dropped, pipe.drops, len(pipe.outbound)), reached
        return reached

    at_every_moment(check)


@purezmq_only("it looks into the engine")
def test_pong_leaves_although_what_it_waited_for_was_given_back(make_socket: Callable[..., Any]) -> None:
    """While the system is full a PONG waits; it leaves at the next room, whatever became of the messages before it."""
    push = make_socket(zmq.PUSH)
    with RawPeer.connect(bind(push, "tcp")) as raw:
        raw.shake_hands("PULL")
        eventually(push.peers)
        engine = push._engine
        (session,) = engine.sessions.values()
        with engine.lease:
            pipe, now = session.pipe, time.monotonic()
            session._keep(encode_batch([b"dropped"]), [b"dropped"], 0, pipe)  # as if the system had taken none of it
            pipe.sent += 1
            session._wait_for_room()
            assert [] == session.connection.receive_data(b"\x04\x09\x04PING\0\0hi", now)
            session._after_input(now)
            session.free_unsent(pipe)
            assert session.unsent is None
            pipe.outbound.clear()
        assert b"\x04\x07\x04PONGhi" == raw.receive(9)
