"""Fixtures of the asyncio tests: a runner for each kind of event loop, a context and its sockets."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from tests.support import TIMEOUT_S, Call, bind, library_module, zmq

#: uvloop has no builds for Windows.
LOOPS = ("asyncio", "uvloop") if importlib.util.find_spec("uvloop") else ("asyncio",)
#: How long the coroutine of a whole test may take.
LIMIT_S = 4 * TIMEOUT_S


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes an event loop of this kind."""
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


@pytest.fixture(params=LOOPS)
def make_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes an event loop, of each kind in turn."""
    return loop_factory(request.param)


@pytest.fixture
def run(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine to its end in a fresh event loop."""

    def run_coroutine(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            return runner.run(asyncio.wait_for(main, LIMIT_S))

    return run_coroutine


@pytest.fixture
def context() -> Iterator[Any]:
    """A fresh asynchronous context."""
    context = library_module("asyncio").Context()
    yield context
    Call(context.destroy, 0).result(2 * TIMEOUT_S)


@pytest.fixture
def make_socket(context: Any) -> Iterator[Callable[..., Any]]:
    """Make asynchronous sockets; keywords are options."""
    sockets = []

    def make(kind: int, *, within: Any = None, **options: Any) -> Any:
        socket = (within or context).socket(kind)
        sockets.append(socket)
        socket.linger = 0
        for name, value in options.items():
            socket.setsockopt(getattr(zmq, name.upper()), value)
        return socket

    yield make
    for socket in sockets:
        if not socket.closed:
            socket.close(0)


def connect_all(binder: Any, *connectors: Any, transport: str = "tcp") -> None:
    """Connect sockets to `binder`; what they send waits until they are connected."""
    endpoint = bind(binder, transport)
    for connector in connectors:
        connector.connect(endpoint)


@pytest.fixture
def link() -> Callable[..., None]:
    """Connect sockets, without the monitors of the shared harness: those would need the event loop."""
    return connect_all


@pytest.fixture
def push_pull(make_socket: Callable[..., Any]) -> tuple[Any, Any]:
    """A PUSH socket connected to a PULL socket over TCP."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    connect_all(pull, push)
    return push, pull
