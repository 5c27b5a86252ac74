"""Hosts, programs on them, and figures that are shown at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.network import Host, Network, why_not
from tests.support.fixtures import context, make_context, make_peer, make_socket
from tests.support.peer_process import PeerProcess

__all__ = ["context", "make_context", "make_peer", "make_socket"]

PROGRAM = Path(__file__).with_name("program.py")
_figures: list[str] = []


@pytest.fixture
def network() -> Iterator[Callable[..., Network]]:
    """Make networks, which are removed at the end of the test."""
    if why_not():
        pytest.skip(why_not())
    made: list[Network] = []

    def make(count: int = 2, **how: Any) -> Network:
        made.append(Network(count, **how).__enter__())
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def program() -> Iterator[Callable[..., PeerProcess]]:
    """Start programs on hosts, or on this machine itself, which are ended with the test."""
    started: list[PeerProcess] = []

    def start(host: Host | None = None, library: str = "purezmq") -> PeerProcess:
        started.append(PeerProcess(library, PROGRAM, host.prefix if host is not None else ()))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.fixture
def figure(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Callable[[str, object], None]:
    """Note a figure that the test has measured."""

    def note(name: str, value: object) -> None:
        record_property(name, value)
        shown = f"{value:.2f}" if isinstance(value, float) else str(value)
        _figures.append(f"{request.node.name}: {name} {shown}")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures."""
    if _figures:
        terminalreporter.section("figures of the faults")
        for line in _figures:
            terminalreporter.write_line(line)
