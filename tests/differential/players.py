"""A library in a process of its own that receives what a raw peer says. A broken stream may end that process."""

from __future__ import annotations

import socket
from typing import Any

from tests.differential.streams import PEERS, Stream, frame, frame_v1
from tests.support.peer_process import PeerProcess
from tests.support.raw_peer import RawPeer, greeting, ready_command

__all__ = ["Receiver"]

_SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
_NUMBERS = {"PAIR": 0, "PUB": 1, "SUB": 2, "REQ": 3, "DEALER": 5, "PUSH": 8}
_IDENTITY = b"me"


class Receiver:
    """Sockets of one library, one at a time.

    Args:
        library: ``zmq`` or ``purezmq``.
    """

    def __init__(self, library: str) -> None:
        self.library = library
        self._process: PeerProcess | None = None

    def receive(self, stream: Stream) -> list[list[bytes]] | None:
        """Return the messages that the stream delivers; None when it ended the process."""
        try:
            return self._receive(stream)
        except (AssertionError, BrokenPipeError):
            if self._process is None or self._process.is_alive():
                raise
            self.stop()
            return None

    def _receive(self, stream: Stream) -> list[list[bytes]]:
        if self._process is None:
            self._process = PeerProcess(self.library)
        process: Any = self._process
        # Zeros are many messages: a full queue would keep the end of the stream from being seen.
        process.open("s", stream.kind, rcvhwm=0, **({"subscribe": ""} if stream.kind == "SUB" else {}))
        with RawPeer.connect(process.bind("s", "tcp://127.0.0.1:*")) as raw:
            shake_hands(raw, stream.version, PEERS[stream.kind])
            raw.send(stream.data)
            try:
                raw.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed by the other side already
            raw.wait_until_closed()
        messages = process.drain("s", stream.kind == "REP")
        process.reset()
        return [[part.encode("latin-1") for part in message] for message in messages]

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.stop()
            self._process = None


def shake_hands(raw: RawPeer, version: str, peer_type: str) -> None:
    """Be a peer of that version up to the end of its handshake, and wait for the other side's."""
    if version.startswith("3"):
        raw.send(greeting(3, int(version[2])))
        raw.receive(64)
        raw.send(ready_command(peer_type, {"Identity": _IDENTITY}))
        raw.receive_frame()
        return
    raw.send(_SIGNATURE)
    raw.receive(11)  # the other side's signature and major version
    raw.send(bytes((1 if version == "2.0" else 0, _NUMBERS[peer_type])))
    raw.receive(1)
    raw.send(frame(0, _IDENTITY) if version == "2.0" else frame_v1(0, _IDENTITY))
    raw.receive(2)
