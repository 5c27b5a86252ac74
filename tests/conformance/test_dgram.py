"""DGRAM: datagrams of any udp program, with the peer's address as the first part."""

from __future__ import annotations

import errno
import random
import socket as stdlib_socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.support import eventually, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.multicast import GROUP, LOOPBACK, needs_ipv6

from purezmq.engine.datagram import PlainCodec
from purezmq.engine.leader import Leadership
from purezmq.engine.selector import READ
from purezmq.transports.datagram import DatagramSocket

MakeSocket = Callable[..., Any]

libzmq_dies = purezmq_only("libzmq ends the process by an assertion or a write beyond its buffer")
libzmq_swallows = purezmq_only("libzmq drops the message silently")


@pytest.fixture
def raw() -> Iterator[stdlib_socket.socket]:
    """A plain udp socket on loopback."""
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def name_of(raw: stdlib_socket.socket) -> bytes:
    """Its address as a DGRAM writes it, without NUL."""
    return b"127.0.0.1:%d" % raw.getsockname()[1]


@pytest.fixture
def dgram(make_socket: MakeSocket) -> Any:
    """A bound DGRAM with `address`, a sockaddr to send to; it has received once, since libzmq binds some time later."""
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    socket = make_socket(zmq.DGRAM)
    socket.bind(f"udp://127.0.0.1:{address[1]}")
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as probe:

        def has_arrived() -> bool:
            """Whether the socket hears us."""
            probe.sendto(b"probe", address)
            return bool(socket.poll(20))

        eventually(has_arrived)
    while socket.poll(20):
        socket.recv_multipart()
    return socket, address


def test_message_has_the_peers_address_ended_by_nul(dgram: Any, raw: stdlib_socket.socket) -> None:
    """Two parts, whatever the body; as libzmq gives them."""
    socket, address = dgram
    for body in (b"hello", b"", b"\0" * 10, b"x" * 8000):
        raw.sendto(body, address)
        assert [name_of(raw) + b"\0", body] == socket.recv_multipart()


@pytest.mark.parametrize("end", [b"", b"\0"])
def test_send_to_address_with_and_without_nul(dgram: Any, raw: stdlib_socket.socket, end: bytes) -> None:
    """The body leaves as it is, from the port that is bound."""
    socket, address = dgram
    socket.send_multipart([name_of(raw) + end, b"body"])
    assert (b"body", address) == raw.recvfrom(100)


def test_answer_to_the_part_that_was_received(dgram: Any, raw: stdlib_socket.socket) -> None:
    """An echo is one line."""
    socket, address = dgram
    raw.sendto(b"echo", address)
    socket.send_multipart(socket.recv_multipart())
    assert b"echo" == raw.recv(100)


def test_parts_one_by_one(dgram: Any, raw: stdlib_socket.socket) -> None:
    """send with SNDMORE and recv with RCVMORE."""
    socket, address = dgram
    socket.send(name_of(raw), zmq.SNDMORE)
    socket.send(b"body")
    assert b"body" == raw.recv(100)
    raw.sendto(b"back", address)
    assert name_of(raw) + b"\0" == socket.recv()
    assert socket.getsockopt(zmq.RCVMORE)
    assert b"back" == socket.recv()
    assert not socket.getsockopt(zmq.RCVMORE)


def test_single_part_raises_einval(dgram: Any) -> None:
    """A body without an address is for nobody."""
    with pytest.raises(zmq.ZMQError) as caught:
        dgram[0].send(b"body")
    assert errno.EINVAL == caught.value.errno


@libzmq_swallows
@pytest.mark.parametrize(
    "name", [b"garbage", b"", b"1.2.3.4", b"127.0.0.1:0", b"127.0.0.1:99999", b"localhost:5", b"[::1]:5", b"\xff:1"]
)
def test_send_to_no_address_raises_einval(dgram: Any, raw: stdlib_socket.socket, name: bytes) -> None:
    """The text shows what was given; the socket goes on."""
    with pytest.raises(zmq.ZMQError, match="names no peer") as caught:
        dgram[0].send_multipart([name, b"body"])
    assert errno.EINVAL == caught.value.errno
    dgram[0].send_multipart([name_of(raw), b"next"])
    assert b"next" == raw.recv(100)


@libzmq_dies
def test_three_parts_raise_einval(dgram: Any, raw: stdlib_socket.socket) -> None:
    """One datagram has one body."""
    with pytest.raises(zmq.ZMQError, match="two parts") as caught:
        dgram[0].send_multipart([name_of(raw), b"a", b"b"])
    assert errno.EINVAL == caught.value.errno


@libzmq_dies
@pytest.mark.parametrize("size", [8193, 65507])
def test_large_bodies_go_both_ways(make_socket: MakeSocket, size: int) -> None:
    """As large as IPv4 carries; libzmq cuts what it receives to 8192 bytes."""
    first, second = make_socket(zmq.DGRAM, sndbuf=1 << 20), make_socket(zmq.DGRAM, rcvbuf=1 << 20)
    first.bind("udp://127.0.0.1:*")
    second.bind("udp://127.0.0.1:*")
    first.send_multipart([second.getsockopt(zmq.LAST_ENDPOINT).removeprefix(b"udp://"), b"x" * size])
    assert b"x" * size == second.recv_multipart()[1]


@libzmq_dies
def test_body_that_fits_no_datagram_raises_emsgsize(dgram: Any, raw: stdlib_socket.socket) -> None:
    """An error at send, and the socket goes on."""
    with pytest.raises(zmq.ZMQError, match="65507") as caught:
        dgram[0].send_multipart([name_of(raw), b"x" * 65508])
    assert errno.EMSGSIZE == caught.value.errno
    dgram[0].send_multipart([name_of(raw), b"next"])
    assert b"next" == raw.recv(100)


@libzmq_dies
def test_second_bind_raises_einval_and_unbind_permits_it(dgram: Any, raw: stdlib_socket.socket) -> None:
    """One socket has one endpoint at a time."""
    socket, address = dgram
    with pytest.raises(zmq.ZMQError, match="one endpoint") as caught:
        socket.bind("udp://127.0.0.1:*")
    assert errno.EINVAL == caught.value.errno
    socket.unbind(f"udp://127.0.0.1:{address[1]}")
    socket.bind("udp://127.0.0.1:*")
    raw.sendto(b"x", ("127.0.0.1", int(socket.getsockopt(zmq.LAST_ENDPOINT).rpartition(b":")[2])))
    assert b"x" == socket.recv_multipart()[1]


@libzmq_swallows
def test_send_without_bind_waits(make_socket: MakeSocket, raw: stdlib_socket.socket) -> None:
    """There is no POLLOUT and send says Again; it goes on when the socket is bound."""
    socket = make_socket(zmq.DGRAM)
    assert 0 == socket.poll(0, zmq.POLLOUT)
    with pytest.raises(zmq.Again, match="bound"):
        socket.send_multipart([name_of(raw), b"x"], zmq.DONTWAIT)
    call = run_in_thread(socket.send_multipart, [name_of(raw), b"later"])
    assert call.still_runs_after(0.02)
    socket.bind("udp://127.0.0.1:*")
    call.result()
    assert b"later" == raw.recv(100)
    assert zmq.POLLOUT == socket.poll(0, zmq.POLLOUT)


@purezmq_only("libzmq lets a DGRAM bind tcp, ipc and inproc, and dies of the first peer")
@pytest.mark.parametrize("how", ["bind", "connect"])
@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "ipc:///tmp/purezmq-dgram", "inproc://dgram"])
def test_other_transports_raise_enocompatproto(make_socket: MakeSocket, how: str, endpoint: str) -> None:
    """A DGRAM speaks udp."""
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(make_socket(zmq.DGRAM), how)(endpoint)
    assert zmq.ENOCOMPATPROTO == caught.value.errno


def test_closed_peer_ends_nothing(dgram: Any, raw: stdlib_socket.socket) -> None:
    """Datagrams for a port where nobody is, then for one where somebody is."""
    socket, _ = dgram
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        name = name_of(gone)
    for _ in range(5):
        socket.send_multipart([name, b"nobody"])
    socket.send_multipart([name_of(raw), b"somebody"])
    assert b"somebody" == raw.recv(100)
    assert try_recv(socket, 10) is None


def test_random_datagrams_arrive_as_they_are(dgram: Any, raw: stdlib_socket.socket) -> None:
    """Any bytes are a body."""
    socket, address = dgram
    source = random.Random(11)
    for _ in range(300):
        body = source.randbytes(source.choice((0, 1, 2, 50, 300, 1400, 8192)))
        raw.sendto(body, address)
        assert [name_of(raw) + b"\0", body] == socket.recv_multipart()


@purezmq_only("libzmq has no IPV6 here, and cuts bodies")
def test_random_first_parts_never_end_the_socket(dgram: Any, raw: stdlib_socket.socket) -> None:
    """Applications may send anything as an address."""
    socket, _ = dgram
    source = random.Random(13)
    alphabet = b"0123456789.:[]%\0ae "
    numbers = set()
    for _ in range(500):
        name = bytes(source.choices(alphabet, k=source.randrange(24)))
        try:
            socket.send_multipart([name, b"x"])
        except zmq.ZMQError as error:
            numbers.add(error.errno)
    assert {errno.EINVAL} == numbers
    socket.send_multipart([name_of(raw), b"fine"])
    assert b"fine" == raw.recv(100)


@purezmq_only("the system's full queue is simulated")
def test_full_system_queue_blocks_at_the_high_water_mark(
    make_socket: MakeSocket, raw: stdlib_socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system takes not now waits in order; then Again; then all of it leaves."""
    socket = make_socket(zmq.DGRAM, sndhwm=3)
    socket.bind("udp://127.0.0.1:*")
    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_send", lambda *_: False)
        for number in range(3):
            socket.send_multipart([name_of(raw), b"%d" % number])
        with pytest.raises(zmq.Again, match="high-water mark"):
            socket.send_multipart([name_of(raw), b"3"], zmq.DONTWAIT)
        call = run_in_thread(socket.send_multipart, [name_of(raw), b"3"])
        assert call.still_runs_after(0.02)
    call.result()
    assert [b"0", b"1", b"2", b"3"] == [raw.recv(100) for _ in range(4)]


@purezmq_only("the system's full queue is simulated")
def test_close_with_linger_waits_for_the_system(
    make_socket: MakeSocket, raw: stdlib_socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full system holds up leaves after close."""
    socket = make_socket(zmq.DGRAM)
    socket.bind("udp://127.0.0.1:*")
    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_send", lambda *_: False)
        socket.send_multipart([name_of(raw), b"late"])
        socket.close(linger=5000)
    assert b"late" == raw.recv(100)


@purezmq_only("libzmq sends to a group by the default route only")
def test_multicast_group_hears_its_own(make_socket: MakeSocket) -> None:
    """Bound to a group by an interface, it receives from the group and sends to it."""
    first, second = make_socket(zmq.DGRAM), make_socket(zmq.DGRAM)
    first.bind(f"udp://{LOOPBACK};{GROUP}:*")
    endpoint = first.getsockopt(zmq.LAST_ENDPOINT)
    second.bind(endpoint.decode())
    first.send_multipart([endpoint.rpartition(b";")[2], b"all"])
    assert [b"all", b"all"] == [first.recv_multipart()[1], second.recv_multipart()[1]]


@purezmq_only("libzmq's DGRAM has no IPv6 addresses")
@needs_ipv6
def test_peers_of_ipv6_have_brackets(make_socket: MakeSocket) -> None:
    """``[::1]:port``."""
    first, second = make_socket(zmq.DGRAM), make_socket(zmq.DGRAM)
    names = []
    for socket in (first, second):
        socket.bind("udp://[::1]:*")
        names.append(socket.getsockopt(zmq.LAST_ENDPOINT).removeprefix(b"udp://"))
    first.send_multipart([names[1], b"ping"])
    message = second.recv_multipart()
    assert [names[0] + b"\0", b"ping"] == message
    second.send_multipart([message[0], b"pong"])
    assert [names[1] + b"\0", b"pong"] == first.recv_multipart()


@purezmq_only("libzmq's DGRAM has no IPv6 addresses")
@needs_ipv6
def test_dual_stack_peers_of_ipv4_look_like_ipv4(make_socket: MakeSocket, raw: stdlib_socket.socket) -> None:
    """IPV6=1 and ``*``: an IPv4 peer is named, and answered, as without IPv6."""
    socket = make_socket(zmq.DGRAM, ipv6=1)
    socket.bind("udp://*:*")
    raw.sendto(b"four", ("127.0.0.1", int(socket.getsockopt(zmq.LAST_ENDPOINT).rpartition(b":")[2])))
    message = socket.recv_multipart()
    assert [name_of(raw) + b"\0", b"four"] == message
    socket.send_multipart(message)
    assert b"four" == raw.recv(100)


def test_frames_and_views_may_be_sent(dgram: Any, raw: stdlib_socket.socket) -> None:
    """Any buffer is a part, copied or not."""
    socket, _ = dgram
    socket.send_multipart([zmq.Frame(name_of(raw)), memoryview(b"view")], copy=False)
    assert b"view" == raw.recv(100)
    socket.send_multipart([name_of(raw), bytearray(b"x" * 5000)])
    assert b"x" * 5000 == raw.recv(9000)


@purezmq_only("looks inside")
def test_more_peers_than_are_remembered(
    make_socket: MakeSocket, raw: stdlib_socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of peers is bounded; those that were forgotten are served as before."""
    monkeypatch.setattr("purezmq.engine.datagram.REMEMBERED_PEERS", 2)
    socket = make_socket(zmq.DGRAM)
    socket.bind("udp://127.0.0.1:*")
    address = ("127.0.0.1", int(socket.getsockopt(zmq.LAST_ENDPOINT).rpartition(b":")[2]))
    with ExitStack() as stack:
        peers = [stack.enter_context(stdlib_socket.socket(type=stdlib_socket.SOCK_DGRAM)) for _ in range(5)]
        for peer in peers * 2:
            peer.settimeout(5)
            peer.sendto(b"ask", address)
            message = socket.recv_multipart()
            assert name_of(peer) + b"\0" == message[0]
            socket.send_multipart(message)
            assert b"ask" == peer.recv(100)
    codec = next(iter(socket._engine.sessions.values())).connection
    assert len(codec._names) <= 2
    assert len(codec._addresses) <= 2


@purezmq_only("an error inside the library is simulated")
def test_error_while_reading_is_logged_and_ends_nothing(
    make_socket: MakeSocket,
    raw: stdlib_socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The fence: one datagram is lost, the endpoint stays."""
    socket = make_socket(zmq.DGRAM)
    socket.bind("udp://127.0.0.1:*")
    address = ("127.0.0.1", int(socket.getsockopt(zmq.LAST_ENDPOINT).rpartition(b":")[2]))
    with monkeypatch.context() as patch:
        patch.setattr(PlainCodec, "decode", lambda *_: 1 // 0)
        raw.sendto(b"lost", address)
        eventually(lambda: "ZeroDivisionError" in caplog.text)
    raw.sendto(b"next", address)
    assert b"next" == socket.recv_multipart()[1]


@purezmq_only("sessions are ours")
def test_closed_sockets_leave_no_descriptor_and_no_session(make_socket: MakeSocket) -> None:
    """The address can be bound again as soon as close returned, a hundred times."""
    endpoint = "udp://127.0.0.1:*"
    for _ in range(100):
        socket = make_socket(zmq.DGRAM)
        socket.bind(endpoint)
        endpoint = socket.getsockopt(zmq.LAST_ENDPOINT).decode()
        socket.close()
        assert {} == socket._engine.sessions


@purezmq_only("the system's full queue is simulated")
def test_sender_is_woken_by_the_room_that_another_thread_made(
    make_socket: MakeSocket, raw: stdlib_socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush in any thread may find the system ready before the selector says so."""
    socket = make_socket(zmq.DGRAM, sndhwm=1)
    socket.bind("udp://127.0.0.1:*")
    engine = socket._engine
    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_send", lambda *_: False)
        patch.setattr(Leadership, "modify", lambda *_: None)  # the selector never says it
        socket.send_multipart([name_of(raw), b"0"])
        call = run_in_thread(socket.send_multipart, [name_of(raw), b"1"])
        assert call.still_runs_after(0.02)
    with engine.lease:
        engine.flush_all()
    call.result()
    assert [b"0", b"1"] == [raw.recv(100) for _ in range(2)]


@purezmq_only("the system's full queue is simulated")
def test_interrupted_flush_keeps_what_it_did_not_send(
    make_socket: MakeSocket, raw: stdlib_socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of a batch loses none of it."""
    socket = make_socket(zmq.DGRAM)
    socket.bind("udp://127.0.0.1:*")
    try_send = DatagramSocket.try_send

    def interrupted(self: DatagramSocket, data: bytes, target: Any = None) -> bool:
        if data == b"1":
            raise KeyboardInterrupt
        return try_send(self, data, target)

    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_send", lambda *_: False)
        for number in range(4):
            socket.send_multipart([name_of(raw), b"%d" % number])
        patch.setattr(DatagramSocket, "try_send", interrupted)
        with pytest.raises(KeyboardInterrupt), socket._engine.lease:
            socket._engine.flush_all()
    with socket._engine.lease:
        socket._engine.flush_all()
    assert [b"0", b"1", b"2", b"3"] == [raw.recv(100) for _ in range(4)]


@purezmq_only("what the system brings is simulated")
def test_interrupted_read_keeps_what_was_read(
    make_socket: MakeSocket, raw: stdlib_socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of a batch loses none of what left the system's queue."""
    socket = make_socket(zmq.DGRAM)
    socket.bind("udp://127.0.0.1:*")
    engine = socket._engine
    session = next(iter(engine.sessions.values()))
    brought = iter([(b"read", ("127.0.0.1", 5555))])

    def interrupted(_: DatagramSocket) -> Any:
        for datagram in brought:
            return datagram
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_receive", interrupted)
        with pytest.raises(KeyboardInterrupt), engine.lease:
            session.handle_event(READ, 0.0)
    assert [b"127.0.0.1:5555\0", b"read"] == socket.recv_multipart(zmq.DONTWAIT)
