"""Two sides of CURVE mouth to mouth, with keys and randomness that are the same in every run. Nothing else."""

from __future__ import annotations

import hashlib

from purezmq.wire.config import ConnectionConfig
from purezmq.wire.mechanisms.curve_client import CurveClient
from purezmq.wire.mechanisms.curve_server import CurveServer
from purezmq.wire.mechanisms.sodium import public_key

__all__ = [
    "CLIENT_PUBLIC", "CLIENT_SECRET", "SERVER_PUBLIC", "SERVER_SECRET", "Randomness", "client_config", "make_client",
    "make_server", "server_config", "shake_hands",
]  # fmt: skip

CLIENT_SECRET = bytes(range(1, 33))
SERVER_SECRET = bytes(range(101, 133))
CLIENT_PUBLIC = public_key(CLIENT_SECRET)
SERVER_PUBLIC = public_key(SERVER_SECRET)


class Randomness:
    """Random bytes that a seed decides."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(self.seed + bytes((self.count,))).digest(size)


def client_config(socket_type: str = "PUSH", **options: object) -> ConnectionConfig:
    """A client's settings."""
    keys = (CLIENT_PUBLIC, CLIENT_SECRET, SERVER_PUBLIC)
    return ConnectionConfig(
        socket_type, frozenset({"PULL", "XPUB"}), **{"mechanism": "CURVE", "credentials": keys, **options}
    )  # type: ignore[arg-type]


def server_config(socket_type: str = "PULL", **options: object) -> ConnectionConfig:
    """A server's settings; nobody is asked about clients."""
    keys = (SERVER_PUBLIC, SERVER_SECRET)
    options = {"mechanism": "CURVE", "as_server": True, "credentials": keys, **options}
    return ConnectionConfig(socket_type, frozenset({"PUSH", "SUB"}), **options)  # type: ignore[arg-type]


def make_client(**options: object) -> CurveClient:
    """A client."""
    return CurveClient(client_config(**options), bound=False, random=Randomness(b"client"))


def make_server(**options: object) -> CurveServer:
    """A server."""
    return CurveServer(server_config(**options), bound=True, random=Randomness(b"server"))


def shake_hands() -> tuple[CurveClient, CurveServer, dict[str, bytes]]:
    """Both sides after the whole handshake, and its commands by name."""
    client, server = make_client(), make_server()
    (hello,) = client.start()
    (welcome,) = server.receive_command(hello)
    (initiate,) = client.receive_command(welcome)
    (ready,) = server.receive_command(initiate)
    assert [] == client.receive_command(ready)
    return client, server, {"HELLO": hello, "WELCOME": welcome, "INITIATE": initiate, "READY": ready}
