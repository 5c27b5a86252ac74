"""Sockets and streams that are closed at the end of a test; each test runs in an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from tests.support import TIMEOUT_S, library_module
from tests.support.fixtures import context, make_context, make_socket

__all__ = ["context", "make_context", "make_socket", "make_stream", "run"]

ZMQStream: Any = library_module("eventloop.zmqstream").ZMQStream


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine to its end in tornado's loop, which is asyncio's."""

    async def limited(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async with asyncio.timeout(2 * TIMEOUT_S):
            return await coroutine

    return lambda coroutine: asyncio.run(limited(coroutine))


@pytest.fixture
def make_stream(make_socket: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Make streams, of a socket or of a type of socket; to be called in the loop."""
    sockets: list[Any] = []

    def make(given: Any, **options: Any) -> Any:
        socket = make_socket(given, **options) if isinstance(given, int) else given
        sockets.append(socket)
        return ZMQStream(socket)

    yield make
    for socket in sockets:
        socket.close(0)
