"""Secure sockets and scripted ZAP handlers, for the tests of who is let in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest
from tests.support.library import TIMEOUT_S, zmq

__all__ = ["ENDPOINT", "HANDLERS", "MECHANISMS", "ScriptedHandler", "good_reply", "next_of", "secure", "zap_handler"]

MECHANISMS = ("NULL", "PLAIN", "CURVE")
#: A REP that answers at once, and a ROUTER that answers later, from another thread.
HANDLERS = ("sync", "async")
ENDPOINT = "inproc://zeromq.zap.01"

Parts = list[bytes]

SERVER_PUBLIC, SERVER_SECRET = zmq.curve_keypair()
CLIENT_PUBLIC, CLIENT_SECRET = zmq.curve_keypair()


def secure(mechanism: str, server: Any, client: Any) -> None:
    """Set the options of libzmq that make both speak a mechanism, so that the server asks its handler."""
    if mechanism == "NULL":
        server.zap_domain = b"test"
    elif mechanism == "PLAIN":
        server.plain_server = 1
        client.plain_username, client.plain_password = b"joe", b"secret"
    else:
        server.curve_server = 1
        server.curve_secretkey = SERVER_SECRET
        client.curve_serverkey = SERVER_PUBLIC
        client.curve_publickey, client.curve_secretkey = CLIENT_PUBLIC, CLIENT_SECRET


def good_reply(request: Parts) -> Parts:
    """A reply that lets the peer in."""
    return [b"1.0", request[1], b"200", b"OK", b"joe", b""]


def next_of(stream: Any, kind: str, timeout: float = TIMEOUT_S) -> Any:
    """Skip events until one of `kind`."""
    while True:
        event = stream.get(timeout=timeout)
        if event.kind == kind:
            return event


class ScriptedHandler:
    """A ZAP handler whose replies are made by a function.

    Args:
        context: whose handler it is.
        reply: makes the reply (without delimiter) to a question; None: there will be none.
        kind: "sync" or "async", see HANDLERS.
    """

    def __init__(self, context: Any, reply: Callable[[Parts], Parts | None], kind: str = "sync") -> None:
        self.requests: list[Parts] = []
        self.reply = reply
        self.socket = context.socket(zmq.REP if kind == "sync" else zmq.ROUTER)
        self.socket.linger = 0
        self.socket.bind(ENDPOINT)
        self._late: SimpleQueue[Parts | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run if kind == "sync" else self._run_router, daemon=True)]
        if kind == "async":
            self._threads.append(threading.Thread(target=self._reply_late, daemon=True))
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        try:
            while True:
                request = self.socket.recv_multipart()
                self.requests.append(request)
                reply = self.reply(request)
                if reply is None:
                    return  # a REP can't go on without
                self.socket.send_multipart(reply)
        except zmq.ZMQError:  # closed
            return

    def _run_router(self) -> None:
        try:
            while True:
                routing_id, delimiter, *request = self.socket.recv_multipart()
                self.requests.append(request)
                reply = self.reply(request)
                if reply is not None:
                    self._late.put([routing_id, delimiter, *reply])
        except zmq.ZMQError:
            self._late.put(None)

    def _reply_late(self) -> None:
        while (reply := self._late.get()) is not None:
            try:
                self.socket.send_multipart(reply)
            except zmq.ZMQError:
                return

    def close(self) -> None:
        """Be the handler no more."""
        self.socket.close(0)
        for thread in self._threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive()


@pytest.fixture
def zap_handler(context: Any) -> Iterator[Callable[..., ScriptedHandler]]:
    """Make scripted handlers of the fixture `context`, which are closed at the end."""
    handlers: list[ScriptedHandler] = []

    def make(reply: Callable[[Parts], Parts | None] = good_reply, kind: str = "sync") -> ScriptedHandler:
        handlers.append(ScriptedHandler(context, reply, kind))
        return handlers[-1]

    yield make
    for handler in handlers:
        handler.close()
