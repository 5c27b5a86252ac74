"""A subscriber that stalls: it finds the latest prices, the publisher never waits, and every loss is counted."""

from __future__ import annotations

import purezmq as zmq


def main() -> None:
    """Publish a hundred prices to somebody who doesn't read, then let him read."""
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher, context.socket(zmq.SUB) as subscriber:
        publisher.sndhwm = subscriber.rcvhwm = 5  # over inproc the two add up: at most ten prices wait
        publisher.overflow = "drop-oldest"
        publisher.bind("inproc://prices")
        subscriber.subscribe(b"")
        subscriber.connect("inproc://prices")
        publisher.wait_for_subscribers(1, timeout=5.0)

        for price in range(100):
            publisher.send_string(str(price))
        stats = publisher.stats()
        print(f"sent {stats.sent}, waiting {stats.queued}, dropped {dict(stats.dropped_by_reason)}")

        prices = [subscriber.recv_string() for _ in range(stats.queued)]
        print(f"read {', '.join(prices)}")


if __name__ == "__main__":
    main()
