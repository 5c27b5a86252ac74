"""Broker: clients and workers know only the broker between them, so either side may grow or shrink."""

from __future__ import annotations

from threading import Thread

import purezmq as zmq


def run_broker(frontend: zmq.Socket, backend: zmq.Socket) -> None:
    """Pass requests to the workers and replies to the clients, until the context is terminated."""
    with frontend, backend:
        try:
            zmq.proxy(frontend, backend)
        except zmq.ContextTerminated:
            pass


def work(context: zmq.Context, port: int) -> None:
    """Square each number that comes in, until the context is terminated."""
    with context.socket(zmq.REP) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        try:
            while True:
                socket.send_string(str(int(socket.recv_string()) ** 2))
        except zmq.ContextTerminated:
            pass


def ask(context: zmq.Context, port: int, numbers: range) -> int:
    """Return the sum of the squares of `numbers`, each squared by some worker."""
    with context.socket(zmq.REQ) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        total = 0
        for number in numbers:
            socket.send_string(str(number))
            total += int(socket.recv_string())
        return total


def main() -> None:
    """Start a broker and three workers, and ask from two clients."""
    context = zmq.Context()
    frontend, backend = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    clients_port = frontend.bind_to_random_port("tcp://127.0.0.1")
    workers_port = backend.bind_to_random_port("tcp://127.0.0.1")
    Thread(target=run_broker, args=(frontend, backend)).start()
    for _ in range(3):
        Thread(target=work, args=(context, workers_port)).start()
    total = sum(ask(context, clients_port, range(start, start + 50)) for start in (0, 50))
    print(f"sum of the squares below 100: {total:,}")
    context.term()  # ends the broker and the workers


if __name__ == "__main__":
    main()
