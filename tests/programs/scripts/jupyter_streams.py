"""Front ends that read through ZMQStream, as qtconsole and the notebook server do: ``jupyter_streams.py KERNEL``."""

from __future__ import annotations

import asyncio
import queue
import sys
from typing import Any

from facts import library_name, tell
from jupyter_client.ioloop import AsyncIOLoopKernelManager
from jupyter_client.manager import KernelManager
from jupyter_client.threaded import ThreadedKernelClient, ThreadedZMQSocketChannel

TIMEOUT_S = 20.0
LINES = [str(number) for number in range(300)]
CODE = "for number in range(300): print(number, flush=True)"


class QueueChannel(ThreadedZMQSocketChannel):
    """A channel that puts what the stream's thread receives into a queue."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()

    def call_handlers(self, msg: dict[str, Any]) -> None:
        self.messages.put(msg)


class QueueClient(ThreadedKernelClient):
    """A client whose channels fill queues."""

    iopub_channel_class = QueueChannel
    shell_channel_class = QueueChannel
    stdin_channel_class = QueueChannel
    control_channel_class = QueueChannel


def output_until_idle(messages: queue.Queue[dict[str, Any]], number: str) -> str:
    """Join the output of request `number`."""
    parts = []
    while True:
        message = messages.get(timeout=TIMEOUT_S)
        if message["parent_header"].get("msg_id") != number:
            continue
        if message["msg_type"] == "stream":
            parts.append(message["content"]["text"])
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return "".join(parts)


def use_threaded_client(kernel: str) -> None:
    """Start a kernel, talk to it through streams in a thread, and shut it down."""
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    blocking = manager.client()
    blocking.start_channels(hb=False)
    blocking.wait_for_ready(timeout=TIMEOUT_S)
    client = QueueClient(connection_file=manager.connection_file)
    client.load_connection_file()
    client.start_channels()

    # The subscription is known to reach the kernel when its first answer comes back through iopub.
    while True:
        number = client.kernel_info()
        client.shell_channel.messages.get(timeout=TIMEOUT_S)
        try:
            while client.iopub_channel.messages.get(timeout=0.5)["parent_header"].get("msg_id") != number:
                pass
            break
        except queue.Empty:
            continue

    code = "import sys, zmq; print('purezmq' if zmq is sys.modules.get('purezmq') else 'zmq')"
    tell("libraries", [library_name(), output_until_idle(client.iopub_channel.messages, client.execute(code)).strip()])
    number = client.execute(CODE)
    tell("threaded_lines_in_order", output_until_idle(client.iopub_channel.messages, number).split() == LINES)
    while (reply := client.shell_channel.messages.get(timeout=TIMEOUT_S))["parent_header"]["msg_id"] != number:
        pass
    tell("threaded_status", reply["content"]["status"])
    client.stop_channels()
    blocking.stop_channels()
    process = manager.provisioner.process
    manager.shutdown_kernel()
    tell("kernel_exit_code", process.poll())


async def use_ioloop_manager(kernel: str) -> None:
    """Start a kernel, and read its channels through the streams that the manager connects."""
    manager = AsyncIOLoopKernelManager(kernel_name=kernel)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=TIMEOUT_S)
    client.stop_channels()

    messages: asyncio.Queue[list[bytes]] = asyncio.Queue()
    beats: asyncio.Queue[list[bytes]] = asyncio.Queue()
    iopub, shell, heartbeat = manager.connect_iopub(), manager.connect_shell(), manager.connect_hb()
    iopub.on_recv(messages.put_nowait)
    heartbeat.on_recv(beats.put_nowait)
    heartbeat.send(b"ping")
    tell("heartbeat_stream", [part.decode() for part in await asyncio.wait_for(beats.get(), TIMEOUT_S)])

    session, text = manager.session, ""
    # An XPUB socket welcomes each subscriber: from then on nothing is missed.
    while session.deserialize(session.feed_identities(await messages.get())[1])["msg_type"] != "iopub_welcome":
        pass
    content = {"code": CODE, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    request = session.send(shell, "execute_request", content)
    while True:
        parts = await asyncio.wait_for(messages.get(), TIMEOUT_S)
        message = session.deserialize(session.feed_identities(parts)[1])
        if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
            continue
        if message["msg_type"] == "stream":
            text += message["content"]["text"]
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            break
    tell("ioloop_lines_in_order", text.split() == LINES)
    for stream in (iopub, shell, heartbeat):
        stream.close()
    await manager.shutdown_kernel()


if __name__ == "__main__":
    use_threaded_client(sys.argv[1])
    asyncio.run(use_ioloop_manager(sys.argv[1]))
