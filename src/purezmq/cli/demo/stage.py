"""A stage: the context, the transport, the actors and the clock of one run of a scene.

It binds, actors connect; it never sleeps, and never waits for ever. What is played is in the scenes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import purezmq as zmq
from purezmq.cli.demo.actor import PATIENCE_MS, TERMINATE, play_role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

__all__ = ["Stage", "StageError"]

#: Messages between two looks at the clock and at the progress line.
_TICK_MESSAGES = 64
#: How often a wait looks whether the process that it waits for still lives.
_POLL_MS = 100


class StageError(Exception):
    """A scene could not be played to its end; the text says why."""


class Stage:
    """Everything that one run needs, ended by `with`.

    Args:
        transport: `tcp`, `ipc` or `inproc`.
        folder: Where ipc endpoints may be made.
        seconds: How long messages flow.
        tick: Told every few messages how many went out.
    """

    def __init__(self, transport: str, folder: str, seconds: float, tick: Callable[[int], None]) -> None:
        self.transport = transport
        self.seconds = seconds
        self._folder = folder
        self._tick = tick
        self._endpoints = 0
        self._sockets: list[zmq.Socket] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[Thread] = []
        self._names: list[bytes] = []
        self._context = zmq.Context()
        self._control = self.open_socket(zmq.ROUTER)
        self._control_endpoint = self.bind(self._control)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close(failed=error is not None)

    def open_socket(self, socket_type: int) -> zmq.Socket:
        """Return a new socket that never waits longer than `PATIENCE_MS`, closed with the stage."""
        socket = self._context.socket(socket_type)
        socket.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
        socket.setsockopt(zmq.SNDTIMEO, PATIENCE_MS)
        socket.setsockopt(zmq.LINGER, 0)
        self._sockets.append(socket)
        return socket

    def make_endpoint(self) -> str:
        """Return an endpoint of this stage's transport that is free to be bound."""
        self._endpoints += 1
        if self.transport == "tcp":
            return "tcp://127.0.0.1:*"
        if self.transport == "ipc":
            return f"ipc://{self._folder}/{id(self):x}-{self._endpoints}"
        return f"inproc://demo-{self._endpoints}"

    def bind(self, socket: zmq.Socket) -> str:
        """Bind `socket` and return the endpoint that actors connect to."""
        socket.bind(self.make_endpoint())
        endpoint: str = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        return endpoint

    def start(self, role: Callable[..., None], *words: str) -> None:
        """Start an actor that plays `role` with `words`: a process, or a thread over inproc."""
        if self.transport == "inproc":
            arguments = (role, self._context, self._control_endpoint, *words)
            thread = Thread(target=play_role, args=arguments, name=role.__name__, daemon=True)
            self._threads.append(thread)
            thread.start()
            return
        program = [sys.executable, "-m", "purezmq.cli.demo.process", role.__module__, role.__name__]
        command = [*program, self._control_endpoint, *words]
        self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))

    def wait_hello(self, count: int) -> list[dict[str, Any]]:
        """Wait until `count` more actors said hello, and return what they said."""
        return [self._wait_fact(is_hello=True) for _ in range(count)]

    def wait_report(self, count: int) -> list[dict[str, Any]]:
        """Wait until `count` actors reported what they saw."""
        return [self._wait_fact(is_hello=False) for _ in range(count)]

    def terminate(self) -> list[dict[str, Any]]:
        """Tell every actor to end, and return their reports."""
        for name in self._names:
            self._control.send_multipart([name, TERMINATE])
        return self.wait_report(len(self._names))

    def count_until_time_is_up(self) -> Iterator[int]:
        """Yield 0, 1, 2... for as long as messages shall flow."""
        index = 0
        end = monotonic() + self.seconds
        while monotonic() < end:
            for _ in range(_TICK_MESSAGES):
                yield index
                index += 1
            self._tick(index)

    def close(self, *, failed: bool = False) -> None:
        """End the actors, by force when they don't by themselves, and close everything."""
        deadline = monotonic() + (0 if failed else PATIENCE_MS / 1000)
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if failed:
            # Threads of a failed scene may sit in a blocking call: closing their context is what ends them.
            self._context.destroy(linger=0)
        for thread in self._threads:
            thread.join(PATIENCE_MS / 1000)
        for socket in self._sockets:
            socket.close()
        self._context.term()

    def _wait_fact(self, *, is_hello: bool) -> dict[str, Any]:
        deadline = monotonic() + PATIENCE_MS / 1000
        text = b""
        while not text:
            if self._control.poll(_POLL_MS):
                name, text = self._control.recv_multipart()  # empty: a proxy's answer to TERMINATE
                continue
            dead = [process.returncode for process in self._processes if process.poll()]
            if dead:
                raise StageError(f"an actor's process ended with status {dead[0]}")
            if monotonic() > deadline:
                raise StageError(f"no {'hello' if is_hello else 'report'} from an actor in {PATIENCE_MS // 1000} s")
        facts: dict[str, Any] = json.loads(text)
        if "error" in facts:
            raise StageError(facts["error"])
        if is_hello:
            self._names.append(name)
        return facts
