"""CLIENT and SERVER, and PEER: single-part messages to and from peers that have a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, EventWatch, bind, bind_again, eventually, link, run_in_thread, zmq

MakeSocket = Callable[..., Any]

WIRES = [name for name in TRANSPORTS if name != "inproc"]


def error_of(call: Callable[[], Any]) -> int:
    """The errno that a call raises."""
    with pytest.raises(zmq.ZMQError) as caught:
        call()
    return int(caught.value.errno)


def served(make_socket: MakeSocket, transport: str, **options: Any) -> tuple[Any, Any, str]:
    """A SERVER that binds, with options, and a CLIENT of it."""
    server, client = make_socket(zmq.SERVER, **options), make_socket(zmq.CLIENT)
    return server, client, link(server, client, transport=transport)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_server_answers_each_client_by_its_number(make_socket: MakeSocket, transport: str) -> None:
    """The number that came with a Frame brings the answer to the one who asked."""
    server, first, endpoint = served(make_socket, transport)
    second = make_socket(zmq.CLIENT)
    link(server, second, endpoint=endpoint)
    first.send(b"from first")
    second.send(b"from second")
    asked = {bytes(frame): frame.routing_id for frame in (server.recv(copy=False), server.recv(copy=False))}
    assert {b"from first", b"from second"} == set(asked)
    server.send(b"to second", routing_id=asked[b"from second"])
    server.send(b"to first", routing_id=asked[b"from first"])
    assert (b"to first", b"to second") == (first.recv(), second.recv())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_received_frame_can_be_sent_back(make_socket: MakeSocket, transport: str) -> None:
    """It carries its peer; so does a Frame that the application made."""
    server, client, _ = served(make_socket, transport)
    client.send(b"echo")
    frame = server.recv(copy=False)
    server.send(frame)
    server.send_multipart([frame], copy=False)
    own = zmq.Frame(b"own")
    own.routing_id = frame.routing_id
    server.send(own, copy=False)
    server.send_multipart([b"listed"], routing_id=frame.routing_id)
    assert [b"echo", b"echo", b"own", b"listed"] == [client.recv() for _ in range(4)]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_way_to_receive_gives_the_body(make_socket: MakeSocket, transport: str) -> None:
    """The number is told by Frames only, whichever way the message before was received."""
    server, client, _ = served(make_socket, transport)
    for number in range(8):
        client.send(b"%d" % number)
    assert b"0" == server.recv()
    assert 0 == server.getsockopt(zmq.RCVMORE)
    assert [b"1"] == server.recv_multipart()
    frame = server.recv(copy=False)
    assert (b"2", False) == (frame.bytes, frame.more)
    (listed,) = server.recv_multipart(copy=False)
    assert (b"3", frame.routing_id) == (listed.bytes, listed.routing_id)
    assert b"4" == server.recv()
    buffer = bytearray(1)
    assert (1, b"5") == (server.recv_into(buffer), bytes(buffer))
    assert [b"6", b"7"] == [*server.recv_many(1), *server.recv_many(1)]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_tracked_large_message_arrives(make_socket: MakeSocket, transport: str) -> None:
    """A buffer that isn't copied goes to the addressed peer, and is free in the end."""
    server, client, _ = served(make_socket, transport)
    client.send(b"q")
    body = bytearray(b"x" * 300_000)
    tracker = server.send(body, copy=False, track=True, routing_id=server.recv(copy=False).routing_id)
    assert bytes(body) == client.recv()
    tracker.wait(5)


@pytest.mark.parametrize("kind", ["SERVER", "PEER"])
def test_unknown_number_is_unreachable(make_socket: MakeSocket, kind: str) -> None:
    """EHOSTUNREACH, also without a number; a number out of range is EINVAL."""
    socket = make_socket(getattr(zmq, kind))
    assert zmq.EHOSTUNREACH == error_of(lambda: socket.send(b"x", routing_id=77))
    assert zmq.EHOSTUNREACH == error_of(lambda: socket.send(b"x"))
    assert zmq.EINVAL == error_of(lambda: socket.send(b"x", routing_id=0))
    assert zmq.EINVAL == error_of(lambda: socket.send(b"x", routing_id=2**32))
    with pytest.raises(TypeError):
        socket.send(b"x", routing_id="1")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_number_of_lost_client_is_unreachable(make_socket: MakeSocket, transport: str) -> None:
    """As soon as the SERVER knows that it left; the next client has another number."""
    server, client, endpoint = served(make_socket, transport, disconnect_msg=b"gone")
    client.send(b"q")
    lost = server.recv(copy=False).routing_id
    client.close()
    told = server.recv(copy=False)
    assert (b"gone", lost) == (told.bytes, told.routing_id)
    assert zmq.EHOSTUNREACH == error_of(lambda: server.send(b"x", routing_id=lost))
    client = make_socket(zmq.CLIENT)
    link(server, client, endpoint=endpoint)
    client.send(b"q")
    assert lost != server.recv(copy=False).routing_id


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_full_client_blocks_server(make_socket: MakeSocket, transport: str) -> None:
    """The high-water mark of the addressed peer: Again, and room wakes a blocked send."""
    server, client, _ = served(make_socket, transport, sndhwm=2, sndbuf=4096)
    client.rcvhwm = 2
    client.send(b"q")
    routing_id = server.recv(copy=False).routing_id
    body, sent = b"x" * 100_000, 0
    with pytest.raises(zmq.Again):
        while sent < 1000:
            server.send(body, zmq.DONTWAIT, routing_id=routing_id)
            sent += 1
    blocked = run_in_thread(lambda: server.send(b"last", routing_id=routing_id))
    assert [body] * sent == [client.recv() for _ in range(sent)]
    blocked.result()
    assert b"last" == client.recv()


def test_client_without_server_blocks_until_one_comes(make_socket: MakeSocket) -> None:
    """CLIENT sends to nobody: it waits, and POLLOUT is false."""
    server, client = make_socket(zmq.SERVER), make_socket(zmq.CLIENT)
    endpoint = bind(client, "tcp")
    assert 0 == client.poll(0, zmq.POLLOUT)
    with pytest.raises(zmq.Again):
        client.send(b"x", zmq.DONTWAIT)
    blocked = run_in_thread(client.send, b"x")
    server.connect(endpoint)
    blocked.result()
    assert b"x" == server.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_client_balances_over_servers(make_socket: MakeSocket, transport: str) -> None:
    """In turn, as DEALER."""
    client, servers = make_socket(zmq.CLIENT), [make_socket(zmq.SERVER) for _ in range(2)]
    for server in servers:
        link(server, client, transport=transport)
    for number in range(4):
        client.send(b"%d" % number)
    assert [{b"0", b"2"}, {b"1", b"3"}] == sorted(({server.recv(), server.recv()} for server in servers), key=min)


def test_server_is_served_from_many_threads(make_socket: MakeSocket) -> None:
    """Each thread answers the peer whose message it took: body and number never mix."""
    server = make_socket(zmq.SERVER)
    endpoint = bind(server, "tcp")
    clients = [make_socket(zmq.CLIENT) for _ in range(4)]
    each = 100

    def answer() -> None:
        for _ in range(each):
            frame = server.recv(copy=False)
            server.send(frame.bytes, routing_id=frame.routing_id)

    def ask(client: Any, name: bytes) -> None:
        client.connect(endpoint)
        for number in range(each):
            client.send(b"%s %d" % (name, number))
            assert b"%s %d" % (name, number) == client.recv()

    calls = [run_in_thread(answer) for _ in clients]
    calls += [run_in_thread(ask, client, b"%d" % index) for index, client in enumerate(clients)]
    for call in calls:
        call.result(20)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_peer_knows_number_before_connection(make_socket: MakeSocket, transport: str) -> None:
    """connect_peer() returns it at once; the other side learns its own number of us by our message."""
    bound, connecting = make_socket(zmq.PEER), make_socket(zmq.PEER)
    routing_id = connecting.connect_peer(bind(bound, transport))
    connecting.send(b"hello", routing_id=routing_id)
    frame = bound.recv(copy=False)
    bound.send(b"world", routing_id=frame.routing_id)
    answer = connecting.recv(copy=False)
    assert (b"hello", b"world", routing_id) == (frame.bytes, answer.bytes, answer.routing_id)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bound_peer_can_speak_first(make_socket: MakeSocket, transport: str) -> None:
    """HELLO_MSG goes to whoever comes; the answer brings the number to go on with."""
    bound, connecting = make_socket(zmq.PEER, hello_msg=b"who?"), make_socket(zmq.PEER)
    connecting.connect(bind(bound, transport))
    asked = connecting.recv(copy=False)
    connecting.send(b"me", routing_id=asked.routing_id)
    assert (b"who?", b"me") == (asked.bytes, bound.recv())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_peer_ends_connection_that_it_made(make_socket: MakeSocket, transport: str) -> None:
    """disconnect_peer(): what was sent before arrives, then the number is unknown, also on the other side."""
    bound, connecting = make_socket(zmq.PEER, disconnect_msg=b"gone"), make_socket(zmq.PEER, linger=1000)
    routing_id = connecting.connect_peer(bind(bound, transport))
    connecting.send(b"last", routing_id=routing_id)
    connecting.disconnect_peer(routing_id)
    assert zmq.EHOSTUNREACH == error_of(lambda: connecting.send(b"x", routing_id=routing_id))
    assert zmq.EHOSTUNREACH == error_of(lambda: connecting.disconnect_peer(routing_id))
    last, gone = bound.recv(copy=False), bound.recv(copy=False)
    assert (b"last", b"gone", last.routing_id) == (last.bytes, gone.bytes, gone.routing_id)


@pytest.mark.parametrize("transport", WIRES)
def test_peer_ends_connection_that_came(make_socket: MakeSocket, transport: str) -> None:
    """disconnect_peer() of an accepted peer: that one comes again and gets another number."""
    bound, connecting = make_socket(zmq.PEER), make_socket(zmq.PEER, hiccup_msg=b"lost")
    routing_id = connecting.connect_peer(bind(bound, transport))
    connecting.send(b"1", routing_id=routing_id)
    first = bound.recv(copy=False).routing_id
    bound.disconnect_peer(first)
    lost = connecting.recv(copy=False)
    assert (b"lost", routing_id) == (lost.bytes, lost.routing_id)
    connecting.send(b"2", routing_id=routing_id)
    again = bound.recv(copy=False)
    assert b"2" == again.bytes
    assert first != again.routing_id


def test_peer_number_outlives_restart_of_other_side(make_socket: MakeSocket) -> None:
    """What is sent meanwhile waits for the next connection."""
    bound, connecting = make_socket(zmq.PEER), make_socket(zmq.PEER, reconnect_ivl=10)
    endpoint = bind(bound, "tcp")
    with EventWatch(connecting) as events:
        routing_id = connecting.connect_peer(endpoint)
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        bound.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    connecting.send(b"waits", routing_id=routing_id)
    bound = make_socket(zmq.PEER)
    bind_again(bound, endpoint)
    assert b"waits" == bound.recv()


def test_connect_peer_needs_a_peer_without_immediate(make_socket: MakeSocket) -> None:
    """EFAULT with IMMEDIATE, ENOTSUP on other types, EINVAL for nonsense."""
    peer, server = make_socket(zmq.PEER), make_socket(zmq.SERVER)
    assert zmq.EINVAL == error_of(lambda: peer.connect_peer("nonsense"))
    peer.immediate = 1
    assert zmq.EFAULT == error_of(lambda: peer.connect_peer("tcp://127.0.0.1:1"))
    assert zmq.ENOTSUP == error_of(lambda: server.connect_peer("tcp://127.0.0.1:1"))
    assert zmq.ENOTSUP == error_of(lambda: server.disconnect_peer(1))


def test_hello_message_reaches_client_and_server(make_socket: MakeSocket) -> None:
    """Both sides may greet."""
    server, client = make_socket(zmq.SERVER, hello_msg=b"I serve"), make_socket(zmq.CLIENT, hello_msg=b"I ask")
    link(server, client)
    assert (b"I serve", b"I ask") == (client.recv(), server.recv())


def test_client_tells_hiccup(make_socket: MakeSocket) -> None:
    """HICCUP_MSG when the connection to the server is lost."""
    server, client, _ = served(make_socket, "tcp")
    client.setsockopt(zmq.HICCUP_MSG, b"lost")
    server.close()
    assert b"lost" == client.recv()


def test_closed_client_frees_its_number(make_socket: MakeSocket) -> None:
    """Without DISCONNECT_MSG, too: sending begins to fail."""
    server, client, _ = served(make_socket, "tcp")
    client.send(b"q")
    routing_id = server.recv(copy=False).routing_id
    client.close()

    def is_unreachable() -> bool:
        try:
            server.send(b"x", zmq.DONTWAIT, routing_id=routing_id)
        except zmq.ZMQError as error:
            return bool(error.errno == zmq.EHOSTUNREACH)
        return False

    eventually(is_unreachable)
