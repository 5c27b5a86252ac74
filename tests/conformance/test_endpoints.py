"""bind, connect, unbind, disconnect: addresses, LAST_ENDPOINT, several transports on one socket, ipc files."""

from __future__ import annotations

import errno
import os
import socket as stdlib_socket
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import (
    TRANSPORTS,
    EventWatch,
    bind,
    bind_again,
    eventually,
    free_endpoint,
    ipc_path,
    link,
    purezmq_only,
    try_recv,
    try_send,
    zmq,
)
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]

needs_ipc = pytest.mark.skipif(sys.platform == "win32", reason="files of Unix sockets")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


def last_endpoint(socket: Any) -> str:
    """LAST_ENDPOINT as text."""
    return socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()


@pytest.mark.parametrize(
    ("endpoint", "start"),
    [
        ("tcp://127.0.0.1:*", "tcp://127.0.0.1:"),
        ("tcp://127.0.0.1:0", "tcp://127.0.0.1:"),
        ("tcp://*:*", "tcp://0.0.0.0:"),
        ("tcp://*:0", "tcp://0.0.0.0:"),
        ("tcp://localhost:*", "tcp://127.0.0.1:"),
    ],
)
def test_bind_to_any_port_tells_port(make_socket: MakeSocket, endpoint: str, start: str) -> None:
    """LAST_ENDPOINT is the address that was really bound."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind(endpoint)
    bound = last_endpoint(pull)
    assert bound.startswith(start)
    port = int(bound.removeprefix(start))
    assert 0 < port < 65536
    push.connect(f"tcp://127.0.0.1:{port}")
    push.send(b"x")
    assert b"x" == pull.recv()


@needs_linux
def test_bind_to_interface_name(make_socket: MakeSocket) -> None:
    """The name of an interface stands for its address."""
    pull = make_socket(zmq.PULL)
    pull.bind("tcp://lo:*")
    assert last_endpoint(pull).startswith("tcp://127.0.0.1:")


@pytest.mark.skipif(not stdlib_socket.has_ipv6, reason="no IPv6")
def test_ipv6_literal(make_socket: MakeSocket) -> None:
    """With IPV6=1 a bracketed literal can be bound and connected."""
    pull, push = make_socket(zmq.PULL, ipv6=1), make_socket(zmq.PUSH, ipv6=1)
    try:
        pull.bind("tcp://[::1]:*")
    except zmq.ZMQError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    endpoint = last_endpoint(pull)
    assert endpoint.startswith("tcp://[::1]:")
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()


def test_connect_from_given_source_address(make_socket: MakeSocket) -> None:
    """tcp://source;destination works."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = bind(pull, "tcp").removeprefix("tcp://")
    push.connect(f"tcp://127.0.0.1:0;{endpoint}")
    push.send(b"x")
    assert b"x" == pull.recv()


@effect_of("LAST_ENDPOINT")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_last_endpoint_follows_bind_and_connect(make_socket: MakeSocket, transport: str) -> None:
    """Both sides report what they used last."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    assert "" == last_endpoint(pull)
    endpoint = bind(pull, transport)
    assert endpoint == last_endpoint(pull)
    push.connect(endpoint)
    assert endpoint == last_endpoint(push)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bound_address_is_taken(make_socket: MakeSocket, transport: str) -> None:
    """A second bind gives EADDRINUSE, with the address in the text."""
    if transport == "ipc":
        pytest.skip("libzmq steals the file; see the tests of ipc files")
    one, two = make_socket(zmq.PULL), make_socket(zmq.PULL)
    endpoint = bind(one, transport)
    with pytest.raises(zmq.ZMQError) as caught:
        two.bind(endpoint)
    assert zmq.EADDRINUSE == caught.value.errno
    assert endpoint in str(caught.value)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_address_can_be_bound_after_unbind(make_socket: MakeSocket, transport: str) -> None:
    """unbind gives the address back."""
    one, two, push = make_socket(zmq.PULL), make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = bind(one, transport)
    one.unbind(endpoint)
    bind_again(two, endpoint)
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == two.recv()


@purezmq_only("libzmq's unbind and close are asynchronous: the address is free some time later")
@pytest.mark.parametrize("how", ["unbind", "close"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_address_is_free_when_unbind_or_close_returns(make_socket: MakeSocket, transport: str, how: str) -> None:
    """A hundred times: give up and bind at once."""
    endpoint = free_endpoint(transport) if transport != "inproc" else "inproc://again"
    for _ in range(100):
        socket = make_socket(zmq.PULL)
        socket.bind(endpoint)
        socket.unbind(endpoint) if how == "unbind" else socket.close()


@pytest.mark.parametrize("call", ["unbind", "disconnect"])
@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:1", "ipc:///tmp/none", "inproc://none"])
def test_giving_up_unknown_endpoint_gives_enoent(make_socket: MakeSocket, call: str, endpoint: str) -> None:
    """unbind or disconnect of what was never bound or connected."""
    socket = make_socket(zmq.PULL)
    bind(socket, "tcp")
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(socket, call)(endpoint)
    assert errno.ENOENT == caught.value.errno


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_second_disconnect_gives_enoent(make_socket: MakeSocket, transport: str) -> None:
    """An endpoint can be given up once."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = link(pull, push, transport=transport)
    push.disconnect(endpoint)
    with pytest.raises(zmq.ZMQError) as caught:
        push.disconnect(endpoint)
    assert errno.ENOENT == caught.value.errno


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_disconnected_receiver_gets_nothing_more(make_socket: MakeSocket, transport: str) -> None:
    """After disconnect a bound sender has no peer."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    endpoint = link(push, pull, transport=transport)
    pull.disconnect(endpoint)
    # libzmq's PULL lets go of the connection in its next call only.
    eventually(lambda: not (pull.poll(0) or push.poll(0, zmq.POLLOUT)))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_connect_disconnect_connect(make_socket: MakeSocket, transport: str) -> None:
    """An endpoint may be connected again."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = link(pull, push, transport=transport)
    push.disconnect(endpoint)
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()


@pytest.mark.parametrize("sender", ["PUSH", "DEALER"])
def test_connect_again_while_the_former_has_messages_to_deliver(make_socket: MakeSocket, sender: str) -> None:
    """An endpoint that was given up before its peer came counts no more: the next connect is a new one, and can end."""
    source = make_socket(getattr(zmq, sender), reconnect_ivl=10, linger=-1)
    sink = make_socket(zmq.PULL if sender == "PUSH" else zmq.DEALER)
    endpoint = free_endpoint("tcp")
    source.connect(endpoint)
    source.send(b"first")
    source.disconnect(endpoint)
    source.connect(endpoint)
    source.send(b"second", zmq.DONTWAIT)
    source.disconnect(endpoint)
    with pytest.raises(zmq.ZMQError) as caught:
        source.disconnect(endpoint)
    assert errno.ENOENT == caught.value.errno
    bind_again(sink, endpoint)
    assert {b"first", b"second"} == {sink.recv(), sink.recv()}
    assert try_recv(sink) is None


def test_disconnect_delivers_what_was_sent(make_socket: MakeSocket) -> None:
    """disconnect flushes as LINGER says."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, linger=5000)
    endpoint = link(pull, push)
    for number in range(300):
        push.send(b"%d" % number)
    push.disconnect(endpoint)
    assert [b"%d" % number for number in range(300)] == [pull.recv() for _ in range(300)]


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_unbind_ends_connections_accepted_there(make_socket: MakeSocket, transport: str) -> None:
    """The peers of an endpoint that is unbound are disconnected; what had arrived stays readable."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = link(pull, push, transport=transport)
    push.send(b"arrived")
    assert pull.poll(5000)
    with EventWatch(push, zmq.EVENT_DISCONNECTED) as events:
        pull.unbind(endpoint)
        assert b"arrived" == pull.recv()
        # libzmq's PULL lets go of the connection in its next call only.
        eventually(lambda: pull.poll(0) or events.next(0.02))


def test_unbind_leaves_other_endpoints_alone(make_socket: MakeSocket) -> None:
    """Connections accepted at another endpoint of the socket go on."""
    pull, pushes = make_socket(zmq.PULL), [make_socket(zmq.PUSH), make_socket(zmq.PUSH)]
    endpoints = [link(pull, push) for push in pushes]
    pull.unbind(endpoints[0])
    pushes[1].send(b"x")
    assert b"x" == pull.recv()


def test_one_socket_on_all_transports(make_socket: MakeSocket) -> None:
    """A socket bound to several endpoints of each transport and connected to others serves all."""
    hub = make_socket(zmq.PULL)
    count = 0
    for transport in TRANSPORTS * 2:
        push = make_socket(zmq.PUSH)
        push.connect(bind(hub, transport))
        push.send(transport.encode())
        source = make_socket(zmq.PUSH)
        hub.connect(bind(source, transport))
        source.send(transport.encode())
        count += 2
    received = [hub.recv() for _ in range(count)]
    assert sorted([t.encode() for t in TRANSPORTS] * 4) == sorted(received)


@pytest.mark.parametrize(
    ("sender", "receiver", "expected"),
    [
        ("DEALER", "DEALER", 1),
        ("REQ", "ROUTER", 1),
        ("PUSH", "PULL", 2),
    ],
)
def test_second_connect_to_same_endpoint(make_socket: MakeSocket, sender: str, receiver: str, expected: int) -> None:
    """DEALER, SUB, PUB and REQ ignore it; others get a second connection."""
    sink, source = make_socket(getattr(zmq, receiver)), make_socket(getattr(zmq, sender))
    endpoint = bind(sink, "tcp")
    with EventWatch(source, zmq.EVENT_HANDSHAKE_SUCCEEDED) as events:
        source.connect(endpoint)
        source.connect(endpoint)
        events.wait_for(zmq.EVENT_HANDSHAKE_SUCCEEDED, expected)
        assert events.next(0.1) is None


def test_inproc_contexts_are_apart(make_socket: MakeSocket, make_context: Callable[[], Any]) -> None:
    """The same inproc name in two contexts is two endpoints."""
    contexts = [make_context(), make_context()]
    pulls = [make_socket(zmq.PULL, within=c) for c in contexts]
    pushes = [make_socket(zmq.PUSH, within=c) for c in contexts]
    for number in range(2):
        pulls[number].bind("inproc://same")
        pushes[number].connect("inproc://same")
        pushes[number].send(b"%d" % number)
    assert [b"0", b"1"] == [pull.recv() for pull in pulls]


def test_inproc_peer_that_closes_is_gone(make_socket: MakeSocket) -> None:
    """What an inproc peer sent before it closed stays readable, then the sender has no peer."""
    pair, peer = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    link(pair, peer, transport="inproc")
    peer.send(b"last words")
    peer.close()
    assert b"last words" == pair.recv()
    eventually(lambda: not try_send(pair, b"x"))


def test_bind_as_context_manager_unbinds(make_socket: MakeSocket) -> None:
    """`with socket.bind(...)` gives up the address that was really bound; connect likewise."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    with pull.bind("tcp://127.0.0.1:*") as bound:
        assert bound is pull
        endpoint = last_endpoint(pull)
        with push.connect(endpoint):
            push.send(b"x")
            assert b"x" == pull.recv()
        eventually(lambda: not try_send(push, b"y"))
    bind_again(make_socket(zmq.PULL), endpoint)


def test_bind_to_random_port_returns_port(make_socket: MakeSocket) -> None:
    """bind_to_random_port binds within the range and tells the port."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    port = pull.bind_to_random_port("tcp://127.0.0.1", min_port=20000, max_port=30000, max_tries=50)
    assert 20000 <= port < 30000
    push.connect(f"tcp://127.0.0.1:{port}")
    push.send(b"x")
    assert b"x" == pull.recv()


def test_bind_to_random_port_gives_up(make_socket: MakeSocket) -> None:
    """With every port of the range taken: ZMQBindError."""
    taken, socket = make_socket(zmq.PULL), make_socket(zmq.PULL)
    port = taken.bind_to_random_port("tcp://127.0.0.1")
    with pytest.raises(zmq.ZMQBindError):
        socket.bind_to_random_port("tcp://127.0.0.1", min_port=port, max_port=port + 1, max_tries=3)


@needs_ipc
def test_ipc_wildcard_makes_a_path(make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """ipc://* picks a path, tells it, and removes it at close."""
    directory = os.path.dirname(ipc_path())
    monkeypatch.setenv("TMPDIR", directory)
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    pull.bind("ipc://*")
    endpoint = last_endpoint(pull)
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()
    path = endpoint.removeprefix("ipc://")
    assert os.path.exists(path)
    pull.close()
    eventually(lambda: not os.path.exists(path))


@needs_linux
def test_ipc_abstract_name(make_socket: MakeSocket) -> None:
    """ipc://@name lives in no directory."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = f"ipc://@purezmq-test-{os.getpid()}"
    pull.bind(endpoint)
    assert endpoint == last_endpoint(pull)
    push.connect(endpoint)
    push.send(b"x")
    assert b"x" == pull.recv()


@needs_ipc
def test_ipc_stale_file_is_replaced(make_socket: MakeSocket) -> None:
    """The file of a process that died is no obstacle."""
    path = ipc_path()
    with stdlib_socket.socket(stdlib_socket.AF_UNIX) as dead:
        dead.bind(path)
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    link(pull, push, endpoint=(pull.bind(f"ipc://{path}"), f"ipc://{path}")[1])
    push.send(b"x")
    assert b"x" == pull.recv()


@needs_ipc
@purezmq_only("libzmq unlinks the file and steals the address")
def test_ipc_live_file_gives_eaddrinuse(make_socket: MakeSocket) -> None:
    """The file of a listening socket is not stolen."""
    one, two, push = make_socket(zmq.PULL), make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = bind(one, "ipc")
    with pytest.raises(zmq.ZMQError) as caught:
        two.bind(endpoint)
    assert zmq.EADDRINUSE == caught.value.errno
    link(one, push, endpoint=endpoint)
    push.send(b"x")
    assert b"x" == one.recv()


@needs_ipc
@purezmq_only("libzmq deletes whatever is there")
def test_ipc_regular_file_is_never_deleted(make_socket: MakeSocket, tmp_path: Any) -> None:
    """A file that is no socket stays as it is."""
    path = ipc_path()
    with open(path, "w", encoding="ascii") as precious:
        precious.write("precious")
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.PULL).bind(f"ipc://{path}")
    assert zmq.EADDRINUSE == caught.value.errno
    with open(path, encoding="ascii") as precious:
        assert "precious" == precious.read()


@needs_ipc
@purezmq_only("libzmq leaves the file")
@pytest.mark.parametrize("how", ["unbind", "close"])
def test_ipc_own_file_is_removed(make_socket: MakeSocket, how: str) -> None:
    """close and unbind remove the file that the socket made."""
    pull = make_socket(zmq.PULL)
    endpoint = bind(pull, "ipc")
    pull.unbind(endpoint) if how == "unbind" else pull.close()
    assert not os.path.exists(endpoint.removeprefix("ipc://"))


@purezmq_only("libzmq terminates the connecting endpoint for ever (D.2)")
def test_peer_of_wrong_type_is_tried_again(make_socket: MakeSocket) -> None:
    """An endpoint where the wrong type listened works as soon as the right one is there."""
    wrong, sub = make_socket(zmq.PUSH), make_socket(zmq.SUB, subscribe=b"", reconnect_ivl=10)
    endpoint = bind(wrong, "tcp")
    with EventWatch(sub) as events:
        sub.connect(endpoint)
        events.wait_for(zmq.EVENT_DISCONNECTED)
    wrong.close()
    xpub = make_socket(zmq.XPUB)
    xpub.bind(endpoint)
    assert b"\x01" == xpub.recv()
    xpub.send(b"x")
    assert b"x" == sub.recv()


def test_incompatible_types_exchange_nothing(make_socket: MakeSocket) -> None:
    """A PULL is no peer for a DEALER."""
    pull, dealer, push = make_socket(zmq.PULL), make_socket(zmq.DEALER), make_socket(zmq.PUSH)
    endpoint = bind(pull, "tcp")
    with EventWatch(dealer) as events:
        dealer.connect(endpoint)
        try_send(dealer, b"x")
        events.wait_for(zmq.EVENT_DISCONNECTED)
    assert try_recv(pull, 20) is None
    link(pull, push, endpoint=endpoint)
    push.send(b"y")
    assert b"y" == pull.recv()
