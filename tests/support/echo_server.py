"""A server in a process of its own: a ROUTER that echoes, and a PUB. It answers some questions about itself.

Arguments: a limit of descriptors (0: as many as the system allows), options of the ROUTER and of the PUB as JSON. It
prints both endpoints, and ends with its stdin. Questions are "stats", and "publish": how long messages take to send.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from typing import Any

import purezmq as zmq

__all__: list[str] = []

PUBLICATIONS = 500


def publish(pub: Any) -> bytes:
    """The time that 99 of 100 messages don't exceed, in seconds: of ten turns the one that was disturbed least."""
    turns = []
    for _ in range(10):
        times = []
        for index in range(PUBLICATIONS):
            begun = time.perf_counter()
            pub.send(b"%032d" % index)
            times.append(time.perf_counter() - begun)
        turns.append(sorted(times)[PUBLICATIONS * 99 // 100])
    return b"%.9f" % min(turns)


def describe(router: Any, pub: Any, limit: int) -> bytes:
    """What it tells about itself."""
    stats, published = router.stats(), pub.stats()
    try:
        descriptors = len(os.listdir("/proc/self/fd"))
    except OSError:  # there is none for that
        descriptors = limit
    return json.dumps(
        {
            "refusals": dict(stats.refusals),
            "peers": len(stats.peers),
            "cpu": time.process_time(),
            "descriptors": descriptors,
            "pub_refusals": dict(published.refusals),
            "pub_peers": len(published.peers),
            "pub_dropped": published.dropped,
            "topics": pub.topics_count,
        }
    ).encode()


def main() -> None:
    """Serve until stdin ends."""
    limit = int(sys.argv[1])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    context = zmq.Context()
    router = context.socket(zmq.ROUTER, linger=0, **json.loads(sys.argv[2]))
    pub = context.socket(zmq.PUB, linger=0, **json.loads(sys.argv[3]))
    endpoints = []
    for socket in (router, pub):
        socket.bind("tcp://127.0.0.1:*")
        endpoints.append(socket.last_endpoint.decode().rstrip("\0"))
    describe(router, pub, limit)  # whatever is to be imported is
    # Lowered when everything is open that the server needs for itself.
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit or hard, hard))
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    print(*endpoints, flush=True)
    while True:
        *envelope, body = router.recv_multipart()
        if body == b"stats":
            body = describe(router, pub, limit)
        elif body == b"publish":
            body = publish(pub)
        router.send_multipart([*envelope, body])


if __name__ == "__main__":
    main()
