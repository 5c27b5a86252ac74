"""Controls a running circusd: ``circus_client.py CONTROL EVENTS``."""

from __future__ import annotations

import asyncio
import sys

import zmq
from circus.client import AsyncCircusClient, CircusClient
from circus.consumer import CircusConsumer
from facts import library_name, tell


async def ask_on_tornado(control: str) -> list[str]:
    """Ask by the client that reads through a ZMQStream."""
    client = AsyncCircusClient(endpoint=control)
    answer = await client.send_message("list")
    client.stop()
    return answer["watchers"]


def main(control: str, events: str) -> None:
    """Look, add a process and hear of it, stop the manager."""
    tell("library", library_name())
    client = CircusClient(endpoint=control, timeout=20)
    consumer = CircusConsumer(["watcher.loop."], endpoint=events, timeout=10)
    heard = iter(consumer)
    tell("watchers", client.send_message("list")["watchers"])
    tell("watchers_on_tornado", asyncio.run(ask_on_tornado(control)))
    tell("processes", len(client.send_message("list", name="loop")["pids"]))
    tell("more", client.send_message("incr", name="loop", nb=1, waiting=True)["numprocesses"])
    tell("action", next(heard)[0].decode())
    tell("status", client.send_message("status")["statuses"])
    tell("stopped", client.send_message("quit", waiting=True)["status"])
    heard.close()
    consumer.stop()
    client.stop()
    zmq.Context.instance().term()


if __name__ == "__main__":
    main(*sys.argv[1:])
