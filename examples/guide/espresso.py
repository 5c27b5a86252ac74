"""Espresso: look into a running publish-subscribe network. The proxy in its middle copies all to a third socket.

What goes past is not only the news: subscriptions travel the other way as messages, and are seen as well.
"""

from __future__ import annotations

import sys
from threading import Thread

import purezmq as zmq

TOPICS = ("A", "B", "C")
CUPS = 3


def run_proxy(frontend: zmq.Socket, backend: zmq.Socket, capture: zmq.Socket) -> None:
    """Pass news one way and subscriptions the other, and copy both, until the context is terminated."""
    with frontend, backend, capture:
        try:
            zmq.proxy(frontend, backend, capture)
        except zmq.ContextTerminated:
            pass


def publish(context: zmq.Context, port: int) -> None:
    """Serve a cup of each topic to whoever subscribed, and again, until all is drunk up."""
    with context.socket(zmq.XPUB) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        wanted: set[str] = set()
        while wanted != set(TOPICS[:2]):  # XPUB hears the subscriptions that the proxy passes on
            wanted.add(socket.recv()[1:].decode())
        for number in range(1, CUPS + 1):
            for topic in TOPICS:
                socket.send_multipart([topic.encode(), b"cup %d" % number])
        for _ in TOPICS[:2]:
            socket.recv()  # the subscriptions are cancelled


def drink(context: zmq.Context, port: int) -> list[str]:
    """Subscribe to two of three topics, drink what comes, and leave."""
    with context.socket(zmq.SUB, rcvtimeo=10_000) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        for topic in TOPICS[:2]:
            socket.subscribe(topic)
        drunk = [": ".join(part.decode() for part in socket.recv_multipart()) for _ in range(2 * CUPS)]
        for topic in TOPICS[:2]:
            socket.unsubscribe(topic)
        return drunk


def describe(parts: list[bytes]) -> str:
    """Put into words what the capture socket gave."""
    match parts:
        case [wish] if wish[0] == 1:
            return f"subscribe to {wish[1:].decode()}"
        case [wish] if wish[0] == 0:
            return f"unsubscribe from {wish[1:].decode()}"
        case _:
            return ": ".join(part.decode() for part in parts)


def main() -> str:
    """Let a subscriber drink while a third party looks on; return the claim that held."""
    context = zmq.Context()
    with context.socket(zmq.PAIR, rcvtimeo=10_000) as view:
        frontend, backend, capture = context.socket(zmq.XSUB), context.socket(zmq.XPUB), context.socket(zmq.PAIR)
        view.bind("inproc://view")
        capture.connect("inproc://view")
        publishers_port = frontend.bind_to_random_port("tcp://127.0.0.1")
        subscribers_port = backend.bind_to_random_port("tcp://127.0.0.1")
        proxy = Thread(target=run_proxy, args=(frontend, backend, capture), daemon=True)
        publisher = Thread(target=publish, args=(context, publishers_port), daemon=True)
        proxy.start()
        publisher.start()
        drunk = drink(context, subscribers_port)
        cups = [f"{topic}: cup {number}" for number in range(1, CUPS + 1) for topic in TOPICS[:2]]
        wishes = [f"{wish} {topic}" for wish in ("subscribe to", "unsubscribe from") for topic in TOPICS[:2]]
        seen = [describe(view.recv_multipart()) for _ in range(len(cups) + len(wishes))]
        publisher.join()
        for line in seen:
            print(f"seen: {line}")
        if drunk != cups:
            sys.exit(f"the subscriber got {drunk}, not {cups}")
        if [line for line in seen if line in cups] != cups or set(seen) != {*cups, *wishes}:
            sys.exit(f"{seen} was seen, not {cups} and {wishes}")
    context.term()  # ends the proxy
    proxy.join()
    return "all that passed the proxy was seen: each message, each subscription, each farewell"


if __name__ == "__main__":
    print(main())
