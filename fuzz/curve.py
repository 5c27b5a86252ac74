"""A peer of CURVE (RFC 26) that holds real keys and does what a script says: mutations get behind the cryptography.

An input is two bytes, which choose, and a script of records: ``what how where size payload[size]``. A record makes one
command or frame of the handshake, or some traffic; *how* says what is wrong with it, before or after it is sealed. The
peer knows which of its frames are good, and so what must arrive.

The cryptography here is PyNaCl's own interface, and the formats are written down a second time on purpose.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nacl.bindings import (
    crypto_box_afternm,
    crypto_box_beforenm,
    crypto_box_open_afternm,
    crypto_scalarmult_base,
)

from fuzz.driving import (
    COMMAND,
    Outcome,
    check_end,
    cut,
    greeting,
    open_connection,
    property_block,
    take_control,
    take_data,
)
from fuzz.model import Reading, read_traffic
from fuzz.prototype import Prototype
from purezmq.wire import connection as wire_connection
from purezmq.wire.framing import MORE, encode_frame
from purezmq.wire.limits import UNLIMITED
from purezmq.wire.mechanisms import curve
from purezmq.wire.mechanisms.curve_client import CurveClient
from purezmq.wire.mechanisms.curve_server import CurveServer
from purezmq.wire.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fuzz.checks import Checks
    from purezmq.wire.config import ConnectionConfig
    from purezmq.wire.mechanisms.curve import CurveMechanism

__all__ = [
    "HANDSHAKE",
    "PEER_PUBLIC",
    "PEER_SECRET",
    "PUBLIC",
    "SECRET",
    "TRANSIENT",
    "CurvePeer",
    "Randomness",
    "Session",
    "begin_session",
    "curve_seeds",
    "remember_keys",
    "run_curve",
]

SECRET, PEER_SECRET = bytes(range(1, 33)), bytes(range(101, 133))
PUBLIC, PEER_PUBLIC = crypto_scalarmult_base(SECRET), crypto_scalarmult_base(PEER_SECRET)
_TRANSIENT_SECRET = bytes(range(50, 82))
TRANSIENT = crypto_scalarmult_base(_TRANSIENT_SECRET)
_RECORD_SIZE = 4
HANDSHAKE = b"\0\0\0\0\1\0\0\0"
"""The script of a good handshake, which is not played."""
#: The same keys, and many of the same boxes, are wanted again and again.
_cached = lru_cache(maxsize=4096)
_share_key = _cached(crypto_box_beforenm)
_seal = _cached(crypto_box_afternm)
_VOUCHED_SIZE = 128
"""The client's key and its vouch, of which nothing may be changed."""
_MAX_RECORDS = 8
_MAX_BYTES = 4_000
_RUNS = (2, 3, 4, 5, 6, 8, 18, 24)
"""Lengths of runs: two of them are decoded as such."""
_MAX_PIECES = 4
#: What a record does.
FIRST, SECOND, MESSAGE, RUN, PLAIN, RAW, REPLAY, ERROR = range(8)
#: How it goes wrong.
GOOD, FLIPPED, CUT, LONGER, OTHER_NONCE, OTHER_PLAIN, OTHER_FLAGS, PATCHED = range(8)


class CurvePeer:
    """The other side of the connection under test.

    Args:
        as_server: which side this one is.

    Attributes:
        inner: the frames that must come out of the cipher, as a stream of plain frames.
        tampered: something was sent that must end the connection, whatever follows.
        doubtful: something was changed that may be good or not.
    """

    def __init__(self, *, as_server: bool) -> None:
        self.as_server = as_server
        self.inner = b""
        self.tampered = False
        self.doubtful = False
        self._received = b""
        self._key = b""  # of the session
        self._hello_key = b""
        self._their_transient = b""
        self._nonce = 1 if as_server else 2
        self._last = 1 if as_server else 2
        self._sent: list[bytes] = []
        self._step = 0

    def take(self, data: bytes) -> None:
        """Take what the connection sends."""
        self._received += data

    def _command(self, name: bytes) -> bytes:
        """The body of the first command of that name among what came; empty when there is none."""
        at = 64
        while at + 2 <= len(self._received):
            is_long = self._received[at] & 2
            start = at + (9 if is_long else 2)
            size = int.from_bytes(self._received[at + 1 : start], "big")
            body = self._received[start : start + size]
            if body.startswith(name):
                return body
            at = start + size
        return b""

    # -- the handshake -----------------------------------------------------------------------------------------

    def first(self, how: int, where: int, payload: bytes) -> bytes:
        """HELLO of a client, WELCOME of a server."""
        self._note_order(0)
        short = self._short(1, how, payload)
        if self.as_server:
            hello = self._command(b"\x05HELLO")
            if not hello:
                return b""
            self._their_transient = hello[80:112]
            key = _share_key(self._their_transient, PEER_SECRET)
            nonce = short + bytes(8)
            plain = self._plain(TRANSIENT + bytes(range(96)), how, where, payload)
            body = b"\x07WELCOME" + nonce + _seal(plain, b"WELCOME-" + nonce, key)
        else:
            key = self._hello_key = _share_key(PUBLIC, _TRANSIENT_SECRET)
            plain = self._plain(bytes(64), how, where, payload, 64)
            box = _seal(plain, b"CurveZMQHELLO---" + short, key)
            body = b"\x05HELLO\x01\x00" + bytes(72) + TRANSIENT + short + box
        return self._frame(body, how, where, payload, unsealed=range(8, 80) if not self.as_server else range(0))

    def second(self, how: int, where: int, payload: bytes) -> bytes:
        """INITIATE of a client, READY of a server."""
        self._note_order(1)
        short = self._short(2 if not self.as_server else 1, how, payload)
        metadata = property_block(Socket_Type=b"PULL" if self.as_server else b"PUSH", Identity=b"me")
        if self.as_server:
            initiate = self._command(b"\x08INITIATE")
            if not initiate:
                return b""
            self._key = _share_key(self._their_transient, _TRANSIENT_SECRET)
            plain = self._plain(metadata, how, where, payload)
            body = b"\x05READY" + short + _seal(plain, b"CurveZMQREADY---" + short, self._key)
            return self._frame(body, how, where, payload)
        welcome = self._command(b"\x07WELCOME")
        if not welcome:
            return b""
        opened = crypto_box_open_afternm(welcome[24:], b"WELCOME-" + welcome[8:24], self._hello_key)
        server, cookie = opened[:32], opened[32:]
        self._key = _share_key(server, _TRANSIENT_SECRET)
        vouch_key = _share_key(server, PEER_SECRET)
        vouch = _seal(TRANSIENT + PUBLIC, b"VOUCH---" + bytes(16), vouch_key)
        plain = self._plain(PEER_PUBLIC + bytes(16) + vouch + metadata, how, where, payload, _VOUCHED_SIZE)
        box = _seal(plain, b"CurveZMQINITIATE" + short, self._key)
        return self._frame(b"\x08INITIATE" + cookie + short + box, how, where, payload)

    def _note_order(self, step: int) -> None:
        if self._step != step:
            self.doubtful = True
        self._step += 1

    def _short(self, number: int, how: int, payload: bytes) -> bytes:
        """A nonce of the handshake, or another one: only zero is wrong."""
        if how != OTHER_NONCE:
            return number.to_bytes(8, "big")
        self.doubtful = True
        short = payload[:8].rjust(8, b"\0")
        self._last = max(self._last, int.from_bytes(short, "big"))
        return short

    def _plain(self, plain: bytes, how: int, where: int, payload: bytes, fixed: int = 0) -> bytes:
        """What is to be sealed, changed or not; a change of the first `fixed` bytes must be refused."""
        changed = plain
        if how == OTHER_PLAIN:
            changed = payload
        elif how == PATCHED:
            at = where % (len(plain) + 1)
            changed = plain[:at] + payload + plain[at + len(payload) :]
        if changed[:fixed] != plain[:fixed]:
            self.tampered = True
        elif changed != plain:
            self.doubtful = True
        return changed

    def _frame(self, body: bytes, how: int, where: int, payload: bytes, unsealed: range = range(0)) -> bytes:
        """The frame of a command, changed or not."""
        flags = COMMAND
        if how == FLIPPED:
            at = (where * 7 + len(payload)) % len(body)
            body = body[:at] + bytes((body[at] ^ 1 << where % 8,)) + body[at + 1 :]
            if at in unsealed:
                self.doubtful = True
            else:
                self.tampered = True
        elif how == CUT:
            body = body[: -1 - where % len(body)]
            self.tampered = True
        elif how == LONGER:
            body += payload or b"\0"
            self.tampered = True
        elif how == OTHER_FLAGS:
            flags = where & ~2
            self.tampered = self.tampered or flags != COMMAND
        return encode_frame(flags, body)

    # -- traffic ------------------------------------------------------------------------------------------------

    def message(self, how: int, where: int, payload: bytes) -> bytes:
        """A MESSAGE; `where` is what its seal says of flags."""
        if not self._key:
            self.doubtful = True
            return b""
        inner, outer = where, 0
        self._nonce += 1
        nonce = self._nonce
        if how == OTHER_NONCE:
            nonce = int.from_bytes(payload[:8], "big") if where & 8 else max(0, self._nonce - 1 - where % 4)
            inner = where & 1
            self._nonce = max(self._nonce, nonce)
        if how == OTHER_FLAGS:
            outer, inner = where & ~2, 0
        short = nonce.to_bytes(8, "big")
        prefix = b"CurveZMQMESSAGE" + (b"S" if self.as_server else b"C")
        plain = b"" if how == OTHER_PLAIN else bytes((inner,)) + payload
        body = b"\x07MESSAGE" + short + _seal(plain, prefix + short, self._key)
        if how == FLIPPED:
            at = (where + 13 * len(payload)) % len(body)
            body = body[:at] + bytes((body[at] ^ 0x10,)) + body[at + 1 :]
        elif how == CUT:
            body = body[: -1 - where % len(body)]
        is_good = nonce > self._last and inner <= 3 and outer in {0, COMMAND} and how not in {FLIPPED, CUT, OTHER_PLAIN}
        self._nonce = min(2**64 - 400, self._nonce)  # the next ones are replays, and known to be
        self._expect(is_good, nonce, inner, payload)
        frame = encode_frame(outer, body)
        self._sent.append(frame)
        return frame

    def _expect(self, is_good: bool, nonce: int, inner: int, payload: bytes) -> None:
        """Note a frame that must come out of the cipher, or end the connection."""
        if not is_good:
            self.tampered = True
        if self.tampered:
            return
        self._last = nonce
        self.inner += encode_frame((inner & 1) * MORE | (inner & 2) * (COMMAND // 2), payload)

    def run(self, how: int, where: int, payload: bytes) -> bytes:
        """Many messages of one size, one of which may be wrong."""
        count = _RUNS[where % len(_RUNS)]
        frames = [
            self.message(how if number == (len(payload) * 5) % count else GOOD, 0, payload) for number in range(count)
        ]
        return b"".join(frames)

    def replay(self, where: int) -> bytes:
        """A frame that was sent before."""
        if not self._sent:
            return b""
        self.tampered = True
        return self._sent[where % len(self._sent)]

    def act(self, record: tuple[int, int, int, bytes]) -> bytes:
        """Return the bytes that a record makes."""
        what, how, where, payload = record
        if what == FIRST:
            return self.first(how, where, payload)
        if what == SECOND:
            return self.second(how, where, payload)
        if what == MESSAGE:
            return self.message(how, where, payload)
        if what == RUN:
            return self.run(how, where, payload)
        if what == REPLAY:
            return self.replay(where)
        self.doubtful = True
        if what == PLAIN:
            return encode_frame(where & ~2, payload)
        if what == ERROR:
            return encode_frame(COMMAND, b"\x05ERROR" + payload)
        return payload


def _records(script: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    at = 0
    for _ in range(_MAX_RECORDS):
        head = script[at : at + _RECORD_SIZE]
        if len(head) < _RECORD_SIZE:
            return
        what, how, where, size = head
        at += _RECORD_SIZE + size
        yield what % 8, how % 8, where, script[at - size : at]


class Randomness:
    """Random bytes for the connection under test: other ones with each call, and the same for each connection.

    What was sealed may be read where it's misaligned, as the header of a frame. With bytes that are new each time the
    same input would have one outcome now and another one then.
    """

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, size: int) -> bytes:
        """Return as many bytes."""
        self._calls += 1
        return _numbered_bytes(self._calls, size)


@_cached
def _numbered_bytes(number: int, size: int) -> bytes:
    return hashlib.shake_128(b"%d" % number).digest(size)


def _create_mechanism(config: ConnectionConfig, *, bound: bool) -> CurveMechanism:
    kind = CurveServer if config.as_server else CurveClient
    return kind(config, bound=bound, random=Randomness())


class Session:
    """A connection under test, its peer, and what they have come to.

    Attributes:
        connection: ours.
        peer: the other side.
        messages: what the application got.
        events: see `fuzz.driving`.
        sent: what the connection has said.
    """

    def __init__(self, config: ConnectionConfig, *, as_server: bool) -> None:
        create: Any = vars(wire_connection)["create_mechanism"]
        setattr(wire_connection, "create_mechanism", _create_mechanism)  # noqa: B010  # a function, for mypy
        try:
            prefix = greeting(mechanism=b"CURVE", as_server=int(as_server))
            self.connection = open_connection(config, bound=not as_server, prefix=prefix)
        finally:
            setattr(wire_connection, "create_mechanism", create)  # noqa: B010
        self.peer = CurvePeer(as_server=as_server)
        self.messages: list[Any] = []
        self.events: list[object] = []
        self.sent: list[bytes] = []

    def play(self, script: bytes, verdict: Verdict | None, step: int = -1) -> None:
        """Let the peer play a script; -1: each record's bytes come at once."""
        total = 0
        for record in _records(script):
            if total > _MAX_BYTES:
                break
            self._take_control()
            stream = self.peer.act(record)
            total += len(stream)
            for piece in [stream] if step < 0 else cut(stream, step, _MAX_PIECES):
                limit = UNLIMITED if step < 0 else step % 24 + 1
                take_data(self.connection, piece, limit, verdict, self.messages, self.events)
        self._take_control()

    def _take_control(self) -> None:
        if self.connection.has_control:
            data = take_control(self.connection)
            self.peer.take(data)
            self.sent.append(data)

    def outcome(self) -> Outcome:
        """Return what came of it."""
        sent = b"".join(self.sent)
        return Outcome(self.messages, self.events, 0, sent, self.connection.ready, self.connection.closed)


_begun: dict[tuple[int, bool, int], Prototype] = {}
"""Sessions to begin with, by settings, whether the handshake is over, and what is decided about the peer."""


def begin_session(config: ConnectionConfig, verdict: Verdict | None, *, as_server: bool, ready: bool) -> Session:
    """Return a copy of a session behind the greetings, or behind the handshake.

    Args:
        config: of the connection under test, which must live as long as the process.
        verdict: what is decided about the peer.
        as_server: which side the peer is.
        ready: whether HELLO and INITIATE, or WELCOME and READY, were played.
    """
    key = id(config), ready, verdict.status if ready and verdict is not None else 0
    prototype = _begun.get(key)
    if prototype is None:
        session = Session(config, as_server=as_server)
        if ready:
            session.play(HANDSHAKE, verdict)
        prototype = _begun[key] = Prototype(session)
    begun: Session = prototype.make()[0]
    return begun


def remember_keys() -> None:
    """Compute what two keys share once, which is half of a handshake's time: it's the same each time."""
    names = vars(curve)
    names["shared_key"] = _cached(names["shared_key"])


def run_curve(data: bytes, config: ConnectionConfig, checks: Checks, *, as_server: bool) -> None:
    """Run one input.

    Args:
        data: how the stream is cut the second time, what is decided about the peer, and the script.
        config: of the connection under test.
        checks: what to look at.
        as_server: which side the peer is.
    """
    if len(data) < 2:
        return
    step, choice, script = data[0], data[1] % 4, data[2:]
    verdict = Verdict((200, 200, 300, 400)[choice], "", "user") if choice else None
    ready = script.startswith(HANDSHAKE)
    if ready:
        script = script[len(HANDSHAKE) :]
    elif not checks.play:
        ready, script = _skip_handshake(script)
    sessions: list[Session] = []
    for cut_by in [-1] * checks.whole + [step] * checks.pieces:
        session = begin_session(config, verdict, as_server=as_server, ready=ready)
        session.play(script, verdict, cut_by)
        sessions.append(session)
        assert choice < 2 or not (config.authenticates and session.connection.ready), "a peer that was refused is in"
    outcome = sessions[0].outcome()
    assert outcome == sessions[-1].outcome(), "the outcome depends on how the bytes came"
    peer = sessions[0].peer
    if checks.model and choice < 2 and not peer.doubtful:
        _compare(outcome, peer, read_traffic(peer.inner, config.max_message_size, takes_subscriptions=False))
    if checks.end:
        for session in sessions:
            check_end(session.connection)


def _skip_handshake(script: bytes) -> tuple[bool, bytes]:
    """Whether a script begins with a good handshake, however it is written; and what follows."""
    at = 0
    for what in (FIRST, SECOND):
        head = script[at : at + _RECORD_SIZE]
        if len(head) < _RECORD_SIZE or head[0] % 8 != what or head[1] % 8 != GOOD:
            return False, script
        at += _RECORD_SIZE + head[3]
    return True, script[at:]


def _compare(outcome: Outcome, peer: CurvePeer, expected: Reading) -> None:
    """What arrived is what was sealed in good order, until something was not."""
    assert outcome.messages == expected.items, "other messages than were sealed"
    if peer.tampered or expected.failure:
        # A part of a message instead of a command may still wait for its others.
        assert outcome.closed or not outcome.ready, "a peer goes on after what can't be its own"


def curve_seeds() -> Iterable[bytes]:
    """Return scripts: a good session, and sessions with each thing wrong."""

    def record(what: int, how: int = GOOD, where: int = 0, payload: bytes = b"") -> bytes:
        return bytes((what, how, where, len(payload))) + payload

    handshake = record(FIRST) + record(SECOND)
    ping = record(MESSAGE, GOOD, 2, b"\x04PING\x00\x05x")
    traffic = record(MESSAGE, GOOD, 0, b"one") + record(MESSAGE, GOOD, 1, b"two") + record(MESSAGE, GOOD, 0, b"parts")
    yield b"\0\0" + handshake + traffic + ping + record(RUN, GOOD, 30, b"run")
    yield b"\3\1" + handshake + record(RUN, GOOD, 79, b"long" * 60) + ping + traffic
    for how in range(1, 8):
        yield bytes((how, how % 2)) + record(FIRST, how, 11 * how, b"pay") + record(SECOND)
        yield bytes((how, 0)) + record(FIRST) + record(SECOND, how, 23 * how, b"\x01X\0\0\0\x01v") + traffic
        yield bytes((how, 1)) + handshake + traffic + record(MESSAGE, how, how, b"body of it") + traffic
        yield bytes((how, 0)) + handshake + record(RUN, how, 62, b"run") + traffic
    for step in range(8):
        yield bytes((step, 1)) + record(FIRST, GOOD, 1) + record(SECOND, GOOD, 1) + traffic
    yield b"\5\2" + handshake + traffic
    yield b"\5\3" + handshake + traffic
    yield b"\1\0" + handshake + traffic + record(PLAIN, 0, 0, b"plain") + traffic
    yield b"\1\0" + record(ERROR, 0, 0, b"\x03400")
    yield b"\2\0" + record(RAW, 0, 0, b"\x04\x06\x05READY") + handshake
