"""connect(wait=): returns with a connection, or raises and leaves nothing behind."""

from __future__ import annotations

import errno
import socket as system_socket
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, eventually, free_endpoint, purezmq_only, run_in_thread, zmq
from tests.support.fronts import Front

pytestmark = purezmq_only("libzmq tells of connections by monitors only")


def expect(front: Front, socket: Any, endpoint: str, wait: float, number: int) -> str:
    """The call fails with this number and nothing stays; return the text."""
    with pytest.raises(zmq.ZMQError) as caught:
        front.call(socket.connect, endpoint, wait=wait)
    assert number == caught.value.errno, caught.value
    assert "://" in str(caught.value)
    with pytest.raises(zmq.ZMQError) as missing:
        socket.disconnect(endpoint)
    assert errno.ENOENT == missing.value.errno
    engine = socket._engine
    with engine.lease:
        assert ([], set()) == (engine.dialers, engine.links)
    return str(caught.value)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_connected_when_it_returns(front: Front, transport: str) -> None:
    """What it returns is what connect() returns; the peer has been seen."""
    pull, push = front.plain(zmq.PULL), front.socket(zmq.PUSH, immediate=1)
    endpoint = bind(pull, transport)
    with front.call(push.connect, endpoint, wait=TIMEOUT_S):
        front.call(push.send, b"x", zmq.DONTWAIT)
        assert b"x" == pull.recv()
    with pytest.raises(zmq.Again):
        front.call(push.send, b"x", zmq.DONTWAIT)


@pytest.mark.parametrize("transport", [name for name in TRANSPORTS if name != "inproc"])
def test_nobody_listens(front: Front, transport: str) -> None:
    """The system's number and the endpoint, at once."""
    number = errno.ECONNREFUSED if transport == "tcp" else errno.ENOENT
    endpoint = free_endpoint(transport)
    assert endpoint in expect(front, front.socket(zmq.DEALER), endpoint, 60, number)


def test_name_without_address(front: Front) -> None:
    """The name is in the text."""
    text = expect(front, front.socket(zmq.DEALER), "tcp://no.such.host.invalid:1", 60, errno.EHOSTUNREACH)
    assert "no.such.host.invalid" in text


def test_incompatible_peer(front: Front) -> None:
    """EPROTO, with the two types."""
    endpoint = bind(front.plain(zmq.PULL), "tcp")
    text = expect(front, front.socket(zmq.SUB), endpoint, 60, errno.EPROTO)
    assert "PULL" in text
    assert "SUB" in text


def test_peer_that_closes_during_handshake(front: Front) -> None:
    """EPROTO: a PAIR that has a peer does so."""
    first, second = front.plain(zmq.PAIR), front.plain(zmq.PAIR)
    endpoint = bind(first, "tcp")
    second.connect(endpoint, wait=TIMEOUT_S)
    assert "in its midst" in expect(front, front.socket(zmq.PAIR), endpoint, 60, errno.EPROTO)


def test_silent_peer(front: Front) -> None:
    """Again when `wait` is over, ETIMEDOUT when HANDSHAKE_IVL is; both say what was waited for."""
    with system_socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        text = expect(front, front.socket(zmq.PUSH), endpoint, 0.1, zmq.EAGAIN)
        assert "handshake" in text
        text = expect(front, front.socket(zmq.PUSH, handshake_ivl=50), endpoint, 60, errno.ETIMEDOUT)
        assert "handshake" in text


def test_no_time_at_all(front: Front) -> None:
    """wait=0 fails unless the connection is there at once."""
    with system_socket.create_server(("127.0.0.1", 0)) as server:
        expect(front, front.socket(zmq.PUSH), f"tcp://127.0.0.1:{server.getsockname()[1]}", 0, zmq.EAGAIN)
    pull, push = front.plain(zmq.PULL), front.socket(zmq.PUSH)
    front.call(push.connect, bind(pull, "inproc"), wait=0)


def test_inproc_waits_for_the_binder(front: Front) -> None:
    """Somebody binds the name meanwhile; nobody does."""
    push = front.socket(zmq.PUSH)
    assert "bound" in expect(front, push, "inproc://later", 0.05, zmq.EAGAIN)
    pull = front.plain(zmq.PULL)

    def bind_when_asked() -> None:
        eventually(lambda: push._engine.links)
        pull.bind("inproc://later")

    binding = run_in_thread(bind_when_asked)
    front.call(push.connect, "inproc://later", wait=TIMEOUT_S)
    front.call(push.send, b"x")
    assert b"x" == pull.recv()
    binding.result()


def test_endpoint_that_was_connected_before_stays(front: Front) -> None:
    """A failed wait on a type with one connection per endpoint undoes its own connect only."""
    sub, endpoint = front.socket(zmq.SUB), free_endpoint()
    sub.connect(endpoint)
    with pytest.raises(zmq.ZMQError):
        front.call(sub.connect, endpoint, wait=TIMEOUT_S)
    sub.disconnect(endpoint)


def test_nothing_is_queued_for_a_peer_that_is_not_there(front: Front) -> None:
    """Messages of other threads go to the peers that are connected."""
    with system_socket.create_server(("127.0.0.1", 0)) as server:
        pull, push = front.plain(zmq.PULL), front.plain(zmq.PUSH)
        push.connect(bind(pull, "tcp"), wait=TIMEOUT_S)
        waiting = run_in_thread(lambda: push.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}", wait=0.2))
        eventually(lambda: len(push._engine.dialers) == 2)
        for number in range(10):
            push.send(b"%d" % number)
        assert [b"%d" % number for number in range(10)] == [pull.recv() for _ in range(10)]
        with pytest.raises(zmq.Again):
            waiting.result()


def test_connection_is_made_again_after_it_was_lost(front: Front) -> None:
    """After the first connection everything is as with a plain connect."""
    pull, push = front.plain(zmq.PULL), front.socket(zmq.PUSH, reconnect_ivl=10)
    endpoint = bind(pull, "tcp")
    front.call(push.connect, endpoint, wait=TIMEOUT_S)
    pull.close(0)
    eventually(lambda: not push._engine.sessions)
    second = front.plain(zmq.PULL)
    eventually(lambda: try_bind(second, endpoint))
    front.call(push.send, b"kept")
    assert b"kept" == second.recv()


def try_bind(socket: Any, endpoint: str) -> bool:
    """Whether the address was free."""
    try:
        socket.bind(endpoint)
    except zmq.ZMQError:
        return False
    return True


def test_close_ends_the_wait(front: Front) -> None:
    """As any call of the socket."""
    push = front.plain(zmq.PUSH)
    waiting = run_in_thread(lambda: push.connect("inproc://nobody", wait=60))
    eventually(lambda: push._engine.links)
    push.close(0)
    with pytest.raises(zmq.ZMQError) as caught:
        waiting.result()
    assert zmq.ENOTSOCK == caught.value.errno
