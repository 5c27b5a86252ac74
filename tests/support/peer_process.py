"""A peer process (tests/interop/peer.py) as an object: each of its commands is a method here."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["PeerError", "PeerProcess"]

ROOT = Path(__file__).parents[2]
PEER = ROOT / "tests" / "interop" / "peer.py"
ANSWER_TIMEOUT_S = 20.0


class PeerError(Exception):
    """The peer's call raised a ZMQError; `errno` is its number."""

    def __init__(self, text: str, errno: int) -> None:
        super().__init__(text)
        self.errno = errno


class PeerProcess:
    """A process of `library` with sockets in it.

    ``peer.send("s", [b"x"])`` runs the command there and returns its value; ``peer.start("echo", "s", 3)``
    returns at once, and ``peer.finish()`` gives the value.

    Args:
        library: that it uses.
        program: with the commands.
        prefix: a command that becomes the program's, such as one that puts it into another network.
    """

    def __init__(self, library: str = "zmq", program: Path = PEER, prefix: Sequence[str] = ()) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-W", "ignore::ResourceWarning", str(program), library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.version = self.finish()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def start(self, command: str, *args: Any) -> None:
        """Send a command and don't wait for its answer."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps([command, *map(to_json, args)]).encode() + b"\n")
        stdin.flush()

    def finish(self) -> Any:
        """Wait for the answer to the command that was started."""
        line = self._answers.get(timeout=ANSWER_TIMEOUT_S)
        assert line, f"the peer process ended with {self._process.wait()}"
        answer = json.loads(line)
        if "errno" in answer:
            raise PeerError(answer["error"], answer["errno"])
        return answer["value"]

    def __getattr__(self, command: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.start(command, *args)
            return self.finish()

        return call

    def open(self, name: str, kind: str, **options: Any) -> None:
        """Make a socket there; keywords are options."""
        self.start("open", name, kind, {key.upper(): to_json(value) for key, value in options.items()})
        self.finish()

    def recv(self, name: str) -> list[bytes]:
        """Receive a message there."""
        self.start("recv", name)
        return self.received()

    def received(self) -> list[bytes]:
        """The message of a `recv` that was started."""
        return [part.encode("latin-1") for part in self.finish()]

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def kill(self) -> None:
        """End the process the hard way (kill -9)."""
        self._process.kill()
        self.stop()

    def stop(self) -> None:
        """End the process and free what belongs to it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is self._process.stdout:
                self._reader.join(5)
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def to_json(value: Any) -> Any:
    """Bytes as latin-1 text, lists of them likewise."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("latin-1")
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value
