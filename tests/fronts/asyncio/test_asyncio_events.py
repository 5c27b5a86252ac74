"""``async for event in socket.events()``: the events of an asynchronous socket."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, bind, eventually, purezmq_only, run_in_thread, zmq

MakeSocket = Callable[..., Any]
Run = Callable[..., Any]

pytestmark = purezmq_only("pyzmq has a monitor socket and no typed events")


def tell(socket: Any, count: int) -> None:
    """Let the engine tell something, as its own parts do."""
    with socket._engine.lease:
        socket._engine.tell("durable_expired", count=count)


def test_events_come_while_other_tasks_run(make_socket: MakeSocket, run: Run) -> None:
    """A task waits for them; another one sends and receives on the same socket."""
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)

    async def main() -> list[str]:
        kinds = []

        async def listen() -> None:
            async for event in stream:
                kinds.append(event.kind)
                if event.kind == "handshake_succeeded":
                    return

        stream = pull.events()
        listening = asyncio.create_task(listen())
        push.connect(bind(pull, "tcp"))
        await push.send(b"x")
        assert b"x" == await asyncio.wait_for(pull.recv(), TIMEOUT_S)
        await asyncio.wait_for(listening, TIMEOUT_S)
        return kinds

    assert ["listening", "accepted", "handshake_succeeded"] == run(main())


def test_timeout_ends_iteration_and_fails_get(make_socket: MakeSocket, run: Run) -> None:
    """Quietly there, with Again here; both can go on."""
    pull = make_socket(zmq.PULL)

    async def main() -> None:
        async with pull.events(timeout=0.02) as stream:
            assert [] == [event async for event in stream]
            with pytest.raises(zmq.Again):
                await stream.get()
            with pytest.raises(zmq.Again):
                await stream.get(timeout=0)
            tell(pull, 1)
            assert 1 == (await stream.get(timeout=0)).count
        assert stream.closed
        assert [] == [event async for event in stream]

    run(main())


@pytest.mark.parametrize("how", ["stream", "socket", "term"])
def test_end_wakes_waiting_task(make_socket: MakeSocket, context: Any, run: Run, how: str) -> None:
    """What was collected comes first."""
    pull = make_socket(zmq.PULL)

    async def main() -> list[int]:
        stream = pull.events()
        tell(pull, 1)
        counts = [(await stream.get()).count]

        async def listen() -> None:
            counts.extend([event.count async for event in stream])

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        tell(pull, 2)
        if how == "term":
            terminating = run_in_thread(context.term)
        elif how == "socket":
            pull.close(0)
        else:
            stream.close()
        await asyncio.wait_for(listening, TIMEOUT_S)
        with pytest.raises(zmq.ZMQError) as caught:
            await stream.get()
        assert (zmq.ETERM if how == "term" else zmq.ENOTSOCK) == caught.value.errno
        if how == "term":
            pull.close(0)
            terminating.result()
        return counts

    assert [1, 2] == run(main())


def test_cancelled_task_loses_no_event(make_socket: MakeSocket, run: Run) -> None:
    """Also when the event comes in the turn of the cancellation."""
    pull = make_socket(zmq.PULL)

    async def main() -> None:
        stream = pull.events()
        for number in range(20):
            waiting = asyncio.create_task(stream.get())
            await asyncio.sleep(0)
            tell(pull, number)
            if number % 2:
                await asyncio.sleep(0)
            waiting.cancel()
            try:
                event = await waiting
            except asyncio.CancelledError:
                event = await stream.get(timeout=TIMEOUT_S)
            assert number == event.count

    run(main())


def test_stream_is_read_by_several_loops_and_threads(make_socket: MakeSocket, run: Run) -> None:
    """A stream outlives a loop; what another thread tells wakes this one."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()

    async def main(number: int) -> None:
        waiting = asyncio.create_task(stream.get(timeout=TIMEOUT_S))
        await asyncio.sleep(0)
        run_in_thread(tell, pull, number).result()
        assert number == (await waiting).count

    async def leave() -> None:
        waiting = asyncio.create_task(stream.get())
        await asyncio.sleep(0)
        assert not waiting.done()

    run(main(1))
    run(leave())
    tell(pull, 2)
    run(main_next(stream, 2))
    run(main(3))


async def main_next(stream: Any, number: int) -> None:
    """The event that came while no loop ran."""
    assert number == (await stream.get(timeout=0)).count


def test_forgotten_stream_listens_no_more(make_socket: MakeSocket, run: Run) -> None:
    """As a synchronous one."""
    pull = make_socket(zmq.PULL)

    async def main() -> None:
        stream = pull.events()
        await bind_and_get(stream)

    async def bind_and_get(stream: Any) -> None:
        bind(pull, "tcp")
        assert "listening" == (await stream.get(timeout=TIMEOUT_S)).kind

    run(main())
    gc.collect()
    eventually(lambda: not pull._engine.observers)
