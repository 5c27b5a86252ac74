"""Real sockets on loopback: listening, connecting and waiting, without sleeps."""

from __future__ import annotations

import select
from contextlib import ExitStack

import pytest

from purezmq.endpoint import parse_endpoint
from purezmq.options import SocketOptions
from purezmq.transports.registry import get_transport

WAIT_SECONDS = 10


class Harness:
    """Opens listeners and connections by endpoint, and closes what it opened."""

    def __init__(self):
        self._opened = ExitStack()

    def keep(self, item):
        """Close an object with the test."""
        self._opened.callback(item.close)
        return item

    def options(self, **values):
        """Return socket options with some values changed."""
        options = SocketOptions()
        for name, value in values.items():
            setattr(options, name, value)
        return options

    def listen(self, text, **values):
        """Bind an endpoint."""
        endpoint = parse_endpoint(text)
        return self.keep(get_transport(endpoint.scheme).listen(endpoint, self.options(**values)))

    def resolve(self, text, **values):
        """Check and resolve an endpoint to connect to."""
        endpoint = parse_endpoint(text)
        transport = get_transport(endpoint.scheme)
        transport.check_connect(endpoint, self.options(**values))
        return transport.resolve(endpoint, self.options(**values))

    def connect(self, text, **values):
        """Connect and wait for the outcome."""
        address = self.resolve(text, **values)[0]
        pending = self.keep(get_transport(parse_endpoint(text).scheme).start_connect(address, self.options(**values)))
        while (stream := pending.finish()) is None:
            self.wait(pending, write=True)
        return self.keep(stream)

    def accept(self, listener):
        """Wait for the next peer of a listener."""
        self.wait(listener)
        return self.keep(listener.try_accept())

    def pair(self, bind, connect=None, **values):
        """Return a listener and both ends of one connection to it."""
        listener = self.listen(bind, **values)
        stream = self.connect(connect or listener.endpoint, **values)
        return listener, stream, self.accept(listener)

    def wait(self, item, *, write=False):
        """Wait until something can be read, accepted or written."""
        readable, writable, _ = select.select([] if write else [item], [item] if write else [], [], WAIT_SECONDS)
        assert readable or writable, f"nothing happened to {item}"

    def close(self):
        """Close everything."""
        self._opened.close()


@pytest.fixture
def harness():
    """Return a harness that closes what it opened."""
    one = Harness()
    yield one
    one.close()
