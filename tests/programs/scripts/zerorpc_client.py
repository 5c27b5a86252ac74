"""A zerorpc client: ``zerorpc_client.py ENDPOINT PUBLISH_ENDPOINT SERVICE_PID``."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import gevent
import zerorpc
from facts import library_name, tell


class Subscriber(zerorpc.Subscriber):
    """Collects what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []

    def heard(self, number: int) -> None:
        """Take a published call."""
        self.numbers.append(number)


def error_of(call: Any, *args: Any, **options: Any) -> str:
    """Return the name of the exception that a call raises."""
    try:
        call(*args, **options)
    except zerorpc.RemoteError as error:
        return f"RemoteError {error.name} {error.msg}"
    except Exception as error:  # noqa: BLE001 - whatever comes is what the test wants to know
        return type(error).__name__
    return "none"


def published(client: zerorpc.Client, endpoint: str) -> bool:
    """Subscribe, wait until the subscription works, and return whether 50 calls arrive in order."""
    subscriber = Subscriber()
    subscriber.connect(endpoint)
    task = gevent.spawn(subscriber.run)
    while not subscriber.numbers:
        client.shout(-1)
        gevent.sleep(0.01)
    for number in range(50):
        client.shout(number)
    deadline = time.monotonic() + 10
    while subscriber.numbers[-1] != 49 and time.monotonic() < deadline:
        gevent.sleep(0.01)
    subscriber.stop()
    task.kill()
    subscriber.close()
    return [number for number in subscriber.numbers if number >= 0] == list(range(50))


def main(endpoint: str, publish_endpoint: str, pid: str) -> None:
    """Call everything that the service offers."""
    client = zerorpc.Client(endpoint, heartbeat=1, timeout=20)
    tell("libraries", [library_name(), client.library()])
    tell("sum", [client.add(1, 2), client.add("a", "b"), client.add([1], [2])])
    tell("big", client.echo(b"x" * 2_000_000) == b"x" * 2_000_000)
    tell("remote_error", error_of(client.fail, "on purpose"))
    tell("no_such_method", error_of(client.missing).split(" ")[0:2])
    tell("stream_in_order", list(client.count(2000)) == list(range(2000)))

    calls = [gevent.spawn(client.sleep, 0.3) for _ in range(20)]
    began = time.monotonic()
    gevent.joinall(calls, raise_error=True)
    tell("concurrent", [{call.value for call in calls} == {"slept"}, time.monotonic() - began < 20 * 0.3])
    calls = [gevent.spawn(client.add, number, 0) for number in range(200)]
    gevent.joinall(calls, raise_error=True)
    tell("interleaved", [call.value for call in calls] == list(range(200)))

    # Longer than two heartbeats: without them the call would be lost.
    long_call = gevent.spawn(client.sleep, 2.2)
    tell("timeout", error_of(client.sleep, 5, timeout=0.2))
    tell("works_after_timeout", client.add(2, 2))
    tell("published", published(client, publish_endpoint))

    tell("heartbeat_seen", long_call.get())
    os.kill(int(pid), signal.SIGSTOP)
    tell("heartbeat_lost", error_of(client.sleep, 0.1))
    os.kill(int(pid), signal.SIGCONT)
    again = zerorpc.Client(endpoint, heartbeat=5, timeout=20)
    tell("works_again", again.add(3, 3))
    again.finish()
    again.close()
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
