from __future__ import annotations

import pytest

from purezmq.constants import EINVAL, SocketType
from purezmq.error import ZMQError
from purezmq.patterns.compatibility import SOCKET_TYPES, pattern_for

TYPES = [SocketType(number) for number in SOCKET_TYPES]


@pytest.mark.parametrize("socket_type", TYPES, ids=lambda kind: kind.name)
def test_pattern_for_type_carries_its_name(socket_type: SocketType) -> None:
    """The Socket-Type of the wire is the name of the constant."""
    assert socket_type.name == pattern_for(socket_type).type_name


def test_pattern_for_knows_all_types() -> None:
    """PAIR to CHANNEL: whatever has a number has a pattern."""
    assert sorted(map(int, SocketType)) == sorted(SOCKET_TYPES)


@pytest.mark.parametrize("wrong", [-1, 99, None, "PUSH"])
def test_pattern_for_unknown_type_gives_einval(wrong: object) -> None:
    """The text names what was given."""
    with pytest.raises(ZMQError, match="is no socket type") as caught:
        pattern_for(wrong)  # type: ignore[arg-type]
    assert EINVAL == caught.value.errno


def test_peer_types_are_symmetric() -> None:
    """If A may talk with B, B may talk with A."""
    patterns = [pattern_for(kind) for kind in TYPES]
    pairs = {(pattern.type_name, other) for pattern in patterns for other in pattern.peer_types}
    assert {(b, a) for a, b in pairs} == pairs


@pytest.mark.parametrize(
    ("name", "peers"),
    [
        ("PAIR", "PAIR"), ("PUB", "SUB XSUB"), ("SUB", "PUB XPUB"), ("REQ", "REP ROUTER"), ("REP", "REQ DEALER"),
        ("DEALER", "REP DEALER ROUTER"), ("ROUTER", "REQ DEALER ROUTER"), ("PULL", "PUSH"), ("PUSH", "PULL"),
        ("XPUB", "SUB XSUB"), ("XSUB", "PUB XPUB"), ("STREAM", ""), ("SERVER", "CLIENT"), ("CLIENT", "SERVER"),
        ("RADIO", "DISH"), ("DISH", "RADIO"), ("GATHER", "SCATTER"), ("SCATTER", "GATHER"), ("DGRAM", ""),
        ("PEER", "PEER"), ("CHANNEL", "CHANNEL"),
    ],
)  # fmt: skip
def test_peer_types_are_those_of_libzmq(name: str, peers: str) -> None:
    """mechanism.cpp's table."""
    assert frozenset(peers.split()) == pattern_for(SocketType[name]).peer_types


@pytest.mark.parametrize("socket_type", TYPES, ids=lambda kind: kind.name)
def test_type_tells_what_it_can_do(socket_type: SocketType) -> None:
    """Send, receive, routing id, second connect, delay at the end (A.1#7, A.1#10, D.2)."""
    pattern, name = pattern_for(socket_type), socket_type.name
    assert (name not in {"SUB", "PULL", "DISH", "GATHER"}) == pattern.can_transmit
    assert (name not in {"PUB", "PUSH", "RADIO", "SCATTER"}) == pattern.can_receive
    assert (name in {"REQ", "DEALER", "ROUTER", "SUB", "XSUB"}) == pattern.sends_routing_id
    assert (name in {"DEALER", "SUB", "PUB", "REQ"}) == pattern.single_connect
    assert (name in {"PUB", "PUSH", "RADIO", "SCATTER"}) == pattern.no_delay
    assert (12 <= socket_type != SocketType.DGRAM) == pattern.single_part
    assert {"SERVER": "routing_id", "PEER": "routing_id", "RADIO": "group", "DISH": "group"}.get(
        name, ""
    ) == pattern.addressing
