"""A peer of CURVE (RFC 26) that holds real keys and does what a script says: mutations get behind the cryptography.

An input is two bytes, which choose, and a script of records: ``what how where size payload[size]``. A record makes one
command or frame of the handshake, or some traffic; *how* says what is wrong with it, before or after it is sealed. The
peer knows which of its frames are good, and so what must arrive.

The cryptography here is PyNaCl's own interface, and the formats are written down a second time on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nacl.bindings import (
    crypto_box_afternm,
    crypto_box_beforenm,
    crypto_box_open_afternm,
    crypto_scalarmult_base,
)

from fuzz.driving import COMMAND, Outcome, cut, greeting, property_block, take_control, take_data
from fuzz.model import Reading, read_traffic
from purezmq.wire import Connection
from purezmq.wire.framing import MORE, encode_frame
from purezmq.wire.limits import UNLIMITED
from purezmq.wire.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purezmq.wire.config import ConnectionConfig

__all__ = ["PEER_PUBLIC", "PEER_SECRET", "PUBLIC", "SECRET", "TRANSIENT", "CurvePeer", "curve_seeds", "run_curve"]

SECRET, PEER_SECRET = bytes(range(1, 33)), bytes(range(101, 133))
PUBLIC, PEER_PUBLIC = crypto_scalarmult_base(SECRET), crypto_scalarmult_base(PEER_SECRET)
_TRANSIENT_SECRET = bytes(range(50, 82))
TRANSIENT = crypto_scalarmult_base(_TRANSIENT_SECRET)
_RECORD_SIZE = 4
_VOUCHED_SIZE = 128
"""The client's key and its vouch, of which nothing may be changed."""
_MAX_RECORDS = 40
_MAX_BYTES = 100_000
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
            key = crypto_box_beforenm(self._their_transient, PEER_SECRET)
            nonce = short + bytes(8)
            plain = self._plain(TRANSIENT + bytes(range(96)), how, where, payload)
            body = b"\x07WELCOME" + nonce + crypto_box_afternm(plain, b"WELCOME-" + nonce, key)
        else:
            key = self._hello_key = crypto_box_beforenm(PUBLIC, _TRANSIENT_SECRET)
            plain = self._plain(bytes(64), how, where, payload, 64)
            box = crypto_box_afternm(plain, b"CurveZMQHELLO---" + short, key)
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
            self._key = crypto_box_beforenm(self._their_transient, _TRANSIENT_SECRET)
            plain = self._plain(metadata, how, where, payload)
            body = b"\x05READY" + short + crypto_box_afternm(plain, b"CurveZMQREADY---" + short, self._key)
            return self._frame(body, how, where, payload)
        welcome = self._command(b"\x07WELCOME")
        if not welcome:
            return b""
        opened = crypto_box_open_afternm(welcome[24:], b"WELCOME-" + welcome[8:24], self._hello_key)
        server, cookie = opened[:32], opened[32:]
        self._key = crypto_box_beforenm(server, _TRANSIENT_SECRET)
        vouch_key = crypto_box_beforenm(server, PEER_SECRET)
        vouch = crypto_box_afternm(TRANSIENT + PUBLIC, b"VOUCH---" + bytes(16), vouch_key)
        plain = self._plain(PEER_PUBLIC + bytes(16) + vouch + metadata, how, where, payload, _VOUCHED_SIZE)
        box = crypto_box_afternm(plain, b"CurveZMQINITIATE" + short, self._key)
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
        body = b"\x07MESSAGE" + short + crypto_box_afternm(plain, prefix + short, self._key)
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
        count = where % 80 + 1
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


def run_curve(data: bytes, config: ConnectionConfig, *, as_server: bool) -> None:
    """Run one input.

    Args:
        data: how the stream is cut the second time, what is decided about the peer, and the script.
        config: of the connection under test.
        as_server: which side the peer is.
    """
    if len(data) < 2:
        return
    step, choice, script = data[0], data[1] % 4, data[2:]
    verdict = Verdict((200, 200, 300, 400)[choice], "", "user") if choice else None
    outcomes = [_play(script, config, verdict, step if index else -1, as_server=as_server) for index in range(2)]
    (whole, peer), (pieces, _) = outcomes
    assert _visible(whole) == _visible(pieces), "the outcome depends on how the bytes came"
    if choice > 1:
        assert not (config.authenticates and whole.ready), "a peer that was refused is in"
        return
    if peer.doubtful:
        return
    expected = read_traffic(peer.inner, config.max_message_size, takes_subscriptions=False)
    _compare(whole, peer, expected)


def _compare(outcome: Outcome, peer: CurvePeer, expected: Reading) -> None:
    """What arrived is what was sealed in good order, until something was not."""
    assert outcome.messages == expected.items, "other messages than were sealed"
    if peer.tampered or expected.failure:
        # A part of a message instead of a command may still wait for its others.
        assert outcome.closed or not outcome.ready, "a peer goes on after what can't be its own"


def _visible(outcome: Outcome) -> tuple[Any, ...]:
    """All but the bytes that were sent: they are sealed with keys that are new each time."""
    return outcome.messages, outcome.events, outcome.ready, outcome.closed


def _play(
    script: bytes, config: ConnectionConfig, verdict: Verdict | None, step: int, *, as_server: bool
) -> tuple[Outcome, CurvePeer]:
    """Let a new peer play a script against a new connection; -1: each record's bytes come at once."""
    connection = Connection(config, bound=not as_server)
    connection.start(0.0)
    peer = CurvePeer(as_server=as_server)
    messages: list[Any] = []
    events: list[object] = []
    take_data(connection, greeting(mechanism=b"CURVE", as_server=int(as_server)), UNLIMITED, verdict, messages, events)
    total = 0
    for record in _records(script):
        if total > _MAX_BYTES:
            break
        peer.take(take_control(connection))
        stream = peer.act(record)
        total += len(stream)
        for piece in [stream] if step < 0 else cut(stream, step):
            take_data(connection, piece, UNLIMITED if step < 0 else step % 7 + 1, verdict, messages, events)
    return Outcome(messages, events, 0, b"", connection.ready, connection.closed), peer


def curve_seeds() -> Iterable[bytes]:
    """Return scripts: a good session, and sessions with each thing wrong."""

    def record(what: int, how: int = GOOD, where: int = 0, payload: bytes = b"") -> bytes:
        return bytes((what, how, where, len(payload))) + payload

    handshake = record(FIRST) + record(SECOND)
    ping = record(MESSAGE, GOOD, 2, b"\x04PING\x00\x05x")
    traffic = record(MESSAGE, GOOD, 0, b"one") + record(MESSAGE, GOOD, 1, b"two") + record(MESSAGE, GOOD, 0, b"parts")
    yield b"\0\0" + handshake + traffic + ping + record(RUN, GOOD, 40, b"run")
    yield b"\3\1" + handshake + record(RUN, GOOD, 79, b"long" * 60) + ping + traffic
    for how in range(1, 8):
        yield bytes((how, how % 2)) + record(FIRST, how, 11 * how, b"pay") + record(SECOND)
        yield bytes((how, 0)) + record(FIRST) + record(SECOND, how, 23 * how, b"\x01X\0\0\0\x01v") + traffic
        yield bytes((how, 1)) + handshake + traffic + record(MESSAGE, how, how, b"body of it") + traffic
        yield bytes((how, 0)) + handshake + record(RUN, how, 60, b"run") + traffic
    yield b"\5\2" + handshake + traffic
    yield b"\5\3" + handshake + traffic
    yield b"\1\0" + handshake + traffic + record(PLAIN, 0, 0, b"plain") + traffic
    yield b"\1\0" + record(ERROR, 0, 0, b"\x03400")
    yield b"\2\0" + record(RAW, 0, 0, b"\x04\x06\x05READY") + handshake
