"""The methods of an asynchronous socket, as pyzmq has them: each returns a future; errors are the future's."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, library_module, purezmq_only, zmq

MakeSocket = Callable[..., Any]
Run = Callable[..., Any]
Link = Callable[..., None]


def test_methods_return_futures(run: Run, push_pull: Any) -> None:
    """recv, send, poll and their kin return what asyncio takes for a Future, whether it has to wait or not."""
    push, pull = push_pull

    async def main() -> None:
        waiting = pull.recv()
        assert isinstance(waiting, asyncio.Future)
        assert asyncio.isfuture(waiting)
        sent = push.send(b"1")
        assert isinstance(sent, asyncio.Future)
        assert asyncio.isfuture(sent)
        assert await sent is None
        assert b"1" == await waiting
        await push.send(b"2")
        assert await pull.poll(TIMEOUT_S * 1000)
        done = pull.recv()
        assert isinstance(done, asyncio.Future)
        assert asyncio.isfuture(done)
        assert b"2" == await done
        assert b"2" == await done, "a future that is done may be awaited again"

    run(main())


def test_socket_is_one_of_both_kinds(make_socket: MakeSocket) -> None:
    """An asynchronous socket is a zmq.Socket, too, and its context a zmq.Context."""
    socket = make_socket(zmq.PULL)
    assert isinstance(socket, zmq.Socket)
    assert isinstance(socket, library_module("asyncio").Socket)
    assert isinstance(socket.context, zmq.Context)
    assert zmq.PULL == socket.type


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_messages_of_all_kinds_arrive(run: Run, make_socket: MakeSocket, transport: str, link: Link) -> None:
    """Parts, multiparts, Frames, text, JSON, pickles and own formats."""
    first, second = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    link(first, second, transport=transport)

    async def main() -> None:
        await first.send(b"a", zmq.SNDMORE)
        await first.send(b"b")
        assert b"a" == await second.recv()
        assert second.rcvmore
        assert [b"b"] == await second.recv_multipart()
        await first.send_multipart([b"c", b"d"])
        assert [b"c", b"d"] == await second.recv_multipart()
        await first.send_multipart([b"e", b"f"])
        frames = await second.recv_multipart(copy=False)
        assert [b"e", b"f"] == [frame.bytes for frame in frames]
        await first.send(b"g")
        frame = await second.recv(copy=False)
        assert b"g" == frame.bytes
        await first.send_string("grün")
        assert "grün" == await second.recv_string()
        await first.send_json({"a": [1]})
        assert {"a": [1]} == await second.recv_json()
        await first.send_pyobj((1, None))
        assert (1, None) == await second.recv_pyobj()
        await first.send_serialized("x y", lambda text: [word.encode() for word in text.split()])
        assert ["x", "y"] == await second.recv_serialized(lambda parts: [part.decode() for part in parts])

    run(main())


def test_waiting_receivers_of_all_kinds_get_their_form(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """What waits gets text, JSON, a part or all parts, as it asked for."""
    first, second = make_socket(zmq.PAIR), make_socket(zmq.PAIR)
    link(first, second)

    async def main() -> None:
        futures = [
            second.recv(),
            second.recv(),
            second.recv_multipart(),
            second.recv_string(),
            second.recv_json(),
            second.recv_pyobj(),
            second.recv_serialized(len),
            second.recv(copy=False),
        ]
        await first.send_multipart([b"a", b"b"])
        await first.send_multipart([b"c", b"d"])
        await first.send_string("e")
        await first.send_json(6)
        await first.send_pyobj(None)
        await first.send_multipart([b"", b"", b""])
        await first.send(b"f")
        results = await asyncio.wait_for(asyncio.gather(*futures), TIMEOUT_S)
        assert [b"a", b"b", [b"c", b"d"], "e", 6, None, 3, b"f"] == [*results[:-1], results[-1].bytes]

    run(main())


def test_recv_into_fills_the_buffer(run: Run, push_pull: Any) -> None:
    """The size of the part is returned, and what fits is in the buffer."""
    push, pull = push_pull

    async def main() -> None:
        buffer = bytearray(4)
        waiting = pull.recv_into(buffer)
        await push.send(b"abcdef")
        assert 6 == await waiting
        assert b"abcd" == buffer
        await push.send(b"xy")
        assert 2 == await pull.recv_into(buffer, nbytes=3)
        assert b"xycd" == buffer

    run(main())


def test_dontwait_fails_at_once(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """With DONTWAIT the future is done: with the message, or with Again."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)

    async def main() -> None:
        for future in (pull.recv(zmq.DONTWAIT), push.send(b"x", zmq.DONTWAIT), pull.recv_multipart(zmq.DONTWAIT)):
            assert future.done()
            with pytest.raises(zmq.Again):
                await future
        link(pull, push)
        await push.send(b"x", zmq.DONTWAIT)
        assert await pull.poll(TIMEOUT_S * 1000)
        assert b"x" == await pull.recv(zmq.DONTWAIT)

    run(main())


def test_timeout_options_end_in_again(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """RCVTIMEO and SNDTIMEO hold for futures."""
    push, pull = make_socket(zmq.PUSH, sndtimeo=20), make_socket(zmq.PULL, rcvtimeo=20)

    async def main() -> None:
        with pytest.raises(zmq.Again):
            await pull.recv()
        with pytest.raises(zmq.Again):
            await push.send(b"x")
        pull.rcvtimeo = 0
        with pytest.raises(zmq.Again):
            await pull.recv()
        pull.rcvtimeo = push.sndtimeo = int(TIMEOUT_S * 1000)
        received = pull.recv()
        link(pull, push)
        await push.send(b"y")
        assert b"y" == await received

    run(main())


def test_errors_are_the_futures(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """What can't be sent or received fails when it is awaited, and the socket goes on."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)

    async def main() -> None:
        with pytest.raises(TypeError):
            await push.send("text")
        with pytest.raises(TypeError, match="Frame 1"):
            await push.send_multipart([b"a", 5])
        with pytest.raises(zmq.ZMQError) as caught:
            await pull.send(b"x")
        assert zmq.ENOTSUP == caught.value.errno
        await push.send(b"no json")
        with pytest.raises(ValueError):
            await pull.recv_json()
        waiting = pull.recv_json()
        await push.send(b"no json")
        with pytest.raises(ValueError):
            await asyncio.wait_for(waiting, TIMEOUT_S)
        await push.send(b"1")
        assert 1 == await pull.recv_json()

    run(main())


@purezmq_only("pyzmq's future waits for ever")
def test_recv_of_a_socket_that_cannot_receive_fails(run: Run, make_socket: MakeSocket) -> None:
    """ENOTSUP instead of waiting for what never comes."""
    push = make_socket(zmq.PUSH)

    async def main() -> None:
        with pytest.raises(zmq.ZMQError) as caught:
            await push.recv()
        assert zmq.ENOTSUP == caught.value.errno

    run(main())


def test_tracker_is_the_result_of_a_tracked_send(run: Run, push_pull: Any) -> None:
    """track=True gives a MessageTracker."""
    push, pull = push_pull

    async def main() -> None:
        tracker = await push.send(b"x" * 100_000, copy=False, track=True)
        assert isinstance(tracker, zmq.MessageTracker)
        await pull.recv()
        tracker.wait(TIMEOUT_S)

    run(main())


def test_futures_work_with_all_of_asyncio(run: Run, push_pull: Any) -> None:
    """wait_for, gather, wait, as_completed, shield, ensure_future and callbacks, for futures done and pending."""
    push, pull = push_pull

    async def main() -> None:
        for is_ready in (True, False):
            numbers = [b"%d" % number for number in range(7)]
            if is_ready:
                for number in numbers:
                    await push.send(number)
                while not await pull.poll(0):  # noqa: ASYNC110 - turn by turn, on purpose
                    await asyncio.sleep(0)
                await asyncio.sleep(0.01)
            called = asyncio.Event()
            futures = [pull.recv() for _ in numbers]
            futures[0].add_done_callback(lambda _future, called=called: called.set())
            if not is_ready:
                for number in numbers:
                    await push.send(number)
            await asyncio.wait_for(called.wait(), TIMEOUT_S)
            received = [futures[0].result()]
            received += await asyncio.gather(*futures[1:3])
            done, pending = await asyncio.wait({futures[3]}, timeout=TIMEOUT_S)
            assert not pending
            received += [done.pop().result(), await asyncio.shield(futures[4])]
            received += [await asyncio.ensure_future(futures[5])]
            received += [await first for first in asyncio.as_completed([futures[6]])]
            assert numbers == received
            assert asyncio.get_running_loop() is futures[0].get_loop()
            assert futures[0].done()
            assert not futures[0].cancelled()
            assert not futures[0].cancel()
            assert futures[0].exception() is None

    run(main())


def test_done_future_refuses_another_result(run: Run, push_pull: Any) -> None:
    """As with any future that is done: InvalidStateError."""
    push, _ = push_pull

    async def main() -> None:
        sent = push.send(b"x")
        with pytest.raises(asyncio.InvalidStateError):
            sent.set_result(1)
        with pytest.raises(asyncio.InvalidStateError):
            sent.set_exception(ValueError())
        assert 0 == sent.remove_done_callback(print)
        assert "finished" in repr(sent)

    run(main())


def test_poll_tells_events(run: Run, push_pull: Any) -> None:
    """poll: 0 when the time is over, else the events; it takes nothing."""
    push, pull = push_pull

    async def main() -> None:
        assert 0 == await pull.poll(0)
        assert 0 == await pull.poll(10)
        assert zmq.POLLOUT == await push.poll(flags=zmq.POLLOUT)
        waiting = [pull.poll(), pull.poll(TIMEOUT_S * 1000)]
        await push.send(b"x")
        assert [zmq.POLLIN] * 2 == await asyncio.gather(*waiting)
        assert zmq.POLLIN == await pull.poll(flags=zmq.POLLIN | zmq.POLLOUT)
        assert b"x" == await pull.recv()

    run(main())


def test_second_handles_share_the_socket(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """Socket(sync), from_socket and shadow: another handle of the same socket; closing one closes both."""
    aio = library_module("asyncio")
    sync_context = zmq.Context()
    push = sync_context.socket(zmq.PUSH)
    pull = sync_context.socket(zmq.PULL)
    link(pull, push)
    twins = [aio.Socket(pull), aio.Socket.from_socket(pull), aio.Socket.shadow(pull.underlying)]

    async def main() -> None:
        for twin in twins:
            assert pull.underlying == twin.underlying
            received = twin.recv()
            push.send(b"x")
            assert b"x" == await asyncio.wait_for(received, TIMEOUT_S)

    run(main())
    twins[0].close()
    assert pull.closed
    push.close(0)
    sync_context.term()


def test_contexts_share_what_they_shadow(run: Run, make_socket: MakeSocket) -> None:
    """Context(sync_context) and Context.shadow: their sockets meet the others over inproc."""
    aio = library_module("asyncio")
    sync_context = zmq.Context()
    contexts = [aio.Context(sync_context), aio.Context.shadow(sync_context.underlying)]
    pull = sync_context.socket(zmq.PULL)
    pull.bind("inproc://shared")

    async def main() -> None:
        for context in contexts:
            assert sync_context.underlying == context.underlying
            push = context.socket(zmq.PUSH)
            assert isinstance(push, aio.Socket)
            push.connect("inproc://shared")
            await push.send(b"x")
            assert b"x" == pull.recv()
            push.close(0)

    run(main())
    pull.close(0)
    sync_context.destroy(0)


def test_instance_is_not_the_synchronous_one() -> None:
    """Context.instance() is one for all asynchronous sockets."""
    aio = library_module("asyncio")
    instance = aio.Context.instance()
    assert instance is aio.Context.instance()
    assert instance is not zmq.Context.instance()
    instance.destroy(0)
    zmq.Context.instance().destroy(0)


def test_deprecated_names_warn_and_work() -> None:
    """ZMQEventLoop and install are there still."""
    aio = library_module("asyncio")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aio.install()
        loop = aio.ZMQEventLoop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()


@purezmq_only("pyzmq has no such methods")
def test_batches(run: Run, push_pull: Any) -> None:
    """send_many and recv_many, with multiparts and timeouts."""
    push, pull = push_pull
    messages = [b"one", [b"two", b"parts"], b"three"]

    async def main() -> None:
        waiting = pull.recv_many(1)
        assert 3 == await push.send_many(messages)
        received = await waiting
        while len(received) < 3:
            received += await pull.recv_many()
        assert messages == received
        with pytest.raises(zmq.Again):
            await pull.recv_many(timeout=0.01)
        with pytest.raises(zmq.Again):
            await pull.recv_many(flags=zmq.DONTWAIT)
        with pytest.raises(ValueError):
            pull.recv_many(0)

    run(main())


@purezmq_only("pyzmq has no such argument")
def test_timeout_of_a_call_wins_over_the_option(run: Run, make_socket: MakeSocket) -> None:
    """timeout= in seconds."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)

    async def main() -> None:
        for timeout in (0, 0.01):
            with pytest.raises(zmq.Again):
                await pull.recv(timeout=timeout)
            with pytest.raises(zmq.Again):
                await pull.recv_multipart(timeout=timeout)
            with pytest.raises(zmq.Again, match="no peer"):
                await push.send(b"x", timeout=timeout)
        assert 0 == await push.poll(0, zmq.POLLOUT)

    run(main())


@purezmq_only("pyzmq has no asynchronous iteration")
def test_iteration_gives_messages_until_the_socket_is_closed(run: Run, push_pull: Any) -> None:
    """`async for`: bytes for one part, a list for several; closing ends the loop, wherever it waits."""
    push, pull = push_pull
    messages: list[Any] = [b"a", [b"b", b"c"], b"d"]

    async def main() -> None:
        received = []
        for message in messages:
            await (push.send_multipart(message) if isinstance(message, list) else push.send(message))
        async for message in pull:
            received.append(message)
            if len(received) == len(messages):
                asyncio.get_running_loop().call_soon(pull.close)
        assert messages == received
        assert [] == [message async for message in pull]

    run(main())


@purezmq_only("pyzmq's sockets are no asynchronous context managers")
def test_blocks_close_socket_and_context(run: Run) -> None:
    """`async with`: the socket is closed, then the context, after what was sent has left."""
    aio = library_module("asyncio")

    async def main() -> None:
        pull_context = aio.Context()
        async with pull_context.socket(zmq.PULL) as pull:
            async with aio.Context() as context, context.socket(zmq.PUSH) as push:
                push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
                await push.send(b"x")
            assert push.closed
            assert context.closed
            assert b"x" == await pull.recv()
        assert pull.closed
        pull_context.term()

    run(main())
