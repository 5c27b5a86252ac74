"""Roles of workers that use a library through pyzmq's API, with the library's default options.

Every role takes the imported library, its options and the line to the parent. "count" messages are measured; one
more starts the clock. Nothing here may know which library it runs on.
"""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.payload import payload_sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.cli.bench.worker import Control

__all__ = ["ROLES", "bind_socket", "connected_socket", "count_received", "measure_trips", "resident_bytes"]

#: Round trips before the measured ones.
WARM_UP_TRIPS = 300
HELLO, START = b"hello", b"start"


def bind_socket(zmq: Any, sock: Any, endpoint: str) -> str:
    """Bind `sock` and return the endpoint that others connect to."""
    sock.bind(endpoint)
    last = sock.getsockopt(zmq.LAST_ENDPOINT)
    return last.rstrip(b"\0").decode() if isinstance(last, bytes) else str(last)


def connected_socket(zmq: Any, kind: int, endpoint: str) -> Any:
    """Return a new socket connected to `endpoint`."""
    sock = zmq.Context.instance().socket(kind)
    sock.connect(endpoint)
    return sock


def bound_socket(zmq: Any, kind: int, options: dict[str, Any], control: Control) -> Any:
    """Return a new socket bound where the options say; the endpoint is reported."""
    sock = zmq.Context.instance().socket(kind)
    control.report(endpoint=bind_socket(zmq, sock, options["bind"]))
    return sock


def try_receive(zmq: Any, sock: Any) -> bool:
    """Receive one message if it comes within the socket's RCVTIMEO (poll isn't reliable in every library)."""
    try:
        sock.recv()
    except zmq.Again:
        return False
    return True


def resident_bytes() -> int:
    """Return the resident memory of this process, in bytes (Linux only)."""
    import os

    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def count_received(receive: Callable[[], bytes], options: dict[str, Any]) -> dict[str, float]:
    """Receive one message and then `count` measured ones.

    Raises:
        ValueError: The last one has another size than was sent.
    """
    receive()
    count, data = options["count"], b""
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(count):
        data = receive()
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    if options["size"] and len(data) != options["size"]:
        raise ValueError(f"sent {options['size']} bytes, received {len(data)}")
    return {"elapsed": elapsed, "cpu": cpu, "count": count}


def stream_receive(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PULL: from the first message to the last."""
    sock = bound_socket(zmq, zmq.PULL, options, control)
    control.report(**count_received(sock.recv, options))


def stream_send(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUSH; its CPU counts until everything has arrived."""
    send = connected_socket(zmq, zmq.PUSH, options["endpoint"]).send
    cpu = time.process_time()
    for data in payload_sequence(options["size"], options["count"] + 1):
        send(data)
    control.wait()
    control.report(cpu=time.process_time() - cpu)


def echo(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """REP: send back whatever comes; CPU is sampled by the parent."""
    sock = bound_socket(zmq, zmq.REP, options, control)
    control.serve_cpu_samples()
    receive, send = sock.recv, sock.send
    while True:
        send(receive())


def worker(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """REP behind the broker."""
    sock = connected_socket(zmq, zmq.REP, options["endpoint"])
    control.serve_cpu_samples()
    receive, send = sock.recv, sock.send
    while True:
        send(receive())


def round_trip(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """REQ: measure round trips for a given time."""
    sock = connected_socket(zmq, zmq.REQ, options["endpoint"])
    measure_trips(sock.send, sock.recv, options, control)


def measure_trips(
    send: Callable[[bytes], Any], receive: Callable[[], Any], options: dict[str, Any], control: Control
) -> None:
    """Report the percentiles of the round trips of `span` seconds, after a warm-up.

    The parent is told between the two ("warm") and answers when it has sampled the other side's CPU.
    """
    data = b"x" * options["size"]
    for _ in range(WARM_UP_TRIPS):
        send(data)
        receive()
    control.report(warm=True)
    control.wait()
    trips: list[int] = []
    append, clock = trips.append, time.perf_counter_ns
    cpu = time.process_time()
    end = clock() + int(options["span"] * 1e9)
    after = 0
    while after < end:
        before = clock()
        send(data)
        receive()
        after = clock()
        append(after - before)
    cpu = time.process_time() - cpu
    trips.sort()
    count = len(trips)
    p50, p99 = trips[count // 2] / 1e3, trips[count * 99 // 100] / 1e3
    control.report(p50_us=p50, p99_us=p99, count=count, cpu=cpu)


def inproc_stream(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUSH in this thread, PULL in another."""
    context = zmq.Context.instance()
    results: list[dict[str, float]] = []
    bound = threading.Event()

    def receive_all() -> None:
        pull = context.socket(zmq.PULL)
        pull.bind("inproc://stream")
        bound.set()
        results.append(count_received(pull.recv, options))

    thread = threading.Thread(target=receive_all)
    thread.start()
    bound.wait()
    push = context.socket(zmq.PUSH)
    push.connect("inproc://stream")
    send = push.send
    for data in payload_sequence(options["size"], options["count"] + 1):
        send(data)
    thread.join()
    control.report(**results[0])


def inproc_trip(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PAIR in this thread, an echoing PAIR in another."""
    context = zmq.Context.instance()
    bound = threading.Event()

    def echo_all() -> None:
        there = context.socket(zmq.PAIR)
        there.bind("inproc://trip")
        bound.set()
        receive, send = there.recv, there.send
        while True:
            send(receive())

    threading.Thread(target=echo_all, daemon=True).start()
    bound.wait()
    here = context.socket(zmq.PAIR)
    here.connect("inproc://trip")
    measure_trips(here.send, here.recv, options, control)


def publisher(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUB without a high-water mark: greets until every subscriber answered, then publishes."""
    context = zmq.Context.instance()
    pub, sync = context.socket(zmq.PUB), context.socket(zmq.PULL)
    pub.setsockopt(zmq.SNDHWM, options["hwm"])
    sync.setsockopt(zmq.RCVTIMEO, 20)
    endpoint = bind_socket(zmq, pub, options["bind"])
    control.report(endpoint=endpoint, sync=bind_socket(zmq, sync, options["bind_sync"]))
    ready = 0
    while ready < options["peers"]:
        pub.send(HELLO)
        ready += try_receive(zmq, sync)
    send = pub.send
    cpu, started = time.process_time(), time.monotonic()
    send(START)
    for data in payload_sequence(options["size"], options["count"]):
        send(data)
    control.wait()
    control.report(started=started, cpu=time.process_time() - cpu)


def subscriber(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """SUB to everything, without a high-water mark."""
    sub = zmq.Context.instance().socket(zmq.SUB)
    sub.setsockopt(zmq.RCVHWM, options["hwm"])
    sub.connect(options["endpoint"])
    sub.setsockopt(zmq.SUBSCRIBE, b"")
    receive = sub.recv
    receive()
    sync = connected_socket(zmq, zmq.PUSH, options["sync"])
    sync.send(b"ready")
    while receive() != START:
        pass
    cpu = time.process_time()
    data = b""
    for _ in range(options["count"]):
        data = receive()
    finished, cpu = time.monotonic(), time.process_time() - cpu
    if len(data) != options["size"]:
        raise ValueError(f"published {options['size']} bytes, received {len(data)}")
    control.report(finished=finished, cpu=cpu)


def broker(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """`zmq.proxy` between a ROUTER and a DEALER."""
    context = zmq.Context.instance()
    front, back = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    endpoint = bind_socket(zmq, front, options["bind"])
    control.report(endpoint=endpoint, back=bind_socket(zmq, back, options["bind_back"]))
    control.serve_cpu_samples()
    zmq.proxy(front, back)


def requester(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """DEALER that keeps `peers` requests outstanding."""
    sock = connected_socket(zmq, zmq.DEALER, options["endpoint"])
    send, receive = sock.send_multipart, sock.recv_multipart
    request, window = [b"", b"x" * options["size"]], options["peers"]
    for _ in range(2 * window):
        send(request)
    for _ in range(window):
        receive()
    control.report(warm=True)
    control.wait()
    cpu, start = time.process_time(), time.perf_counter()
    reply: list[bytes] = []
    for _ in range(options["count"]):
        reply = receive()
        send(request)
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    if reply != request:
        raise ValueError(f"request {request!r} got the reply {reply!r}")
    control.report(elapsed=elapsed, cpu=cpu, count=options["count"])


def xpub(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """XPUB that answers "drain" by receiving subscriptions, "memory" with its resident bytes, "publish" by one send."""
    sock = bound_socket(zmq, zmq.XPUB, options, control)
    sock.setsockopt(zmq.RCVTIMEO, 100)
    data = b"x" * options["size"]
    while word := control.wait():
        if word == "drain":
            while try_receive(zmq, sock):
                pass
            control.report(drained=True)
        elif word == "memory":
            gc.collect()
            control.report(resident=resident_bytes())
        else:
            started = time.monotonic()
            sock.send(data)
            control.report(started=started)


ROLES: dict[str, Callable[[Any, dict[str, Any], Control], None]] = {
    role.__name__: role
    for role in (
        stream_receive,
        stream_send,
        echo,
        worker,
        round_trip,
        inproc_stream,
        inproc_trip,
        publisher,
        subscriber,
        broker,
        requester,
        xpub,
    )
}
