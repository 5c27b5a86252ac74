"""All patterns through futures: their turns, their high-water marks, their monitors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, library_module, purezmq_only, zmq

MakeSocket = Callable[..., Any]
Run = Callable[..., Any]
Link = Callable[..., None]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_request_and_reply(run: Run, make_socket: MakeSocket, link: Link, transport: str) -> None:
    """A server task and clients, many round trips."""
    rep = make_socket(zmq.REP)
    reqs = [make_socket(zmq.REQ) for _ in range(3)]
    link(rep, *reqs, transport=transport)

    async def serve() -> None:
        while True:
            await rep.send(b"re " + await rep.recv())

    async def ask(req: Any, who: int) -> None:
        for number in range(50):
            text = b"%d/%d" % (who, number)
            await req.send(text)
            assert b"re " + text == await req.recv()

    async def main() -> None:
        server = asyncio.create_task(serve())
        await asyncio.gather(*(ask(req, who) for who, req in enumerate(reqs)))
        server.cancel()

    run(main())


def test_reply_may_be_awaited_before_the_request_is_sent(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """A recv that the state forbids now waits until a send allows it."""
    req, rep = make_socket(zmq.REQ), make_socket(zmq.REP)
    link(rep, req)

    async def main() -> None:
        reply = req.recv()
        await req.send(b"1")
        assert b"1" == await rep.recv()
        following = rep.recv()
        await rep.send(b"2")
        assert b"2" == await asyncio.wait_for(reply, TIMEOUT_S)
        await req.send(b"3")
        assert b"3" == await asyncio.wait_for(following, TIMEOUT_S)
        with pytest.raises(zmq.ZMQError) as caught:
            await req.send(b"4")
        assert zmq.EFSM == caught.value.errno

    run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_publish_and_subscribe(run: Run, make_socket: MakeSocket, link: Link, transport: str) -> None:
    """Subscribers get their topics, in order."""
    pub = make_socket(zmq.XPUB)
    subs = [make_socket(zmq.SUB) for _ in range(2)]
    for number, sub in enumerate(subs):
        sub.subscribe(b"%d" % number)
    link(pub, *subs, transport=transport)

    async def main() -> None:
        assert {b"\x010", b"\x011"} == {await pub.recv(), await pub.recv()}
        for number in range(200):
            await pub.send_multipart([b"%d" % (number % 2), b"%d" % number])
        for topic, sub in enumerate(subs):
            received = [await asyncio.wait_for(sub.recv_multipart(), TIMEOUT_S) for _ in range(100)]
            assert [[b"%d" % topic, b"%d" % number] for number in range(topic, 200, 2)] == received

    run(main())


def test_router_and_dealers(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """Replies go back to who asked; Frames tell the peer."""
    router = make_socket(zmq.ROUTER)
    dealers = [make_socket(zmq.DEALER, routing_id=b"d%d" % number) for number in range(3)]
    link(router, *dealers)

    async def main() -> None:
        for dealer in dealers:
            await dealer.send(b"hello")
        for _ in dealers:
            identity, text = await router.recv_multipart(copy=False)
            await router.send_multipart([identity, text.bytes + b" " + identity.bytes])
        assert [b"hello d0", b"hello d1", b"hello d2"] == [await dealer.recv() for dealer in dealers]

    run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_full_socket_makes_senders_wait_in_turn(run: Run, make_socket: MakeSocket, link: Link, transport: str) -> None:
    """At the high-water mark sends wait, and go on in their order when the reader takes messages."""
    push, pull = make_socket(zmq.PUSH, sndhwm=5), make_socket(zmq.PULL, rcvhwm=5)
    link(pull, push, transport=transport)
    body = b"x" * 200_000
    count = 60

    async def main() -> None:
        sends = [push.send(b"%02d" % number + body) for number in range(count)]
        assert any(not send.done() for send in sends)
        assert 0 == await push.poll(0, zmq.POLLOUT) or transport != "inproc"
        received = []
        for _ in range(count):
            message = await asyncio.wait_for(pull.recv(), TIMEOUT_S)
            received.append(int(message[:2]))
        assert list(range(count)) == received
        await asyncio.wait_for(asyncio.gather(*sends), TIMEOUT_S)
        assert zmq.POLLOUT == await push.poll(TIMEOUT_S * 1000, zmq.POLLOUT)

    run(main())


def test_sender_waits_for_a_peer(run: Run, make_socket: MakeSocket) -> None:
    """Without a peer a send waits; poll tells when there is one."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)

    async def main() -> None:
        writable = push.poll(flags=zmq.POLLOUT)
        sent = push.send(b"x")
        await asyncio.sleep(0.001)
        assert not sent.done()
        assert not writable.done()
        pull.connect(bind(push, "tcp"))
        await asyncio.wait_for(sent, TIMEOUT_S)
        assert b"x" == await pull.recv()
        assert zmq.POLLOUT == await asyncio.wait_for(writable, TIMEOUT_S)

    run(main())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_stream_of_messages_arrives_in_order(run: Run, make_socket: MakeSocket, link: Link, transport: str) -> None:
    """Producer and consumer in one loop, more messages than fit into any queue."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push, transport=transport)
    count = 20_000

    async def produce() -> None:
        for number in range(count):
            await push.send(b"%d" % number)

    async def main() -> None:
        task = asyncio.create_task(produce())
        received = [int(await pull.recv()) for _ in range(count)]
        assert list(range(count)) == received
        await task

    run(main())


def test_monitor_events_are_awaited(run: Run, make_socket: MakeSocket) -> None:
    """The monitor of an asynchronous socket is one, too, and recv_monitor_message returns an awaitable for it."""
    recv_monitor_message = library_module("utils.monitor").recv_monitor_message
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    endpoint = bind(pull, "tcp")
    monitor = push.get_monitor_socket()
    assert isinstance(monitor, library_module("asyncio").Socket)

    async def main() -> None:
        push.connect(endpoint)
        seen = []
        while zmq.EVENT_HANDSHAKE_SUCCEEDED not in seen:
            event = await asyncio.wait_for(recv_monitor_message(monitor), TIMEOUT_S)
            seen.append(event["event"])
        assert endpoint.encode() == event["endpoint"]
        assert zmq.EVENT_CONNECTED in seen
        push.disable_monitor()
        monitor.close()

    run(main())


@purezmq_only("pyzmq's proxy would block on the descriptors of both")
def test_many_sockets_in_one_loop(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """A hundred pairs, each with its own task."""
    pairs = [(make_socket(zmq.PUSH), make_socket(zmq.PULL)) for _ in range(100)]
    for push, pull in pairs:
        link(pull, push)

    async def main() -> None:
        tasks = [asyncio.ensure_future(pull.recv()) for _, pull in pairs]
        for number, (push, _) in enumerate(pairs):
            await push.send(b"%d" % number)
        received = await asyncio.wait_for(asyncio.gather(*tasks), 2 * TIMEOUT_S)
        assert [b"%d" % number for number in range(100)] == received

    run(main())
