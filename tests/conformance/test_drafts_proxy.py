"""Proxies between draft types, and between those and the classic ones."""

from __future__ import annotations

from collections.abc import Callable
from sys import byteorder
from typing import Any

import pytest
from tests.support import bind, eventually, link, purezmq_only, run_in_thread, zmq

MakeSocket = Callable[..., Any]


def run_until_term(*sockets: Any) -> None:
    """Run a proxy; the end of its context ends it."""
    with pytest.raises(zmq.ContextTerminated):
        zmq.proxy(*sockets)


@pytest.fixture
def run(make_context: Any, make_socket: MakeSocket) -> Any:
    """Make sockets in a context of their own, and start proxies that end with the test."""
    context = make_context()
    calls, sockets = [], []

    class Proxies:
        def socket(self, kind: int, **options: Any) -> Any:
            sockets.append(make_socket(kind, within=context, **options))
            return sockets[-1]

        def start(self, *arguments: Any) -> Any:
            calls.append(run_in_thread(run_until_term, *arguments))
            return calls[-1]

    yield Proxies()
    ending = run_in_thread(context.term)
    for call in calls:
        call.result()
    for socket in sockets:
        socket.close(0)
    ending.result()


def test_groups_pass_a_forwarder(make_socket: MakeSocket, run: Any) -> None:
    """DISH to RADIO: the group stays with its message; a capture gets the body."""
    dish, radio, capture = run.socket(zmq.DISH), run.socket(zmq.RADIO), run.socket(zmq.PUSH)
    sender, receiver, reader = make_socket(zmq.RADIO), make_socket(zmq.DISH), make_socket(zmq.PULL)
    link(dish, sender)
    link(radio, receiver)
    link(capture, reader)
    for socket in (dish, receiver):
        socket.join("a")
        socket.join("b")
    run.start(dish, radio, capture)

    def arrives() -> bool:
        sender.send(b"probe", group="b")
        return bool(receiver.poll(10))

    eventually(arrives)
    sender.send(b"1", group="a")
    frames = [receiver.recv(copy=False)]
    while frames[-1].group != "a":
        frames.append(receiver.recv(copy=False))
    assert {("probe", "b")} == {(frame.bytes.decode(), frame.group) for frame in frames[:-1]}
    assert b"1" == frames[-1].bytes
    assert [b"probe"] == reader.recv_multipart()


def test_server_echoes_through_proxy_with_itself(make_socket: MakeSocket, run: Any) -> None:
    """The number stays with its message; a client that left does not end the proxy."""
    server = run.socket(zmq.SERVER)
    endpoint = bind(server, "tcp")
    run.start(server, server)
    for _ in range(3):
        client = make_socket(zmq.CLIENT)
        client.connect(endpoint)
        for number in range(50):
            client.send(b"%d" % number)
        client.close(0)
    client = make_socket(zmq.CLIENT)
    client.connect(endpoint)
    client.send(b"echo")
    assert b"echo" == client.recv()


def test_bodies_leave_addressed_types(make_socket: MakeSocket, run: Any) -> None:
    """SERVER to PUSH: only the body goes on."""
    server, push = run.socket(zmq.SERVER), run.socket(zmq.PUSH)
    client, pull = make_socket(zmq.CLIENT), make_socket(zmq.PULL)
    link(server, client)
    link(push, pull)
    run.start(server, push)
    client.send(b"1")
    assert [b"1"] == pull.recv_multipart()


def test_multiparts_do_not_pass_to_single_part_types(make_socket: MakeSocket, run: Any) -> None:
    """PULL to SCATTER: they are dropped, the others go on."""
    pull, scatter = run.socket(zmq.PULL), run.socket(zmq.SCATTER)
    push, gather = make_socket(zmq.PUSH), make_socket(zmq.GATHER)
    link(pull, push)
    link(scatter, gather)
    run.start(pull, scatter)
    for parts in ([b"1"], [b"a", b"b"], [b"2"]):
        push.send_multipart(parts)
    assert [b"1", b"2"] == [gather.recv(), gather.recv()]


def test_steerable_proxy_counts_bodies(make_socket: MakeSocket, run: Any) -> None:
    """STATISTICS: neither groups nor numbers count."""
    server, push, control = run.socket(zmq.SERVER), run.socket(zmq.PUSH), run.socket(zmq.REP)
    echoing = run.socket(zmq.SERVER)
    client, pull, remote = make_socket(zmq.CLIENT), make_socket(zmq.PULL), make_socket(zmq.REQ)
    link(server, client)
    link(push, pull)
    link(control, remote)
    call = run_in_thread(zmq.proxy_steerable, server, push, None, control)
    client.send(b"12345")
    assert b"12345" == pull.recv()
    remote.send(b"STATISTICS")
    statistics = [int.from_bytes(part, byteorder) for part in remote.recv_multipart()]
    assert [1, 5, 0, 0, 0, 0, 1, 5] == statistics
    remote.send(b"TERMINATE")
    remote.recv()
    call.result()
    link(echoing, asker := make_socket(zmq.CLIENT))
    call = run_in_thread(zmq.proxy_steerable, echoing, echoing, None, control)
    asker.send(b"12345")
    assert b"12345" == asker.recv()
    remote.send(b"STATISTICS")
    assert [1, 5] == [int.from_bytes(part, byteorder) for part in remote.recv_multipart()[:2]]
    remote.send(b"TERMINATE")
    remote.recv()
    call.result()


@purezmq_only("libzmq's proxy ends, or its process does")
@pytest.mark.parametrize("kind", ["RADIO", "DGRAM"])
def test_message_that_fits_no_datagram_is_dropped_and_the_proxy_goes_on(run: Any, kind: str) -> None:
    """What a peer sends can't end a proxy whose other side speaks udp; it is counted."""
    if kind == "RADIO":
        sender, source, sink, receiver = map(run.socket, (zmq.RADIO, zmq.DISH, zmq.RADIO, zmq.DISH))
        for dish in (source, receiver):
            dish.join("g")
        receiver.bind("udp://127.0.0.1:*")
        sink.connect(receiver.last_endpoint.decode())
        sender.connect(bind(source, "inproc"))
        wrong, right = b"x" * 9000, b"right"
    else:
        sender, source, sink, receiver = map(run.socket, (zmq.PUSH, zmq.PULL, zmq.DGRAM, zmq.DGRAM))
        for dgram in (sink, receiver):
            dgram.bind("udp://127.0.0.1:*")
        sender.connect(bind(source, "inproc"))
        wrong, right = b"one part", [receiver.last_endpoint.removeprefix(b"udp://"), b"right"]
    call = run.start(source, sink)

    def send(message: Any) -> None:
        """By a RADIO to the group, by a PUSH as it is."""
        if kind == "RADIO":
            sender.send(message, group="g")
        else:
            sender.send_multipart(message if isinstance(message, list) else [message])

    def arrives() -> bool:
        send(wrong)
        send(right)
        return bool(receiver.poll(20))

    eventually(arrives)
    assert b"right" == receiver.recv_multipart()[-1]
    assert sink._pattern.dropped > 0
    assert call.running


@purezmq_only("the test counts what the proxy does")
@pytest.mark.parametrize("transport", ["inproc", "tcp"])
def test_proxy_sleeps_while_the_addressed_peer_is_full(run: Any, transport: str) -> None:
    """A SERVER is writable whatever one of its peers is; the proxy waits for the room of that peer, then goes on."""
    server = run.socket(zmq.SERVER, sndhwm=1, sndbuf=4096)
    client = run.socket(zmq.CLIENT, rcvhwm=1, rcvbuf=4096)
    client.connect(bind(server, transport))
    attempts: list[int] = []
    try_send_many = server._pattern.try_send_many

    def count_attempts(messages: list[Any]) -> int:
        sent: int = try_send_many(messages)
        attempts.append(sent)
        return sent

    server._pattern.try_send_many = count_attempts
    call = run.start(server, server)
    bodies = [b"%d" % number + b"x" * 50_000 for number in range(100)]
    for body in bodies:
        client.send(body)
    eventually(lambda: attempts[-1:] == [0])
    assert call.still_runs_after(0.02)
    before = len(attempts)
    assert call.still_runs_after(0.2)
    assert len(attempts) < before + 100
    assert bodies == [client.recv() for _ in bodies]
