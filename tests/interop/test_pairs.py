"""Every classic pair of types against a real libzmq in another process, in both roles, over tcp and ipc."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import bind, eventually, ipc_path, zmq
from tests.support.peer_process import PeerError, PeerProcess

MakeSocket = Callable[..., Any]

TRANSPORTS = ["tcp"] if sys.platform == "win32" else ["tcp", "ipc"]
PAIRS = [
    ("PAIR", "PAIR"), ("PUB", "SUB"), ("PUB", "XSUB"), ("XPUB", "SUB"), ("XPUB", "XSUB"), ("REQ", "REP"),
    ("REQ", "ROUTER"), ("DEALER", "REP"), ("DEALER", "ROUTER"), ("DEALER", "DEALER"), ("ROUTER", "ROUTER"),
    ("PUSH", "PULL"),
]  # fmt: skip
MEGABYTE = bytes(range(256)) * 4096
SHAPES = {
    "single": [b"hello"],
    "multipart": [b"one", b"", bytes(range(256)), b""],
    "large": [b"head", MEGABYTE, b"tail"],
}


class Local:
    """A socket of ours with the commands of the peer process, so that either side can play either role."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    def send(self, parts: list[bytes]) -> None:
        """Send one message."""
        self.socket.send_multipart(parts)

    def recv(self) -> list[bytes]:
        """Receive one message."""
        return self.socket.recv_multipart()

    def poll(self, timeout_ms: int) -> int:
        """Poll for input."""
        return self.socket.poll(timeout_ms)

    def subscribe(self, topic: bytes) -> None:
        """Subscribe as a SUB."""
        self.socket.setsockopt(zmq.SUBSCRIBE, topic)


class Remote:
    """The same commands for the socket "s" of a peer process."""

    def __init__(self, peer: PeerProcess) -> None:
        self.peer = peer

    def send(self, parts: list[bytes]) -> None:
        """Send one message."""
        self.peer.send("s", parts)

    def recv(self) -> list[bytes]:
        """Receive one message."""
        return self.peer.recv("s")

    def poll(self, timeout_ms: int) -> int:
        """Poll for input."""
        return self.peer.poll("s", timeout_ms)

    def subscribe(self, topic: bytes) -> None:
        """Subscribe as a SUB."""
        self.peer.set("s", "SUBSCRIBE", topic)


def exchange(first: Any, second: Any, pair: tuple[str, str], parts: list[bytes]) -> None:
    """One exchange between sockets of the types of `pair`, in both directions where there are two."""
    if pair[0] in {"PUB", "XPUB"}:
        publish(first, second, pair, parts)
        return
    outgoing = {("DEALER", "REP"): [b"", *parts], ("ROUTER", "ROUTER"): [b"second", *parts]}.get(pair, parts)
    first.send(outgoing)
    got = second.recv()
    envelope = {("REQ", "ROUTER"): 2, ("DEALER", "ROUTER"): 1, ("ROUTER", "ROUTER"): 1}.get(pair, 0)
    assert parts == got[envelope:]
    if pair == ("PUSH", "PULL"):
        return
    second.send([*got[:envelope], *parts])
    assert outgoing == first.recv()


def publish(first: Any, second: Any, pair: tuple[str, str], parts: list[bytes]) -> None:
    """Subscribe to all, wait until that has an effect, and publish."""
    second.subscribe(b"") if pair[1] == "SUB" else second.send([b"\x01"])
    if pair[0] == "XPUB":
        # A bound SUB of libzmq subscribes inside a call only.
        eventually(lambda: second.poll(0) or first.poll(10))
        assert [b"\x01"] == first.recv()
    else:
        for number in range(500):
            first.send([b"probe %d" % number])
            if second.poll(10):
                break
        while second.recv() != [b"probe %d" % number]:
            pass
    first.send(parts)
    assert parts == second.recv()


def link_with(peer: PeerProcess, ours: Any, kind: str, we_bind: bool, transport: str, **options: Any) -> None:
    """Open socket "s" of `kind` in the peer process and connect the two."""
    peer.open("s", kind, **options)
    if we_bind:
        peer.connect("s", bind(ours, transport))
    else:
        ours.connect(peer.bind("s", "tcp://127.0.0.1:*" if transport == "tcp" else f"ipc://{ipc_path()}"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("we_bind", [True, False], ids=["we-bind", "we-connect"])
@pytest.mark.parametrize("we_are_first", [True, False], ids=["we-are-first", "we-are-second"])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_pair_of_types_with_libzmq(
    make_socket: MakeSocket, libzmq: PeerProcess, pair: tuple[str, str], we_are_first: bool, we_bind: bool,
    transport: str, shape: str,
) -> None:  # fmt: skip
    """A message reaches libzmq, and one of libzmq reaches us, unchanged."""
    our_type, their_type = pair if we_are_first else pair[::-1]
    ours = make_socket(getattr(zmq, our_type))
    options: dict[str, Any] = {}
    if pair == ("ROUTER", "ROUTER"):
        ours.routing_id = b"first" if we_are_first else b"second"
        options["routing_id"] = b"second" if we_are_first else b"first"
        # A known peer or an error: send again until the other one's routing id has arrived.
        ours.router_mandatory = 1
        options["router_mandatory"] = 1
    link_with(libzmq, ours, their_type, we_bind, transport, **options)
    local, remote = Local(ours), Remote(libzmq)
    first, second = (local, remote) if we_are_first else (remote, local)
    if pair == ("ROUTER", "ROUTER"):
        greet(first, b"second")
        assert [b"first", b"greeting"] == second.recv()
    exchange(first, second, pair, SHAPES[shape])


def greet(router: Any, routing_id: bytes) -> None:
    """Send to `routing_id` as soon as it is known."""

    def known() -> bool:
        try:
            router.send([routing_id, b"greeting"])
        except (PeerError, zmq.ZMQError):
            return False
        return True

    eventually(known)
