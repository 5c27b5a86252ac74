"""Pipeline: tasks are dealt to several workers, their results are collected in one place."""

from __future__ import annotations

from threading import Thread

import purezmq as zmq


def work(context: zmq.Context, tasks_port: int, results_port: int) -> None:
    """Count the primes of each range that comes in, until the context is terminated."""
    with context.socket(zmq.PULL) as tasks, context.socket(zmq.PUSH) as results:
        tasks.connect(f"tcp://127.0.0.1:{tasks_port}")
        results.connect(f"tcp://127.0.0.1:{results_port}")
        try:
            while True:
                start, stop = tasks.recv_json()
                primes = [n for n in range(max(2, start), stop) if all(n % d for d in range(2, int(n**0.5) + 1))]
                results.send_string(str(len(primes)))
        except zmq.ContextTerminated:
            pass


def main() -> None:
    """Deal twenty tasks to three workers and add up their results."""
    context = zmq.Context()
    with context.socket(zmq.PUSH) as tasks, context.socket(zmq.PULL) as results:
        ports = tasks.bind_to_random_port("tcp://127.0.0.1"), results.bind_to_random_port("tcp://127.0.0.1")
        for _ in range(3):
            Thread(target=work, args=(context, *ports)).start()
        for start in range(0, 20_000, 1_000):
            tasks.send_json([start, start + 1_000])
        total = sum(int(results.recv_string()) for _ in range(20))
    print(f"primes below 20,000: {total:,}")
    context.term()  # the workers' recv raises ContextTerminated, they close and end


if __name__ == "__main__":
    main()
