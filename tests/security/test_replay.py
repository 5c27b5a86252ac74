"""Whatever is done to a recorded session of CURVE, nothing of it is taken twice or in another order (V02, V13)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import EventWatch, bind, purezmq_only, try_recv, zmq
from tests.support.relay import Relay
from tests.support.security import security_options
from tests.unit.wire.curve_pair import client_config, server_config, shake_hands

from purezmq.wire import Connection, ConnectionFailed, FailureReason
from purezmq.wire.framing import FrameDecoder, encode_frame
from purezmq.wire.framing_fast import FastFrameDecoder
from purezmq.wire.framing_sealed import SealedFrameDecoder
from purezmq.wire.mechanisms.curve_cipher import CurveCipher

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("the wire under test is ours")

MESSAGES = [b"message %d" % number for number in range(8)]
MUTATIONS = 10_000
PER_EXAMPLE = 10  # what Hypothesis itself does costs more than a mutation
ALL = 1 << 30


class Recorded:
    """A server right after the handshake, any number of times, and the frames that its client sent next."""

    def __init__(self) -> None:
        client, server, _ = shake_hands()  # the same keys in every run
        sealing, opening = client.cipher, server.cipher
        assert isinstance(sealing, CurveCipher)
        assert isinstance(opening, CurveCipher)
        self._key, self._received = opening._key, opening._received
        self.frames = [b"".join(sealing.encode_batch([message])) for message in MESSAGES]

    def replay(self, data: bytes) -> tuple[list[Any], Any]:
        """What a server in that state makes of the bytes: messages, and what was wrong."""
        results = []
        for fast in (True, False):
            cipher = CurveCipher(self._key, as_server=True, sent=1, received=self._received)
            decoder: Any = SealedFrameDecoder(FastFrameDecoder(), cipher, -1) if fast else FrameDecoder(-1, cipher)
            messages = decoder.decode(data, ALL)
            assert decoder.command is None
            results.append((messages, decoder.failure))
        assert results[0][0] == results[1][0]
        assert (results[0][1] is None) == (results[1][1] is None)
        return results[0]


RECORDED = Recorded()


def test_v02_recorded_session_itself_is_taken() -> None:
    """The control: unchanged, everything arrives."""
    assert (MESSAGES, None) == RECORDED.replay(b"".join(RECORDED.frames))


@pytest.mark.parametrize("repeated", range(len(MESSAGES)))
@pytest.mark.parametrize("after", range(len(MESSAGES)))
def test_v02_any_message_repeated_closes(repeated: int, after: int) -> None:
    """At once or later: the first nonce that doesn't increase ends it, and what came before is delivered once."""
    if repeated > after:
        repeated, after = after, repeated
    frames = [*RECORDED.frames[: after + 1], RECORDED.frames[repeated], *RECORDED.frames[after + 1 :]]
    messages, failure = RECORDED.replay(b"".join(frames))
    assert MESSAGES[: after + 1] == messages
    assert FailureReason.PROTOCOL is failure.reason


@pytest.mark.parametrize("first", range(len(MESSAGES) - 1))
def test_v02_messages_reordered_close(first: int) -> None:
    """Two that changed places: the second of them is refused."""
    frames = list(RECORDED.frames)
    frames[first], frames[first + 1] = frames[first + 1], frames[first]
    messages, failure = RECORDED.replay(b"".join(frames))
    assert [*MESSAGES[:first], MESSAGES[first + 1]] == messages
    assert failure is not None


def test_v02_whole_session_replayed_to_a_server_is_refused() -> None:
    """Greeting, HELLO, INITIATE and messages of another connection: the cookie is not this one's."""
    sent = bytearray()
    client, server = Connection(client_config(), bound=False), Connection(server_config(), bound=True)
    client.start(0.0)
    server.start(0.0)
    while not (client.ready and server.ready):
        data = b"".join(client.data_to_send())
        sent += data
        server.receive_data(data, 0.0)
        client.receive_data(b"".join(server.data_to_send()), 0.0)
    sent += b"".join(client.encode([b"pay 100"]))
    again = Connection(server_config(), bound=True)
    again.start(0.0)
    assert [] == again.receive_data(bytes(sent), 0.0)
    assert again.closed
    failure = again.next_event()
    assert isinstance(failure, ConnectionFailed)
    assert "cookie" in failure.text


def mutate(choose: random.Random) -> bytes:
    """The recorded bytes with bits changed, pieces cut out or put in, frames moved, repeated or mixed."""
    frames = list(RECORDED.frames)
    for _ in range(choose.randint(1, 3)):
        index = choose.randrange(len(frames))
        frame = frames[index]
        at = choose.randrange(len(frame) or 1)
        kind = choose.choice(("bit", "cut", "insert", "move", "repeat", "join", "header"))
        if kind == "bit" and frame:
            frames[index] = frame[:at] + bytes((frame[at] ^ 1 << choose.randrange(8),)) + frame[at + 1 :]
        elif kind == "cut":
            frames[index] = frame[:at]
        elif kind == "insert":
            frames[index] = frame[:at] + choose.randbytes(choose.randint(1, 40)) + frame[at:]
        elif kind == "move":
            frames.insert(choose.randrange(len(frames)), frames.pop(index))
        elif kind == "repeat":
            frames.insert(choose.randint(0, len(frames)), frame)
        elif kind == "join":
            frames[index] = frame[:at] + choose.choice(frames)[at:]
        elif frame:
            frames[index] = encode_frame(choose.choice((0, 1, 4)), frame[2:])
    return b"".join(frames)


@settings(max_examples=MUTATIONS // PER_EXAMPLE, deadline=None, database=None)
@given(st.integers(0, 2**64 - 1))
def test_v02_no_mutation_is_accepted(seed: int) -> None:
    """What is delivered are messages that were sent, each at most once, in their order; nothing else, ever."""
    choose = random.Random(seed)
    for _ in range(PER_EXAMPLE):
        messages, _ = RECORDED.replay(mutate(choose))
        sent = iter(MESSAGES)
        assert all(message in sent for message in messages)


@pytest.fixture
def relay() -> Iterator[Callable[[str], Relay]]:
    """A function that starts a relay in front of an endpoint."""
    relays: list[Relay] = []

    def make(endpoint: str) -> Relay:
        relays.append(Relay(endpoint))
        return relays[-1]

    yield make
    for started in relays:
        started.close()


def test_v13_replay_on_the_wire_disconnects(make_socket: MakeSocket, relay: Callable[[str], Relay]) -> None:
    """Somebody in the middle sends a message of a live connection again: the server cuts it, and delivers it once."""
    pull = make_socket(zmq.PULL, **security_options("CURVE", server=True))
    middle = relay(bind(pull, "tcp"))
    push = make_socket(zmq.PUSH, reconnect_ivl=-1, **security_options("CURVE", server=False))
    with EventWatch(pull) as events:
        push.connect(middle.endpoint)
        push.send(b"pay 100")
        assert b"pay 100" == pull.recv()
        middle.repeat()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    assert try_recv(pull) is None


def test_v13_replay_of_libzmqs_messages_disconnects(
    make_socket: MakeSocket, libzmq: Any, relay: Callable[[str], Relay]
) -> None:
    """The same with libzmq as the client: its messages, sent again, end its connection."""
    pull = make_socket(zmq.PULL, **security_options("CURVE", server=True))
    middle = relay(bind(pull, "tcp"))
    libzmq.open("s", "PUSH", reconnect_ivl=-1, **security_options("CURVE", server=False))
    with EventWatch(pull) as events:
        libzmq.connect("s", middle.endpoint)
        libzmq.send("s", [b"pay 100"])
        assert b"pay 100" == pull.recv()
        middle.repeat()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    assert try_recv(pull) is None
