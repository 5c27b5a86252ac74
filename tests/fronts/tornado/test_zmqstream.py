"""ZMQStream: callbacks for what arrives and leaves, run by tornado's loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TIMEOUT_S, TRANSPORTS, bind, link, purezmq_only, zmq
from tornado.ioloop import IOLoop

Make = Callable[..., Any]
Run = Callable[..., Any]


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():  # noqa: ASYNC110 - for what no event announces
            await asyncio.sleep(0.001)


class Gathered(list[Any]):
    """What a callback was called with; the callback is `keep`."""

    def keep(self, *arguments: Any) -> None:
        self.append(arguments if len(arguments) > 1 else arguments[0])


# -- receiving


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_on_recv_calls_back_with_every_message_in_order(
    run: Run, make_stream: Make, make_socket: Make, transport: str
) -> None:
    """The callback gets each message as the list of its parts."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        got = Gathered()
        stream.on_recv(got.keep)
        push.connect(bind(stream.socket, transport))
        for number in range(500):
            push.send_multipart([b"%d" % number, b"x"])
        await until(lambda: len(got) == 500)
        assert [[b"%d" % number, b"x"] for number in range(500)] == got

    run(body())


def test_messages_that_waited_before_on_recv_are_delivered(run: Run, make_stream: Make, make_socket: Make) -> None:
    """What arrived before the callback was registered isn't forgotten, also after the descriptor went quiet."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        link(stream.socket, push)
        for number in range(5):
            push.send(b"%d" % number)
        await asyncio.sleep(0.02)
        got = Gathered()
        stream.on_recv(got.keep)
        await until(lambda: len(got) == 5)

    run(body())


def test_on_recv_without_copy_gives_frames(run: Run, make_stream: Make, make_socket: Make) -> None:
    """copy=False: the parts are Frames."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))
        got = Gathered()
        stream.on_recv(got.keep, copy=False)
        push.send_multipart([b"a", b"b"])
        await until(lambda: got)
        assert [b"a", b"b"] == [frame.bytes for frame in got[0]]
        assert all(isinstance(frame, zmq.Frame) for frame in got[0])

    run(body())


def test_on_recv_stream_gives_the_stream_too(run: Run, make_stream: Make, make_socket: Make) -> None:
    """One callback can serve several streams: it gets the stream and the message."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))
        got = Gathered()
        stream.on_recv_stream(got.keep)
        push.send(b"x")
        await until(lambda: got)
        assert [(stream, [b"x"])] == got
        stream.on_recv_stream(None)
        assert not stream.receiving()

    run(body())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_stop_on_recv_in_the_callback_lets_the_rest_lie_until_wanted(
    run: Run, make_stream: Make, make_socket: Make, transport: str
) -> None:
    """After stop_on_recv no message is delivered; on_recv goes on where it ended."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, transport))
        got: list[bytes] = []

        def take_one(message: list[bytes]) -> None:
            got.extend(message)
            stream.stop_on_recv()

        stream.on_recv(take_one)
        assert stream.receiving()
        for number in range(10):
            push.send(b"%d" % number)
        await until(lambda: got)
        await asyncio.sleep(0.02)
        assert [b"0"] == got
        assert not stream.receiving()
        stream.on_recv(got.extend)
        await until(lambda: len(got) == 10)
        assert [b"%d" % number for number in range(10)] == got

    run(body())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_messages_that_lie_keep_the_loop_asleep(
    run: Run, make_stream: Make, make_socket: Make, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """A stream that stopped receiving wakes the loop for nothing more, however many messages wait, also at the mark."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL, rcvhwm=5)
        link(stream.socket, push, transport=transport)
        turns: list[int] = []
        handle = stream._handle_events
        stream.io_loop.remove_handler(stream.socket)
        stream.io_loop.add_handler(stream.socket, lambda *_: (turns.append(1), handle(*_)), IOLoop.READ)
        for _ in range(50):
            push.send(b"x" * 1000)
        await asyncio.sleep(0.1)
        # Each arrival may wake it; a descriptor that stays readable would make thousands of turns.
        assert 100 > len(turns)
        got = Gathered()
        stream.on_recv(got.keep)
        await until(lambda: len(got) == 50)

    run(body())


def test_callback_takes_messages_one_per_turn_of_the_loop(run: Run, make_stream: Make, make_socket: Make) -> None:
    """What a callback schedules runs before the next message is delivered: streams share the loop fairly."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))
        seen: list[Any] = []

        def take(message: list[bytes]) -> None:
            seen.append(message[0])
            stream.io_loop.add_callback(seen.append, "between")

        stream.on_recv(take)
        push.send(b"1")
        push.send(b"2")
        await until(lambda: len(seen) == 4)
        assert [b"1", "between", b"2", "between"] == seen

    run(body())


def test_coroutine_callback_is_run_and_its_error_logged(
    run: Run, make_stream: Make, make_socket: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Callbacks may be coroutine functions; what one raises is logged, and messages keep coming."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))
        got: list[bytes] = []

        async def take(message: list[bytes]) -> None:
            await asyncio.sleep(0)
            got.extend(message)
            if message == [b"bad"]:
                raise ValueError("from the coroutine")

        stream.on_recv(take)
        for text in (b"bad", b"good"):
            push.send(text)
        await until(lambda: len(got) == 2)
        await until(lambda: caplog.records)

    run(body())
    assert "Uncaught exception in ZMQStream callback" in caplog.text
    assert "from the coroutine" in caplog.text


@purezmq_only("pyzmq delivers the rest with the next event only")
def test_callback_that_raises_is_logged_and_the_next_message_is_delivered(
    run: Run, make_stream: Make, make_socket: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of a plain callback is logged, and doesn't keep the messages behind it waiting."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))
        got: list[bytes] = []

        def take(message: list[bytes]) -> None:
            got.extend(message)
            if message == [b"bad"]:
                raise ValueError("from the callback")

        for text in (b"bad", b"good"):
            push.send(text)
        stream.on_recv(take)
        await until(lambda: len(got) == 2)

    run(body())
    assert "from the callback" in caplog.text


def test_flush_raises_what_the_callback_raises(run: Run, make_stream: Make, make_socket: Make) -> None:
    """Outside the loop the caller gets the error."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))

        def fail(_message: list[bytes]) -> None:
            raise ValueError("mine")

        stream.on_recv(fail)
        push.send(b"x")
        with pytest.raises(ValueError, match="mine"):
            stream.flush()

    run(body())


# -- sending


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_send_is_queued_and_sent_by_the_loop(run: Run, make_stream: Make, make_socket: Make, transport: str) -> None:
    """send() returns at once; the loop sends in order, and sending() tells what is left."""

    async def body() -> None:
        pull = make_socket(zmq.PULL)
        stream = make_stream(zmq.PUSH)
        link(pull, stream.socket, transport=transport)
        for number in range(100):
            stream.send(b"%d" % number)
        assert stream.sending()
        await until(lambda: not stream.sending())
        assert list(range(100)) == [int(pull.recv()) for _ in range(100)]

    run(body())


def test_send_waits_for_the_first_peer(run: Run, make_stream: Make, make_socket: Make) -> None:
    """Without a peer messages stay in the stream, and leave when one comes."""

    async def body() -> None:
        stream = make_stream(zmq.PUSH)
        endpoint = bind(stream.socket, "tcp")
        stream.send(b"early")
        assert 0 == stream.flush()
        await asyncio.sleep(0.01)
        assert stream.sending()
        pull = make_socket(zmq.PULL)
        pull.connect(endpoint)
        await until(lambda: not stream.sending())
        assert b"early" == pull.recv()

    run(body())


def test_flush_that_fills_the_socket_leaves_the_loop_running(run: Run, make_stream: Make, make_socket: Make) -> None:
    """A turn that was scheduled while there was room doesn't wait for it when flush() has taken it."""

    async def body() -> None:
        pull = make_stream(zmq.PULL, rcvhwm=2)
        push = make_stream(zmq.PUSH, sndhwm=2, sndtimeo=200)
        link(pull.socket, push.socket, transport="inproc")
        for number in range(20):
            push.send(b"%d" % number)
        push.flush()
        assert push.sending()
        got: list[bytes] = []
        await asyncio.sleep(0.01)
        pull.on_recv(got.extend)
        await until(lambda: len(got) == 20)
        assert [b"%d" % number for number in range(20)] == got

    run(body())


def test_flush_whose_callback_takes_the_room_does_not_wait(run: Run, make_stream: Make, make_socket: Make) -> None:
    """A callback within flush() may send by the socket itself; the queue then waits for the loop."""

    async def body() -> None:
        peer = make_socket(zmq.PAIR, rcvhwm=1)
        stream = make_stream(zmq.PAIR, sndhwm=1, sndtimeo=200)
        link(peer, stream.socket, transport="inproc")

        def fill(_message: list[bytes]) -> None:
            while stream.socket.poll(0, zmq.POLLOUT):
                stream.socket.send(b"direct")

        stream.on_recv(fill)
        peer.send(b"go")
        stream.send(b"queued")
        stream.flush()
        assert stream.sending()

    run(body())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_send_above_the_mark_goes_on_when_the_peer_reads(
    run: Run, make_stream: Make, make_socket: Make, transport: str
) -> None:
    """Room made by a reader in another thread wakes the stream, over every transport."""

    async def body() -> None:
        pull = make_socket(zmq.PULL, rcvhwm=2)
        stream = make_stream(zmq.PUSH, sndhwm=2)
        link(pull, stream.socket, transport=transport)
        for number in range(40):
            stream.send_multipart([b"%d" % number, bytes(500_000)])
        got: list[int] = []

        def read() -> None:
            for _ in range(40):
                got.append(int(pull.recv_multipart()[0]))
                time.sleep(0.001)

        thread = threading.Thread(target=read)
        thread.start()
        await until(lambda: not thread.is_alive())
        assert list(range(40)) == got
        assert not stream.sending()

    run(body())


def test_send_callback_gets_message_and_status(run: Run, make_stream: Make, make_socket: Make) -> None:
    """on_send's callback gets the list of parts and a MessageTracker if asked for, else None."""

    async def body() -> None:
        pull = make_socket(zmq.PULL)
        stream = make_stream(zmq.PUSH)
        stream.socket.connect(bind(pull, "inproc"))
        sent = Gathered()
        stream.on_send(sent.keep)
        stream.send(b"plain")
        stream.send_multipart([b"tracked"], copy=False, track=True)
        await until(lambda: len(sent) == 2)
        assert ([b"plain"], None) == sent[0]
        assert [b"tracked"] == sent[1][0]
        assert isinstance(sent[1][1], zmq.MessageTracker)
        stream.stop_on_send()
        stream.send(b"silent")
        await until(lambda: not stream.sending())
        assert 2 == len(sent)

    run(body())


def test_callback_given_to_send_stays_for_later_sends(run: Run, make_stream: Make, make_socket: Make) -> None:
    """send(callback=...) is on_send and send in one."""

    async def body() -> None:
        pull = make_socket(zmq.PULL)
        stream = make_stream(zmq.PUSH)
        stream.socket.connect(bind(pull, "inproc"))
        first, second = Gathered(), Gathered()
        stream.send(b"1", callback=first.keep)
        stream.send(b"2", callback=second.keep)
        stream.send(b"3")
        await until(lambda: not stream.sending())
        assert [] == first
        assert [([b"1"], None), ([b"2"], None), ([b"3"], None)] == second
        coroutine_saw = []

        async def third(message: list[bytes], status: Any) -> None:
            coroutine_saw.append((message, status))

        stream.send(b"4", callback=third)
        await until(lambda: coroutine_saw)

    run(body())


def test_on_send_stream_gives_the_stream_too(run: Run, make_stream: Make, make_socket: Make) -> None:
    """The callback gets stream, message and status."""

    async def body() -> None:
        pull = make_socket(zmq.PULL)
        stream = make_stream(zmq.PUSH)
        stream.socket.connect(bind(pull, "inproc"))
        sent = Gathered()
        stream.on_send_stream(sent.keep)
        stream.send(b"x")
        await until(lambda: sent)
        assert [(stream, [b"x"], None)] == sent
        stream.on_send_stream(None)

    run(body())


def test_serialized_messages_arrive_as_the_socket_reads_them(run: Run, make_stream: Make, make_socket: Make) -> None:
    """send_string, send_unicode, send_json and send_pyobj match the socket's recv methods."""

    async def body() -> None:
        pull = make_socket(zmq.PULL)
        stream = make_stream(zmq.PUSH)
        stream.socket.connect(bind(pull, "inproc"))
        stream.send_string("grün")
        stream.send_unicode("rot", encoding="latin-1")
        stream.send_json({"a": [1]})
        stream.send_pyobj({1, 2})
        assert 4 == stream.flush()
        assert "grün" == pull.recv_string()
        assert b"rot" == pull.recv()
        assert {"a": [1]} == pull.recv_json()
        assert {1, 2} == pull.recv_pyobj()
        with pytest.raises(TypeError):
            stream.send_string(b"bytes")

    run(body())


def test_send_error_is_logged_and_given_to_the_callback(
    run: Run, make_stream: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """A ZMQError of the socket is the status that the callback gets."""

    async def body() -> None:
        stream = make_stream(zmq.ROUTER, router_mandatory=1)
        peer = stream.socket.context.socket(zmq.DEALER)
        peer.connect(bind(stream.socket, "inproc"))
        sent = Gathered()
        stream.send_multipart([b"nobody", b"x"], callback=sent.keep)
        await until(lambda: sent)
        peer.close(0)
        assert [b"nobody", b"x"] == sent[0][0]
        assert zmq.EHOSTUNREACH == sent[0][1].errno

    with caplog.at_level(logging.ERROR):
        run(body())
    assert "SEND Error" in caplog.text


# -- flush


def test_flush_counts_what_it_handled(run: Run, make_stream: Make, make_socket: Make) -> None:
    """flush() handles both directions up to a limit (0: none); POLLIN without a callback forgets messages."""

    async def body() -> None:
        pair = make_socket(zmq.PAIR)
        stream = make_stream(zmq.PAIR)
        stream.socket.connect(bind(pair, "inproc"))
        for _ in range(5):
            pair.send(b"in")
            stream.send(b"out")
        assert 2 == stream.flush(zmq.POLLIN, limit=2)
        assert 3 == stream.flush(zmq.POLLIN)
        assert 0 == stream.flush(zmq.POLLIN)
        assert 5 == stream.flush(zmq.POLLOUT, limit=0)
        assert [b"out"] * 5 == [pair.recv() for _ in range(5)]
        got = Gathered()
        stream.on_recv(got.keep)
        pair.send(b"in")
        stream.send(b"out")
        assert 2 == stream.flush()
        assert [[b"in"]] == got

    run(body())


# -- the end


def test_close_calls_back_and_further_calls_raise(run: Run, make_stream: Make) -> None:
    """close() closes the socket, once; then methods raise OSError."""

    async def body() -> None:
        stream = make_stream(zmq.PAIR)
        socket = stream.socket
        closed: list[bool] = []
        stream.set_close_callback(lambda: closed.append(stream.closed()))
        stream.close(linger=0)
        stream.close()
        assert [True] == closed
        assert socket.closed
        assert stream.socket is None
        for call in (lambda: stream.send(b""), stream.flush, lambda: stream.on_recv(print), stream.stop_on_send):
            with pytest.raises(OSError, match="Stream is closed"):
                call()

    run(body())


def test_close_in_a_callback_ends_the_delivery(run: Run, make_stream: Make, make_socket: Make) -> None:
    """A callback may close its stream; messages behind are not delivered."""

    async def body() -> None:
        push = make_socket(zmq.PUSH)
        stream = make_stream(zmq.PULL)
        push.connect(bind(stream.socket, "inproc"))
        got: list[Any] = []
        stream.on_recv(lambda message: (got.append(message), stream.close()))
        push.send(b"1")
        push.send(b"2")
        await until(stream.closed)
        await asyncio.sleep(0.01)
        assert [[b"1"]] == got

    run(body())


def test_socket_closed_behind_the_stream_is_told_with_a_warning(run: Run, make_stream: Make) -> None:
    """closed() notices it, cleans up, and warns: another socket may own the descriptor by now."""

    async def body() -> None:
        stream = make_stream(zmq.PAIR)
        closed: list[int] = []
        stream.set_close_callback(lambda: closed.append(1))
        stream.socket.close()
        with pytest.warns(UserWarning, match=r"stream\.close\(\)"):
            assert stream.closed()
        assert stream.closed()
        assert [1] == closed

    run(body())


@purezmq_only("pyzmq logs an error in every turn of the loop until the stream is closed")
def test_terminated_context_is_told_once(
    run: Run, make_stream: Make, make_context: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """When the context is terminated the error is logged, and the loop is not kept busy until the stream is closed."""

    async def body() -> None:
        context = make_context()
        stream = make_stream(context.socket(zmq.PULL))
        stream.on_recv(lambda message: None)
        ending = asyncio.get_running_loop().run_in_executor(None, context.term)
        await until(lambda: caplog.records)
        await asyncio.sleep(0.05)
        stream.close()
        await ending

    run(body())
    assert 1 == caplog.text.count("Uncaught exception in zmqstream callback")


# -- the rest of the surface


def test_methods_of_the_socket_are_linked(run: Run, make_stream: Make) -> None:
    """bind, connect and the options are the socket's own; the loop is the current one."""

    async def body() -> None:
        stream = make_stream(zmq.PAIR)
        socket = stream.socket
        for name in ("bind", "connect", "bind_to_random_port", "setsockopt", "getsockopt", "getsockopt_string"):
            assert getattr(socket, name) == getattr(stream, name)
        stream.setsockopt(zmq.LINGER, 7)
        assert 7 == stream.getsockopt(zmq.LINGER)
        assert stream.io_loop is IOLoop.current()
        assert isinstance(stream.poller, zmq.Poller)

    run(body())


def test_what_is_no_callback_is_refused(run: Run, make_stream: Make, caplog: pytest.LogCaptureFixture) -> None:
    """on_recv and on_send take callables; on_err does nothing but say so."""

    async def body() -> None:
        stream = make_stream(zmq.PAIR)
        with pytest.raises(AssertionError):
            stream.on_recv(5)
        with pytest.raises(AssertionError):
            stream.on_send(5)
        stream.on_err(print)
        stream.stop_on_err()

    run(body())
    assert "on_err does nothing" in caplog.text


def test_streams_of_two_loops_in_two_threads_talk(make_socket: Make) -> None:
    """Each thread has its loop; a stream belongs to the one it is given."""
    stream_class = type_of_stream()
    rep, req = make_socket(zmq.REP), make_socket(zmq.REQ)
    link(rep, req)
    answers: list[Any] = []

    def serve() -> None:
        async def body() -> None:
            done = asyncio.Event()
            stream = stream_class(rep, IOLoop.current())

            def answer(message: list[bytes]) -> None:
                stream.send_multipart(message)
                if message == [b"last"]:
                    done.set()

            stream.on_recv(answer)
            async with asyncio.timeout(TIMEOUT_S):
                await done.wait()
                await until(lambda: not stream.sending())
            stream.close(1000)

        asyncio.run(body())

    thread = threading.Thread(target=serve)
    thread.start()
    for text in (b"first", b"last"):
        req.send(text)
        answers.append(req.recv())
    thread.join(TIMEOUT_S)
    assert [b"first", b"last"] == answers


def type_of_stream() -> Any:
    """The class under test."""
    from tests.support import library_module

    return library_module("eventloop.zmqstream").ZMQStream


def test_call_from_another_thread_through_the_loop_is_safe(run: Run, make_stream: Make, make_socket: Make) -> None:
    """io_loop.add_callback(stream.send) is how other threads send, as Jupyter's clients do."""

    async def body() -> None:
        pull = make_socket(zmq.PULL)
        stream = make_stream(zmq.PUSH)
        link(pull, stream.socket)
        loop = stream.io_loop
        thread = threading.Thread(
            target=lambda: [loop.add_callback(stream.send, b"%d" % number) for number in range(200)]
        )
        thread.start()
        await until(lambda: not thread.is_alive() and not stream.sending() and pull.poll(0))
        assert list(range(200)) == [int(pull.recv()) for _ in range(200)]

    run(body())
