"""Proxies for gevent: `purezmq.proxy` and its kin in a greenlet, which lets others run after each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purezmq.engine.burst import flush_thread
from purezmq.green.gevent_hub import sleep
from purezmq.green.poll import zmq_poll
from purezmq.sockets.proxy import Direction, pass_messages

if TYPE_CHECKING:
    from purezmq.sockets.socket import Socket

__all__ = ["device", "proxy", "proxy_steerable"]


def _run(frontend: Socket, backend: Socket, capture: Socket | None, control: Socket | None) -> None:
    counts = control is not None
    forward = Direction(frontend, backend, capture, counts=counts)
    backward = Direction(backend, frontend, capture, counts=counts)
    pass_messages(forward, backward, control, poll=zmq_poll, handle_batch=_give_way)


def _give_way() -> None:
    flush_thread()
    sleep(0)


def device(device_type: int, isocket: Socket, osocket: Socket) -> None:
    """Pass messages between two sockets, both ways, in the calling greenlet.

    Args:
        device_type: QUEUE, FORWARDER or STREAMER; makes no difference.
        isocket: one side.
        osocket: the other side; may be the same socket.

    Raises:
        ContextTerminated: the context was terminated.
        ZMQError: ENOTSOCK: a socket was closed.
    """
    del device_type
    _run(isocket, osocket, None, None)


def proxy(frontend: Socket, backend: Socket, capture: Socket | None = None) -> None:
    """`purezmq.proxy` in the calling greenlet.

    Args, errors: see there.
    """
    _run(frontend, backend, capture, None)


def proxy_steerable(
    frontend: Socket, backend: Socket, capture: Socket | None = None, control: Socket | None = None
) -> None:
    """`purezmq.proxy_steerable` in the calling greenlet.

    Args, errors: see there.
    """
    _run(frontend, backend, capture, control)
