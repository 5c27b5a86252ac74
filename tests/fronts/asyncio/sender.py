"""The other process of the soak test: PUSH of numbered messages at a steady pace, until told to stop."""

from __future__ import annotations

import random
import sys
import threading
import time

import purezmq as zmq


def main(endpoint: str) -> None:
    """Send 0, 1, 2 ... until stdin ends, then "end"; tell how many there were."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    context = zmq.Context()
    push = context.socket(zmq.PUSH)
    push.connect(endpoint)
    rng = random.Random(2)
    count = 0
    while not stop.is_set():
        for _ in range(1 + count % 3):
            push.send(b"%d" % count)
            count += 1
        time.sleep(rng.random() * 0.0005)
    push.send(b"end")
    push.close()
    context.term()
    print(count)


if __name__ == "__main__":
    main(sys.argv[1])
