"""Puts the fixtures of the shared harness in reach of this folder."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.support.echo_process import EchoProcess
from tests.support.fixtures import (
    context,
    libzmq,
    libzmq_process,
    make_context,
    make_peer,
    make_socket,
)
from tests.support.fronts import front

__all__ = ["context", "front", "libzmq", "libzmq_process", "make_context", "make_peer", "make_socket"]


@pytest.fixture
def start_server() -> Iterator[Callable[..., EchoProcess]]:
    """Starts echo servers, and ends them."""
    servers: list[EchoProcess] = []

    def start(*args: Any, **options: Any) -> EchoProcess:
        servers.append(EchoProcess(*args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes what the test opens; as many descriptors as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
