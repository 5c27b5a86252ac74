"""Roles of workers that use a library's asynchronous sockets through pyzmq's API (`zmq.asyncio`).

As in roles.py: every role takes the imported library, its options and the line to the parent, and nothing here may
know which library it runs on.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.payload import payload_sequence
from purezmq.cli.bench.roles import bind_socket

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.cli.bench.worker import Control

__all__ = ["ROLES"]


def make_socket(zmq: Any, kind: int) -> Any:
    """Return a new asynchronous socket."""
    return importlib.import_module(f"{zmq.__name__}.asyncio").Context().socket(kind)


def asyncio_receive(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PULL: from the first message to the last, each awaited."""
    asyncio.run(receive_all(zmq, options, control))


async def receive_all(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """Receive one message and then `count` measured ones.

    Raises:
        ValueError: The last one has another size than was sent.
    """
    sock = make_socket(zmq, zmq.PULL)
    control.report(endpoint=bind_socket(zmq, sock, options["bind"]))
    receive = sock.recv
    await receive()
    count, data = options["count"], b""
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(count):
        data = await receive()
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    if options["size"] and len(data) != options["size"]:
        raise ValueError(f"sent {options['size']} bytes, received {len(data)}")
    control.report(elapsed=elapsed, cpu=cpu, count=count)


def asyncio_send(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """PUSH, each send awaited; its CPU counts until everything has arrived."""
    asyncio.run(send_all(zmq, options, control))


async def send_all(zmq: Any, options: dict[str, Any], control: Control) -> None:
    """Send `count` messages and the one that starts the clock."""
    sock = make_socket(zmq, zmq.PUSH)
    sock.connect(options["endpoint"])
    send = sock.send
    cpu = time.process_time()
    for data in payload_sequence(options["size"], options["count"] + 1):
        await send(data)
    await asyncio.to_thread(control.wait)
    control.report(cpu=time.process_time() - cpu)


ROLES: dict[str, Callable[[Any, dict[str, Any], Control], None]] = {
    role.__name__: role for role in (asyncio_receive, asyncio_send)
}
