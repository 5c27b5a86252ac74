"""The handshake of CURVE (RFC 26): sizes and bytes, the order of commands, and everything that is refused."""

from __future__ import annotations

import pytest
from tests.unit.wire.curve_pair import (
    CLIENT_PUBLIC,
    CLIENT_SECRET,
    SERVER_PUBLIC,
    SERVER_SECRET,
    Randomness,
    client_config,
    make_client,
    make_server,
    server_config,
    shake_hands,
)

from purezmq.wire import Connection, ConnectionFailed, FailureReason, HandshakeSucceeded, Verdict
from purezmq.wire.config import ConnectionConfig
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.mechanisms import sodium
from purezmq.wire.mechanisms.curve_client import CurveClient
from purezmq.wire.mechanisms.curve_server import CurveServer

#: Points of small order on Curve25519: 0, 1, and one of order 8.
SMALL_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
]


def change(data: bytes, at: int) -> bytes:
    """``data`` with one bit changed."""
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def test_commands_have_the_sizes_of_the_rfc() -> None:
    """HELLO 200, WELCOME 168, INITIATE 257 and the metadata, READY 30 and the metadata."""
    metadata = len(b"\x0bSocket-Type\x00\x00\x00\x04PUSH")
    _, _, commands = shake_hands()
    assert {"HELLO": 200, "WELCOME": 168, "INITIATE": 257 + metadata, "READY": 30 + metadata} == {
        name: len(command) for name, command in commands.items()
    }


def test_hello_to_the_byte() -> None:
    """Version 1.0, 72 zeros, the transient key, the nonce 1, and the box of 64 zeros under the RFC's nonce."""
    (hello,) = make_client().start()
    transient = sodium.public_key(Randomness(b"client")(32))
    key = sodium.shared_key(transient, SERVER_SECRET)
    assert b"\x05HELLO\x01\x00" + bytes(72) + transient + bytes(7) + b"\x01" == hello[:120]
    assert bytes(64) == sodium.open_box(hello[120:], b"CurveZMQHELLO---" + bytes(7) + b"\x01", key)


def test_injected_randomness_makes_the_same_bytes() -> None:
    """The whole handshake is a function of keys and random bytes; other randomness makes others."""
    assert shake_hands()[2] == shake_hands()[2]
    other = CurveClient(client_config(), bound=False, random=Randomness(b"other"))
    assert other.start() != make_client().start()


def test_default_randomness_differs_from_run_to_run() -> None:
    """Two clients of one configuration never share a transient key."""
    first, second = (CurveClient(client_config(), bound=False).start()[0] for _ in range(2))
    assert first[80:112] != second[80:112]


def test_both_sides_know_each_other() -> None:
    """Both are done, with the other's metadata."""
    client, server, _ = shake_hands()
    assert (True, True) == (client.done, server.done)
    assert [("Socket-Type", b"PULL")] == client.properties
    assert [("Socket-Type", b"PUSH")] == server.properties


def test_server_that_asks_presents_the_permanent_key_and_waits() -> None:
    """READY follows the verdict, and not before."""
    client, server = make_client(), make_server(authenticates=True)
    (welcome,) = server.receive_command(*client.start())
    assert [] == server.receive_command(*client.receive_command(welcome))
    assert (CLIENT_PUBLIC,) == server.credentials
    assert not server.done
    client.receive_command(*server.receive_verdict(Verdict(200)))
    assert (True, True) == (client.done, server.done)


@pytest.mark.parametrize("status", [300, 400, 500])
def test_refused_client_is_told_no_more_than_the_status(status) -> None:
    """ERROR, or silence with 300; the refusal is there for the server's owner."""
    client, server = make_client(), make_server(authenticates=True)
    (welcome,) = server.receive_command(*client.start())
    server.receive_command(*client.receive_command(welcome))
    said = server.receive_verdict(Verdict(status, "the reason stays here"))
    assert ([] if status == 300 else [b"\x05ERROR\x03%d" % status]) == said
    assert not server.done
    for command in said:
        with pytest.raises(RemoteProtocolError) as caught:
            client.receive_command(command)
        assert (FailureReason.AUTH, status) == (caught.value.reason, caught.value.status)


@pytest.mark.parametrize("at", range(200))
def test_hello_with_any_bit_changed_is_refused(at) -> None:
    """But for the 72 bytes of padding, which nobody looks at (RFC 26 makes them a size, libzmq ignores them)."""
    (hello,) = make_client().start()
    server = make_server()
    if 8 <= at < 80:
        assert 168 == len(server.receive_command(change(hello, at))[0])
        return
    with pytest.raises(RemoteProtocolError):
        server.receive_command(change(hello, at))


@pytest.mark.parametrize("at", range(168))
def test_welcome_with_any_bit_changed_is_refused(at) -> None:
    """Every byte of it counts."""
    client = make_client()
    (welcome,) = make_server().receive_command(*client.start())
    with pytest.raises(RemoteProtocolError):
        client.receive_command(change(welcome, at))


@pytest.mark.parametrize("at", range(0, 277, 3))
def test_initiate_with_any_bit_changed_is_refused(at) -> None:
    """Name, cookie, nonce, keys, vouch, metadata: every byte counts."""
    client, server = make_client(), make_server()
    (welcome,) = server.receive_command(*client.start())
    (initiate,) = client.receive_command(welcome)
    with pytest.raises(RemoteProtocolError):
        server.receive_command(change(initiate, at))
    assert server.cipher is None


@pytest.mark.parametrize("at", range(50))
def test_ready_with_any_bit_changed_is_refused(at) -> None:
    """Every byte of it counts."""
    client, server = make_client(), make_server()
    (welcome,) = server.receive_command(*client.start())
    (ready,) = server.receive_command(*client.receive_command(welcome))
    with pytest.raises(RemoteProtocolError):
        client.receive_command(change(ready, at))
    assert client.cipher is None


@pytest.mark.parametrize("name", ["HELLO", "WELCOME", "INITIATE", "READY"])
@pytest.mark.parametrize("size", [-1, +1])
def test_command_one_byte_off_is_refused(name, size) -> None:
    """Neither shorter nor longer than it is."""
    client, server, commands = make_client(), make_server(), {}
    for receiver, order in ((server, "HELLO"), (client, "WELCOME"), (server, "INITIATE"), (client, "READY")):
        (command,) = client.start() if order == "HELLO" else (commands["next"],)
        if order == name:
            with pytest.raises(RemoteProtocolError):
                receiver.receive_command(command[:size] if size < 0 else command + b"\0")
            return
        (commands["next"],) = receiver.receive_command(command)


@pytest.mark.parametrize(
    "order",
    [
        ["INITIATE"], ["READY"], ["MESSAGE"], ["ERROR"], ["HELLO", "HELLO"], ["HELLO", "WELCOME"],
        ["HELLO", "INITIATE", "INITIATE"], ["HELLO", "INITIATE", "HELLO"],
    ],
)  # fmt: skip
def test_server_refuses_every_other_order(order) -> None:
    """INITIATE before HELLO, a command twice, data before READY, commands of a server."""
    commands = {**shake_hands()[2], "MESSAGE": b"\x07MESSAGE" + bytes(25), "ERROR": b"\x05ERROR\x03400"}
    server = make_server()
    for name in order[:-1]:
        server.receive_command(commands[name])
    with pytest.raises(RemoteProtocolError, match="unexpected"):
        server.receive_command(commands[order[-1]])


@pytest.mark.parametrize(
    "order",
    [["READY"], ["HELLO"], ["MESSAGE"], ["WELCOME", "WELCOME"], ["WELCOME", "READY", "READY"], ["WELCOME", "MESSAGE"]],
)
def test_client_refuses_every_other_order(order) -> None:
    """READY before WELCOME, a command twice, data before READY, commands of a client."""
    commands = {**shake_hands()[2], "MESSAGE": b"\x07MESSAGE" + bytes(25)}
    client = make_client()
    client.start()
    for name in order[:-1]:
        client.receive_command(commands[name])
    with pytest.raises(RemoteProtocolError, match="unexpected"):
        client.receive_command(commands[order[-1]])


def test_cookie_of_another_connection_is_refused() -> None:
    """The key of a cookie belongs to one connection, whatever the keys of the client are."""
    client = make_client()
    (hello,) = client.start()
    first = make_server()
    second = CurveServer(server_config(), bound=True, random=Randomness(b"another"))
    (welcome,) = first.receive_command(hello)
    second.receive_command(hello)
    (initiate,) = client.receive_command(welcome)
    with pytest.raises(RemoteProtocolError, match="cookie"):
        second.receive_command(initiate)


def test_initiate_with_a_nonce_that_does_not_increase_is_refused() -> None:
    """A client that goes on counting below its HELLO's nonce."""
    client, server = make_client(), make_server()
    (hello,) = client.start()
    key = sodium.shared_key(hello[80:112], SERVER_SECRET)
    high = (9).to_bytes(8, "big")
    hello = hello[:112] + high + sodium.seal_box(bytes(64), b"CurveZMQHELLO---" + high, key)
    (welcome,) = server.receive_command(hello)
    (initiate,) = client.receive_command(welcome)
    with pytest.raises(RemoteProtocolError, match="nonce"):
        server.receive_command(initiate)


def test_vouch_of_another_client_is_refused() -> None:
    """Who knows a client's public key only can't come in as that client."""
    thief_secret = bytes(range(51, 83))
    keys = (CLIENT_PUBLIC, thief_secret, SERVER_PUBLIC)
    client = CurveClient(client_config(credentials=keys), bound=False)
    server = make_server()
    (welcome,) = server.receive_command(*client.start())
    (initiate,) = client.receive_command(welcome)
    with pytest.raises(RemoteProtocolError, match="vouch"):
        server.receive_command(initiate)


def test_client_of_another_server_is_refused() -> None:
    """HELLO is sealed for one server."""
    other = sodium.public_key(bytes(range(201, 233)))
    client = CurveClient(client_config(credentials=(CLIENT_PUBLIC, CLIENT_SECRET, other)), bound=False)
    with pytest.raises(RemoteProtocolError, match="another public key"):
        make_server().receive_command(*client.start())


@pytest.mark.parametrize("point", SMALL_ORDER, ids=["zero", "one", "order 8"])
def test_points_of_small_order_are_refused(point) -> None:
    """As the client's transient key, and as the server's key that a client was given."""
    server = make_server()
    (hello,) = make_client().start()
    with pytest.raises(RemoteProtocolError, match="small order"):
        server.receive_command(hello[:80] + point + hello[112:])
    client = CurveClient(client_config(credentials=(CLIENT_PUBLIC, CLIENT_SECRET, point)), bound=False)
    with pytest.raises(RemoteProtocolError, match="small order"):
        client.start()
    assert sodium.shared_key(point, SERVER_SECRET) is None


@pytest.mark.parametrize("keys", [(), (CLIENT_PUBLIC,), (CLIENT_PUBLIC, CLIENT_SECRET, b"short")])
def test_wrong_keys_are_a_value_error(keys) -> None:
    """Neither side starts with less than it needs."""
    config = ConnectionConfig("PUSH", frozenset({"PULL"}), mechanism="CURVE", credentials=keys)
    for side in (CurveClient, CurveServer):
        with pytest.raises(ValueError, match="keys"):
            side(config, bound=False)


@pytest.mark.parametrize("step", [None, 1])
def test_connections_from_greeting_to_message(exchange, step) -> None:
    """The whole way through two connections, also byte by byte; a metadata property of the application arrives."""
    left = Connection(client_config(metadata=(("X-a", b"b"),)), bound=False)
    right = Connection(server_config(authenticates=True), bound=True)
    left.start(0.0)
    right.start(0.0)
    exchange(left, right, "3.1", step)
    right.authorize(Verdict(200, user_id="somebody"), 0.0)
    exchange(left, right, "3.1", step)
    ready = list(iter(right.next_event, None))[-1]
    assert isinstance(ready, HandshakeSucceeded)
    assert ("CURVE", "somebody", b"b") == (ready.peer.mechanism, ready.peer.user_id, ready.peer.properties["X-a"])
    assert (True, False) == (left.ready, left.shares_encoding)
    data = b"".join(left.encode([b"one", [b"two", b"", b"three"]]))
    assert b"one" not in data
    got = []
    for at in range(0, len(data), step or len(data)):
        got += right.receive_data(data[at : at + (step or len(data))], 0.0)
    assert [b"one", [b"two", b"", b"three"]] == got


def test_two_clients_fail_instead_of_waiting(exchange) -> None:
    """Each takes the other's HELLO for what it is."""
    left, right = (Connection(client_config(), bound=bound) for bound in (False, True))
    left.start(0.0)
    right.start(0.0)
    exchange(left, right)
    assert isinstance(right.next_event(), ConnectionFailed)
