"""A process with sockets of one library, driven by JSON lines: a command per line in, an answer per line out.

Run as ``python peer.py [LIBRARY]``; the library is pyzmq (``zmq``) unless named. Bytes travel as latin-1 text.
Nothing of the harness may be imported here: the process must be the foreign library's alone.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
from typing import Any


class Peer:
    """The commands, one method each; sockets are known by a name that the caller chooses."""

    def __init__(self, library: str) -> None:
        self.zmq: Any = importlib.import_module(library)
        self.context = self.zmq.Context()
        self.sockets: dict[str, Any] = {}
        self.authenticators: list[Any] = []

    def open(self, name: str, kind: str, options: dict[str, Any]) -> None:
        """Make a socket with options."""
        socket = self.sockets[name] = self.context.socket(getattr(self.zmq, kind))
        socket.setsockopt(self.zmq.LINGER, 0)
        socket.setsockopt(self.zmq.RCVTIMEO, 5000)
        socket.setsockopt(self.zmq.SNDTIMEO, 5000)
        for option, value in options.items():
            self.set(name, option, value)

    def set(self, name: str, option: str, value: Any) -> None:
        """Set one option."""
        value = value.encode("latin-1") if isinstance(value, str) else value
        self.sockets[name].setsockopt(getattr(self.zmq, option), value)

    def bind(self, name: str, endpoint: str) -> str:
        """Bind; return what was bound really."""
        self.sockets[name].bind(endpoint)
        return self.sockets[name].getsockopt(self.zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    def connect(self, name: str, endpoint: str) -> None:
        """Connect."""
        self.sockets[name].connect(endpoint)

    def disconnect(self, name: str, endpoint: str) -> None:
        """Disconnect."""
        self.sockets[name].disconnect(endpoint)

    def send(self, name: str, parts: list[str]) -> None:
        """Send one message."""
        self.sockets[name].send_multipart([part.encode("latin-1") for part in parts])

    def send_series(self, name: str, count: int, size: int) -> None:
        """Send `count` messages: their number, padded to `size` bytes."""
        for number in range(count):
            self.sockets[name].send((b"%d " % number).ljust(size, b"."))

    def recv(self, name: str) -> list[str]:
        """Receive one message."""
        return [part.decode("latin-1") for part in self.sockets[name].recv_multipart()]

    def drain(self, name: str, answers: bool) -> list[list[str]]:
        """Receive whatever is there, without waiting; a REP answers each."""
        messages = []
        while True:
            try:
                parts = self.sockets[name].recv_multipart(self.zmq.DONTWAIT)
            except self.zmq.Again:
                return messages
            messages.append([part.decode("latin-1") for part in parts])
            if answers:
                self.sockets[name].send(b"")

    def recv_series(self, name: str, count: int) -> int:
        """Receive `count` messages of a series; return how many came in order with whole padding."""
        good = 0
        for number in range(count):
            body = self.sockets[name].recv()
            good += body == (b"%d " % number).ljust(len(body), b".")
        return good

    def echo(self, name: str, count: int) -> None:
        """Send back `count` messages just as they come."""
        for _ in range(count):
            self.sockets[name].send_multipart(self.sockets[name].recv_multipart())

    def join(self, name: str, group: str) -> None:
        """Join a group."""
        self.sockets[name].join(group)

    def recv_user(self, name: str) -> str:
        """Receive a part; return the User-Id of its sender."""
        return str(self.sockets[name].recv(copy=False).get("User-Id"))

    def authenticate(self, passwords: dict[str, str], keys_folder: str) -> None:
        """Start an authenticator in a thread; clients by CURVE need a certificate in the folder ("*": any key)."""
        authenticator = importlib.import_module(f"{self.zmq.__name__}.auth.thread").ThreadAuthenticator(self.context)
        authenticator.start()
        authenticator.configure_plain("*", passwords)
        authenticator.configure_curve("*", keys_folder)
        self.authenticators.append(authenticator)

    def watch(self, name: str) -> None:
        """Watch the events of a socket from now on."""
        monitor = self.sockets[name].get_monitor_socket()
        monitor.setsockopt(self.zmq.RCVTIMEO, 5000)
        self.sockets[f"{name} monitor"] = monitor

    def next_event(self, name: str, mask: int) -> list[int]:
        """Skip events of a watched socket that aren't in the mask; return number and value of the one that is."""
        while True:
            head = self.sockets[f"{name} monitor"].recv_multipart()[0]
            number, value = struct.unpack("=HI", head)
            if number & mask:
                return [number, value]

    def poll(self, name: str, timeout_ms: int) -> int:
        """Poll for input."""
        return int(self.sockets[name].poll(timeout_ms))

    def close(self, name: str) -> None:
        """Close one socket, and its monitor."""
        monitor = self.sockets.pop(f"{name} monitor", None)
        if monitor is not None:
            self.sockets[name].disable_monitor()
            monitor.close()
        self.sockets.pop(name).close()

    def reset(self) -> None:
        """Close all and begin with a new context."""
        for authenticator in self.authenticators:
            authenticator.stop()
        self.authenticators.clear()
        self.context.destroy(0)
        self.sockets.clear()
        self.context = self.zmq.Context()


def main(kind: type[Peer] = Peer) -> None:
    """Answer commands until stdin ends."""
    peer = kind(sys.argv[1] if len(sys.argv) > 1 else "zmq")
    print(json.dumps({"value": peer.zmq.zmq_version()}), flush=True)
    for line in sys.stdin:
        command, *args = json.loads(line)
        try:
            answer = {"value": getattr(peer, command)(*args)}
        except peer.zmq.ZMQError as error:
            answer = {"errno": error.errno, "error": f"{command}: {error}"}
        print(json.dumps(answer), flush=True)
    peer.reset()
    peer.context.destroy(0)


if __name__ == "__main__":
    main()
