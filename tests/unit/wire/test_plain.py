"""PLAIN (RFC 24): both sides, the order of commands, and what is refused."""

from __future__ import annotations

import pytest

from purezmq.wire import AuthenticationNeeded, Connection, ConnectionFailed, FailureReason, HandshakeSucceeded
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.mechanisms.plain import PlainClient, PlainServer
from purezmq.wire.verdict import Verdict

HELLO = b"\x05HELLO\x02me\x06secret"
INITIATE = b"\x08INITIATE\x0bSocket-Type\x00\x00\x00\x04PUSH"
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x04PULL"
WELCOME = b"\x07WELCOME"


@pytest.fixture
def client(config) -> PlainClient:
    return PlainClient(config("PUSH", mechanism="PLAIN", credentials=(b"me", b"secret")), bound=False)


@pytest.fixture
def server(config) -> PlainServer:
    return PlainServer(config("PULL", mechanism="PLAIN", as_server=True, authenticates=True), bound=True)


def events_of(connection: Connection) -> list[object]:
    return list(iter(connection.next_event, None))


def connect(config, exchange, verdict: Verdict | None, step: int | None = None) -> tuple[Connection, Connection]:
    """Two connections up to the verdict, and what follows it."""
    left = Connection(config("PUSH", mechanism="PLAIN", credentials=(b"me", b"secret")), bound=False)
    right = Connection(config("PULL", mechanism="PLAIN", as_server=True, authenticates=True), bound=True)
    for connection in (left, right):
        connection.start(0.0)
    exchange(left, right, "3.1", step)
    if verdict is not None:
        right.authorize(verdict, 0.0)
        exchange(left, right, "3.1", step)
    return left, right


def test_handshake_to_the_byte(client, server) -> None:
    """Every command is RFC 24's, in its order."""
    assert [HELLO] == client.start()
    assert [] == server.start()
    assert [] == server.receive_command(HELLO)
    assert (b"me", b"secret") == server.credentials
    assert [WELCOME] == server.receive_verdict(Verdict(200))
    assert [INITIATE] == client.receive_command(WELCOME)
    assert [READY] == server.receive_command(INITIATE)
    assert [] == client.receive_command(READY)
    assert (True, True) == (client.done, server.done)
    assert [("Socket-Type", b"PUSH")] == server.properties
    assert [("Socket-Type", b"PULL")] == client.properties


@pytest.mark.parametrize("step", [None, 1])
def test_connections_with_a_verdict_are_ready(config, exchange, step) -> None:
    """The server asks, and after a 200 both are ready and messages flow."""
    left, right = connect(config, exchange, Verdict(200, user_id="me"), step)
    asked, ready = events_of(right)
    assert isinstance(asked, AuthenticationNeeded)
    assert ("PLAIN", (b"me", b"secret")) == (asked.mechanism, asked.credentials)
    assert isinstance(ready, HandshakeSucceeded)
    assert ("PLAIN", "me") == (ready.peer.mechanism, ready.peer.user_id)
    assert [b"hello"] == right.receive_data(b"".join(left.encode([b"hello"])), 0.0)


def test_nothing_happens_before_the_verdict(config, exchange) -> None:
    """Without a decision there is no WELCOME."""
    left, right = connect(config, exchange, None)
    assert (False, False) == (left.ready, right.ready)
    assert [] == right.data_to_send()


@pytest.mark.parametrize("status", [300, 400, 500])
def test_refusal_ends_both_sides(config, exchange, status) -> None:
    """400 and 500 are told by ERROR, 300 by silence; neither side is ever ready."""
    left, right = connect(config, exchange, Verdict(status))
    failure = events_of(right)[-1]
    assert isinstance(failure, ConnectionFailed)
    assert (FailureReason.AUTH, status) == (failure.reason, failure.status)
    told = [event for event in events_of(left) if isinstance(event, ConnectionFailed)]
    assert [] == told if status == 300 else [status] == [event.status for event in told]
    assert (False, False) == (left.ready, right.ready)


@pytest.mark.parametrize("size", [0, 255])
def test_hello_of_the_smallest_and_largest_credentials(config, server, size) -> None:
    """Empty and 255 bytes are credentials, too."""
    credentials = (b"u" * size, b"p" * size)
    client = PlainClient(config("PUSH", mechanism="PLAIN", credentials=credentials), bound=False)
    server.receive_command(*client.start())
    assert credentials == server.credentials


@pytest.mark.parametrize("credentials", [(), (b"me",), (b"a", b"b", b"c"), (b"u" * 256, b""), (b"", b"p" * 256)])
def test_client_with_wrong_credentials_is_a_value_error(config, credentials) -> None:
    """What can't be encoded is refused before anything is sent."""
    with pytest.raises(ValueError, match="PLAIN"):
        PlainClient(config("PUSH", mechanism="PLAIN", credentials=credentials), bound=False)


@pytest.mark.parametrize("cut", range(len(HELLO) - 6))
def test_hello_cut_short_is_refused(server, cut) -> None:
    """No length is believed."""
    with pytest.raises(RemoteProtocolError, match="HELLO"):
        server.receive_command(HELLO[: 6 + cut])
    assert server.credentials is None


def test_hello_with_more_than_two_fields_is_refused(server) -> None:
    """The fields fill the command exactly."""
    with pytest.raises(RemoteProtocolError, match="HELLO"):
        server.receive_command(HELLO + b"\0")


@pytest.mark.parametrize(
    "commands",
    [
        [INITIATE], [WELCOME], [READY], [HELLO, HELLO], [HELLO, INITIATE], [b"\x05ERROR\x03400"],
        [b"\x05OTHER"], [b""], [b"\x00"], [b"\x09HELLO"],
    ],
    ids=repr,
)  # fmt: skip
def test_server_refuses_every_other_order(server, commands) -> None:
    """Only HELLO, the verdict and INITIATE follow each other."""
    for command in commands[:-1]:
        server.receive_command(command)
    with pytest.raises(RemoteProtocolError):
        server.receive_command(commands[-1])


@pytest.mark.parametrize("command", [HELLO, INITIATE])
def test_server_after_welcome_takes_initiate_once(server, command) -> None:
    """Neither a second HELLO nor a second INITIATE."""
    server.receive_command(HELLO)
    server.receive_verdict(Verdict(200))
    if command is INITIATE:
        server.receive_command(INITIATE)
    with pytest.raises(RemoteProtocolError, match="unexpected"):
        server.receive_command(command)


@pytest.mark.parametrize("commands", [[READY], [HELLO], [WELCOME, WELCOME], [WELCOME + b"x"], [WELCOME, READY, READY]])
def test_client_refuses_every_other_order(client, commands) -> None:
    """Only WELCOME and READY follow each other, and WELCOME is empty."""
    client.start()
    for command in commands[:-1]:
        client.receive_command(command)
    with pytest.raises(RemoteProtocolError):
        client.receive_command(commands[-1])


def test_client_takes_an_error_for_a_refusal(client) -> None:
    """ERROR carries the status of RFC 27."""
    client.start()
    with pytest.raises(RemoteProtocolError) as caught:
        client.receive_command(b"\x05ERROR\x03400")
    assert (FailureReason.AUTH, 400) == (caught.value.reason, caught.value.status)


@pytest.mark.parametrize("metadata", [b"\x0bSocket-Type\x00\x00\x01\x00PUSH", b"\xff", b"\0\0\0\0\0"])
def test_malformed_metadata_is_refused(server, metadata) -> None:
    """Lengths inside INITIATE that run over its end."""
    server.receive_command(HELLO)
    server.receive_verdict(Verdict(200))
    with pytest.raises(RemoteProtocolError):
        server.receive_command(b"\x08INITIATE" + metadata)
