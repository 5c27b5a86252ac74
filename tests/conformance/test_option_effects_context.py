"""Options of a context: its I/O threads, its limits, and defaults of its sockets."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import Call, EventWatch, bind, eventually, free_endpoint, link, purezmq_only, run_in_thread, zmq
from tests.support.effects import effect_of

MakeSocket = Callable[..., Any]
MakeContext = Callable[..., Any]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="names and options of Linux")


def thread_named(prefix: str) -> int:
    """The system's number of the thread whose name begins so; waits for it."""

    def find() -> int:
        for path in Path("/proc/self/task").iterdir():
            try:
                if (path / "comm").read_text().startswith(prefix):
                    return int(path.name)
            except FileNotFoundError:  # it ended meanwhile
                continue
        return 0

    return int(eventually(find))


def io_thread(make_context: MakeContext, make_socket: MakeSocket, name: str, *options: tuple[str, int]) -> int:
    """The number of the I/O thread of a context with these options, whose name begins with `name`."""
    context = make_context()
    context.set(zmq.THREAD_NAME_PREFIX, name)
    for option, value in options:
        context.set(getattr(zmq, option), value)
    bind(make_socket(zmq.PULL, within=context), "tcp")
    return thread_named(f"{name}/")


@purezmq_only("its prefix is a number")
@LINUX
@effect_of("Context.THREAD_NAME_PREFIX")
@pytest.mark.parametrize("prefix", ["app", 4711])
def test_thread_name_prefix_begins_the_name_of_io_threads(
    make_context: MakeContext, make_socket: MakeSocket, prefix: str | int
) -> None:
    """The system's name of the thread; a number or text, and read back as it was given."""
    context = make_context()
    context.set(zmq.THREAD_NAME_PREFIX, prefix)
    assert prefix == context.get(zmq.THREAD_NAME_PREFIX)
    bind(make_socket(zmq.PULL, within=context), "tcp")
    assert thread_named(f"{prefix}/purezmq-io")


@LINUX
@purezmq_only("its threads have other names")
@effect_of("Context.THREAD_AFFINITY_CPU_ADD", "Context.THREAD_AFFINITY_CPU_REMOVE")
def test_thread_affinity_binds_io_threads_to_processors(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """Those that were added and not removed again."""
    cpu = max(os.sched_getaffinity(0))
    options = [("THREAD_AFFINITY_CPU_ADD", cpu), ("THREAD_AFFINITY_CPU_ADD", 5000)]
    thread = io_thread(make_context, make_socket, "cpus", *options, ("THREAD_AFFINITY_CPU_REMOVE", 5000))
    eventually(lambda: os.sched_getaffinity(thread) == {cpu})


@LINUX
@purezmq_only("its threads have other names")
@effect_of("Context.THREAD_SCHED_POLICY")
def test_thread_sched_policy_is_that_of_io_threads(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """SCHED_BATCH needs no privilege; the application's own thread keeps its policy."""
    own = os.sched_getscheduler(0)
    thread = io_thread(make_context, make_socket, "batch", ("THREAD_SCHED_POLICY", os.SCHED_BATCH))
    eventually(lambda: os.sched_getscheduler(thread) == os.SCHED_BATCH)
    assert own == os.sched_getscheduler(0)


@LINUX
@purezmq_only("the system is asked directly")
@effect_of("Context.SOCKET_LIMIT")
@pytest.mark.parametrize("policy", [os.SCHED_RR, os.SCHED_BATCH])
def test_thread_priority_is_asked_of_the_system(
    make_context: MakeContext, make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch, policy: int
) -> None:
    """A realtime policy has priorities; where there are none, the most urgent nice value stands for one."""
    asked: list[Any] = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda pid, policy, param: asked.append((policy, int(param[0]))))
    monkeypatch.setattr(os, "setpriority", lambda which, who, value: asked.append(value))
    io_thread(make_context, make_socket, "prio", ("THREAD_SCHED_POLICY", policy), ("THREAD_PRIORITY", 7))
    expected = [(policy, 7)] if policy == os.SCHED_RR else [(policy, 0), -20]
    eventually(lambda: asked == expected)


@LINUX
@purezmq_only("a thread that can't be set up as asked ends the process")
def test_refused_thread_settings_are_logged_and_change_nothing(
    make_context: MakeContext, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    """Processors that don't exist: the thread serves its sockets all the same."""
    context = make_context()
    context.set(zmq.THREAD_AFFINITY_CPU_ADD, 5000)
    link(make_socket(zmq.PULL, within=context), make_socket(zmq.PUSH, within=context))
    assert "THREAD_ option" in caplog.text


@effect_of("Context.SOCKET_LIMIT", "Context.MSG_T_SIZE")
def test_limits_of_the_library_can_be_read(context: Any) -> None:
    """MAX_SOCKETS may be set to SOCKET_LIMIT; a C message would take 64 bytes."""
    context.set(zmq.MAX_SOCKETS, context.get(zmq.SOCKET_LIMIT))
    assert (65535, 64) == (context.get(zmq.MAX_SOCKETS), context.get(zmq.MSG_T_SIZE))


@purezmq_only("a program may make as many as it likes; more is served by one of them")
@effect_of("Context.IO_THREADS")
def test_io_threads_share_the_sockets(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """Each thread serves its part."""
    context = make_context(3)
    sockets = [make_socket(zmq.PULL, within=context) for _ in range(6)]
    assert [2, 2, 2] == [sum(socket._engine.loop is loop for socket in sockets) for loop in context.loops.loops]


@purezmq_only("sends larger messages nevertheless")
@effect_of("Context.MAX_MSGSZ")
@pytest.mark.parametrize("kind", ["PUSH", "PUB", "DEALER", "PAIR"])
def test_max_msgsz_refuses_larger_messages(make_context: MakeContext, make_socket: MakeSocket, kind: str) -> None:
    """EMSGSIZE names size and limit; a message of exactly the limit is sent."""
    context = make_context()
    context.set(zmq.MAX_MSGSZ, 10)
    sender = make_socket(getattr(zmq, kind), within=context)
    sender.connect(free_endpoint())
    with pytest.raises(zmq.ZMQError, match=r"11 bytes.*MAX_MSGSZ.*10") as caught:
        sender.send(bytes(11))
    assert errno.EMSGSIZE == caught.value.errno
    with pytest.raises(zmq.ZMQError):
        sender.send_multipart([bytes(5), bytes(6)])
    sender.send(bytes(10))
    sender.send_multipart([bytes(5), bytes(5)])


@effect_of("Context.MAX_MSGSZ")
def test_max_msgsz_lets_smaller_messages_through(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """Single and multipart messages below the limit arrive."""
    context = make_context()
    context.set(zmq.MAX_MSGSZ, 100)
    pull, push = make_socket(zmq.PULL, within=context), make_socket(zmq.PUSH, within=context)
    link(pull, push)
    for number in range(100):
        push.send(b"%d" % number)
        push.send_multipart([b"%d" % number, b"x"])
    expected = [parts for number in range(100) for parts in ([b"%d" % number], [b"%d" % number, b"x"])]
    assert expected == [pull.recv_multipart() for _ in expected]


@purezmq_only("sends larger messages nevertheless")
@effect_of("Context.MAX_MSGSZ")
def test_max_msgsz_counts_what_is_sent_not_the_address(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """The routing id that a ROUTER's message begins with isn't sent, nor is the number of a SERVER's peer."""
    context = make_context()
    context.set(zmq.MAX_MSGSZ, 3)
    router, dealer = make_socket(zmq.ROUTER, within=context), make_socket(zmq.DEALER, routing_id=b"a long one")
    link(router, dealer)
    router.send_multipart([b"a long one", b"123"])
    assert b"123" == dealer.recv()
    server, client = make_socket(zmq.SERVER, within=context), make_socket(zmq.CLIENT)
    link(server, client)
    client.send(b"hello")
    number = server.recv(copy=False).routing_id
    with pytest.raises(zmq.ZMQError, match="MAX_MSGSZ"):
        server.send(b"1234", routing_id=number)
    server.send(b"123", routing_id=number)
    assert b"123" == client.recv()


@purezmq_only("sends larger messages nevertheless")
def test_max_msgsz_lets_a_proxy_drop_larger_messages(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """A proxy has nobody to tell: it goes on with the next message."""
    context = make_context()
    context.set(zmq.MAX_MSGSZ, 3)
    front, back = make_socket(zmq.PULL, within=context), make_socket(zmq.PUSH, within=context)
    push, pull = make_socket(zmq.PUSH), make_socket(zmq.PULL)
    link(front, push)
    link(back, pull)
    carrier = run_in_thread(zmq.proxy, front, back)
    for body in (b"1", b"too large", b"2"):
        push.send(body)
    assert [b"1", b"2"] == [pull.recv(), pull.recv()]
    Call(context.destroy, 0).wait()
    carrier.wait()


@effect_of("Context.IPV6")
def test_context_ipv6_is_the_default_of_its_sockets(make_context: MakeContext, make_socket: MakeSocket) -> None:
    """A socket made later is a dual-stack one."""
    context = make_context()
    context.set(zmq.IPV6, 1)
    pull = make_socket(zmq.PULL, within=context)
    assert 1 == pull.ipv6
    with EventWatch(pull) as events:
        pull.bind("tcp://*:*")
        assert b"[::]" in events.wait_for(zmq.EVENT_LISTENING)["endpoint"]
