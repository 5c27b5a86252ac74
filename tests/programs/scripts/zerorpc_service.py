"""A zerorpc service: ``zerorpc_service.py ENDPOINT PUBLISH_ENDPOINT``; ends when it is told to finish."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import gevent
import zerorpc
from facts import library_name, tell


class Service:
    """What clients may call."""

    def __init__(self, publisher: zerorpc.Publisher) -> None:
        self._publisher = publisher
        self.finished = gevent.event.Event()

    def library(self) -> str:
        """Return the library of this process."""
        return library_name()

    def add(self, first: Any, second: Any) -> Any:
        """Add numbers, strings, lists."""
        return first + second

    def echo(self, data: bytes) -> bytes:
        """Return what came."""
        return data

    def fail(self, text: str) -> None:
        """Raise."""
        raise ValueError(text)

    def sleep(self, seconds: float) -> str:
        """Answer late, without holding the others."""
        gevent.sleep(seconds)
        return "slept"

    @zerorpc.stream
    def count(self, stop: int) -> Iterator[int]:
        """Stream numbers, faster than a client may take them."""
        yield from range(stop)

    def shout(self, number: int) -> None:
        """Publish."""
        self._publisher.heard(number)

    def finish(self) -> None:
        """End the service once the answer is out."""
        gevent.spawn_later(0.1, self.finished.set)


def main(endpoint: str, publish_endpoint: str) -> None:
    """Serve until stopped."""
    publisher = zerorpc.Publisher()
    publisher.bind(publish_endpoint)
    service = Service(publisher)
    server = zerorpc.Server(service, heartbeat=1)
    server.bind(endpoint)
    task = gevent.spawn(server.run)
    tell("ready", True)
    service.finished.wait()
    server.stop()
    task.join(5)
    server.close()
    publisher.close()
    tell("stopped", task.ready())


if __name__ == "__main__":
    main(*sys.argv[1:])
