"""Streams of a peer, good and slightly broken, as Hypothesis strategies: what follows the handshake, piece by piece.

Each piece knows by which of the habits of `stricter.STRICTER` it is judged differently, if any.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from hypothesis import strategies as st
from tests.support.raw_peer import COMMAND, LONG, MORE

__all__ = ["BROKEN", "PEERS", "VERSIONS", "Piece", "Stream", "frame", "frame_v1", "streams"]

#: The socket types that receive, and the type of their peer.
PEERS = {
    "PULL": "PUSH", "ROUTER": "DEALER", "SUB": "PUB", "XPUB": "SUB", "REP": "REQ", "PAIR": "PAIR", "DEALER": "DEALER",
}  # fmt: skip
VERSIONS = ("3.1", "3.0", "2.0", "1.0")


class Piece(NamedTuple):
    """A part of a stream.

    Attributes:
        data: its bytes.
        habit: a key of `stricter.STRICTER`, or an empty text where both libraries agree.
    """

    data: bytes
    habit: str = ""


class Stream(NamedTuple):
    """What a peer says.

    Attributes:
        version: of ZMTP.
        kind: the socket type that it talks to.
        pieces: what follows the handshake.
    """

    version: str
    kind: str
    pieces: list[Piece]

    @property
    def data(self) -> bytes:
        """All bytes after the handshake."""
        return b"".join(piece.data for piece in self.pieces)

    @property
    def habits(self) -> set[str]:
        """The habits in it."""
        return {piece.habit for piece in self.pieces} - {""}


def frame(flags: int, body: bytes, *, is_long: bool = False) -> bytes:
    """A frame of ZMTP 2.0 and later."""
    if is_long or len(body) > 255:
        return bytes((flags | LONG,)) + struct.pack(">Q", len(body)) + body
    return bytes((flags, len(body))) + body


def frame_v1(flags: int, body: bytes, *, is_long: bool = False) -> bytes:
    """A frame of ZMTP 1.0."""
    size = len(body) + 1
    if is_long or size >= 255:
        return b"\xff" + struct.pack(">Q", size) + bytes((flags,)) + body
    return bytes((size, flags)) + body


_BODIES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"", b"\x00", b"\x01", b"\x00a", b"\x01a", b"\x01b", b"x" * 254, b"x" * 255, b"x" * 256]),
    st.integers(0, 9000).map(bytes),
)
_PARTS = st.lists(_BODIES, min_size=1, max_size=4)


def _message(parts: list[bytes], is_long: bool, version: str, kind: str) -> Piece:
    is_sorted_out = kind == "XPUB" and len(parts) > 1 and any(part[:1] in (b"\0", b"\1") for part in parts)
    encode = frame_v1 if version == "1.0" else frame
    flags = [MORE] * (len(parts) - 1) + [0]
    return Piece(
        b"".join(encode(flag, part, is_long=is_long) for flag, part in zip(flags, parts, strict=True)),
        "subscription inside a message" if is_sorted_out else "",
    )


def _commands(kind: str) -> st.SearchStrategy[Piece]:
    """Commands of ZMTP 3, good and bad."""
    topics = st.sampled_from([b"", b"a", b"b", b"topic"])
    # On an XPUB they are its business; elsewhere nobody has a use for them.
    habit = "" if kind == "XPUB" else "subscription as a message"
    return st.one_of(
        st.binary(max_size=16).map(lambda data: Piece(frame(COMMAND, b"\x04PING\0\0" + data))),
        st.binary(max_size=16).map(lambda data: Piece(frame(COMMAND, b"\x04PONG" + data))),
        topics.map(lambda topic: Piece(frame(COMMAND, b"\x09SUBSCRIBE" + topic), habit)),
        topics.map(lambda topic: Piece(frame(COMMAND, b"\x06CANCEL" + topic), habit)),
        st.binary(max_size=20).map(lambda data: Piece(frame(COMMAND, b"\x07UNKNOWN" + data))),
    )


_BROKEN_3 = {
    "reserved flags": [frame(flags, b"x") for flags in (0x08, 0x10, 0x20, 0x40, 0x80, 0xF8, 0x09)],
    "command with MORE": [
        frame(COMMAND | MORE, b"\x07UNKNOWN"),
        frame(COMMAND | MORE, b"\x04PING\0\0") + frame(0, b"x"),
    ],
    "command inside a message": [frame(MORE, b"a") + frame(COMMAND, b"\x04PING\0\0") + frame(0, b"b")],
    "second READY": [frame(COMMAND, b"\x05READY"), frame(COMMAND, b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH")],
    "name longer than its command": [frame(COMMAND, b"\x09PING"), frame(COMMAND, b"\xff")],
    "command without a name": [frame(COMMAND, b""), frame(COMMAND, b"\0"), frame(COMMAND, b"\0abc")],
    "PING without TTL": [frame(COMMAND, b"\x04PING"), frame(COMMAND, b"\x04PING\0")],
    "ERROR after the handshake": [frame(COMMAND, b"\x05ERROR\x03400"), frame(COMMAND, b"\x05ERROR")],
    "size with its top bit set": [bytes((LONG,)) + struct.pack(">Q", 1 << 63) + b"x"],
}
_BROKEN_2 = {
    "reserved flags": _BROKEN_3["reserved flags"],
    "size with its top bit set": _BROKEN_3["size with its top bit set"],
    "name longer than its command": [frame(COMMAND, b"abc")],
}
_BROKEN_1 = {
    "size 0 of ZMTP 1.0": [b"\0", b"\0\0", b"\xff" + bytes(8) + b"\0"],
}


#: What no good peer sends, by version and by what it is.
BROKEN: dict[str, dict[str, list[bytes]]] = {"3.1": _BROKEN_3, "3.0": _BROKEN_3, "2.0": _BROKEN_2, "1.0": _BROKEN_1}


def _broken(version: str) -> st.SearchStrategy[Piece]:
    return st.sampled_from([Piece(data, habit) for habit, texts in BROKEN[version].items() for data in texts])


@st.composite
def streams(draw: st.DrawFn, *, is_broken: bool, kinds: tuple[str, ...] = tuple(PEERS)) -> Stream:
    """A stream of any version to any type.

    Args:
        draw: Hypothesis's.
        is_broken: it has pieces that no good peer sends.
        kinds: socket types to talk to.
    """
    version, kind = draw(st.sampled_from(VERSIONS)), draw(st.sampled_from(sorted(kinds)))
    good = [st.builds(lambda parts, is_long: _message(parts, is_long, version, kind), _PARTS, st.booleans())]
    if kind == "REP":
        good = [st.builds(lambda parts: _message([b"", *parts], False, version, kind), _PARTS)]
    if version.startswith("3"):
        good.append(_commands(kind))
    pieces = draw(st.lists(st.one_of(good), max_size=8))
    if is_broken:
        at = draw(st.integers(0, len(pieces)))
        pieces.insert(at, draw(_broken(version)))
    tail = draw(st.sampled_from([b"", b"", b"\x01", b"\x01\x01a", b"\x00\x09half"]))
    return Stream(version, kind, [*pieces, Piece(tail)])
