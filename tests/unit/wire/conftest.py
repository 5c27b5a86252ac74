"""Two connections mouth to mouth, also as if both were of an older version. Fixtures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purezmq.wire import Connection, ConnectionConfig

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPTS = {
    "PAIR": {"PAIR"},
    "PUSH": {"PULL"},
    "PULL": {"PUSH"},
    "DEALER": {"DEALER", "ROUTER", "REP"},
    "ROUTER": {"DEALER", "ROUTER", "REQ"},
    "REQ": {"REP", "ROUTER"},
    "PUB": {"SUB", "XSUB"},
    "XPUB": {"SUB", "XSUB"},
    "SUB": {"PUB", "XPUB"},
    "XSUB": {"PUB", "XPUB"},
    "RADIO": {"DISH"},
    "DISH": {"RADIO"},
}

# What to change in a greeting on its way to make its sender look older: offset and byte.
REWRITES = {
    "3.1": None,
    "3.0": (11, 0),
    "2.0": (10, 1),
    "1.0": (10, 0),
    "unversioned": (9, 0x7E),
}
PAST_UNVERSIONED = 10


class Rewriter:
    """A stream of bytes of which one is changed."""

    def __init__(self, version: str) -> None:
        self.position = 0
        self.rewrite = REWRITES[version]

    def __call__(self, data: bytes) -> bytes:
        start, self.position = self.position, self.position + len(data)
        if self.rewrite is not None and start <= self.rewrite[0] < self.position:
            changed = bytearray(data)
            changed[self.rewrite[0] - start] = self.rewrite[1]
            return bytes(changed)
        return data


def make_config(socket_type: str, **options: object) -> ConnectionConfig:
    """Make a configuration that accepts the peers that libzmq accepts."""
    return ConnectionConfig(socket_type, frozenset(ACCEPTS[socket_type]), **options)  # type: ignore[arg-type]


def pump(left: Connection, right: Connection, version: str = "3.1", step: int | None = None) -> list[object]:
    """Exchange control bytes until silence, ``step`` bytes at a time; return the messages that came on the way."""
    messages: list[object] = []
    routes = ((left, right, Rewriter(version)), (right, left, Rewriter(version)))
    moving = True
    while moving:
        moving = False
        for sender, receiver, rewriter in routes:
            data = rewriter(b"".join(sender.data_to_send()))
            size = step or len(data) or 1
            for at in range(0, len(data), size):
                moving = True
                messages += receiver.receive_data(data[at : at + size], 0.0)
    return messages


@pytest.fixture
def config() -> Callable[..., ConnectionConfig]:
    """The function that makes configurations."""
    return make_config


@pytest.fixture
def exchange() -> Callable[..., list[object]]:
    """The function that pumps bytes between two connections."""
    return pump


@pytest.fixture
def pair() -> Callable[..., tuple[Connection, Connection]]:
    """A function that makes two connections and their handshake."""

    def make(
        left_type: str, right_type: str, version: str = "3.1", step: int | None = None, **options: object
    ) -> tuple[Connection, Connection]:
        left = Connection(make_config(left_type, **options), bound=False)
        right = Connection(make_config(right_type, **options), bound=True)
        left.start(0.0)
        right.start(0.0)
        pump(left, right, version, step)
        return left, right

    return make
