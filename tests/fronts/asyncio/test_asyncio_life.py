"""Beginning and end: sockets before, between and after event loops, several loops at once, closing, terminating."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, Call, bind, eventually, library_module, purezmq_only, run_in_thread, zmq

MakeSocket = Callable[..., Any]
Run = Callable[..., Any]
Link = Callable[..., None]


def test_socket_outlives_its_loop(run: Run, push_pull: Any) -> None:
    """asyncio.run twice with the same sockets; what waited in the first loop is forgotten with it."""
    push, pull = push_pull

    async def wait_in_vain() -> None:
        waiting = [asyncio.create_task(wait(pull.recv())) for _ in range(2)]
        await asyncio.sleep(0.001)
        assert not any(task.done() for task in waiting)

    async def wait(future: Any) -> Any:
        return await future

    async def transfer() -> None:
        await push.send(b"x")
        assert b"x" == await asyncio.wait_for(pull.recv(), TIMEOUT_S)
        received = pull.recv()
        await push.send(b"y")
        assert b"y" == await asyncio.wait_for(received, TIMEOUT_S)

    for _ in range(3):
        run(wait_in_vain())
        run(transfer())


@purezmq_only("pyzmq's next loop waits in vain")
def test_loop_closed_under_a_bare_future_does_no_harm(make_socket: MakeSocket, make_loop: Any, link: Link) -> None:
    """A future that nobody awaited when its loop was closed: the next loop and close() work."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)

    async def leave_behind() -> Any:
        await push.send(b"1")
        assert b"1" == await pull.recv()
        return pull.recv(), pull.poll()

    async def receive() -> bytes:
        await push.send(b"2")
        return await asyncio.wait_for(pull.recv(), TIMEOUT_S)  # type: ignore[no-any-return]  # Any

    for function in (leave_behind, receive):
        loop = make_loop()
        result = loop.run_until_complete(function())
        loop.close()
    assert b"2" == result


@purezmq_only("libzmq's sockets are for one thread")
def test_loops_in_several_threads_share_one_socket(
    make_socket: MakeSocket, make_loop: Callable[[], Any], link: Link
) -> None:
    """Each thread receives in its own loop; every message arrives once."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)
    threads, count = 3, 600
    received: list[list[int]] = [[] for _ in range(threads)]
    total = threading.Semaphore(0)

    async def receive(own: list[int]) -> None:
        while True:
            message = await pull.recv()
            if message == b"end":
                return
            own.append(int(message))
            total.release()

    def run_loop(own: list[int]) -> None:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(asyncio.wait_for(receive(own), 4 * TIMEOUT_S))

    async def send() -> None:
        for number in range(count):
            await push.send(b"%d" % number)
            if number % 7 == 0:
                await asyncio.sleep(0.0001)

    calls = [run_in_thread(run_loop, own) for own in received]
    asyncio.run(send())
    for _ in range(count):
        assert total.acquire(timeout=TIMEOUT_S), f"{sum(map(len, received))} of {count} messages arrived"

    async def end() -> None:
        for _ in range(threads):
            await push.send(b"end")

    asyncio.run(end())
    for call in calls:
        call.result()
    assert list(range(count)) == sorted(number for own in received for number in own)
    assert all(own == sorted(own) for own in received)


def test_close_cancels_what_waits(run: Run, make_socket: MakeSocket) -> None:
    """recv and send futures are cancelled at once; calls from then on raise ENOTSOCK."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)

    async def main() -> None:
        waiting = [pull.recv(), pull.recv_multipart(), push.send(b"x")]
        pull.close()
        push.close()
        assert all(future.cancelled() for future in waiting)
        for call in (pull.recv, pull.recv_multipart, lambda: push.send(b"x")):
            with pytest.raises(zmq.ZMQError) as caught:
                await call()
            assert zmq.ENOTSOCK == caught.value.errno
        with pytest.raises(zmq.ZMQError) as caught:
            await pull.poll()
        assert zmq.ENOTSUP == caught.value.errno

    run(main())


@purezmq_only("pyzmq's other futures stay pending")
def test_close_cancels_every_kind_of_future(run: Run, make_socket: MakeSocket) -> None:
    """poll, recv_string, recv_into, recv_many."""
    pull = make_socket(zmq.PULL)

    async def main() -> None:
        waiting = [pull.poll(), pull.recv_string(), pull.recv_into(bytearray(1)), pull.recv_many()]
        pull.close()
        assert all(future.cancelled() for future in waiting)

    run(main())


@purezmq_only("pyzmq's sockets must be closed by their own thread")
def test_close_in_another_thread_cancels_what_waits(run: Run, make_socket: MakeSocket) -> None:
    """The loop is told, even while it sleeps."""
    pull = make_socket(zmq.PULL)

    async def main() -> None:
        waiting = pull.recv()
        await asyncio.sleep(0.001)
        call = run_in_thread(pull.close)
        await asyncio.wait([waiting], timeout=TIMEOUT_S)
        assert waiting.cancelled()
        call.result()

    run(main())


def test_destroy_cancels_what_waits(run: Run, make_socket: MakeSocket, context: Any) -> None:
    """It closes the sockets first."""
    pull = make_socket(zmq.PULL)

    async def main() -> None:
        waiting = pull.recv()
        context.destroy(0)
        assert waiting.cancelled()
        assert pull.closed

    run(main())


@purezmq_only("pyzmq's futures stay pending, its callback raises")
def test_term_ends_what_waits_with_context_terminated(run: Run, make_socket: MakeSocket, context: Any) -> None:
    """recv, send and poll futures fail; term() returns when the sockets are closed."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)

    async def main() -> None:
        waiting = [pull.recv(), push.send(b"x"), pull.poll()]
        await asyncio.sleep(0.001)
        call = run_in_thread(context.term)
        for future in waiting:
            with pytest.raises(zmq.ContextTerminated):
                await asyncio.wait_for(future, TIMEOUT_S)
        with pytest.raises(zmq.ContextTerminated):
            await pull.recv()
        pull.close()
        push.close()
        await asyncio.to_thread(call.result)

    run(main())


def test_socket_may_be_made_before_any_loop(make_loop: Callable[[], Any]) -> None:
    """Neither context nor socket touch an event loop until something waits."""
    aio = library_module("asyncio")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        context = aio.Context()
        push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
        push.connect(bind(pull, "tcp"))
        poller = aio.Poller()
        poller.register(pull, zmq.POLLIN)

    async def main() -> None:
        waiting = poller.poll()
        await push.send(b"x")
        await asyncio.wait_for(waiting, TIMEOUT_S)
        assert b"x" == await pull.recv()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())
    context.destroy(0)


def test_call_outside_of_a_loop_warns(make_socket: MakeSocket) -> None:
    """It uses the thread's current loop, for programs that still do `loop.run_until_complete(socket.recv())`."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    push.connect(bind(pull, "tcp"))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with pytest.warns(RuntimeWarning, match="No running event.loop"):
            waiting = pull.recv()
        loop.run_until_complete(push_one(push))
        assert b"x" == loop.run_until_complete(waiting)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def push_one(push: Any) -> None:
    """Send in the running loop."""
    await push.send(b"x")


@purezmq_only("pyzmq's loop keeps the socket")
def test_forgotten_socket_is_collected_and_its_descriptor_freed(run: Run, context: Any) -> None:
    """A socket that waited once and is forgotten is closed, and the loop watches it no more."""

    async def use() -> weakref.ref[Any]:
        pull = context.socket(zmq.PULL)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pull.recv(), 0.001)
        return weakref.ref(pull)

    async def main() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            forgotten = await use()
            await asyncio.sleep(0)
            assert forgotten() is None
        other = context.socket(zmq.PULL)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(other.recv(), 0.001)
        other.close()

    run(main())
    eventually(lambda: not context._state.engines)


@purezmq_only("pyzmq's loop keeps the socket")
@pytest.mark.parametrize("how", ["closed in another thread", "cancelled"])
def test_socket_forgotten_before_the_loop_looks_raises_nothing(how: str, context: Any, run: Run) -> None:
    """What was scheduled for a socket finds it gone: nothing escapes into the loop."""

    async def main() -> list[Any]:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, failure: failures.append(failure))
        first, second = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
        first.bind("inproc://forgotten")
        second.connect("inproc://forgotten")
        if how == "cancelled":
            futures = [second.recv()]
            await first.send(b"x")
            futures.append(second.recv())
            for future in futures:
                future.cancel()
            del future
            futures.clear()
        else:
            handles = [second]
            await second.poll(0)
            del second
            closer = threading.Thread(target=lambda: handles.pop().close())
            closer.start()
            closer.join()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            second = None
            gc.collect()
            await asyncio.sleep(0.01)
        first.close()
        return failures

    assert [] == run(main())


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux tells which descriptors are open")
@purezmq_only("it is about purezmq's own descriptors")
def test_loops_leave_no_descriptor_open(make_socket: MakeSocket, make_loop: Callable[[], Any], link: Link) -> None:
    """A socket used by many loops, one after the other, holds the descriptors of the last one only."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(pull, push)

    async def transfer() -> None:
        received = pull.recv()
        await push.send(b"x")
        await asyncio.wait_for(received, TIMEOUT_S)
        pull.recv()

    counts = []
    for _ in range(6):
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(transfer())
        gc.collect()
        counts.append(len(os.listdir("/proc/self/fd")))
    assert counts[1] == counts[-1]


class LoopWithoutReaders(asyncio.SelectorEventLoop):
    """A loop that can't watch descriptors, as Windows' proactor."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
        raise NotImplementedError


@purezmq_only("pyzmq needs add_reader")
def test_loop_without_readers_is_told_by_the_engine(push_pull: Any) -> None:
    """The I/O thread reads then, and calls the loop."""
    push, pull = push_pull

    async def main() -> None:
        for number in range(100):
            received = pull.recv()
            await push.send(b"%d" % number)
            assert b"%d" % number == await asyncio.wait_for(received, TIMEOUT_S)

    with asyncio.Runner(loop_factory=LoopWithoutReaders) as runner:
        runner.run(main())


@purezmq_only("libzmq's descriptor is for one user")
def test_own_descriptor_works_beside_the_loops(run: Run, push_pull: Any) -> None:
    """A program that watches FD itself is told, too, while tasks wait for the same socket."""
    push, pull = push_pull

    async def main() -> None:
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        waiting = pull.poll()
        loop.add_reader(pull.fileno(), told.set)
        await push.send(b"x")
        assert zmq.POLLIN == await asyncio.wait_for(waiting, TIMEOUT_S)
        await asyncio.wait_for(told.wait(), TIMEOUT_S)
        loop.remove_reader(pull.fileno())
        assert b"x" == await pull.recv()

    run(main())


def test_socket_that_is_just_connecting_is_watched(run: Run, make_socket: MakeSocket, link: Link) -> None:
    """The first wait and the first connection may come at the same moment: later messages wake the loop, too."""

    async def main() -> None:
        for _ in range(20):
            req, rep = make_socket(zmq.REQ), make_socket(zmq.REP)
            link(rep, req)
            for _ in range(3):
                replying = rep.recv()
                await req.send(b"x")
                assert b"x" == await asyncio.wait_for(replying, TIMEOUT_S)
                await rep.send(b"y")
                assert b"y" == await asyncio.wait_for(req.recv(), TIMEOUT_S)
            req.close()
            rep.close()

    run(main())


def test_busy_loop_does_not_keep_what_was_sent(run: Run, push_pull: Any) -> None:
    """What a task sent leaves when the loop gets its turn, or soon, even if the task then computes."""
    push, pull = push_pull
    sync_pull = zmq.Socket.shadow(pull.underlying)

    async def main() -> None:
        for number in range(100):
            await push.send(b"%d" % number)
        # This blocks the loop: the engine's own thread must send.
        received = [sync_pull.recv() for _ in range(100)]
        assert [b"%d" % number for number in range(100)] == received

    run(main())


@purezmq_only("libzmq's sockets are for one thread")
def test_thread_and_loop_share_a_socket(run: Run, push_pull: Any) -> None:
    """A blocking handle in a thread, an asynchronous one in a loop: each message goes to one of them."""
    push, pull = push_pull
    sync_pull = zmq.Socket.shadow(pull.underlying)
    by_thread: list[bytes] = []

    def receive() -> None:
        while (message := sync_pull.recv()) != b"end":
            by_thread.append(message)

    async def main() -> None:
        by_task: list[bytes] = []

        async def receive_here() -> None:
            while (message := await pull.recv()) != b"end":
                by_task.append(message)

        task = asyncio.create_task(receive_here())
        call = Call(receive)
        for number in range(300):
            await push.send(b"%d" % number)
            if number % 10 == 0:
                await asyncio.sleep(0.0005)
        while len(by_task) + len(by_thread) < 300:  # noqa: ASYNC110 - turn by turn, on purpose
            await asyncio.sleep(0.001)
        await push.send(b"end")
        await push.send(b"end")
        await asyncio.wait_for(task, TIMEOUT_S)
        await asyncio.to_thread(call.result)
        assert list(range(300)) == sorted(map(int, by_task + by_thread))

    run(main())
