"""Drives the wire as an engine would, and notes everything it says. Shared by the targets that are connections.

The library's outcome set is fixed: `receive_data` gives messages and events and never raises; a failure is one
`ConnectionFailed`, the last event. `drive` checks that at every step.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from fuzz.prototype import Prototype
from purezmq.wire import Connection, ConnectionFailed, HandshakeSucceeded
from purezmq.wire.events import AuthenticationNeeded, MessagesDropped
from purezmq.wire.framing import encode_frame
from purezmq.wire.greeting import V3_0
from purezmq.wire.limits import MAX_HANDSHAKE_FRAME_SIZE, UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from purezmq.wire.config import ConnectionConfig
    from purezmq.wire.verdict import Verdict

__all__ = [
    "COMMAND",
    "MAX_STREAM",
    "Failed",
    "Outcome",
    "check_end",
    "choose_limit",
    "copy_connection",
    "cut",
    "drive",
    "greeting",
    "held_bytes",
    "open_connection",
    "property_block",
    "ready_command",
    "take_control",
    "take_data",
]

COMMAND = 4
_HANDSHAKE_ROOM = MAX_HANDSHAKE_FRAME_SIZE + 8192
"""What a connection may hold before its handshake's end: one frame, and its own objects."""
_READY_ROOM = 32 * 1024
"""What a connection may hold after it besides the peer's bytes."""
_AMPLIFICATION = 24
"""Bytes of objects per byte of a peer: a part of two bytes is a frame of four."""
_MAX_TIMERS = 8
MAX_STREAM = 10_000
"""Bytes of a stream that are looked at: five thousand frames take nearly as long as an input may."""


def greeting(version: tuple[int, int] = (3, 1), mechanism: bytes = b"NULL", as_server: int = 0) -> bytes:
    """Return the 64 bytes of a ZMTP 3 greeting."""
    head = b"\xff" + bytes(8) + b"\x7f" + bytes(version)
    return head + mechanism.ljust(20, b"\0") + bytes((as_server,)) + bytes(31)


def property_block(**properties: bytes) -> bytes:
    """Return metadata; ``_`` in a name is ``-`` on the wire."""
    block = b""
    for name, value in properties.items():
        wire_name = name.replace("_", "-").encode()
        block += bytes((len(wire_name),)) + wire_name + len(value).to_bytes(4, "big") + value
    return block


def ready_command(socket_type: str, **properties: bytes) -> bytes:
    """Return the frame of a READY command."""
    block = property_block(Socket_Type=socket_type.encode(), **properties)
    return encode_frame(COMMAND, b"\x05READY" + block)


class Failed(NamedTuple):
    """A failure without its text, which may tell where the stream was cut."""

    reason: str
    status: int


class Outcome(NamedTuple):
    """What a connection made of a stream: the same however the stream came.

    Attributes:
        messages: what the application gets.
        events: with the peer's description taken apart, and the failure as `Failed`.
        dropped: how many messages were dropped; a batch is told of at once.
        sent: what the control plane said.
        ready: the handshake is over and the connection lives.
        closed: it is over.
    """

    messages: list[Any]
    events: list[object]
    dropped: int
    sent: bytes
    ready: bool
    closed: bool

    @property
    def visible(self) -> tuple[Any, ...]:
        """What must not depend on how the bytes came: one PONG may answer many PINGs that came at once."""
        handshake = self.sent.partition(b"\x04PONG")[0][:-2]
        return self.messages, self.events, self.dropped, handshake, self.ready, self.closed

    @property
    def failure(self) -> str:
        """Name of the reason why it failed, or an empty text."""
        last = self.events[-1] if self.events else None
        return last.reason if isinstance(last, Failed) else ""


def cut(stream: bytes, step: int, most: int) -> list[bytes]:
    """Cut a stream into pieces.

    Args:
        stream: what to cut.
        step: 0 for byte by byte, otherwise sizes that vary around it.
        most: pieces, the last of which is all the rest.

    Returns:
        The pieces, at least one.
    """
    pieces: list[bytes] = []
    at, size = 0, step or 1
    while at < len(stream) and len(pieces) < most - 1:
        pieces.append(stream[at : at + size])
        at += size
        if step:
            size = size * 5 % 251 + 1
    return [*pieces, stream[at:]]


def held_bytes(*roots: object) -> int:
    """Return how much memory the objects hold that are reachable by attributes of the wire, lists and mappings."""
    seen: set[int] = set()
    todo: list[object] = list(roots)
    total = 0
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, (bytes, bytearray, str)):
            total += sys.getsizeof(item)
        elif isinstance(item, dict):
            total += sys.getsizeof(item)
            todo += item.values()
        elif isinstance(item, (list, tuple)) or type(item).__name__ == "deque":
            total += sys.getsizeof(item)
            todo += item  # type: ignore[arg-type]  # all of these are iterable
        elif type(item).__module__.startswith("purezmq.wire") and type(item).__name__ != "ConnectionConfig":
            names = [name for cls in type(item).__mro__ for name in getattr(cls, "__slots__", ())]
            todo += [getattr(item, name, None) for name in names]
    return total


def open_connection(config: ConnectionConfig, *, bound: bool, prefix: bytes = b"") -> Connection:
    """Start a connection and give it ``prefix``, which is known to be good.

    Args:
        config: settings of the connection.
        bound: which side it is.
        prefix: the beginning of the peer's stream.

    Returns:
        The connection; what it says to the prefix is still to be taken.
    """
    connection = Connection(config, bound=bound)
    connection.start(0.0)
    messages = connection.receive_data(prefix, 0.0)
    assert messages == []
    assert not connection.closed, "the prefix is no good"
    return connection


_opened: dict[tuple[int, bool, bytes], Prototype] = {}
"""Copies to make, by the arguments: settings and prefixes are few, and live as long as their targets."""


def copy_connection(config: ConnectionConfig, *, bound: bool, prefix: bytes = b"") -> Connection:
    """Return what `open_connection` returns, in a fraction of the time.

    Args:
        config: settings of the connection, which must live as long as the process.
        bound: which side it is.
        prefix: the beginning of the peer's stream.
    """
    key = id(config), bound, prefix
    prototype = _opened.get(key)
    if prototype is None:
        prototype = _opened[key] = Prototype(open_connection(config, bound=bound, prefix=prefix))
    connection: Connection = prototype.make()[0]
    return connection


def drive(
    connection: Connection,
    pieces: Iterable[bytes],
    limit: int = UNLIMITED,
    verdict: Verdict | None = None,
    *,
    weigh: bool = True,
) -> Outcome:
    """Give a connection the pieces of a stream, as the engine does.

    Args:
        connection: what to drive.
        pieces: of the stream.
        limit: most messages to take at once.
        verdict: what is decided about the peer when the connection asks; None leaves it waiting.
        weigh: look at the memory that it holds now and then, which costs more than all the rest.

    Returns:
        What it made of them.
    """
    messages: list[Any] = []
    events: list[object] = []
    sent: list[bytes] = []
    received = checked = 0
    for piece in pieces:
        received += len(piece)
        take_data(connection, piece, limit, verdict, messages, events)
        if connection.has_control:
            sent.append(take_control(connection))
        if weigh and received >= checked:
            _check_memory(connection, received)
            checked = 2 * received + 1
    _check_messages(messages)
    dropped = sum(event.count for event in events if isinstance(event, MessagesDropped))
    events = [event for event in events if not isinstance(event, MessagesDropped)]
    return Outcome(messages, events, dropped, b"".join(sent), connection.ready, connection.closed)


def take_data(
    connection: Connection,
    piece: bytes,
    limit: int,
    verdict: Verdict | None,
    messages: list[Any],
    events: list[object],
) -> None:
    """Give a connection a piece of a stream, and go on until it has decoded all of it.

    Args:
        connection: what to drive.
        piece: of the stream.
        limit: most messages to take at once.
        verdict: see `drive`.
        messages: to add to.
        events: to add to.
    """
    data, turns = piece, len(piece) + 20_000
    while True:
        turns -= 1
        batch = connection.receive_data(data, 0.0, limit)
        assert len(batch) <= limit, "more messages than the limit allows"
        assert turns >= 0, "bytes are buffered for ever"
        messages += batch
        before = len(events)
        if connection.has_control:
            _take_events(connection, events, verdict)
        data = b""
        if not connection.has_buffered and len(events) == before:
            return


def choose_limit(number: int, stream: bytes) -> int:
    """Return how many messages to take at once: as many as a byte of the input says, and more of a long stream.

    Args:
        number: the byte, 0 for all.
        stream: of the peer.
    """
    return number + len(stream) // 50 if number else UNLIMITED


def take_control(connection: Connection) -> bytes:
    """Return what the control plane of a connection wants sent."""
    return b"".join(map(bytes, connection.data_to_send()))


def _take_events(connection: Connection, events: list[object], verdict: Verdict | None) -> None:
    while (event := connection.next_event()) is not None:
        assert not (events and isinstance(events[-1], Failed)), "an event after the failure"
        if isinstance(event, AuthenticationNeeded) and verdict is not None:
            events.append(type(event))
            connection.authorize(verdict, 0.0)
        elif isinstance(event, HandshakeSucceeded):
            assert HandshakeSucceeded not in events, "a second handshake"
            peer = event.peer
            description = (
                peer.socket_type,
                peer.routing_id,
                peer.version,
                peer.user_id,
                tuple(peer.properties.items()),
            )
            events += (HandshakeSucceeded, description)
        elif isinstance(event, ConnectionFailed):
            assert event.text.isprintable(), "bytes of the peer in a text for people"
            events.append(Failed(event.reason.name, event.status))
        else:
            events.append(event)


def _check_messages(messages: Sequence[Any]) -> None:
    kinds = set(map(type, messages))
    assert kinds <= {bytes, list}
    if list in kinds:
        for message in messages:
            if type(message) is list:
                assert set(map(type, message)) == {bytes}, "a message without parts, or of something else than bytes"


def _check_memory(connection: Connection, received: int) -> None:
    if connection.closed:
        assert held_bytes(connection) < _HANDSHAKE_ROOM, "a closed connection keeps the peer's bytes"
    elif not connection.ready:
        assert held_bytes(connection) < 2 * _HANDSHAKE_ROOM, "a peer fills memory before its handshake's end"
    elif not connection.has_buffered:
        assert held_bytes(connection) < _READY_ROOM + _AMPLIFICATION * received, "memory beyond what came"


def check_end(connection: Connection) -> None:
    """Use and end a connection that has seen a stream: nothing that an owner may do raises.

    Args:
        connection: in any state.
    """
    assert connection.read_size > 0
    if connection.ready:
        peer = connection.peer
        assert peer is not None
        assert b"".join(map(bytes, connection.encode([b"one", [b"two", b""]])))
        connection.encode_subscription(b"topic", subscribe=True)
        connection.encode_refusal("because")
        if peer.version >= V3_0:
            connection.send_ping(b"context")
    for _ in range(_MAX_TIMERS):
        due = connection.next_timer()
        if due is None:
            break
        connection.handle_timer(due)
        connection.data_to_send()
    connection.close()
    assert connection.closed
    assert connection.next_timer() is None
