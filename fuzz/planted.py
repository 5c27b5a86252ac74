"""Bugs to plant, one of each kind that a parser of a protocol falls for: a target that finds none proves nothing.

``python -m fuzz.planted`` plants each into a process of its own, takes away the inputs that show it as they are, and
tells how long the target needed to find it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from purezmq.wire import framing, framing_fast
from purezmq.wire.connection import Connection
from purezmq.wire.framing import MORE, FrameDecoder
from purezmq.wire.mechanisms.curve_cipher import CurveCipher

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.wire.error import RemoteProtocolError

__all__ = ["PLANTED", "Planted", "main"]

_READY_SIZE = 6
_SHORT_MAX = 255
#: A record each for HELLO and INITIATE, see `fuzz.curve`.
_SESSION = b"\0\0\0\0\1\0\0\0"


class Planted(NamedTuple):
    """A bug.

    Attributes:
        target: that is to find it.
        plant: puts it into the library, and returns what takes it out again.
        example: an input that shows it.
    """

    target: str
    plant: Callable[[], Callable[[], None]]
    example: bytes


def _replace(*changes: tuple[Any, str, Any]) -> Callable[[], None]:
    """Set attributes; return what sets them back."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    for owner, name, value in changes:
        setattr(owner, name, value)

    def undo() -> None:
        for owner, name, value in before:
            setattr(owner, name, value)

    return undo


def _drop_length_check() -> Callable[[], None]:
    """A frame of any size passes, whatever MAXMSGSIZE says."""
    check = framing.check_frame

    def check_flags_alone(flags: int, size: int, max_size: int, **state: bool) -> None:
        check(flags, size, -1, **state)

    return _replace((framing, "check_frame", check_flags_alone), (framing_fast, "check_frame", check_flags_alone))


def _recurse() -> Callable[[], None]:
    """Each part of a message costs a level of the stack."""
    take = FrameDecoder._take_frame

    def take_deeper(self: FrameDecoder, flags: int, body: bytes, messages: list[Any]) -> None:
        def descend(left: int) -> None:
            if left:
                descend(left - 1)
            else:
                take(self, flags, body, messages)

        descend(len(self._parts or ()))

    return _replace((FrameDecoder, "_take_frame", take_deeper))


def _forget_state() -> Callable[[], None]:
    """A command passes between the parts of a message."""
    check = framing.check_frame

    def check_without_state(flags: int, size: int, max_size: int, **state: bool) -> None:
        check(flags, size, max_size, **{**state, "inside_message": False})

    return _replace((framing, "check_frame", check_without_state), (framing_fast, "check_frame", check_without_state))


def _accept_second_ready() -> Callable[[], None]:
    """A READY after the handshake is taken for an unknown command."""
    receive = Connection._receive_command

    def receive_but_ready(self: Connection, body: bytes, now: float) -> None:
        if body[:_READY_SIZE] != b"\x05READY":
            receive(self, body, now)

    return _replace((Connection, "_receive_command", receive_but_ready))


def _take_negative_size() -> Callable[[], None]:
    """A size with its top bit set is read as a negative one, which is below every limit."""
    check = framing.check_frame

    def check_signed(flags: int, size: int, max_size: int, **state: bool) -> None:
        check(flags, size if size < 1 << 63 else 0, max_size, **state)

    return _replace((framing, "check_frame", check_signed), (framing_fast, "check_frame", check_signed))


def _skip_nonce_check() -> Callable[[], None]:
    """A frame of CURVE is taken a second time."""
    open_batch = CurveCipher.open_batch

    def open_anew(self: CurveCipher, frames: list[bytes]) -> tuple[bytes, list[bytes], RemoteProtocolError | None]:
        flags = b""
        bodies: list[bytes] = []
        for frame in frames:
            self._received = 0
            flag, body, failure = open_batch(self, [frame])
            if failure is not None:
                return flags, bodies, failure
            flags += flag
            bodies += body
        return flags, bodies, None

    return _replace((CurveCipher, "open_batch", open_anew))


def _skip_vouch_check() -> Callable[[], None]:
    """A client of CURVE is whoever it says, for nothing is asked of its vouch."""
    from fuzz.curve import PUBLIC, TRANSIENT
    from purezmq.wire.mechanisms import curve_server

    open_box = vars(curve_server)["open_box"]

    def open_all_but_vouch(box: bytes, nonce: bytes, key: bytes) -> bytes | None:
        if nonce.startswith(b"VOUCH---"):
            return TRANSIENT + PUBLIC
        plain: bytes | None = open_box(box, nonce, key)
        return plain

    return _replace((curve_server, "open_box", open_all_but_vouch))


def _leak_an_error() -> Callable[[], None]:
    """A wrong type of exception gets past the connection: what a slip in a parser does."""
    decode = FrameDecoder._take_frame

    def slip(self: FrameDecoder, flags: int, body: bytes, messages: list[Any]) -> None:
        if flags & MORE and len(body) == _SHORT_MAX:
            raise IndexError("index out of range")
        decode(self, flags, body, messages)

    return _replace((FrameDecoder, "_take_frame", slip))


PLANTED: dict[str, Planted] = {
    "length check dropped": Planted("zmtp_v1v2", _drop_length_check, b"\0\1\0\0\0\1x"),
    "recursion": Planted("zmtp_v1v2", _recurse, b"\0\0\0\0" + bytes((MORE, 0)) * 1500 + b"\0\0"),
    "state of the message forgotten": Planted("zmtp_v1v2", _forget_state, b"\0\0\0\0\1\1a\4\5\4PING\0\0"),
    "state of the handshake forgotten": Planted("zmtp_server", _accept_second_ready, b"\0\3\0\0\4\6\5READY"),
    "size below zero": Planted("zmtp_v1v2", _take_negative_size, b"\0\0\0\0\2\x80" + bytes(7)),
    "nonce check off": Planted("curve_server", _skip_nonce_check, b"\0\0" + _SESSION + b"\2\0\0\3one\6\0\0\0"),
    "vouch check off": Planted("curve_server", _skip_vouch_check, b"\0\0\0\0\0\0\1\7\0\1x"),
    "exception leaked": Planted("zmtp_v1v2", _leak_an_error, b"\0\0\0\0\1\xff" + bytes(255)),
}
"""The bugs by their names."""


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: instead of those of the command line.

    Returns:
        The exit code: 1 when a bug lived on.
    """
    from fuzz.run import fuzz_target

    parser = argparse.ArgumentParser(prog="python -m fuzz.planted", description=__doc__.splitlines()[0])
    parser.add_argument("bugs", nargs="*", metavar="BUG", help=f"of {', '.join(PLANTED)}; all by default")
    parser.add_argument("--seconds", type=int, default=600, help="how long each may live")
    parser.add_argument("--seed", type=int, default=0, help="of the mutator's randomness")
    options = parser.parse_args(arguments)
    alive = 0
    for name in options.bugs or PLANTED:
        target = PLANTED[name].target
        with tempfile.TemporaryDirectory() as folder:
            report = fuzz_target(target, seconds=options.seconds, seed=options.seed, work=Path(folder), bug=name)
        is_found = "Uncaught Python exception" in report.finding
        alive += not is_found
        what = "found" if is_found else "NOT FOUND"
        print(f"{name:34} {target:16} {what} after {report.executions:,} inputs, {report.seconds:.1f} s", flush=True)
    return int(alive > 0)


if __name__ == "__main__":
    sys.exit(main())
