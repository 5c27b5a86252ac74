"""CURVE after the handshake: every frame is a MESSAGE (RFC 26), sealed and opened here one by one or in bulk.

::

    07 "MESSAGE" nonce(8) box(16 + 1 + n)      the body of a frame without flags
                          box of: flags(1) body(n)
                          flags: 1 MORE, 2 COMMAND
    nonce of the box:     "CurveZMQMESSAGE" "C" or "S" (who sends) nonce(8)

The grammar of RFC 26 lets the prefix end in "-"; its text, and libzmq, in the letter of the sender.

The budget is what libsodium takes plus some 200 ns for a message of 100 bytes, each way. So messages of one size are
sealed and opened by one ``map`` over addresses that are computed once: the frames lie in an arena at equal distances.
A run of nonces that differ in the last byte alone is a column of the arena. The rest takes a loop.

Each method for batches has its plain twin for one frame, which one test suite compares.
"""

from __future__ import annotations

from itertools import repeat
from struct import Struct

from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason
from purezmq.wire.framing import COMMAND, LONG, MORE
from purezmq.wire.limits import MAX_CHUNK_SIZE
from purezmq.wire.mechanisms.cipher import FrameCipher
from purezmq.wire.mechanisms.sodium import MAC_SIZE, address_of, open_at, open_box, seal_at, seal_box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar

    from typing_extensions import Buffer

    Message = bytes | list[bytes]

__all__ = ["NONCE_MAX", "CurveCipher"]

NONCE_MAX = (1 << 64) - 1
_NAME = b"\x07MESSAGE"
_PREFIX = b"CurveZMQMESSAGE"
_SEALED_MORE = 1
_SEALED_COMMAND = 2
_FLAGS_TO_WIRE = {0: b"\0", MORE: b"\x01", COMMAND: b"\x02"}
#: By the byte that was sealed; COMMAND with MORE is refused where frames are sorted.
_FLAGS_FROM_WIRE = bytes((0, MORE, COMMAND, COMMAND | MORE))
_BOX_AT = 16
_BODY_AT = 33
_LONG_HEADER_SIZE = 9
_WHOLE_BOX_AT = _LONG_HEADER_SIZE + _BOX_AT
_NO_MAC = bytes(MAC_SIZE)

_SHORT_MAX = 255
_MIN_RUN = 16
"""Messages of one size from which on the arena beats the loop."""
_MAX_RUN = 256
"""Nonces that differ in the last byte alone."""
_MAX_RUN_SIZE = 8 * 1024
"""Frames larger than this are no run: what libsodium takes for them hides everything else."""
_ARENA_SIZE = 128 * 1024
_POINT_AT_SIZE = 2048
"""Boxes from this size on are opened where they are, instead of a copy."""
_MAX_LAYOUTS = 32
"""Bound of an arena's table of addresses: 256 pairs of 96 bytes each."""
_CUTS = (128, 64, 32, 16, 8, 1)
"""So many bodies at a time are cut out by one ``struct``: by tens and more it takes half as long as one by one."""
_MAX_CUTTERS = 64
"""Bound of an arena's table of these: each takes 32 bytes per body."""
_BYTES = [bytes((number,)) for number in range(256)]
_COLUMN = bytes(range(256))


class _Arena:
    """Memory for a batch, and the addresses of frames in it that lie at equal distances. One thread at a time."""

    __slots__ = ("address", "cutters", "layouts", "memory", "view")

    def __init__(self) -> None:
        self.memory = bytearray(_ARENA_SIZE)
        self.address = address_of(self.memory)
        self.view = memoryview(self.memory)
        self.layouts: dict[tuple[int, int], tuple[list[Any], list[Any]]] = {}
        self.cutters: dict[tuple[int, int, int], Any] = {}

    def addresses(self, first: int, stride: int, count: int) -> tuple[list[Any], list[Any]]:
        """Where boxes and their plain texts are, at least `count` of them: one each `stride` bytes."""
        layout = self.layouts.get((first, stride))
        if layout is None:
            if len(self.layouts) >= _MAX_LAYOUTS:
                self.layouts.clear()
            layout = self.layouts[first, stride] = ([], [])
        boxes, plains = layout
        for index in range(len(boxes), count):
            box = self.address + (first + index * stride)
            boxes.append(box)
            plains.append(box + MAC_SIZE)
        return layout

    def cut(self, body: int, stride: int, count: int) -> list[bytes]:
        """The bodies of frames at the start of the arena, each of which goes on to the end of its frame."""
        bodies: list[bytes] = []
        memory, at = self.memory, 0
        for step in _CUTS:
            while count >= step:
                unpack_from = self.cutters.get((body, stride, step))
                if unpack_from is None:
                    if len(self.cutters) >= _MAX_CUTTERS:
                        self.cutters.clear()
                    form = f"{body}x{stride - body}s"
                    unpack_from = self.cutters[body, stride, step] = Struct(form * step).unpack_from
                bodies += unpack_from(memory, at)
                at += step * stride
                count -= step
        return bodies


_arenas: list[_Arena] = []
"""Arenas nobody uses: as many as threads ever needed one at the same time. `pop` and `append` are atomic."""


def _take_arena() -> _Arena:
    try:
        return _arenas.pop()
    except IndexError:
        return _Arena()


def _header(size: int) -> bytes:
    """The header of a frame without flags."""
    return bytes((0, size)) if size <= _SHORT_MAX else bytes((LONG,)) + size.to_bytes(8, "big")


class CurveCipher(FrameCipher):
    """The keys and counters of one connection after its handshake.

    Args:
        key: shared by the transient keys of both sides.
        as_server: which side we are.
        sent: the last short nonce that we have used.
        received: the last short nonce of the peer.
    """

    overhead: ClassVar[int] = _BODY_AT

    __slots__ = ("_key", "_receive_prefix", "_received", "_send_prefix", "_sent", "_whole")

    def __init__(self, key: bytes, *, as_server: bool, sent: int, received: int) -> None:
        self._key = key
        self._send_prefix = _PREFIX + (b"S" if as_server else b"C")
        self._receive_prefix = _PREFIX + (b"C" if as_server else b"S")
        self._sent = sent
        self._received = received
        #: What the frame that `open_whole` had last begins with.
        self._whole = b""

    def _next_nonces(self, count: int) -> int:
        """Use up `count` short nonces; return the first."""
        first = self._sent + 1
        if self._sent + count > NONCE_MAX:
            raise OverflowError("the nonces of this CURVE connection are used up")
        self._sent += count
        return first

    # --- frame by frame -----------------------------------------------------------------------------

    def encode_frame(self, flags: int, body: bytes) -> tuple[int, bytes]:
        """See `FrameCipher`."""
        nonce = self._next_nonces(1).to_bytes(8, "big")
        return 0, _NAME + nonce + seal_box(_FLAGS_TO_WIRE[flags] + body, self._send_prefix + nonce, self._key)

    def decode_frame(self, flags: int, body: bytes) -> tuple[int, bytes]:
        """See `FrameCipher`."""
        if flags & MORE:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "a sealed frame has MORE outside of its seal")
        nonce = int.from_bytes(body[8:16], "big")
        if len(body) < _BODY_AT or not body.startswith(_NAME) or nonce <= self._received:
            raise _fault(body)
        plain = open_box(body[_BOX_AT:], self._receive_prefix + body[8:16], self._key)
        if plain is None:
            raise _forged()
        self._received = nonce
        if plain[0] > _SEALED_MORE | _SEALED_COMMAND:
            raise _reserved(plain[0])
        return _FLAGS_FROM_WIRE[plain[0]], plain[1:]

    # --- sealing in bulk ----------------------------------------------------------------------------

    def encode_batch(self, messages: Sequence[Message]) -> list[Buffer]:
        """See `FrameCipher`."""
        if len(messages) >= _MIN_RUN and set(map(type, messages)) == {bytes}:
            size = len(messages[0])
            if size <= _MAX_RUN_SIZE and set(map(len, messages)) == {size}:
                return self._seal_runs(messages, size)
        return self._seal_each(messages)

    def _seal_runs(self, messages: Sequence[Message], size: int) -> list[Buffer]:
        """Seal single-part messages of one size, run by run."""
        header = _header(size + _BODY_AT)
        stride = len(header) + _BODY_AT + size
        most = _ARENA_SIZE // stride
        nonce = self._next_nonces(len(messages))
        chunks: list[Buffer] = []
        arena = _take_arena()
        try:
            at = 0
            while at < len(messages):
                low = nonce & 255
                count = min(_MAX_RUN - low, most, len(messages) - at)
                high = nonce.to_bytes(8, "big")[:7]
                run = messages[at : at + count]
                # The empty message in front makes join write the first prefix, too.
                prefix = b"".join((header, _NAME, high, b"\0", _NO_MAC, b"\0"))
                frames = bytearray(prefix).join([b"", *run])  # type: ignore[list-item]  # all are bytes
                frames[len(header) + 15 :: stride] = _COLUMN[low : low + count]
                total = count * stride
                arena.view[:total] = frames
                boxes, plains = arena.addresses(len(header) + _BOX_AT, stride, count)
                nonces = map((self._send_prefix + high).__add__, _BYTES[low : low + count])
                if any(map(seal_at, boxes, plains, repeat(size + 1), nonces, repeat(self._key))):
                    raise RuntimeError("libsodium could not seal")
                # Back to where it came from: memory that was just touched, no new pages of the kernel.
                memoryview(frames)[:] = arena.view[:total]
                chunks.append(frames)
                nonce += count
                at += count
        finally:
            _arenas.append(arena)
        return chunks

    def _seal_each(self, messages: Sequence[Message]) -> list[Buffer]:
        """Seal whatever isn't a run: frames of about MAX_CHUNK_SIZE are put together and sealed where they are."""
        chunks: list[Buffer] = []
        items: list[Buffer] = []
        seals: list[tuple[int, int, bytes]] = []
        pending = 0
        for message in messages:
            parts: Sequence[Buffer] = message if isinstance(message, list) else (message,)
            left = len(parts)
            nonce = self._next_nonces(left)
            for part in parts:
                left -= 1
                size = len(part) if type(part) is bytes else memoryview(part).nbytes
                body_size = size + _BODY_AT
                if pending and pending + body_size > MAX_CHUNK_SIZE:
                    chunks.append(self._seal_chunk(items, seals))
                    items.clear()
                    seals.clear()
                    pending = 0
                short = nonce.to_bytes(8, "big")
                nonce += 1
                if body_size <= _SHORT_MAX:
                    head = b"\0%c\x07MESSAGE%b%b%c" % (body_size, short, _NO_MAC, left > 0)
                    start = pending + 18
                    pending += body_size + 2
                else:
                    head = b"%b%b%b%b%c" % (_header(body_size), _NAME, short, _NO_MAC, left > 0)
                    start = pending + 25
                    pending += body_size + 9
                items += (head, part)
                seals.append((start, size + 1, short))
        if items:
            chunks.append(self._seal_chunk(items, seals))
        return chunks

    def _seal_chunk(self, items: list[Buffer], seals: list[tuple[int, int, bytes]]) -> bytearray:
        chunk = bytearray().join(items)
        address, prefix, key = address_of(chunk), self._send_prefix, self._key
        for start, size, short in seals:
            box = address + start
            if seal_at(box, box + MAC_SIZE, size, prefix + short, key):
                raise RuntimeError("libsodium could not seal")
        return chunk

    # --- opening in bulk ----------------------------------------------------------------------------

    def open_batch(self, frames: list[bytes]) -> tuple[bytes, list[bytes], RemoteProtocolError | None]:
        """See `FrameCipher`."""
        size, count = len(frames[0]), len(frames)
        flags, bodies, failure = b"", [], None
        if count >= _MIN_RUN and _BODY_AT <= size <= _MAX_RUN_SIZE and set(map(len, frames)) == {size}:
            data = b"".join(frames)
            while len(flags) < count:
                left = count - len(flags)
                opened = self.open_run(data, len(flags) * size, size, 0, left, left)
                if opened is None:
                    break
                flags += opened[0]
                bodies += opened[1]
        if len(flags) < count:
            arena = _take_arena()
            try:
                more, rest, failure = self._open_each(frames[len(flags) :], arena)
            finally:
                _arenas.append(arena)
            flags += more
            bodies += rest
        return flags, bodies, failure

    def open_run(
        self, data: bytes, start: int, stride: int, header_size: int, room: int, limit: int
    ) -> tuple[bytes, list[bytes], None] | None:
        """See `FrameCipher`; here the nonces have to follow each other, too."""
        body = header_size + _BODY_AT
        if stride < body:
            return None
        if stride > _MAX_RUN_SIZE:
            return self._open_large(data, start, stride, header_size, min(room, limit))
        head = data[start : start + header_size + 16]
        nonce = int.from_bytes(head[-8:], "big")
        low = head[-1]
        window = count = min(room, limit, _MAX_RUN - low, _ARENA_SIZE // stride)
        if nonce <= self._received or not head.startswith(_NAME, header_size):
            return None
        stop = start + window * stride
        for column in range(header_size + 15):
            expected = head[column : column + 1]
            cells = data[start + column : stop : stride]
            if cells != expected * window:
                count = min(count, window - len(cells.lstrip(expected)))
        total = count * stride
        shorts = data[start + header_size + 15 : start + total : stride]
        if count < 1 or shorts != _COLUMN[low : low + count]:
            return None
        arena = _take_arena()
        try:
            arena.view[:total] = memoryview(data)[start : start + total]
            boxes, plains = arena.addresses(header_size + _BOX_AT, stride, count)
            nonces = map((self._receive_prefix + head[-8:-1]).__add__, _BYTES[low : low + count])
            box_size = stride - header_size - _BOX_AT
            if any(map(open_at, plains, boxes, repeat(box_size), nonces, repeat(self._key))):
                return None
            flags = arena.memory[body - 1 : total : stride]
            if max(flags) > _SEALED_MORE | _SEALED_COMMAND:
                return None
            bodies = arena.cut(body, stride, count)
            self._received = nonce + count - 1
            return bytes(flags.translate(_TRANSLATION)), bodies, None
        finally:
            _arenas.append(arena)

    def _open_large(
        self, data: bytes, start: int, stride: int, header_size: int, count: int
    ) -> tuple[bytes, list[bytes], None] | None:
        """Open large frames where they are, up to the first that isn't like the others, or that is wrong."""
        header = data[start : start + header_size] + _NAME
        body_size = stride - header_size
        plain_size = body_size - _BODY_AT + 1
        prefix, key, address = self._receive_prefix, self._key, address_of(data)
        last = self._received.to_bytes(8, "big")
        flags, bodies = bytearray(), []
        arena = _take_arena()
        try:
            out, view = arena.address, arena.view
            if plain_size > _ARENA_SIZE:
                view = memoryview(bytearray(plain_size))
                out = address_of(view)
            for at in range(start, start + count * stride, stride):
                box = at + header_size + _BOX_AT
                short = data[box - 8 : box]
                if data[at : box - 8] != header or short <= last:
                    break
                if open_at(out, address + box, body_size - _BOX_AT, prefix + short, key):
                    break
                flag = view[0]
                if flag > _SEALED_MORE | _SEALED_COMMAND:
                    break
                last = short
                flags.append(_FLAGS_FROM_WIRE[flag])
                bodies.append(view[1:plain_size].tobytes())
        finally:
            _arenas.append(arena)
        self._received = int.from_bytes(last, "big")
        return (bytes(flags), bodies, None) if bodies else None

    def open_whole(self, data: bytes) -> bytes | None:
        """See `FrameCipher`."""
        if not self._whole or not data.startswith(self._whole):
            self._whole = _header(len(data) - _LONG_HEADER_SIZE) + _NAME
            if not data.startswith(self._whole):
                return None
        short = data[_WHOLE_BOX_AT - 8 : _WHOLE_BOX_AT]
        received = int.from_bytes(short, "big")
        box_size = len(data) - _WHOLE_BOX_AT
        plain_size = box_size - MAC_SIZE
        if received <= self._received or not 0 < plain_size <= _ARENA_SIZE:
            return None
        arena = _take_arena()
        try:
            nonce = self._receive_prefix + short
            if open_at(arena.address, address_of(data) + _WHOLE_BOX_AT, box_size, nonce, self._key) or arena.view[0]:
                return None
            body = arena.view[1:plain_size].tobytes()
        finally:
            _arenas.append(arena)
        self._received = received
        return body

    def _open_each(self, frames: list[bytes], arena: _Arena) -> tuple[bytes, list[bytes], RemoteProtocolError | None]:
        """Open frames one by one."""
        flags = bytearray()
        bodies: list[bytes] = []
        prefix, key, view, address = self._receive_prefix, self._key, arena.view, arena.address
        last = self._received.to_bytes(8, "big")
        failure: RemoteProtocolError | None = None
        for frame in frames:
            size = len(frame)
            short = frame[8:16]
            if size < _BODY_AT or frame[:8] != _NAME or short <= last:
                failure = _fault(frame)
                break
            if size > _ARENA_SIZE:
                view = memoryview(bytearray(size - _BODY_AT + 1))
                address = address_of(view)
            # Small boxes are cheaper to copy than to point at.
            box = frame[_BOX_AT:] if size < _POINT_AT_SIZE else address_of(frame) + _BOX_AT
            if open_at(address, box, size - _BOX_AT, prefix + short, key):
                failure = _forged()
                break
            last = short
            flag = view[0]
            if flag > _SEALED_MORE | _SEALED_COMMAND:
                failure = _reserved(flag)
                break
            flags.append(_FLAGS_FROM_WIRE[flag])
            bodies.append(view[1 : size - _BODY_AT + 1].tobytes())
        self._received = int.from_bytes(last, "big")
        return bytes(flags), bodies, failure


_TRANSLATION = _FLAGS_FROM_WIRE + bytes(range(len(_FLAGS_FROM_WIRE), 256))


def _fault(body: bytes) -> RemoteProtocolError:
    """What is wrong with what isn't sealed of a frame; no time is spent on its box."""
    if len(body) < _BODY_AT or not body.startswith(_NAME):
        return RemoteProtocolError(FailureReason.PROTOCOL, "no MESSAGE where CURVE has nothing else")
    return RemoteProtocolError(FailureReason.PROTOCOL, "a nonce of CURVE does not increase: a replay")


def _forged() -> RemoteProtocolError:
    return RemoteProtocolError(FailureReason.PROTOCOL, "a MESSAGE of CURVE is not authentic")


def _reserved(flags: int) -> RemoteProtocolError:
    return RemoteProtocolError(FailureReason.PROTOCOL, f"reserved flags are set in a MESSAGE of CURVE: 0x{flags:02x}")
