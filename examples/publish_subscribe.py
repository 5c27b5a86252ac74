"""Publish-subscribe: each subscriber gets the topics that it asked for, and nothing is lost at the start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import purezmq as zmq


def listen(port: int, topic: str) -> list[str]:
    """Collect what is published on one topic, until the end is announced."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe(topic)
        socket.subscribe("end")
        socket.connect(f"tcp://127.0.0.1:{port}")
        news: list[str] = []
        while True:
            heard, text = socket.recv_multipart()
            if heard == b"end":
                return news
            news.append(text.decode())


def main() -> None:
    """Publish a few lines to two subscribers."""
    with ThreadPoolExecutor() as pool, zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        listeners = {topic: pool.submit(listen, port, topic) for topic in ("sport", "weather")}
        for _ in range(2 * len(listeners)):
            socket.recv()  # an XPUB hears each subscription: after four of them, everybody listens
        for topic, text in (("weather", "sunny"), ("sport", "2:1"), ("weather", "warm"), ("end", "")):
            socket.send_multipart([topic.encode(), text.encode()])
        for topic, listener in listeners.items():
            print(f"{topic}: {', '.join(listener.result())}")


if __name__ == "__main__":
    main()
