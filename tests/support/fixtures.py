"""Fixtures of all socket tests, imported by the conftest.py of each folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.library import LIBRARY, TIMEOUT_S, zmq
from tests.support.peer_process import PeerProcess
from tests.support.waiting import Call

__all__ = ["context", "libzmq", "libzmq_process", "make_context", "make_peer", "make_socket"]


def finish(context: Any) -> None:
    """Destroy `context` in a thread, and fail instead of hanging when that doesn't end."""
    Call(context.destroy, 0).result(2 * TIMEOUT_S)


@pytest.fixture
def make_context() -> Iterator[Callable[[], Any]]:
    """Make contexts that are terminated at the end of the test, which fails when one hangs."""
    contexts = []

    def make(*args: Any) -> Any:
        contexts.append(zmq.Context(*args))
        return contexts[-1]

    yield make
    for context in contexts:
        finish(context)


@pytest.fixture
def context(make_context: Callable[[], Any]) -> Any:
    """A fresh context."""
    return make_context()


@pytest.fixture
def make_socket(context: Any) -> Iterator[Callable[..., Any]]:
    """Make sockets whose blocking calls end in zmq.Again after some seconds; keywords are options."""
    sockets = []

    def make(kind: int, *, within: Any = None, **options: Any) -> Any:
        socket = (within or context).socket(kind)
        sockets.append(socket)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = int(TIMEOUT_S * 1000)
        for name, value in options.items():
            socket.setsockopt(getattr(zmq, name.upper()), value)
        return socket

    yield make
    for socket in sockets:
        if not socket.closed:
            socket.close(0)


@pytest.fixture(scope="session")
def libzmq_process() -> Iterator[PeerProcess]:
    """One process with the real libzmq for the whole session."""
    pytest.importorskip("zmq")
    process = PeerProcess()
    yield process
    process.stop()


@pytest.fixture
def libzmq(libzmq_process: PeerProcess) -> Iterator[PeerProcess]:
    """The libzmq process, without sockets of earlier tests."""
    yield libzmq_process
    libzmq_process.reset()


@pytest.fixture
def make_peer() -> Iterator[Callable[..., PeerProcess]]:
    """Make peer processes that the test may kill; the library is the one under test unless named."""
    processes = []

    def make(library: str = LIBRARY) -> PeerProcess:
        processes.append(PeerProcess(library))
        return processes[-1]

    yield make
    for process in processes:
        process.stop()
