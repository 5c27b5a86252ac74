"""An actor: the other side of a scene, in a process or a thread of its own.

It talks to its stage over a control socket: says hello, plays its role, hears TERMINATE, reports what it saw.
Who starts it is in `stage.py` and `process.py`; what it plays is in the scenes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import purezmq as zmq

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PATIENCE_MS", "TERMINATE", "Actor", "play_role"]

#: How long any side waits for the other before it gives up, in milliseconds.
PATIENCE_MS = 10_000
#: The word that ends a role; `proxy_steerable` knows it too.
TERMINATE = b"TERMINATE"


class Actor:
    """What a role has in its hands.

    Args:
        context: Makes its sockets; shared with the stage when the actor is a thread.
        control_endpoint: Where the stage listens.
    """

    def __init__(self, context: zmq.Context, control_endpoint: str) -> None:
        self._context = context
        self._sockets: list[zmq.Socket] = []
        self.control = self.open_socket(zmq.DEALER)
        self.control.connect(control_endpoint)

    def open_socket(self, socket_type: int) -> zmq.Socket:
        """Return a new socket that never waits longer than `PATIENCE_MS`, closed with the actor."""
        socket = self._context.socket(socket_type)
        socket.setsockopt(zmq.RCVTIMEO, PATIENCE_MS)
        socket.setsockopt(zmq.SNDTIMEO, PATIENCE_MS)
        socket.setsockopt(zmq.LINGER, PATIENCE_MS)
        self._sockets.append(socket)
        return socket

    def say_hello(self, **facts: Any) -> None:
        """Tell the stage that this actor is ready, and what it should know."""
        self.control.send(json.dumps(facts).encode())

    def report(self, **facts: Any) -> None:
        """Tell the stage what this actor saw; the last thing that a role does."""
        self.control.send(json.dumps(facts).encode())

    def try_receive(self, socket: zmq.Socket) -> bytes | None:
        """Return the next message of `socket`, or None when the stage said TERMINATE.

        Raises:
            Again: Neither came within `PATIENCE_MS`.
        """
        while True:
            try:
                return socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                pass
            poller = zmq.Poller()
            poller.register(socket, zmq.POLLIN)
            poller.register(self.control, zmq.POLLIN)
            ready = dict(poller.poll(PATIENCE_MS))
            if not ready:
                return socket.recv(zmq.NOBLOCK)
            if socket not in ready:
                self.control.recv()
                return None

    def close(self) -> None:
        """Close every socket; what was sent still leaves."""
        for socket in self._sockets:
            socket.close()


def play_role(role: Callable[..., None], context: zmq.Context, control_endpoint: str, *words: str) -> bool:
    """Play `role` to its end; whatever it raises is reported to the stage.

    Returns:
        True when it went well.
    """
    actor = Actor(context, control_endpoint)
    try:
        role(actor, *words)
    except Exception as error:  # noqa: BLE001 (told to the stage, which shows it)
        try:
            actor.report(error=f"{role.__name__}: {type(error).__name__}: {error}")
        except zmq.ZMQError:
            pass  # the stage has failed already, and is gone
        return False
    finally:
        actor.close()
    return True
