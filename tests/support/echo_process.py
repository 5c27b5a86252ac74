"""The server of `echo_server` as an object, with good clients of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.raw_peer import RawPeer
from tests.support.waiting import eventually

__all__ = ["EchoProcess"]

#: A server that is flooded on a busy machine answers late.
PATIENCE_S = 60.0
ROOT = Path(__file__).parents[2]


class EchoProcess:
    """The server, and one good client that stays.

    Args:
        prefix: what the command begins with: a program that runs another one.
        descriptors: the limit of the process, 0 for as many as the system allows.
        publisher: settings of its PUB.
        options: settings of its ROUTER.
    """

    def __init__(
        self,
        descriptors: int = 0,
        publisher: dict[str, Any] | None = None,
        prefix: Sequence[str] = (),
        **options: Any,
    ) -> None:
        words = [str(descriptors), json.dumps(options), json.dumps(publisher or {})]
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(ROOT / "tests/support/echo_server.py"), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
        assert self._process.stdout is not None
        self.endpoint, self.pub_endpoint = self._process.stdout.readline().decode().split()
        self.pid = self._process.pid
        self._client = eventually(self.try_client)
        self._client.socket.settimeout(PATIENCE_S)

    def try_client(self) -> RawPeer | None:
        """As `client`; None where the connection is lost meanwhile."""
        raw = RawPeer.connect(self.endpoint)
        try:
            raw.shake_hands("DEALER")
        except (OSError, AssertionError, IndexError):
            raw.socket.close()
            return None
        return raw

    def client(self) -> RawPeer:
        """A good client: its handshake is over."""
        raw = RawPeer.connect(self.endpoint)
        raw.shake_hands("DEALER")
        return raw

    def ask(self, body: bytes, client: RawPeer | None = None) -> bytes:
        """The server's answer to a client, by default the one that stays."""
        client = client or self._client
        client.send_frame(body)
        return client.receive_frame()[1]

    def stats(self) -> dict[str, Any]:
        """What it tells about itself."""
        found: dict[str, Any] = json.loads(self.ask(b"stats"))
        return found

    def ask_for(self, name: str, client: RawPeer) -> Any:
        """One thing of `stats`, asked by a client."""
        return json.loads(self.ask(b"stats", client))[name]

    def serve_newcomer(self) -> float:
        """Seconds that a good client needs from its connect() to the answer to its first question."""
        begun = time.monotonic()
        with self.client() as client:
            assert b"question" == self.ask(b"question", client)
        return time.monotonic() - begun

    def stop(self) -> None:
        """End it."""
        self._client.socket.close()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
