"""The limits on messages hold for sealed frames, too: what is counted is what was sealed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.wire.curve_pair import client_config, server_config

from purezmq.wire import Connection, ConnectionFailed, FailureReason
from purezmq.wire.events import Event
from purezmq.wire.framing import encode_frame
from purezmq.wire.limits import MAX_COMMAND_SIZE


def make_pair(**limits: Any) -> tuple[Connection, Connection]:
    """A client and a server whose handshake is over."""
    server_settings = server_config()
    for name, value in limits.items():
        setattr(server_settings, name, value)
    client, server = Connection(client_config(), bound=False), Connection(server_settings, bound=True)
    client.start(0.0)
    server.start(0.0)
    while not (client.ready and server.ready):
        for sender, receiver in ((client, server), (server, client)):
            receiver.receive_data(b"".join(map(bytes, sender.data_to_send())), 0.0)
    return client, server


def last_event(connection: Connection) -> Event | None:
    """The last event that waits."""
    last = event = connection.next_event()
    while event is not None:
        last, event = event, connection.next_event()
    return last


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("limits", "fine", "bad"),
    [
        ({"max_parts": 3}, [b"x"] * 3, [b"x"] * 4),
        ({"max_multipart_bytes": 100}, [b"x" * 50] * 2, [b"x" * 50, b"x" * 51]),
    ],
)
def test_p08_sealed_parts_are_limited(limits: dict[str, int], fine: list[bytes], bad: list[bytes], step: int) -> None:
    """P08: as much as the limit says passes, more ends the connection, in any pieces."""
    client, server = make_pair(**limits)
    data = b"".join(map(bytes, client.encode([fine, b"y" * 1000, bad, fine])))
    received: list[Any] = []
    for at in range(0, len(data), step):
        received += server.receive_data(data[at : at + step], 0.0)
    assert [fine, b"y" * 1000] == received
    failure = last_event(server)
    assert isinstance(failure, ConnectionFailed)
    assert (FailureReason.LIMIT, *limits) == (failure.reason, failure.limit)


def test_p08_sealed_message_that_is_a_command_by_its_flags_may_be_large() -> None:
    """RFC 26 calls MESSAGE a command: the limit of commands is not for what is sealed in one."""
    client, server = make_pair()
    body = bytes(2 * MAX_COMMAND_SIZE)
    sealed = b"".join(map(bytes, client.encode([body])))[9:]
    assert [body] == server.receive_data(encode_frame(4, sealed), 0.0)


def test_p27_sealed_pings_have_one_pong() -> None:
    """P27: what waits is sealed when it leaves, so that the order of the nonces holds."""
    client, server = make_pair()
    for number in range(100):
        client.send_ping(b"%d" % number)
        server.receive_data(b"".join(map(bytes, client.data_to_send())), 0.0)
        assert [] == server.data_to_send(keeps_pong=True)
    (pong,) = server.data_to_send()
    assert [] == client.receive_data(bytes(pong), 0.0)
    event = last_event(client)
    assert event is not None
    assert "99" in repr(event)
