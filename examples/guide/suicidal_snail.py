"""Suicidal snail: a subscriber that can't keep up ends itself, rather than to work on old news.

The publisher stamps each message with the time. A subscriber that finds a stamp too old knows that messages
pile up before it, and that soon the publisher would drop some. It dies while it still knows what it did.
"""

from __future__ import annotations

import sys
from threading import Event, Thread
from time import monotonic_ns, sleep

from stage import Stage

import purezmq as zmq

PERIOD_S = 0.002  # between two messages
WORK_S = 0.02  # what the snail needs for one
MAX_DELAY_MS = 600
SNAIL_DIED = 3


def publish(context: zmq.Context, endpoint: str, stop: Event, port_known: Event) -> None:
    """Publish numbered and stamped messages until told to stop; then say so."""
    with context.socket(zmq.PUB) as socket:
        socket.bind(endpoint)
        port_known.set()
        number = 0
        while not stop.wait(PERIOD_S):
            socket.send_multipart([b"%d" % number, b"%d" % monotonic_ns()])
            number += 1
        socket.send_multipart([b"end", b"%d" % monotonic_ns()])


def follow(endpoint: str, work_s: float, ready_endpoint: str) -> None:
    """Work on each message as it comes, and die when they come too late or with gaps."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket, context.socket(zmq.PUSH) as ready:
        socket.subscribe("")
        socket.connect(endpoint)
        ready.connect(ready_endpoint)
        expected = None
        while True:
            number, stamp = socket.recv_multipart()
            if (monotonic_ns() - int(stamp)) / 1e6 > MAX_DELAY_MS:
                sys.exit(SNAIL_DIED)
            if number == b"end":
                return
            if expected is None:
                ready.send_string("I follow")
            elif int(number) != expected:
                sys.exit(f"message {expected} never came")
            expected = int(number) + 1
            sleep(work_s)  # stands for the work


def main() -> str:
    """Let a quick and a slow subscriber follow the same publisher; return the claim that held."""
    with Stage() as stage, zmq.Context() as context, context.socket(zmq.PULL, rcvtimeo=15_000) as ready:
        endpoint, ready_endpoint = stage.endpoint("news"), stage.endpoint("ready")
        ready.bind(ready_endpoint)
        stop, bound = Event(), Event()
        publisher = Thread(target=publish, args=(context, endpoint, stop, bound), daemon=True)
        publisher.start()
        bound.wait()
        quick = stage.start(follow, endpoint, 0.0, ready_endpoint)
        snail = stage.start(follow, endpoint, WORK_S, ready_endpoint)
        for _ in (quick, snail):
            ready.recv()
        print("a quick subscriber and a snail follow the news")
        snail.join(15)
        if snail.exitcode != SNAIL_DIED:
            sys.exit(f"the snail should have ended itself, its exit code is {snail.exitcode}")
        print("the snail fell behind, noticed it, and ended itself")
        stop.set()
        quick.join(15)
        if quick.exitcode != 0:
            sys.exit(f"the quick subscriber should have lived to the end, its exit code is {quick.exitcode}")
        print("the quick one followed to the end and missed nothing")
        publisher.join()
    return "who could not keep up knew it before anything was lost"


if __name__ == "__main__":
    print(main())
