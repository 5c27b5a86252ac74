"""What the targets `zmtp_server` and `zmtp_client` share: ZMTP with the NULL mechanism, from any state on.

An input is four bytes, which choose, and the peer's stream::

    0  settings of the connection      2  how the stream is cut the second time
    1  what was received before it     3  most messages to take at once the second time, 0 for all
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from fuzz.driving import (
    COMMAND,
    MAX_STREAM,
    Outcome,
    check_end,
    choose_limit,
    copy_connection,
    cut,
    drive,
    greeting,
    ready_command,
)
from fuzz.model import read_traffic, read_v1
from purezmq.wire.commands import encode_ping, encode_pong
from purezmq.wire.config import ConnectionConfig
from purezmq.wire.framing import encode_frame, encode_frame_v1
from purezmq.wire.greeting import SOCKET_TYPE_NUMBERS
from purezmq.wire.limits import UNLIMITED
from purezmq.wire.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fuzz.checks import Checks

__all__ = ["PREFIXES", "TOKENS", "Setting", "prefixes_of", "run_zmtp", "zmtp_seeds"]

_SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
_HEADER_SIZE = 4
#: Types whose messages all go to the application: the model knows what it gets.
_PLAIN_TYPES = frozenset({"PULL", "PUSH", "PAIR", "REQ", "REP", "DEALER", "ROUTER", "SUB", "XSUB", "XPUB", "STREAM"})

PREFIXES = ("nothing", "3.1", "3.0", "3.1 ready", "3.0 ready", "2.0 ready", "1.0 ready", "unversioned ready")
"""How far the peer has come before the stream."""

TOKENS = (
    *(b"\x05READY", b"\x05ERROR\x03400", b"\x04PING\x00\x05", b"\x04PONG", b"\x09SUBSCRIBE", b"\x06CANCEL"),
    *(b"\x04JOIN", b"\x05LEAVE", b"\x0bSocket-Type\x00\x00\x00\x04", b"\x08Identity\x00\x00\x00\x02id"),
    *(b"\x02\x7f\xff\xff\xff\xff\xff\xff\xff", b"\x02\x80\0\0\0\0\0\0\0", b"\x06\0\0\0\0\0\0\1\0", _SIGNATURE),
    *(b"\x01\x01a", b"\x00\x00", b"\x04\x06\x05READY", b"NULL", b"\xff\0\0\0\0\0\0\0\0", b"\x05\x00"),
)
"""What a mutator may put in."""


class Setting(NamedTuple):
    """Settings of a connection, and the type of a peer that it takes.

    Attributes:
        config: ours.
        peer: name of a socket type that is welcome.
        verdict: status that decides about a peer, 0 where nobody is asked.
    """

    config: ConnectionConfig
    peer: str
    verdict: int = 0

    @classmethod
    def make(cls, kind: str, peers: str, *, max_size: int = -1, verdict: int = 0, heartbeats: bool = False) -> Setting:
        """Make the settings of a socket type.

        Args:
            kind: our socket type.
            peers: the names of its peers, separated by spaces.
            max_size: MAXMSGSIZE.
            verdict: see the class.
            heartbeats: whether we send PINGs.
        """
        config = ConnectionConfig(
            kind,
            frozenset(peers.split()),
            max_message_size=max_size,
            authenticates=bool(verdict),
            heartbeat_interval=1.0 if heartbeats else None,
            heartbeat_timeout=2.0,
            heartbeat_ttl=3.0,
        )
        return cls(config, peers.split(maxsplit=1)[0], verdict)


@cache
def prefixes_of(peer: str) -> dict[str, bytes]:
    """Return the streams that `PREFIXES` names, of a peer of a socket type."""
    number = bytes((SOCKET_TYPE_NUMBERS[peer],))
    return {
        "nothing": b"",
        "3.1": greeting(),
        "3.0": greeting((3, 0)),
        "3.1 ready": greeting() + ready_command(peer, Identity=b"me"),
        "3.0 ready": greeting((3, 0)) + ready_command(peer),
        "2.0 ready": _SIGNATURE + b"\x01" + number + b"\x00\x02me",
        "1.0 ready": _SIGNATURE + b"\x00" + number + b"\x03\x00me",
        "unversioned ready": b"\x01\x00",
    }


def run_zmtp(data: bytes, settings: tuple[Setting, ...], checks: Checks, *, bound: bool) -> None:
    """Run one input.

    Args:
        data: see the module.
        settings: to choose from.
        checks: what to look at.
        bound: which side we are.
    """
    if len(data) < _HEADER_SIZE:
        return
    setting = settings[data[0] % len(settings)]
    name = PREFIXES[data[1] % len(PREFIXES)]
    step, stream = data[2], data[_HEADER_SIZE : _HEADER_SIZE + MAX_STREAM]
    verdict = Verdict(setting.verdict, "text", "user", {"X-Given": b"1"}) if setting.verdict else None
    if verdict is not None and name not in ("3.1", "3.0"):
        name, stream = "nothing", prefixes_of(setting.peer)[name] + stream  # nobody is ready before the verdict
    prefix = prefixes_of(setting.peer)[name]
    ways: list[tuple[list[bytes], int]] = []
    if checks.whole:
        ways.append(([stream], UNLIMITED))
    if checks.pieces:
        ways.append((cut(stream, step, checks.most), choose_limit(data[3], stream)))
    outcomes: list[Outcome] = []
    for pieces, limit in ways:
        connection = copy_connection(setting.config, bound=bound, prefix=prefix)
        outcome = drive(connection, pieces, limit, verdict, weigh=checks.weigh)
        outcomes.append(outcome)
        # When the verdict comes decides what a hasty peer's messages meet: only this, and the rules of `drive`, hold.
        assert verdict is None or setting.verdict == 200 or not connection.ready, "a peer that was refused is in"
        if checks.end:
            check_end(connection)
    if verdict is not None:
        return
    assert outcomes[0].visible == outcomes[-1].visible, "the outcome depends on how the bytes came"
    if checks.model and name.endswith("ready") and setting.config.socket_type in _PLAIN_TYPES:
        _compare(name, setting, stream, outcomes[0].messages, outcomes[0].failure)


def _compare(name: str, setting: Setting, stream: bytes, messages: list[object], failure: str) -> None:
    max_size = setting.config.max_message_size
    is_xpub = setting.config.socket_type == "XPUB"
    if "2.0" in name or "3." in name:
        expected = read_traffic(stream, max_size, takes_subscriptions=is_xpub)
    else:
        # An unversioned peer's stream goes on behind its identity.
        expected = read_v1(stream, max_size)
        if is_xpub:
            return
    assert messages == expected.items, "other messages than the model's"
    assert bool(failure) == bool(expected.failure), "the model judges otherwise"
    if expected.failure in {"PROTOCOL", "TOO_BIG"}:
        assert failure == expected.failure


def zmtp_seeds(settings: tuple[Setting, ...]) -> Iterable[bytes]:
    """Return a good stream for each settings and beginning, and some with one thing wrong."""
    traffic = (
        encode_frame(0, b"one") + encode_frame(1, b"two") + encode_frame(0, b"parts") + encode_frame(0, b"x" * 300),
        encode_frame(COMMAND, encode_ping(1.0, b"ctx")) + encode_frame(COMMAND, encode_pong(b"context")),
        encode_frame(COMMAND, b"\x09SUBSCRIBEa") + encode_frame(COMMAND, b"\x06CANCELa") + encode_frame(0, b"\x01b"),
        encode_frame(COMMAND, b"\x04JOINg") + encode_frame(COMMAND, b"\x05LEAVEg") + encode_frame(0, b"") * 40,
        encode_frame(1, b"g") + encode_frame(0, b"body"),
        encode_frame(COMMAND, b"\x05ERROR\x03400"),
    )
    old_traffic = encode_frame_v1(1, b"a") + encode_frame_v1(0, b"bc") + encode_frame_v1(0, b"y" * 300)
    for number, setting in enumerate(settings):
        for beginning, name in enumerate(PREFIXES):
            stream = traffic[(number + beginning) % len(traffic)]
            if name in ("1.0 ready", "unversioned ready"):
                stream = old_traffic
            elif name in ("3.1", "3.0"):
                stream = ready_command(setting.peer, Identity=b"id", X_Key=b"value") + stream
            elif name == "nothing":
                stream = prefixes_of(setting.peer)[PREFIXES[2 + number % 6]] + stream
            yield bytes((number, beginning, 7 * number % 40, beginning % 4)) + stream
