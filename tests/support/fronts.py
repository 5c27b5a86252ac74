"""One test text for both fronts: calls that block are made directly, or awaited in an event loop of the test's own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.library import TIMEOUT_S, library_module, zmq
from tests.support.waiting import Call

__all__ = ["FRONTS", "Front", "front"]

FRONTS = ("sync", "asyncio")


class Front:
    """Makes sockets of one front and calls their methods."""

    def __init__(self, name: str) -> None:
        self.name = name
        module = zmq if name == "sync" else library_module("asyncio")
        self.context = module.Context()
        self.sockets: list[Any] = []
        self._runner = asyncio.Runner() if name == "asyncio" else None

    def socket(self, kind: int, **options: Any) -> Any:
        """Make a socket of this front; keywords are options."""
        socket = self.context.socket(kind)
        self.sockets.append(socket)
        socket.linger = 0
        for option, value in options.items():
            socket.setsockopt(getattr(zmq, option.upper()), value)
        return socket

    def plain(self, kind: int, **options: Any) -> Any:
        """Make a synchronous socket of the same context, for what another thread does in the test."""
        socket = self.socket(kind, **options)
        socket.rcvtimeo = socket.sndtimeo = int(TIMEOUT_S * 1000)
        return socket if self._runner is None else zmq.Socket.shadow(socket)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method, and await what it returns if that can be awaited."""
        if self._runner is None:
            return function(*args, **kwargs)

        async def main() -> Any:
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return self._runner.run(main())

    def close(self) -> None:
        """Close what was made."""
        for socket in self.sockets:
            socket.close(0)
        if self._runner is not None:
            self._runner.close()
        Call(self.context.destroy, 0).result(2 * TIMEOUT_S)


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    """Each front in turn, with a context of its own."""
    front = Front(request.param)
    yield front
    front.close()
