"""A server in a process of its own: a ROUTER that echoes, and tells about itself when it's asked for "stats".

Arguments: a limit of descriptors (0: as many as the system allows), and options of the socket as JSON. It prints its
endpoint, and ends with its stdin.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time

import purezmq as zmq

__all__: list[str] = []


def main() -> None:
    """Serve until stdin ends."""
    limit = int(sys.argv[1])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    options = json.loads(sys.argv[2])
    host = options.pop("host", "127.0.0.1")
    context = zmq.Context()
    router = context.socket(zmq.ROUTER, linger=0, **options)
    router.bind(f"tcp://{host}:*")
    router.stats()  # whatever is to be imported is
    # Lowered when everything is open that the server needs for itself.
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit or hard, hard))
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    print(router.last_endpoint.decode().rstrip("\0"), flush=True)
    while True:
        *envelope, body = router.recv_multipart()
        if body == b"stats":
            stats = router.stats()
            try:
                descriptors = len(os.listdir("/proc/self/fd"))
            except OSError:  # there is none for that
                descriptors = limit
            body = json.dumps(
                {
                    "refusals": dict(stats.refusals),
                    "peers": len(stats.peers),
                    "cpu": time.process_time(),
                    "descriptors": descriptors,
                }
            ).encode()
        router.send_multipart([*envelope, body])


if __name__ == "__main__":
    main()
