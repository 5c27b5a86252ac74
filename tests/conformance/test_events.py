"""Typed events: `socket.events()`, and what each event says."""

from __future__ import annotations

import gc
import itertools
import signal
import socket as socket_module
import struct
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from tests.support import EventWatch, bind, eventually, free_endpoint, link, purezmq_only, run_in_thread, zmq
from tests.support.raw_peer import RawPeer

MakeSocket = Callable[..., Any]
STREAM_TRANSPORTS = ["tcp", "ipc"]

pytestmark = purezmq_only("libzmq has a monitor socket and no typed events")


def next_of(stream: Any, kind: str, timeout: float = 5.0) -> Any:
    """Skip events until one of `kind`."""
    seen = []
    while True:
        event = stream.get(timeout=timeout)
        seen.append(event.kind)
        if event.kind == kind:
            return event
        assert len(seen) < 1000, seen


def kinds_until(stream: Any, kind: str) -> list[str]:
    """The kinds up to the first `kind`."""
    kinds: list[str] = []
    while not kinds or kinds[-1] != kind:
        kinds.append(stream.get(timeout=5.0).kind)
    return kinds


def tell(socket: Any, kind: str, **details: Any) -> None:
    """Let the engine tell something, as its own parts do."""
    with socket._engine.lease:
        socket._engine.tell(kind, **details)


# -- what events say -----------------------------------------------------------------------------------------------


def test_disconnected_counts_what_this_connection_had_given_to_the_system(make_socket: MakeSocket) -> None:
    """What earlier connections had is not counted again, and what is queued without one isn't."""
    push = make_socket(zmq.PUSH, reconnect_ivl=10)
    events = push.events()
    with socket_module.create_server(("127.0.0.1", 0)) as server:
        push.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        for count in (3, 2):
            with RawPeer(server.accept()[0]) as peer:
                peer.shake_hands("PULL")
                for _ in range(count):
                    push.send(b"x")
                    assert (0, b"x") == peer.receive_frame()
            assert count == next_of(events, "disconnected").count


@pytest.mark.parametrize("transport", STREAM_TRANSPORTS)
def test_bound_side_tells_the_life_of_a_connection(make_socket: MakeSocket, transport: str) -> None:
    """Endpoint as configured, the peer's routing id and mechanism once known, one number for all of a connection."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"me")
    stream = router.events()
    endpoint = bind(router, transport)
    configured = "tcp://127.0.0.1:*" if transport == "tcp" else endpoint
    listening = stream.get(timeout=5)
    assert ("listening", configured, 0) == (listening.kind, listening.endpoint, listening.connection)
    assert endpoint.partition("://")[2] == listening.address
    dealer.connect(endpoint)
    accepted, ready = stream.get(timeout=5), stream.get(timeout=5)
    dealer.close()
    gone = stream.get(timeout=5)
    assert ["accepted", "handshake_succeeded", "disconnected"] == [accepted.kind, ready.kind, gone.kind]
    assert {configured} == {event.endpoint for event in (accepted, ready, gone)}
    assert [(b"", ""), (b"me", "NULL"), (b"me", "NULL")] == [
        (event.routing_id, event.mechanism) for event in (accepted, ready, gone)
    ]
    (number,) = {event.connection for event in (accepted, ready, gone)}
    assert number > 0
    assert "closed" in gone.error
    assert accepted.time <= ready.time <= gone.time
    if transport == "tcp":
        assert 1 == len({event.address for event in (accepted, ready, gone)})
        assert accepted.address.startswith("127.0.0.1:")
        assert accepted.address not in endpoint


@pytest.mark.parametrize("transport", STREAM_TRANSPORTS)
def test_connecting_side_tells_the_life_of_a_connection(make_socket: MakeSocket, transport: str) -> None:
    """The same, with the attempts before and after; each connection has a number of its own."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH, reconnect_ivl=10)
    stream = push.events()
    endpoint = bind(pull, transport)
    push.connect(endpoint)
    first = next_of(stream, "connected")
    assert (endpoint, endpoint.partition("://")[2], "") == (first.endpoint, first.address, first.mechanism)
    assert "NULL" == next_of(stream, "handshake_succeeded").mechanism
    pull.unbind(endpoint)
    assert first.connection == next_of(stream, "disconnected").connection
    retried = next_of(stream, "connect_retried")
    assert (0, "", "") == (retried.connection, retried.address, retried.mechanism)
    closed = next_of(stream, "closed")
    assert 0 != closed.value
    assert "refused" in closed.error or "No such file" in closed.error or "connect" in closed.error
    eventually(lambda: bind_quietly(pull, endpoint))
    second = next_of(stream, "connected")
    assert ("", 0) == (second.mechanism, len(second.routing_id))
    assert second.connection not in {0, first.connection}


def bind_quietly(socket: Any, endpoint: str) -> bool:
    """Bind, unless the address is not free yet."""
    try:
        socket.bind(endpoint)
    except zmq.ZMQError:
        return False
    return True


def test_kinds_of_libzmq_have_their_number(make_socket: MakeSocket) -> None:
    """`event` is the member of purezmq.Event; new kinds have none."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    bind(pull, "tcp")
    assert zmq.Event.LISTENING is stream.get(timeout=5).event
    tell(pull, "swap_corrupt", count=3)
    corrupt = stream.get(timeout=5)
    assert (None, 3) == (corrupt.event, corrupt.count)


def test_events_cannot_be_changed(make_socket: MakeSocket) -> None:
    """They are frozen, and equal to a copy."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    bind(pull, "tcp")
    event = stream.get(timeout=5)
    assert isinstance(event, zmq.SocketEvent)
    with pytest.raises(AttributeError):
        event.kind = "other"
    assert 1 == len({event, event})


def test_failed_handshake_says_why(make_socket: MakeSocket) -> None:
    """The connection's own text reaches the event of the failure and the disconnection."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    with RawPeer.connect(bind(pull, "tcp")) as peer:
        peer.send(b"GET / HTTP/1.1\r\n\r\n" + bytes(64))
        failed = next_of(stream, "handshake_failed_protocol")
    gone = next_of(stream, "disconnected")
    assert failed.error
    assert (failed.error, failed.connection, "protocol") == (gone.error, gone.connection, gone.reason)


def test_incompatible_peer_is_named_in_disconnection(make_socket: MakeSocket) -> None:
    """libzmq has no event for it; the text says which types met."""
    pull, sub = make_socket(zmq.PULL), make_socket(zmq.SUB)
    stream = pull.events()
    sub.connect(bind(pull, "tcp"))
    gone = next_of(stream, "disconnected")
    assert "SUB" in gone.error
    assert "incompatible" == gone.reason


def test_failed_bind_says_why(make_socket: MakeSocket) -> None:
    """The text of the exception is the event's, too."""
    pull, other = make_socket(zmq.PULL), make_socket(zmq.PULL)
    stream = other.events()
    endpoint = bind(pull, "tcp")
    with pytest.raises(zmq.ZMQError) as caught:
        other.bind(endpoint)
    failed = stream.get(timeout=5)
    assert ("bind_failed", endpoint, zmq.EADDRINUSE) == (failed.kind, failed.endpoint, failed.value)
    assert str(caught.value) == failed.error


# -- streams -------------------------------------------------------------------------------------------------------


def test_name_events_is_still_the_option(make_socket: MakeSocket) -> None:
    """Programs of pyzmq read ``socket.events`` as EVENTS: a number, with a call on top."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    assert 0 == pull.events
    link(pull, push)
    assert zmq.POLLOUT == push.events
    push.send(b"x")
    assert eventually(lambda: pull.events & zmq.POLLIN)
    assert isinstance(pull.events, int)
    assert int is type(pull.EVENTS)


def test_streams_live_beside_each_other_and_the_monitor(make_socket: MakeSocket) -> None:
    """Each gets every event, and the monitor's frames stay libzmq's."""
    pull = make_socket(zmq.PULL)
    with EventWatch(pull) as events, pull.events() as first, pull.events() as second:
        endpoint = bind(pull, "tcp")
        listening = events.next()
        assert first.get(timeout=5) == second.get(timeout=5)
        assert (zmq.EVENT_LISTENING, endpoint.encode()) == (listening["event"], listening["endpoint"])
        first.close()
        pull.unbind(endpoint)
        assert "closed" == second.get(timeout=5).kind
        assert zmq.EVENT_CLOSED == events.next()["event"]
        assert [] == list(first)


def test_frames_of_monitor_are_unchanged_by_streams(make_socket: MakeSocket) -> None:
    """Two frames, of libzmq's numbers and the resolved endpoint, with a stream open."""
    pull, monitor = make_socket(zmq.PULL), make_socket(zmq.PAIR)
    pull.monitor("inproc://monitor-with-stream", zmq.EVENT_ALL)
    monitor.connect("inproc://monitor-with-stream")
    with pull.events() as stream:
        endpoint = bind(pull, "tcp")
        value = stream.get(timeout=5).value
        assert [struct.pack("=HI", zmq.EVENT_LISTENING, value), endpoint.encode()] == monitor.recv_multipart()
        tell(pull, "message_dropped", count=1, reason="newest")
        assert not monitor.poll(20)


def test_stream_begins_when_it_is_opened(make_socket: MakeSocket) -> None:
    """What came before is not in it; what comes before the first read is."""
    pull = make_socket(zmq.PULL)
    bind(pull, "tcp")
    stream = pull.events()
    second = bind(pull, "tcp")
    event = stream.get(timeout=0)
    assert ("listening", second.rpartition(":")[2]) == (event.kind, event.address.rpartition(":")[2])
    with pytest.raises(zmq.Again):
        stream.get(timeout=0)


def test_full_stream_drops_oldest_and_counts(make_socket: MakeSocket) -> None:
    """At most max_events wait."""
    pull = make_socket(zmq.PULL)
    stream = pull.events(timeout=0, max_events=3)
    for number in range(10):
        tell(pull, "durable_expired", count=number)
    assert ([7, 8, 9], 7) == ([event.count for event in stream], stream.dropped)
    tell(pull, "durable_expired", count=10)
    assert ([10], 7) == ([event.count for event in stream], stream.dropped)


@pytest.mark.parametrize("limit", [0, -1])
def test_stream_that_holds_nothing_is_refused(make_socket: MakeSocket, limit: int) -> None:
    """max_events is at least 1."""
    with pytest.raises(ValueError, match="at least 1"):
        make_socket(zmq.PULL).events(max_events=limit)


def test_iteration_ends_quietly_and_goes_on_later(make_socket: MakeSocket) -> None:
    """The timeout is for each event; get() raises Again instead."""
    pull = make_socket(zmq.PULL)
    stream = pull.events(timeout=0.02)
    assert [] == list(stream)
    bind(pull, "tcp")
    assert ["listening"] == [event.kind for event in stream]
    with pytest.raises(zmq.Again):
        stream.get()
    with pytest.raises(zmq.Again):
        stream.get(timeout=0.01)


@pytest.mark.parametrize("how", ["stream", "socket", "term"])
def test_stream_ends_after_what_was_collected(make_socket: MakeSocket, make_context: Any, how: str) -> None:
    """close() of the stream or the socket, term of the context: what is queued is read first."""
    context = make_context()
    pull = make_socket(zmq.PULL, within=context)
    stream = pull.events()
    bind(pull, "tcp")
    if how == "term":
        call = run_in_thread(context.term)
        eventually(lambda: stream.closed)
    elif how == "socket":
        pull.close(0)
    else:
        stream.close()
        stream.close()
    expected = ["listening", "closed"] if how == "socket" else ["listening"]
    assert expected == [event.kind for event in stream]
    with pytest.raises(zmq.ContextTerminated if how == "term" else zmq.ZMQError) as caught:
        stream.get()
    assert (zmq.ETERM if how == "term" else zmq.ENOTSOCK) == caught.value.errno
    if how == "term":
        pull.close(0)
        call.result()


@pytest.mark.parametrize("how", ["stream", "socket", "term"])
def test_blocked_reader_is_woken_by_the_end(make_socket: MakeSocket, make_context: Any, how: str) -> None:
    """No reader hangs."""
    context = make_context()
    pull = make_socket(zmq.PULL, within=context)
    stream = pull.events()
    readers = [run_in_thread(lambda: list(stream)) for _ in range(2)]
    assert readers[0].still_runs_after(0.05)
    if how == "term":
        call = run_in_thread(context.term)
    elif how == "socket":
        pull.close(0)
    else:
        stream.close()
    assert [[], []] == [reader.result() for reader in readers]
    if how == "term":
        pull.close(0)
        call.result()


def test_blocked_reader_gets_event_of_another_thread(make_socket: MakeSocket) -> None:
    """It sleeps until there is one."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    reader = run_in_thread(stream.get)
    assert reader.still_runs_after(0.05)
    bind(pull, "tcp")
    assert "listening" == reader.result().kind


def test_closed_socket_has_no_stream(make_socket: MakeSocket) -> None:
    """ENOTSOCK, as every call."""
    pull = make_socket(zmq.PULL)
    pull.close(0)
    with pytest.raises(zmq.ZMQError) as caught:
        pull.events()
    assert zmq.ENOTSOCK == caught.value.errno


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_signal_interrupts_a_wait(make_socket: MakeSocket) -> None:
    """What a signal handler raises ends the wait, as Ctrl-C does; the stream goes on."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            stream.get()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    bind(pull, "tcp")
    assert "listening" == stream.get(timeout=5).kind


def test_forgotten_stream_listens_no_more(make_socket: MakeSocket) -> None:
    """The engine lets go of it."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    assert 1 == len(pull._engine.observers)
    del stream
    gc.collect()
    eventually(lambda: not pull._engine.observers)


@pytest.mark.filterwarnings("ignore:Unclosed socket:ResourceWarning")
def test_stream_does_not_keep_its_socket(context: Any) -> None:
    """A forgotten socket is closed, and its streams end."""
    socket = context.socket(zmq.PULL)
    forgotten = weakref.ref(socket)
    stream = socket.events(timeout=5)
    del socket
    gc.collect()
    assert forgotten() is None
    eventually(lambda: stream.closed)
    assert [] == list(stream)


def test_every_event_goes_to_one_of_several_readers(make_socket: MakeSocket) -> None:
    """Threads share a stream; none gets what another got, none is lost."""
    pull = make_socket(zmq.PULL)
    stream = pull.events()
    readers = [run_in_thread(lambda: [event.count for event in stream]) for _ in range(3)]
    for number in range(300):
        tell(pull, "durable_expired", count=number)
    eventually(lambda: not len(stream._queue))
    stream.close()
    assert list(range(300)) == sorted(itertools.chain.from_iterable(reader.result() for reader in readers))


# -- drops ---------------------------------------------------------------------------------------------------------


def test_unread_drops_are_merged_by_peer_and_reason(make_socket: MakeSocket) -> None:
    """A flood takes one place per peer and reason, and the sum stays exact."""
    push = make_socket(zmq.PUSH)
    stream = push.events(timeout=0, max_events=10)
    for number in range(1000):
        endpoint = f"tcp://peer-{number % 2}:1"
        tell(push, "message_dropped", endpoint=endpoint, count=2, reason="newest" if number % 4 < 2 else "oldest")
    assert 4 * [500] == [event.count for event in stream]
    assert 0 == stream.dropped


def test_other_events_part_drops(make_socket: MakeSocket) -> None:
    """The order of what happened is kept."""
    push = make_socket(zmq.PUSH)
    stream = push.events(timeout=0)
    for kind in ("message_dropped", "message_dropped", "swap_full", "message_dropped"):
        tell(push, kind, count=1, reason="full")
    assert [("message_dropped", 2), ("swap_full", 1), ("message_dropped", 1)] == [
        (event.kind, event.count) for event in stream
    ]


def test_drops_read_meanwhile_are_told_once(make_socket: MakeSocket) -> None:
    """What was read is not in the next event."""
    push = make_socket(zmq.PUSH)
    stream = push.events()
    counted = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set() or len(stream._queue):
            counted.extend(event.count for event in push_events)

    push_events = stream
    stream._timeout = 0.001
    reader = run_in_thread(read)
    for _ in range(5000):
        tell(push, "message_dropped", count=3, reason="newest")
    stop.set()
    reader.result()
    assert 15000 == sum(counted)
    assert 0 == stream.dropped


def test_drop_names_the_peer_of_its_pipe(make_socket: MakeSocket) -> None:
    """Endpoint, address, routing id and connection are the peer's."""
    router, dealer = make_socket(zmq.ROUTER), make_socket(zmq.DEALER, routing_id=b"D")
    stream = router.events()
    link(router, dealer)
    ready = next_of(stream, "handshake_succeeded")
    (pipe,) = router._engine.pipes()
    tell(router, "message_dropped", pipe=pipe, count=1, reason="newest")
    dropped = next_of(stream, "message_dropped")
    assert (ready.connection, ready.address, ready.endpoint, b"D") == (
        dropped.connection, dropped.address, dropped.endpoint, dropped.routing_id
    )  # fmt: skip


def test_drop_over_inproc_names_the_endpoint(make_socket: MakeSocket) -> None:
    """There is no connection and no address."""
    pull, push = make_socket(zmq.PULL), make_socket(zmq.PUSH)
    endpoint = link(pull, push, transport="inproc")
    with push.events() as stream:
        (pipe,) = push._engine.pipes()
        tell(push, "message_dropped", pipe=pipe, count=1, reason="newest")
        event = stream.get(timeout=5)
    assert (endpoint, "", 0) == (event.endpoint, event.address, event.connection)


def test_unreachable_peer_is_told_again_and_again(make_socket: MakeSocket) -> None:
    """Each failed attempt is an event with its cause."""
    push = make_socket(zmq.PUSH, reconnect_ivl=5)
    stream = push.events()
    push.connect(free_endpoint())
    assert ["connect_delayed", "closed"] == kinds_until(stream, "closed")
    assert "connect_retried" == stream.get(timeout=5).kind
    assert next_of(stream, "closed").error
