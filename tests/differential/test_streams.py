"""The same bytes to purezmq and to libzmq, over loopback: the same messages, but for what `stricter` lists."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import pytest
from fuzz.model import read_traffic, read_v1
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.differential import stricter
from tests.differential.players import Receiver
from tests.differential.streams import BROKEN, PEERS, VERSIONS, Piece, Stream, frame, frame_v1, streams
from tests.differential.stricter import CLOSES, STRICTER

#: The release runs more of them.
EXAMPLES = int(os.environ.get("PUREZMQ_DIFFERENTIAL_EXAMPLES", "60"))
MORE_EXAMPLES = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
COMMAND = 4


@pytest.fixture(scope="module")
def libzmq_receiver() -> Iterator[Receiver]:
    """libzmq, in a process that a broken stream may end."""
    pytest.importorskip("zmq")
    receiver = Receiver("zmq")
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """purezmq, in a process that nothing may end."""
    receiver = Receiver("purezmq")
    yield receiver
    receiver.stop()


class Delivered:
    """Messages, and on an XPUB the subscriptions among them apart, without cancellations of nothing."""

    def __init__(self, kind: str, messages: list[list[bytes]]) -> None:
        self.messages = messages
        self.subscriptions: list[bytes] = []
        if kind == "XPUB":
            self.messages = [parts for parts in messages if not is_subscription(parts)]
            wanted: set[bytes] = set()
            for (body,) in filter(is_subscription, messages):
                if body[:1] == b"\1":
                    wanted.add(body[1:])
                elif body[1:] not in wanted:
                    continue
                else:
                    wanted.remove(body[1:])
                self.subscriptions.append(body)
            # What was still subscribed is cancelled when the peer is gone; libzmq says so some time later.
            while self.subscriptions and self.subscriptions[-1][:1] == b"\0":
                self.subscriptions.pop()

    def begins(self, other: Delivered) -> bool:
        """Whether this is the beginning of another."""
        mine = [body for body in self.subscriptions if body[:1] == b"\1"]
        theirs = [body for body in other.subscriptions if body[:1] == b"\1"]
        return self.messages == other.messages[: len(self.messages)] and mine == theirs[: len(mine)]


def is_subscription(parts: list[bytes]) -> bool:
    """Whether a message of an XPUB tells of a subscription."""
    return len(parts) == 1 and parts[0][:1] in (b"\0", b"\1")


def user_parts(delivered: Delivered) -> list[bytes]:
    """All parts that are no subscriptions, in order."""
    return [part for parts in delivered.messages for part in parts if part[:1] not in (b"\0", b"\1")]


def is_subsequence(few: list[bytes], many: list[bytes]) -> bool:
    """Whether the first is in the second, in order."""
    rest = iter(many)
    return all(part in rest for part in few)


def without_commands(stream: Stream, messages: list[list[bytes]]) -> list[list[bytes]]:
    """The messages that are no bodies of subscription commands."""
    if "subscription as a message" not in stream.habits:
        return messages
    return [parts for parts in messages if not parts[-1].startswith((b"\x09SUBSCRIBE", b"\x06CANCEL"))]


def both(stream: Stream, libzmq_receiver: Receiver, receiver: Receiver) -> tuple[Delivered | None, Delivered]:
    """What libzmq delivers, None when the stream ended its process; and what purezmq delivers."""
    theirs = libzmq_receiver.receive(stream)
    ours = receiver.receive(stream)
    assert ours is not None, "the stream ended the process"
    if theirs is None:
        return None, Delivered(stream.kind, ours)
    return Delivered(stream.kind, without_commands(stream, theirs)), Delivered(stream.kind, ours)


@given(stream=streams(is_broken=False))
@MORE_EXAMPLES
def test_good_stream_delivers_what_libzmq_delivers(
    libzmq_receiver: Receiver, receiver: Receiver, stream: Stream
) -> None:
    """Every version, to every type that receives."""
    theirs, ours = both(stream, libzmq_receiver, receiver)
    assert theirs is not None
    if "subscription inside a message" in stream.habits:
        assert is_subsequence(user_parts(ours), user_parts(theirs))
    else:
        assert theirs.messages == ours.messages
        assert theirs.subscriptions == ours.subscriptions


@given(stream=streams(is_broken=True))
@MORE_EXAMPLES
def test_broken_stream_delivers_what_libzmq_delivers_but_for_the_list(
    libzmq_receiver: Receiver, receiver: Receiver, stream: Stream
) -> None:
    """Up to what purezmq closes the connection for, or all of it."""
    theirs, ours = both(stream, libzmq_receiver, receiver)
    if theirs is None:
        return  # libzmq's process ended; ours has not
    if "subscription inside a message" in stream.habits:
        assert is_subsequence(user_parts(ours), user_parts(theirs))
    elif any(habit in STRICTER and STRICTER[habit].effect == CLOSES for habit in stream.habits):
        assert ours.begins(theirs)
    else:
        assert theirs.messages == ours.messages


@given(data=st.data(), stream=streams(is_broken=False, kinds=("PULL", "DEALER", "PAIR")))
@MORE_EXAMPLES
def test_changed_bytes_deliver_what_libzmq_delivers(
    libzmq_receiver: Receiver, receiver: Receiver, data: st.DataObject, stream: Stream
) -> None:
    """Some bytes are others. Where the plain model of the wire sees a violation, all before it; otherwise all."""
    changed = bytearray(stream.data)
    for _ in range(data.draw(st.integers(1, 3)) if changed else 0):
        # Mostly headers: their values are small.
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.one_of(st.integers(0, 8), st.integers(0, 255)))
    other = stream._replace(pieces=[Piece(bytes(changed), "subscription as a message")])
    theirs, ours = both(other, libzmq_receiver, receiver)
    read = read_v1 if stream.version == "1.0" else partial(read_traffic, takes_subscriptions=False)
    reading = read(other.data, -1)
    expected = [item if isinstance(item, list) else [item] for item in reading.items]
    assert expected == ours.messages
    ours.messages = without_commands(other, ours.messages)
    if theirs is None:
        return
    if reading.failure:
        assert ours.begins(theirs)
    else:
        assert theirs.messages == ours.messages


CLOSING = [
    (version, name, data)
    for version in VERSIONS
    for name, texts in BROKEN[version].items()
    for data in texts
    if name in STRICTER and version != "3.0"
]


@pytest.mark.parametrize(("version", "name", "data"), CLOSING)
def test_difference_that_closes_is_real(
    libzmq_receiver: Receiver, receiver: Receiver, version: str, name: str, data: bytes
) -> None:
    """Each entry of the list: libzmq goes on, purezmq doesn't. An entry that is no more true fails here."""
    stream = Stream(version, "PULL", [Piece(frame(0, b"before")), Piece(data, name), Piece(frame(0, b"after"))])
    theirs, ours = both(stream, libzmq_receiver, receiver)
    assert CLOSES == STRICTER[name].effect
    assert theirs is not None
    assert [b"after"] in theirs.messages or any(b"after" in parts for parts in theirs.messages)
    assert [[b"before"]] == ours.messages


def test_difference_of_commands_as_messages_is_real(libzmq_receiver: Receiver, receiver: Receiver) -> None:
    """The two entries that ignore."""
    data = frame(COMMAND, b"\x09SUBSCRIBEx") + frame(COMMAND, b"\x06CANCELx")
    stream = Stream("3.1", "PULL", [Piece(data)])
    assert [[b"\x09SUBSCRIBEx"], [b"\x06CANCELx"]] == libzmq_receiver.receive(stream)
    assert [] == receiver.receive(stream)
    stream = Stream("3.1", "XPUB", [Piece(frame(COMMAND, b"\x06CANCELx"))])
    assert [[b"\x00x"]] == libzmq_receiver.receive(stream)
    assert [] == receiver.receive(stream)


def test_difference_of_subscriptions_inside_messages_is_real(libzmq_receiver: Receiver, receiver: Receiver) -> None:
    """A part that looks like a subscription is one, in both libraries; whose part it is differs."""
    stream = Stream("3.1", "XPUB", [Piece(frame(1, b"a") + frame(0, b"\x01q"))])
    theirs, ours = libzmq_receiver.receive(stream), receiver.receive(stream)
    assert theirs is not None
    assert ours is not None
    assert [b"a", b"\x01q"] == theirs[0]
    assert [[b"\x01q"], [b"a"]] == ours[:2]


def test_subscription_behind_message_arrives_in_either_order(libzmq_receiver: Receiver, receiver: Receiver) -> None:
    """A subscription that stands behind a message."""
    stream = Stream("3.1", "XPUB", [Piece(frame(0, b"m") + frame(0, b"\x01t"))])
    theirs, ours = libzmq_receiver.receive(stream), receiver.receive(stream)
    assert theirs is not None
    assert ours is not None
    assert [[b"m"], [b"\x01t"]] == theirs[:2]
    assert [[b"\x01t"], [b"m"]] == sorted(ours[:2])


@pytest.mark.parametrize("kind", sorted(PEERS))
@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_and_type_delivers(libzmq_receiver: Receiver, receiver: Receiver, version: str, kind: str) -> None:
    """The comparison compares something: a message arrives in every combination, in both libraries."""
    encode = frame_v1 if version == "1.0" else frame
    envelope = encode(1, b"") if kind == "REP" else b""
    stream = Stream(version, kind, [Piece(envelope + encode(0, b"x" * 300))])
    expected = [[b"me", b"x" * 300]] if kind == "ROUTER" else [[b"x" * 300]]
    assert expected == libzmq_receiver.receive(stream)
    assert expected == receiver.receive(stream)


def test_page_is_up_to_date() -> None:
    """The documentation lists what the tests allow."""
    assert stricter.page() == stricter.PAGE.read_text(encoding="utf-8")
