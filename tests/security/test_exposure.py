"""What is open to the network by oversight is told once, by the logger "purezmq" (S06, S12)."""

from __future__ import annotations

import logging
import socket as system_socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, free_endpoint, purezmq_only, zmq

from purezmq.engine import exposure

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("libzmq has no log")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Wait for so many lines about exposure, and return all there are."""
    monkeypatch.setattr(exposure, "_open_is_told", False)
    caplog.set_level(logging.WARNING, "purezmq")

    def wait(count: int) -> list[str]:
        def found() -> list[str]:
            texts = [record.getMessage() for record in caplog.records if record.name == "purezmq"]
            return [text for text in texts if "is bound to" in text or "password" in text]

        eventually(lambda: len(found()) >= count)
        return found()

    return wait


def own_address() -> str:
    """An address of this machine that others reach; no packet is sent for it."""
    with system_socket.socket(system_socket.AF_INET, system_socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


def test_s06_open_socket_is_told_once(make_socket: MakeSocket, lines: Callable[[int], list[str]]) -> None:
    """The first of the process that is bound to an address of the network without security; loopback is none."""
    for endpoint in ("tcp://127.0.0.1:*", "tcp://0.0.0.0:*", "tcp://*:*"):
        make_socket(zmq.PULL).bind(endpoint)
    bind(make_socket(zmq.PULL), "ipc")
    secure = make_socket(zmq.PULL)
    secure.plain({"user": "password"})
    secure.bind("tcp://0.0.0.0:*")
    first, second = lines(2)
    assert first.startswith("a PULL socket is bound to tcp://0.0.0.0:")
    assert "without security" in first
    assert "with PLAIN" in second


@pytest.mark.parametrize("why", ["no handler", "level", "no logging"])
def test_s06_open_socket_is_told_to_who_listens_later(
    make_socket: MakeSocket, lines: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """A line that nobody heard isn't the only one."""
    with monkeypatch.context() as patch:
        if why == "no handler":
            patch.setattr(logging.Logger, "hasHandlers", lambda _: False)
        elif why == "level":
            patch.setattr(logging.getLogger("purezmq"), "level", logging.ERROR)
            logging.getLogger("purezmq").manager._clear_cache()
        else:
            patch.delitem(sys.modules, "logging")
        make_socket(zmq.PULL).bind("tcp://0.0.0.0:*")
        eventually(lambda: not exposure._open_is_told)
    logging.getLogger("purezmq").manager._clear_cache()
    make_socket(zmq.PUSH).bind("tcp://0.0.0.0:*")
    (line,) = lines(1)
    assert "a PUSH socket" in line
    assert exposure._open_is_told


@pytest.mark.parametrize("setting", ["curve", "zap"])
def test_s06_socket_that_knows_its_peers_is_not_told(
    make_socket: MakeSocket, lines: Callable[[int], list[str]], setting: str
) -> None:
    """Nor is one whose peers a ZAP handler decides about."""
    socket, last = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    if setting == "curve":
        socket.curve(zmq.curve_keypair()[1], allow=[])
    else:
        socket.zap_domain = b"global"
    socket.bind("tcp://0.0.0.0:*")
    last.bind("tcp://0.0.0.0:*")  # its line would come behind the other's
    (line,) = lines(1)
    assert "a PUSH socket" in line


def test_s12_password_in_the_clear_is_told_once(make_socket: MakeSocket, lines: Callable[[int], list[str]]) -> None:
    """By the client at its first connection, not again at the next ones, and not over loopback."""
    port = free_endpoint().rpartition(":")[2]
    for address in ("127.0.0.1", own_address()):
        client = make_socket(zmq.PUSH, reconnect_ivl=10)
        client.plain("user", "secret")
        client.connect(f"tcp://{address}:{port}")
        for _ in range(2):
            server = make_socket(zmq.PULL)
            server.plain({"user": "secret"})
            server.bind(f"tcp://{address}:{port}")
            client.send(b"x")
            assert b"x" == server.recv()
            server.close()
            eventually(lambda client=client: not client.peers())
        client.close()
    found = lines(3)
    assert [f"to tcp://{own_address()}:{port}, in the clear" in text for text in found].count(True) == 1
    assert ["with PLAIN" in text for text in found].count(True) == 2
    assert len(found) == 3
    assert not any("secret" in text for text in found)
