"""What a ZAP handler answers (RFC 27): a verdict or the one error; only a well-formed 200 lets anybody in.

An input is the parts of a reply, each behind its size in two bytes; an odd first byte makes one part of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.driving import greeting, open_connection, property_block, ready_command
from fuzz.model import read_properties
from purezmq.engine.zap import parse_reply
from purezmq.wire import ConnectionFailed, HandshakeSucceeded
from purezmq.wire.config import ConnectionConfig
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import AuthenticationNeeded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purezmq.wire.verdict import Verdict

__all__ = ["TOKENS", "run", "seeds"]

_MAX_PARTS = 40
_SIZE = 2
_CONFIG = ConnectionConfig("PULL", frozenset({"PUSH"}), authenticates=True)
_GOOD = (b"", b"1.0", b"1", b"200", b"OK", b"user", property_block(X_Role=b"admin"))

TOKENS = (b"\0\x031.0", b"\0\x011", b"\0\x03200", b"\0\x03400", b"\0\0", b"\x07User-Id\0\0\0\1x", b"\x01X\0\0\0\1y")


def run(data: bytes) -> None:
    """Run one input."""
    if not data:
        return
    reply: Any = data[1:] if data[0] & 1 else _parts(data[1:])
    if data[0] & 2:
        reply = memoryview(reply) if isinstance(reply, bytes) else [memoryview(part) for part in reply]
    try:
        verdict = parse_reply(reply)
    except RemoteProtocolError as error:
        assert error.text.isprintable()
        assert not _is_good(reply), "a good reply was refused"
        return
    assert _is_good(reply), "a malformed reply was taken"
    _apply(verdict, int(bytes(reply[3])))


def _parts(data: bytes) -> list[bytes]:
    parts: list[bytes] = []
    while len(data) >= _SIZE and len(parts) < _MAX_PARTS:
        size = int.from_bytes(data[:_SIZE], "big")
        parts.append(data[_SIZE : _SIZE + size])
        data = data[_SIZE + size :]
    return parts


def _is_good(reply: Any) -> bool:
    """What RFC 27 asks for."""
    parts = [bytes(part) for part in reply] if isinstance(reply, list) else [bytes(reply)]
    if len(parts) != 7 or parts[:3] != [b"", b"1.0", b"1"] or parts[3] not in (b"200", b"300", b"400", b"500"):
        return False
    return read_properties(parts[6]) is not None and _is_text(parts[5])


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _apply(verdict: Verdict, status: int) -> None:
    """Decide about a peer: it is in with 200, and otherwise gone."""
    connection = open_connection(_CONFIG, bound=True, prefix=greeting() + ready_command("PUSH", User_Id=b"self-made"))
    assert isinstance(connection.next_event(), AuthenticationNeeded)
    connection.authorize(verdict, 0.0)
    event = connection.next_event()
    assert connection.ready == (status == 200)
    if status == 200:
        assert isinstance(event, HandshakeSucceeded)
        assert event.peer.user_id == verdict.user_id
        assert event.peer.properties.get("User-Id", b"") != b"self-made", "a peer says who it is"
    else:
        assert isinstance(event, ConnectionFailed)
        assert event.status == status


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from: good replies, and each part wrong in turn."""

    def encode(parts: Iterable[bytes]) -> bytes:
        return b"\0" + b"".join(len(part).to_bytes(_SIZE, "big") + part for part in parts)

    yield encode(_GOOD)
    for status in (b"300", b"400", b"500", b"201", b"2000", b""):
        yield encode((*_GOOD[:3], status, *_GOOD[4:]))
    for index in range(len(_GOOD)):
        yield encode((*_GOOD[:index], b"\xff" + _GOOD[index], *_GOOD[index + 1 :]))
    yield encode(_GOOD[:6])
    yield encode((*_GOOD, b""))
    yield encode((*_GOOD[:6], property_block(User_Id=b"other", X_a=b"")))
    yield b"\x01one part"
