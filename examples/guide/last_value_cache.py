"""Last value cache: who subscribes late gets the latest value at once, and needs not wait for the next.

A proxy between publishers and subscribers remembers the last message of each topic. Its XPUB hears of each
subscription; XPUB_MANUAL lets it decide what a subscription becomes, and XPUB_MANUAL_LAST_VALUE sends what
follows to the newcomer alone, so that nobody else gets an old value again.
"""

from __future__ import annotations

import sys
from threading import Thread

import purezmq as zmq

TOPICS = ("oslo", "rome", "lima")
ROUNDS = 5


def run_cache(frontend: zmq.Socket, backend: zmq.Socket) -> None:
    """Pass news on and remember the last of each topic, until the context is terminated.

    Args:
        frontend: a SUB of everything, to which publishers connect.
        backend: an XPUB with XPUB_MANUAL_LAST_VALUE, to which subscribers connect.
    """
    last: dict[bytes, bytes] = {}
    poller = zmq.Poller()
    poller.register(frontend, zmq.POLLIN)
    poller.register(backend, zmq.POLLIN)
    with frontend, backend:
        try:
            while True:
                ready = dict(poller.poll())
                if frontend in ready:
                    topic, value = frontend.recv_multipart()
                    last[topic] = value
                    backend.send_multipart([topic, value])
                if backend in ready:
                    wish, topic = split(backend.recv())
                    if not wish:
                        backend.unsubscribe(topic)
                        continue
                    backend.subscribe(topic)
                    if topic in last:
                        backend.send_multipart([topic, last[topic]])  # to the newcomer alone
        except zmq.ContextTerminated:
            pass


def split(message: bytes) -> tuple[bool, bytes]:
    """Split what an XPUB receives into the wish (subscribe or unsubscribe) and the topic."""
    return message[0] == 1, message[1:]


def subscribe(context: zmq.Context, port: int, topic: str) -> zmq.Socket:
    """Return a subscriber of one topic."""
    socket = context.socket(zmq.SUB, rcvtimeo=10_000)
    socket.subscribe(topic)
    socket.connect(f"tcp://127.0.0.1:{port}")
    return socket


def expect(socket: zmq.Socket, who: str, *values: str) -> None:
    """Receive the next values; end the program if they are others."""
    got = [socket.recv_multipart()[1].decode() for _ in values]
    if got != list(values):
        sys.exit(f"{who} got {got}, not {list(values)}")
    print(f"{who} got {', '.join(got)}")


def main() -> str:
    """Publish, subscribe too late, and publish again; return the claim that held."""
    context = zmq.Context()
    with context.socket(zmq.PUB) as publisher:
        frontend, backend = context.socket(zmq.SUB), context.socket(zmq.XPUB)
        frontend.subscribe("")
        backend.xpub_manual_last_value = True
        backend.xpub_verbose = True  # also a second subscriber of a topic is a newcomer
        publishers_port = frontend.bind_to_random_port("tcp://127.0.0.1")
        subscribers_port = backend.bind_to_random_port("tcp://127.0.0.1")
        publisher.connect(f"tcp://127.0.0.1:{publishers_port}")
        cache = Thread(target=run_cache, args=(frontend, backend), daemon=True)
        cache.start()

        with subscribe(context, subscribers_port, "oslo") as early:
            wait_until_heard(publisher, early)
            for number in range(1, ROUNDS + 1):
                for topic in TOPICS:
                    publisher.send_multipart([topic.encode(), b"%d degrees" % number])
            expect(early, "the early subscriber", *(f"{number} degrees" for number in range(1, ROUNDS + 1)))
            with (
                subscribe(context, subscribers_port, "oslo") as late,
                subscribe(context, subscribers_port, "rome") as other,
            ):
                expect(late, "the late subscriber", "5 degrees")
                expect(other, "the late subscriber of another topic", "5 degrees")
                for topic in ("oslo", "rome"):
                    publisher.send_multipart([topic.encode(), b"6 degrees"])
                for socket, who in ((early, "the early one"), (late, "the late one"), (other, "the other one")):
                    expect(socket, f"then {who}", "6 degrees")
    context.term()  # ends the cache
    cache.join()
    return "late subscribers got the last value at once, and nobody got a value twice"


def wait_until_heard(publisher: zmq.Socket, subscriber: zmq.Socket) -> None:
    """Publish until the subscriber hears: connections and subscriptions take their time."""
    while not subscriber.poll(20):
        publisher.send_multipart([b"oslo", b"warming up"])
    publisher.send_multipart([b"oslo", b"ready"])
    while subscriber.recv_multipart()[1] != b"ready":
        pass


if __name__ == "__main__":
    print(main())
