"""timeout= of each call that waits, and what the texts of Again say of the peers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, eventually, free_endpoint, purezmq_only, run_in_thread, zmq
from tests.support.fronts import Front

pytestmark = purezmq_only("pyzmq's calls take no timeout, and its errors tell nothing")

LIMIT_S = 0.03

RECEIVES: dict[str, Callable[[Any], Any]] = {
    "recv": lambda s: s.recv(timeout=LIMIT_S),
    "recv, frame": lambda s: s.recv(copy=False, timeout=LIMIT_S),
    "recv_multipart": lambda s: s.recv_multipart(timeout=LIMIT_S),
    "recv_many": lambda s: s.recv_many(timeout=LIMIT_S),
    "recv_into": lambda s: s.recv_into(bytearray(9), timeout=LIMIT_S),
    "recv_string": lambda s: s.recv_string(timeout=LIMIT_S),
    "recv_json": lambda s: s.recv_json(timeout=LIMIT_S),
    "recv_pyobj": lambda s: s.recv_pyobj(timeout=LIMIT_S),
    "recv_serialized": lambda s: s.recv_serialized(list, timeout=LIMIT_S),
}
SENDS: dict[str, Callable[[Any], Any]] = {
    "send": lambda s: s.send(b"x", timeout=LIMIT_S),
    "send_multipart": lambda s: s.send_multipart([b"x", b"y"], timeout=LIMIT_S),
    "send_many": lambda s: s.send_many([b"x"], timeout=LIMIT_S),
    "send_string": lambda s: s.send_string("x", timeout=LIMIT_S),
    "send_json": lambda s: s.send_json({"x": 1}, timeout=LIMIT_S),
    "send_pyobj": lambda s: s.send_pyobj(None, timeout=LIMIT_S),
    "send_serialized": lambda s: s.send_serialized(b"x", lambda part: [part], timeout=LIMIT_S),
}


@pytest.mark.parametrize("name", [*RECEIVES, *SENDS])
def test_call_ends_with_its_time(front: Front, name: str) -> None:
    """Again, not before the time is over, whatever the options say."""
    socket = front.socket(zmq.PAIR, rcvtimeo=60_000, sndtimeo=60_000)
    began = time.monotonic()
    with pytest.raises(zmq.Again, match="no peer is connected"):
        front.call({**RECEIVES, **SENDS}[name], socket)
    assert LIMIT_S * 0.9 <= time.monotonic() - began


@pytest.mark.parametrize("name", RECEIVES)
def test_message_within_the_time_is_received(front: Front, name: str) -> None:
    """The time limit changes nothing of what comes."""
    pull, push = front.socket(zmq.PULL), front.plain(zmq.PUSH)
    push.connect(bind(pull, "inproc"))
    if name == "recv_pyobj":
        push.send_pyobj(1)
    else:
        push.send(b"1")
    assert front.call(RECEIVES[name], pull) in (b"1", [b"1"], 1, "1", zmq.Frame(b"1"))


def test_subclass_without_timeout_works_on(context: Any) -> None:
    """A `send` and a `recv` of the program's own, with pyzmq's arguments."""

    class Old(zmq.Socket):
        def send(self, data: Any, flags: int = 0, copy: bool = True, track: bool = False) -> Any:
            return super().send(data, flags, copy, track)

        def recv(self, flags: int = 0, copy: bool = True, track: bool = False) -> Any:
            return super().recv(flags, copy, track)

    with Old(context, zmq.PAIR) as one, Old(context, zmq.PAIR) as other:
        other.connect(bind(one, "inproc"))
        one.send_json([1])
        assert [1] == other.recv_json()
        one.send_string("x")
        assert "x" == other.recv_string()
        one.send_pyobj(1)
        buffer = bytearray(100)
        assert 0 < other.recv_into(buffer)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_receive_says_how_many_peers_are_there(front: Front, transport: str) -> None:
    """None, one, two; an endpoint where nobody is does not count."""
    pull = front.socket(zmq.PULL)
    endpoint = bind(pull, transport)
    pull.connect(free_endpoint())
    pull.connect("inproc://nobody")
    texts = ["no peer is connected", "1 peer is connected and sent nothing", "2 peers are connected and sent nothing"]
    for text in texts:
        for call in (lambda: pull.recv(timeout=LIMIT_S), lambda: pull.recv_multipart(zmq.DONTWAIT)):
            with pytest.raises(zmq.Again, match=f"^no message arrived in time: {text}$"):
                front.call(call)
        push = front.plain(zmq.PUSH)
        push.connect(endpoint, wait=TIMEOUT_S)
        count = texts.index(text) + 1
        eventually(lambda count=count: sum(peer_is_there(pull)) == count)


def peer_is_there(socket: Any) -> list[bool]:
    """Of each connection, whether its handshake is over."""
    engine = socket._engine
    with engine.lease:
        ready = [session.connection.ready for session in engine.sessions.values()]
        return [*ready, *(link.peer is not None for link in engine.links)]


def fill(front: Front, call: Callable[[], Any]) -> str:
    """Send until it blocks; return the text."""
    with pytest.raises(zmq.Again) as caught:
        for _ in range(10_000):
            front.call(call)
    return str(caught.value)


def test_send_names_the_addressed_peer(front: Front) -> None:
    """ROUTER with ROUTER_MANDATORY: its routing id and endpoint."""
    router, dealer = front.socket(zmq.ROUTER, sndhwm=2, router_mandatory=1), front.plain(zmq.DEALER, rcvhwm=2)
    dealer.routing_id = b"full one"
    endpoint = bind(router, "inproc")
    dealer.connect(endpoint, wait=TIMEOUT_S)
    for flags, timeout in ((zmq.DONTWAIT, None), (0, LIMIT_S)):
        text = fill(front, lambda: router.send_multipart([b"full one", b"x"], flags, timeout=timeout))  # noqa: B023
        assert "b'full one'" in text
        assert endpoint in text
        assert "high-water mark" in text


def test_send_names_the_peer_by_number(front: Front) -> None:
    """SERVER: the number that its messages came with."""
    server, client = front.socket(zmq.SERVER, sndhwm=2), front.plain(zmq.CLIENT, rcvhwm=2)
    endpoint = bind(server, "inproc")
    client.connect(endpoint, wait=TIMEOUT_S)
    client.send(b"hello")
    number = front.call(server.recv, copy=False, timeout=TIMEOUT_S).routing_id
    text = fill(front, lambda: server.send(b"x", zmq.DONTWAIT, routing_id=number))
    assert str(number) in text
    assert endpoint in text


# -- Context.term ----------------------------------------------------------------------------------------------------


def test_term_names_open_sockets(front: Front) -> None:
    """Again with types and endpoints; the context is terminated, and term() works when they are closed."""
    pull, push = front.plain(zmq.PULL), front.plain(zmq.PUSH)
    endpoint = bind(pull, "tcp")
    with pytest.raises(zmq.Again) as caught:
        front.context.term(timeout=LIMIT_S)
    assert f"an open PULL socket ({endpoint})" in str(caught.value)
    assert "an open PUSH socket (without endpoint)" in str(caught.value)
    with pytest.raises(zmq.ContextTerminated):
        pull.recv()
    with pytest.raises(zmq.ContextTerminated):
        front.context.socket(zmq.PULL)
    assert not front.context.closed
    pull.close()
    push.close()
    front.context.term(timeout=TIMEOUT_S)
    assert front.context.closed
    front.context.term(timeout=0)


def test_term_names_what_lingers(front: Front) -> None:
    """How many messages wait for whom; they still leave when the peer comes, and then it ends."""
    endpoint = free_endpoint()
    push = front.plain(zmq.PUSH, reconnect_ivl=10)
    push.connect(endpoint)
    for number in range(3):
        push.send(b"%d" % number)
    push.close(linger=-1)
    with pytest.raises(zmq.Again, match=f"a closed PUSH socket lingers with 3 messages for {endpoint}"):
        front.context.term(timeout=LIMIT_S)
    ending = run_in_thread(front.context.term)
    assert ending.still_runs_after(0.05)
    with zmq.Context() as other, other.socket(zmq.PULL) as pull:
        pull.rcvtimeo = int(TIMEOUT_S * 1000)
        pull.bind(endpoint)
        assert [b"0", b"1", b"2"] == [pull.recv() for _ in range(3)]
        ending.result()


def test_term_within_its_time(front: Front) -> None:
    """Somebody closes the socket meanwhile."""
    push = front.plain(zmq.PUSH)
    ending = run_in_thread(front.context.term, TIMEOUT_S)
    eventually(lambda: front.context._terminating)
    push.close(0)
    ending.result()
