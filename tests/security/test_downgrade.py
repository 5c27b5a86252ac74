"""No downgrade: a socket with security talks to nobody who offers less, however the bytes come (V01, V03)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.support import EventWatch, bind, purezmq_only, try_recv, zmq
from tests.support.peer_process import PeerError
from tests.support.raw_peer import RawPeer, greeting, ready_command
from tests.support.security import security_options
from tests.unit.wire.curve_pair import client_config, server_config

from purezmq.wire import Connection, ConnectionConfig, ConnectionFailed, FailureReason
from purezmq.wire.framing import encode_frame

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("the wire under test is ours")

READY = ready_command("PUSH")
#: The greeting of a lesser peer, and what it would say next: a handshake of its own and a message.
LESSER = {
    "unversioned 1.0": b"\x01\x00" + b"\x02\x00a",
    "1.0": b"\xff" + bytes(8) + b"\x7f" + b"\x00" + b"\x08" + b"\x01\x00" + b"\x02\x00a",
    "2.0": b"\xff" + bytes(8) + b"\x7f" + b"\x01" + b"\x08" + b"\x00\x00" + b"\x00\x01a",
    "3.0 NULL": greeting(3, 0) + READY + b"\x00\x01a",
    "3.1 NULL": greeting(3, 1) + READY + b"\x00\x01a",
    "3.1 PLAIN": greeting(3, 1, b"PLAIN") + encode_frame(4, b"\x05HELLO\x01a\x01b") + READY + b"\x00\x01a",
    "3.1 CURVE": greeting(3, 1, b"CURVE") + READY + b"\x00\x01a",
}
PLAIN_CLIENT = {"mechanism": "PLAIN", "credentials": (b"me", b"secret")}
PLAIN_SERVER = {"mechanism": "PLAIN", "as_server": True, "authenticates": True}
CONFIGS = {
    "PLAIN client": ConnectionConfig("PULL", frozenset({"PUSH"}), **PLAIN_CLIENT),
    "PLAIN server": ConnectionConfig("PULL", frozenset({"PUSH"}), **PLAIN_SERVER),
    "CURVE client": client_config("PULL"),
    "CURVE server": server_config(authenticates=True),
    "NULL with a domain": ConnectionConfig("PULL", frozenset({"PUSH"}), authenticates=True),
}
#: Under NULL with a domain everybody of ZMTP 3 may present himself, and waits for the verdict.
PAIRS = [
    (lesser, side)
    for lesser in LESSER
    for side in CONFIGS
    if not (side.startswith("NULL") and "NULL" in lesser) and (lesser, side) != ("3.1 PLAIN", "PLAIN server")
]


def feed(side: str, data: bytes, step: int) -> tuple[Connection, list[Any], list[Any]]:
    """Give a fresh connection the bytes; return it, its messages and its events."""
    connection = Connection(CONFIGS[side], bound="server" in side or side.startswith("NULL"))
    connection.start(0.0)
    messages: list[Any] = []
    for at in range(0, len(data), step):
        messages += connection.receive_data(data[at : at + step], 0.0)
    return connection, messages, list(iter(connection.next_event, None))


@pytest.mark.parametrize("step", [1, 1000], ids=["byte by byte", "whole"])
@pytest.mark.parametrize(("lesser", "side"), PAIRS, ids=" to ".join)
def test_v01_no_downgrade(lesser: str, side: str, step: int) -> None:
    """Whatever a lesser peer offers: nothing is delivered, the connection ends as a violation."""
    connection, messages, events = feed(side, LESSER[lesser], step)
    assert [] == messages
    assert connection.closed
    assert connection.peer is None
    (failure,) = events
    assert isinstance(failure, ConnectionFailed)
    assert FailureReason.PROTOCOL is failure.reason


@pytest.mark.parametrize("side", CONFIGS)
@pytest.mark.parametrize("lesser", LESSER)
def test_v03_no_prefix_of_a_lesser_greeting_gets_in(lesser: str, side: str) -> None:
    """Cut at every byte, then silence: never ready, and the handshake's time limit ends it."""
    for size in range(1, 64):
        connection, messages, events = feed(side, LESSER[lesser][:size], 1000)
        assert ([], False) == (messages, connection.ready)
        if connection.closed:
            assert FailureReason.PROTOCOL is events[-1].reason
        else:
            assert 30.0 == connection.next_timer()
            connection.handle_timer(30.0)
            assert FailureReason.TIMEOUT is list(iter(connection.next_event, None))[-1].reason
        assert connection.closed


@pytest.mark.parametrize(
    ("lesser", "mechanism"), [(lesser, name) for lesser in LESSER for name in ("PLAIN", "CURVE") if name not in lesser]
)
def test_v01_no_downgrade_of_a_listening_socket(make_socket: MakeSocket, lesser: str, mechanism: str) -> None:
    """Over TCP: the monitor tells a violation, the application gets nothing, and the peer is cut off."""
    pull = make_socket(zmq.PULL, **security_options(mechanism, server=True))
    endpoint = bind(pull, "tcp")
    with EventWatch(pull) as events, RawPeer.connect(endpoint) as peer:
        peer.send(LESSER[lesser])
        events.wait_for(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL)
        events.wait_for(zmq.EVENT_DISCONNECTED)
        peer.wait_until_closed()
    assert try_recv(pull) is None


@pytest.mark.parametrize("mechanism", ["PLAIN", "CURVE"])
def test_v01_no_downgrade_between_mechanisms_of_libzmq(make_socket: MakeSocket, libzmq: Any, mechanism: str) -> None:
    """A real libzmq with NULL, and one with the other mechanism, gets nothing in or out."""
    pull = make_socket(zmq.PULL, **security_options(mechanism, server=True))
    endpoint = bind(pull, "tcp")
    other = {"PLAIN": "CURVE", "CURVE": "PLAIN"}[mechanism]
    with EventWatch(pull) as events:
        for number, theirs in enumerate(("NULL", other)):
            libzmq.open(f"s{number}", "PUSH", sndtimeo=0, **security_options(theirs, server=False))
            libzmq.connect(f"s{number}", endpoint)
            with suppress(PeerError):  # it may have given up already
                libzmq.send(f"s{number}", [b"in the clear"])
            events.wait_for(zmq.EVENT_DISCONNECTED)  # whichever side noticed first
            assert zmq.EVENT_HANDSHAKE_SUCCEEDED not in events.seen
    assert try_recv(pull) is None
