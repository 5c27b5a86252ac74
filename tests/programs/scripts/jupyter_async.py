"""Two front ends on asyncio that share a kernel: ``jupyter_async.py TRANSPORT KERNEL``."""

from __future__ import annotations

import asyncio
import queue
import sys
from typing import Any

from facts import library_name, tell
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

TIMEOUT_S = 20.0
CELLS = 20


async def cell_reply(client: AsyncKernelClient, patience_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Return the next reply to a cell: a slow kernel was asked for its info more often than once."""
    while True:
        reply = await client.get_shell_msg(timeout=patience_s)
        if reply["msg_type"] == "execute_reply":
            return reply


async def run_cells(client: AsyncKernelClient, index: int) -> list[int]:
    """Execute all cells at once, and return the values in the order of the replies."""
    numbers = [client.execute(f"number = {index * 100 + number}; number") for number in range(CELLS)]
    expressions = {}
    while len(expressions) < CELLS:
        reply = await cell_reply(client)
        expressions[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        await asyncio.sleep(0)
    assert list(expressions) == numbers, "replies out of order"
    assert set(expressions.values()) == {"ok"}
    return [index * 100 + number for number in range(CELLS)]


async def published_results(client: AsyncKernelClient) -> list[int]:
    """Return all values that are published, whoever asked for them."""
    results: list[int] = []
    while len(results) < 2 * CELLS:
        message = await client.get_iopub_msg(timeout=TIMEOUT_S)
        if message["msg_type"] == "execute_result":
            results.append(int(message["content"]["data"]["text/plain"]))
    return results


async def next_stream(client: AsyncKernelClient) -> dict[str, Any]:
    """Return the next output."""
    while True:
        message = await client.get_iopub_msg(timeout=TIMEOUT_S)
        if message["msg_type"] == "stream":
            return message


async def reply_to_interrupt(manager: AsyncKernelManager, client: AsyncKernelClient) -> dict[str, Any]:
    """Interrupt the running cell until it is replied to: a kernel misses some that come while it publishes."""
    for _ in range(10):
        await manager.interrupt_kernel()
        try:
            return await cell_reply(client, TIMEOUT_S / 10)
        except queue.Empty:
            continue
    raise TimeoutError("the kernel can't be interrupted")


async def connected_client(manager: AsyncKernelManager) -> AsyncKernelClient:
    """Return a client that is ready, with a session of its own: the session's id is its sockets' routing id."""
    client = AsyncKernelClient(connection_file=manager.connection_file, parent=manager)
    client.load_connection_file()
    client.start_channels()
    await client.wait_for_ready(timeout=TIMEOUT_S)
    return client


async def main(transport: str, kernel: str) -> None:
    """Start a kernel, let two clients use it at once, interrupt, restart, shut down."""
    manager = AsyncKernelManager(kernel_name=kernel, transport=transport)
    await manager.start_kernel()
    clients = [await connected_client(manager) for _ in range(2)]
    first = clients[0]

    first.execute("import sys, zmq; print('purezmq' if zmq is sys.modules.get('purezmq') else 'zmq')")
    tell("libraries", [library_name(), (await next_stream(first))["content"]["text"].strip()])
    await cell_reply(first)
    await next_stream(clients[1])

    seen = [asyncio.create_task(published_results(client)) for client in clients]
    replies = await asyncio.gather(*(run_cells(client, index) for index, client in enumerate(clients)))
    tell("replies", replies)
    expected = {number for values in replies for number in values}
    both = await asyncio.gather(*seen)
    tell("both_saw_all_results", both[0] == both[1] and set(both[0]) == expected)

    first.execute("import time; print('running', flush=True); time.sleep(60)")
    await next_stream(first)
    reply = await reply_to_interrupt(manager, first)
    tell("interrupt", [reply["content"]["status"], reply["content"]["ename"]])

    try:
        await cell_reply(first, 0.05)
    except queue.Empty:
        tell("timeout", "Empty")

    await manager.restart_kernel()
    await first.wait_for_ready(timeout=TIMEOUT_S)
    first.execute("number")
    tell("after_restart", (await cell_reply(first))["content"].get("ename"))

    process = manager.provisioner.process
    for client in clients:
        client.stop_channels()
    await manager.shutdown_kernel()
    tell("kernel_exit_code", process.poll())
    manager.context.destroy(linger=0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
