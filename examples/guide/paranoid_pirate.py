"""Paranoid pirate: workers and their queue send each other heartbeats, so each learns of the other's death.

The queue gives requests only to workers it heard of lately. A worker that hears nothing from the queue
takes it for dead and registers anew, with the queue that was started in its place. The client is a lazy
pirate: whatever gets lost with a worker or with the queue, it asks for again.
"""

from __future__ import annotations

import sys
from time import monotonic, sleep

from lazy_pirate import LazyPirate
from stage import Stage

import purezmq as zmq

HEARTBEAT_S = 0.1
LIFETIME_S = 5 * HEARTBEAT_S  # a peer that was silent for so long is taken for dead
READY, HEARTBEAT = b"\x01", b"\x02"


class WorkerQueue:
    """The queue between clients and workers; knows until when each idle worker is believed to live."""

    def __init__(self, frontend: zmq.Socket, backend: zmq.Socket) -> None:
        self._frontend = frontend
        self._backend = backend
        self._idle: dict[bytes, float] = {}  # worker -> when it expires; longest idle first

    def run(self) -> None:
        """Pass messages and heartbeats for ever."""
        next_beat = monotonic() + HEARTBEAT_S
        while True:
            ready = self._wait(next_beat)
            if self._backend in ready:
                self._take_from_worker(*self._backend.recv_multipart())
            self._idle = {worker: expires for worker, expires in self._idle.items() if expires > monotonic()}
            if self._frontend in ready and self._idle:
                worker = next(iter(self._idle))
                del self._idle[worker]
                self._backend.send_multipart([worker, *self._frontend.recv_multipart()])
            if monotonic() >= next_beat:
                next_beat = monotonic() + HEARTBEAT_S
                for worker in self._idle:
                    self._backend.send_multipart([worker, HEARTBEAT])

    def _wait(self, deadline: float) -> dict[object, int]:
        poller = zmq.Poller()
        poller.register(self._backend, zmq.POLLIN)
        if self._idle:  # else requests wait in their socket until a worker comes
            poller.register(self._frontend, zmq.POLLIN)
        return dict(poller.poll(max(0.0, deadline - monotonic()) * 1000))

    def _take_from_worker(self, worker: bytes, *parts: bytes) -> None:
        if parts != (HEARTBEAT,) or worker in self._idle:  # the heartbeat of a busy worker does not make it idle
            self._idle[worker] = monotonic() + LIFETIME_S
        if len(parts) > 1:
            self._frontend.send_multipart(parts)


def run_queue(clients: str, workers: str) -> None:
    """Be the queue."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as frontend, context.socket(zmq.ROUTER) as backend:
        frontend.bind(clients)
        backend.bind(workers)
        WorkerQueue(frontend, backend).run()


def work(queue: str, name: str) -> None:
    """Square numbers; when the queue falls silent, register anew, after a pause that grows while it stays so."""
    pause_s = HEARTBEAT_S
    with zmq.Context() as context:
        while True:
            with context.socket(zmq.DEALER, linger=0) as socket:
                socket.connect(queue)
                heard = serve_while_alive(socket, name)
            pause_s = HEARTBEAT_S if heard else min(2 * pause_s, 1.0)
            sleep(pause_s)


def serve_while_alive(socket: zmq.Socket, name: str) -> bool:
    """Answer requests until the queue is silent for too long; did it say anything at all?"""
    socket.send(READY)
    heard = False
    next_beat, expires = monotonic() + HEARTBEAT_S, monotonic() + LIFETIME_S
    while monotonic() < expires:
        if socket.poll(max(0.0, next_beat - monotonic()) * 1000):
            *envelope, body = socket.recv_multipart()
            if envelope:
                socket.send_multipart([*envelope, b"%d by %s" % (int(body) ** 2, name.encode())])
            heard, expires = True, monotonic() + LIFETIME_S
        if monotonic() >= next_beat:
            next_beat = monotonic() + HEARTBEAT_S
            socket.send(HEARTBEAT)
    return heard


def ask_all(client: LazyPirate, numbers: range) -> set[str]:
    """Ask for each square, check it, and return the names of those who answered."""
    names = set()
    for number in numbers:
        answer = client.ask(str(number), attempts=100) or "nothing"
        square, _, name = answer.partition(" by ")
        if square != str(number**2):
            sys.exit(f"request {number} got the answer {answer}")
        names.add(name)
    print(f"requests {numbers[0]} to {numbers[-1]} are answered")
    return names


def main() -> str:
    """Kill a worker, freeze one, replace the queue, wake the frozen one; return the claim that held."""
    with Stage() as stage, LazyPirate(stage.endpoint("clients"), patience_ms=300) as client:
        ends = stage.endpoint("clients"), stage.endpoint("workers")
        queue = stage.start(run_queue, *ends)
        a, b, c = (stage.start(work, ends[1], name) for name in ("A", "B", "C"))
        ask_all(client, range(1, 5))
        stage.kill(a)
        print("worker A is killed")
        ask_all(client, range(5, 9))
        stage.freeze(b)
        print("worker B is frozen")
        ask_all(client, range(9, 13))
        stage.kill(queue)
        stage.start(run_queue, *ends)
        print("the queue is killed and another started")
        ask_all(client, range(13, 17))
        stage.kill(c)
        stage.thaw(b)
        print("worker C is killed, worker B thaws")
        names = ask_all(client, range(17, 21))
        if names != {"B"}:
            sys.exit(f"the last answers came from {sorted(names)}, not from B")
    return "every request was answered once, whoever died meanwhile"


if __name__ == "__main__":
    print(main())
