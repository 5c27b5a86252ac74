"""PLAIN (RFC 24), both sides, from the greeting on, against a model of the handshake.

An input is two bytes, which choose the role, whether somebody decides, and how the stream is cut, and the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.checks import ALL, Checks
from fuzz.driving import (
    COMMAND,
    MAX_STREAM,
    Outcome,
    check_end,
    copy_connection,
    cut,
    drive,
    greeting,
    property_block,
)
from fuzz.model import Command, read_properties, read_v2
from purezmq.wire.config import ConnectionConfig
from purezmq.wire.framing import encode_frame
from purezmq.wire.limits import MAX_HANDSHAKE_FRAME_SIZE, UNLIMITED
from purezmq.wire.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CONFIGS", "MAX_SIZE", "PEER_GREETINGS", "TOKENS", "run", "seeds"]

MAX_SIZE = 400

_HEADER_SIZE = 2
_SERVER = 0
_ROLES = 5
_STATUSES = (0, 200, 300, 400)

TOKENS = (
    *(b"\x05HELLO\x01u\x01p", b"\x07WELCOME", b"\x08INITIATE", b"\x05READY", b"\x05ERROR\x03400"),
    *(b"\x0bSocket-Type\x00\x00\x00\x04PUSH", b"\x08Identity\x00\x00\x00\x00", b"\x07User-Id\0\0\0\1x", b"\x04\x08"),
)


def _config(role: int) -> ConnectionConfig:
    """Settings of a client (the last role), or of a server with one of the statuses."""
    is_server = role < len(_STATUSES)
    return ConnectionConfig(
        "PULL" if is_server else "PUSH",
        frozenset({"PUSH" if is_server else "PULL"}),
        mechanism="PLAIN",
        as_server=is_server,
        authenticates=is_server and _STATUSES[role] > 0,
        credentials=() if is_server else (b"user", b"secret"),
    )


CONFIGS = [_config(role) for role in range(_ROLES)]
#: The peer's greeting, by our side.
PEER_GREETINGS = {is_server: greeting(mechanism=b"PLAIN", as_server=not is_server) for is_server in (False, True)}


def run(data: bytes, checks: Checks = ALL) -> None:
    """Run one input."""
    if len(data) < _HEADER_SIZE:
        return
    role, step, stream = data[0] % _ROLES, data[1], data[_HEADER_SIZE : _HEADER_SIZE + MAX_STREAM]
    config = CONFIGS[role]
    status = _STATUSES[role] if config.as_server else 0
    verdict = Verdict(status, "text", "user") if status else None
    outcomes: list[Outcome] = []
    for pieces in [[stream]] * checks.whole + [cut(stream, step, checks.most)] * checks.pieces:
        connection = copy_connection(config, bound=config.as_server, prefix=PEER_GREETINGS[config.as_server])
        outcome = drive(connection, pieces, UNLIMITED, verdict, weigh=checks.weigh)
        outcomes.append(outcome)
        assert status <= 200 or not outcome.ready, "a peer that was refused is in"
        if checks.end:
            check_end(connection)
    if status:
        return
    first = outcomes[0]
    assert first.visible == outcomes[-1].visible, "the outcome depends on how the bytes came"
    if checks.model:
        expected = _is_ready(stream, as_server=config.as_server)
        assert expected is None or expected == (first.ready or bool(first.messages)), "the model judges otherwise"


def _is_ready(stream: bytes, *, as_server: bool) -> bool | None:
    """Whether the handshake succeeds; None when it does and traffic follows, which may end the connection again."""
    reading = read_v2(stream, MAX_HANDSHAKE_FRAME_SIZE)
    wanted = [b"HELLO", b"INITIATE"] if as_server else [b"WELCOME", b"READY"]
    for item in reading.items:
        if not wanted:
            return None
        if not isinstance(item, Command) or not _is_good(wanted.pop(0), item.body):
            return False
    return None if not wanted and reading.failure else not wanted


def _is_good(name: bytes, body: bytes) -> bool:
    """Whether a command is the one that is wanted, and well-formed."""
    head = bytes((len(name),)) + name
    if not body.startswith(head):
        return False
    rest = body[len(head) :]
    if name == b"WELCOME":
        return not rest
    if name == b"HELLO":
        if not rest or len(rest) < rest[0] + 2:
            return False
        password = rest[rest[0] + 1 :]
        return len(password) == password[0] + 1
    properties = read_properties(rest)
    if properties is None:
        return False
    types = [value for key, value in properties if key.lower() == b"socket-type"]
    ids = [value for key, value in properties if key.lower() == b"identity"]
    return types[-1:] == [b"PUSH" if name == b"INITIATE" else b"PULL"] and max(map(len, ids[-1:]), default=0) <= 255


def seeds() -> Iterable[bytes]:
    """Return the inputs to start from."""
    hello = encode_frame(COMMAND, b"\x05HELLO\x04user\x06secret")
    initiate = encode_frame(COMMAND, b"\x08INITIATE" + property_block(Socket_Type=b"PUSH", Identity=b"", X_a=b"b"))
    traffic = encode_frame(0, b"message") + encode_frame(COMMAND, b"\x04PING\0\0")
    welcome = encode_frame(COMMAND, b"\x07WELCOME")
    ready = encode_frame(COMMAND, b"\x05READY" + property_block(Socket_Type=b"PULL"))
    for role in range(len(_STATUSES)):
        yield bytes((role, 0)) + hello + initiate + traffic
        yield bytes((role, 30)) + hello + initiate
    client = bytes((len(_STATUSES), 3))
    yield client + welcome + ready + encode_frame(COMMAND, b"\x09SUBSCRIBEx")
    yield client + encode_frame(COMMAND, b"\x05ERROR\x03400")
    yield client + welcome + welcome
    yield bytes((_SERVER, 1)) + hello + hello
    yield bytes((_SERVER, 1)) + initiate
    yield bytes((_SERVER, 1)) + encode_frame(COMMAND, b"\x05HELLO\xff\xff")
