"""request(): every reply answers its own request, and the socket is usable whatever happened to the one before."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import (
    TIMEOUT_S,
    TRANSPORTS,
    Call,
    bind,
    eventually,
    free_endpoint,
    library_module,
    purezmq_only,
    run_in_thread,
    zmq,
)
from tests.support.fronts import Front

pytestmark = purezmq_only("libzmq has no such call")

#: A time-out that is over before the server answers.
SHORT_S = 0.02


def serve(rep: Any, count: int) -> None:
    """Echo some requests."""
    for _ in range(count):
        rep.send_multipart(rep.recv_multipart())


def join(front: Front, server: int, transport: str, *, req_binds: bool = False, **options: Any) -> tuple[Any, Any]:
    """A server and a REQ, connected."""
    peer, req = front.plain(server), front.socket(zmq.REQ, reconnect_ivl=10, **options)
    if req_binds:
        peer.reconnect_ivl = 10
        peer.connect(bind(req, transport), wait=TIMEOUT_S)
    else:
        front.call(req.connect, bind(peer, transport), wait=TIMEOUT_S)
    return peer, req


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("req_binds", [False, True])
def test_reply_of_one_part_and_of_several(front: Front, transport: str, req_binds: bool) -> None:
    """Bytes for one part, a list for more; requests likewise."""
    rep, req = join(front, zmq.REP, transport, req_binds=req_binds)
    serving = run_in_thread(serve, rep, 4)
    assert b"x" == front.call(req.request, b"x", timeout=TIMEOUT_S)
    assert b"x" == front.call(req.request, [bytearray(b"x")])
    assert [b"x", b"", b"y"] == front.call(req.request, (b"x", memoryview(b""), zmq.Frame(b"y")))
    assert b"" == front.call(req.request, b"", retries=3)
    serving.result()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("req_binds", [False, True])
@pytest.mark.parametrize("kind", ["REP", "ROUTER"])
@pytest.mark.parametrize("options", [{}, {"routing_id": b"me"}])
def test_late_reply_never_answers_another_request(
    front: Front, transport: str, req_binds: bool, kind: str, options: dict[str, Any]
) -> None:
    """Each request but every second is given up, and answered when the next one has arrived already."""
    server, req = join(front, getattr(zmq, kind), transport, req_binds=req_binds, **options)

    def answer_late() -> int:
        count = 0
        for _ in range(15):
            late = server.recv_multipart()
            if not late[-1].startswith(b"late"):
                # On a machine that was busy that long the other one was given up before it was taken.
                given_up.clear()
                server.send_multipart([*late[:-1], b"reply to " + late[-1]])
                continue
            count += 1
            if kind == "ROUTER":
                in_time = server.recv_multipart()
                server.send_multipart([*late[:-1], b"reply to " + late[-1]])
                server.send_multipart([*in_time[:-1], b"reply to " + in_time[-1]])
            else:
                given_up.wait(TIMEOUT_S)
                given_up.clear()
                server.send_multipart([b"reply to " + late[-1]])
                server.send_multipart([b"reply to " + server.recv_multipart()[-1]])
        return count

    given_up = threading.Event()
    serving = run_in_thread(answer_late)
    for number in range(15):
        with pytest.raises(zmq.Again, match="no reply within"):
            front.call(req.request, b"late %d" % number, timeout=SHORT_S)
        given_up.set()
        assert b"reply to %d" % number == front.call(req.request, b"%d" % number, timeout=TIMEOUT_S)
    assert serving.result() > 5


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_late_reply_is_told_apart_by_its_id(front: Front, transport: str) -> None:
    """With REQ_CORRELATE the connection stays: the server sees one peer all the time."""
    router, req = join(front, zmq.ROUTER, transport, req_correlate=1)

    def answer_late() -> set[bytes]:
        peers = set()
        for _ in range(10):
            late, in_time = router.recv_multipart(), router.recv_multipart()
            peers.update({late[0], in_time[0]})
            router.send_multipart(late)
            router.send_multipart(in_time)
        return peers

    answering = run_in_thread(answer_late)
    for number in range(10):
        with pytest.raises(zmq.Again):
            front.call(req.request, b"late", timeout=SHORT_S)
        assert b"%d" % number == front.call(req.request, b"%d" % number, timeout=TIMEOUT_S)
    assert 1 == len(answering.result())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_retries_are_sent_until_one_is_answered(front: Front, transport: str) -> None:
    """The server sees the request as often as it took."""
    router, req = join(front, zmq.ROUTER, transport)

    def answer_the_third() -> list[bytes]:
        requests = [router.recv_multipart() for _ in range(3)]
        router.send_multipart([*requests[-1][:-1], b"answer"])
        return [request[-1] for request in requests]

    answering = run_in_thread(answer_the_third)
    assert b"answer" == front.call(req.request, b"question", timeout=0.1, retries=20)
    assert [b"question"] * 3 == answering.result()


def test_nobody_there(front: Front) -> None:
    """The text says how long, how often and to whom; nothing of it is sent later."""
    endpoint = free_endpoint()
    req = front.socket(zmq.REQ, reconnect_ivl=10)
    with pytest.raises(zmq.Again, match=r"no reply within 0.02 s, tried once; peers: none"):
        front.call(req.request, b"x", timeout=SHORT_S)
    req.connect(endpoint)
    with pytest.raises(zmq.Again, match=f"tried 3 times; peers: {endpoint} .not connected."):
        front.call(req.request, b"given up", timeout=SHORT_S, retries=2)
    rep = front.plain(zmq.REP)
    rep.bind(endpoint)
    serving = run_in_thread(serve, rep, 1)
    assert b"first that arrives" == front.call(req.request, b"first that arrives", timeout=TIMEOUT_S)
    serving.result()


def test_inproc_request_that_was_not_read_is_taken_back(front: Front) -> None:
    """A server that looks later finds the next request only, over the same link."""
    rep, req = join(front, zmq.REP, "inproc")
    (link,) = req._engine.links
    pipe = link.pipe
    with pytest.raises(zmq.Again):
        front.call(req.request, b"given up", timeout=SHORT_S, retries=3)
    assert pipe is link.pipe
    assert not rep.poll(0)
    serving = run_in_thread(serve, rep, 1)
    assert b"next" == front.call(req.request, b"next", timeout=TIMEOUT_S)
    serving.result()


def test_renewal_is_no_failure(front: Front) -> None:
    """The connection is made at once, whatever RECONNECT_IVL says."""
    rep, req = join(front, zmq.REP, "tcp", reconnect_ivl_max=0)
    req.reconnect_ivl = 60_000
    front.call(req.connect, bind(rep, "tcp"), wait=TIMEOUT_S)
    req.disconnect(req._engine.dialers[0].text)
    (dialer,) = req._engine.dialers
    for _ in range(3):
        with pytest.raises(zmq.Again):
            front.call(req.request, b"x", timeout=SHORT_S)
        rep.recv()
        rep.send(b"late")
        eventually(lambda: dialer.is_connected)
    serving = run_in_thread(serve, rep, 1)
    assert b"y" == front.call(req.request, b"y", timeout=TIMEOUT_S)
    serving.result()


def test_retry_goes_to_the_next_peer(front: Front) -> None:
    """Of two servers one is silent; and one that isn't there is passed over."""
    silent, rep, req = front.plain(zmq.REP), front.plain(zmq.REP), front.socket(zmq.REQ)
    req.connect(free_endpoint())
    for server in (silent, rep):
        front.call(req.connect, bind(server, "tcp"), wait=TIMEOUT_S)
    serving = run_in_thread(serve, rep, 4)
    for number in range(4):
        assert b"%d" % number == front.call(req.request, b"%d" % number, timeout=0.2, retries=1)
    serving.result()


def test_lost_peer_is_replaced_by_another_at_once(front: Front) -> None:
    """A connection that ends is a retry, long before the time is over."""
    first, second, req = front.plain(zmq.REP), front.plain(zmq.REP), front.socket(zmq.REQ)
    for server in (first, second):
        front.call(req.connect, bind(server, "tcp"), wait=TIMEOUT_S)

    def vanish() -> None:
        first.recv()
        first.close(0)

    vanishing, serving = run_in_thread(vanish), run_in_thread(serve, second, 2)
    for number in range(2):
        assert b"%d" % number == front.call(req.request, b"%d" % number, timeout=60, retries=1)
    vanishing.result()
    serving.result()


def test_requests_of_several_threads_take_turns(front: Front) -> None:
    """One REQ, many callers: each gets the reply to its own request."""
    rep, req = join(front, zmq.REP, "tcp")
    plain = req if front.name == "sync" else zmq.Socket.shadow(req)
    serving = run_in_thread(serve, rep, 120)
    calls = [Call(ask_many, plain, b"%d" % index, 20) for index in range(6)]
    for call in calls:
        call.result()
    serving.result()


def ask_many(req: Any, name: bytes, count: int) -> None:
    """Ask and compare."""
    for number in range(count):
        question = [name, b"%d" % number]
        assert question == req.request(question, TIMEOUT_S)


def test_own_send_is_not_disturbed(front: Front) -> None:
    """A request by send() that awaits its reply: EFSM, and that reply arrives."""
    rep, req = join(front, zmq.REP, "tcp")
    front.call(req.send, b"own")
    with pytest.raises(zmq.ZMQError) as caught:
        front.call(req.request, b"x", timeout=1)
    assert zmq.EFSM == caught.value.errno
    serve(rep, 1)
    assert b"own" == front.call(req.recv, timeout=TIMEOUT_S)
    front.call(req.send, b"begun", zmq.SNDMORE)
    with pytest.raises(zmq.ZMQError) as caught:
        front.call(req.request, b"x", timeout=1)
    assert zmq.EFSM == caught.value.errno


def test_send_after_a_request_that_was_given_up(front: Front) -> None:
    """The old way of asking works on."""
    rep, req = join(front, zmq.REP, "tcp")
    with pytest.raises(zmq.Again):
        front.call(req.request, b"x", timeout=SHORT_S)
    front.call(req.send, b"y")
    assert b"x" == rep.recv()
    rep.send(b"late")
    serve(rep, 1)
    assert b"y" == front.call(req.recv, timeout=TIMEOUT_S)


@pytest.mark.parametrize(
    ("kind", "arguments", "error"),
    [
        ("DEALER", (b"x",), zmq.ZMQError),
        ("REQ", ([],), ValueError),
        ("REQ", ("text",), TypeError),
        ("REQ", ([b"x", "text"],), TypeError),
        ("REQ", (b"x", 1, -1), ValueError),
    ],
)
def test_what_can_not_be_asked(front: Front, kind: str, arguments: Any, error: type[Exception]) -> None:
    """ENOTSUP for other types, and the errors of send; the socket is as before."""
    socket = front.socket(getattr(zmq, kind))
    with pytest.raises(error) as caught:
        front.call(socket.request, *arguments)
    if kind == "DEALER":
        assert zmq.ENOTSUP == caught.value.errno
    assert socket._shared.request is None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cancelled_request_leaves_the_socket_usable(transport: str) -> None:
    """asyncio: cancelled while it waits, at once, or in its turn; the next gets its own reply."""

    async def main() -> None:
        async with library_module("asyncio").Context() as context:
            with context.socket(zmq.REP) as rep, context.socket(zmq.REQ) as req:
                rep.linger = req.linger = 0
                await req.connect(bind(rep, transport), wait=TIMEOUT_S)
                for number in range(20):
                    task = asyncio.create_task(req.request(b"cancelled"))
                    waiting = asyncio.create_task(req.request(b"waits for its turn"))
                    for _ in range(number % 4):
                        await asyncio.sleep(0)
                    if number % 2:
                        assert b"cancelled" == await rep.recv()
                    task.cancel()
                    waiting.cancel()
                    await asyncio.gather(task, waiting, return_exceptions=True)
                    if number % 2:
                        await rep.send(b"late")
                    asking = asyncio.create_task(req.request(b"%d" % number, timeout=TIMEOUT_S))
                    while (request := await rep.recv()) != b"%d" % number:
                        await rep.send(b"late " + request)
                    await rep.send(request)
                    assert request == await asking

    asyncio.run(asyncio.wait_for(main(), 4 * TIMEOUT_S))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_interrupted_request_leaves_the_socket_usable(make_socket: Callable[..., Any], transport: str) -> None:
    """Ctrl-C while it waits: the next request gets its own reply."""
    router, req = make_socket(zmq.ROUTER), make_socket(zmq.REQ)
    req.connect(bind(router, transport), wait=TIMEOUT_S)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(is_over: threading.Event) -> list[bytes]:
        request: list[bytes] = router.recv_multipart()
        signal.pthread_kill(main, signal.SIGINT)
        while not is_over.wait(0.25):  # a signal may come just before the thread sleeps: the next one wakes it
            signal.pthread_kill(main, signal.SIGINT)
        return request

    for number in range(5):
        is_over = threading.Event()
        interrupting = run_in_thread(interrupt, is_over)
        with pytest.raises(KeyboardInterrupt):
            req.request(b"interrupted", timeout=TIMEOUT_S)
        is_over.set()
        late = interrupting.result()
        eventually(lambda: req._shared.request is None)
        router.send_multipart(late)
        answering = run_in_thread(lambda: router.send_multipart(router.recv_multipart()))
        assert b"%d" % number == req.request(b"%d" % number, timeout=TIMEOUT_S)
        answering.result()


def test_closed_socket_ends_the_request(front: Front) -> None:
    """ENOTSOCK, as any call."""
    _, req = join(front, zmq.REP, "tcp")
    plain = req if front.name == "sync" else zmq.Socket.shadow(req)
    asking = run_in_thread(plain.request, b"x")
    eventually(lambda: plain._pattern.waiting)
    plain.close(0)
    with pytest.raises(zmq.ZMQError) as caught:
        asking.result()
    assert zmq.ENOTSOCK == caught.value.errno


def test_large_request_that_left_in_part_is_given_up(front: Front) -> None:
    """A stalled server has a part of it: the next server gets the next request whole."""
    from tests.support.raw_peer import RawPeer

    req = front.socket(zmq.REQ)
    endpoint = bind(req, "tcp")
    with RawPeer.connect(endpoint) as stalled:
        stalled.shake_hands("REP")
        with pytest.raises(zmq.Again, match="tried once"):
            front.call(req.request, bytes(50_000_000), timeout=0.2)
        stalled.wait_until_closed()
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("REP")

        def answer() -> list[tuple[int, bytes]]:
            frames = [peer.receive_frame(), peer.receive_frame()]
            peer.send_frame(b"", 1)
            peer.send_frame(b"answer")
            return frames

        answering = run_in_thread(answer)
        assert b"answer" == front.call(req.request, b"next", timeout=TIMEOUT_S)
        assert [(1, b""), (0, b"next")] == answering.result()


def test_replies_of_a_quick_server_are_never_mixed_up(front: Front) -> None:
    """Time-outs as short as a round trip: some are given up, none gets another's reply."""
    rep, req = join(front, zmq.REP, "tcp")
    stop = threading.Event()

    def serve_until_stopped() -> None:
        while not stop.is_set():
            if rep.poll(10):
                rep.send_multipart(rep.recv_multipart())

    serving = run_in_thread(serve_until_stopped)
    outcomes = set()
    for number, timeout in zip(range(300), itertools.cycle((0.0, 0.0002, 0.0005, 0.005)), strict=False):
        try:
            assert b"%d" % number == front.call(req.request, b"%d" % number, timeout=timeout, retries=1)
        except zmq.Again:
            outcomes.add("given up")
        else:
            outcomes.add("answered")
    assert b"end" == front.call(req.request, b"end", timeout=TIMEOUT_S, retries=3)
    stop.set()
    serving.result()
    assert "answered" in outcomes
