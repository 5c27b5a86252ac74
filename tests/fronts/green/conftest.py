"""Green contexts and sockets that are closed at the end of a test, and greenlets with a bounded wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from tests.support import TIMEOUT_S, library_module

green: Any = library_module("green")


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """A test whose greenlets wait for ever fails soon, with a traceback that shows where."""
    with gevent.Timeout(3 * TIMEOUT_S):
        yield


@pytest.fixture
def context() -> Iterator[Any]:
    """A green context, destroyed at the end."""
    made = green.Context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def make_socket(context: Any) -> Iterator[Callable[..., Any]]:
    """Make green sockets; keywords are options."""
    sockets = []

    def make(kind: int, **options: Any) -> Any:
        socket = context.socket(kind)
        sockets.append(socket)
        socket.linger = 0
        for name, value in options.items():
            socket.setsockopt(getattr(green, name.upper()), value)
        return socket

    yield make
    for socket in sockets:
        socket.close(0)


@pytest.fixture
def spawn() -> Iterator[Callable[..., Any]]:
    """Start greenlets that are killed at the end."""
    started: list[Any] = []

    def start(function: Callable[..., Any], *args: Any) -> Any:
        started.append(gevent.spawn(function, *args))
        return started[-1]

    yield start
    gevent.killall(started)
