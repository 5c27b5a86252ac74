"""A front end that exchanges binary buffers with its kernel, as widgets do: ``jupyter_buffers.py KERNEL``."""

from __future__ import annotations

import sys

from facts import tell
from jupyter_client.manager import KernelManager

TIMEOUT_S = 20.0
CODE = """
from comm import get_comm_manager
def opened(comm, message):
    def answer(message):
        sizes = [len(memoryview(part)) for part in message["buffers"]]
        comm.send({"sizes": sizes}, buffers=[bytes(reversed(bytes(part))) for part in message["buffers"]])
    comm.on_msg(answer)
get_comm_manager().register_target("binary", opened)
"""


def main(kernel: str) -> None:
    """Send buffers of several sizes, get them back reversed."""
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=TIMEOUT_S)
    client.execute_interactive(CODE, timeout=TIMEOUT_S)
    buffers = [b"", b"abc", bytes(range(256)) * 400, bytes(range(256)) * 4000]
    session, shell = client.session, client.shell_channel.socket
    session.send(shell, "comm_open", {"comm_id": "c", "target_name": "binary", "data": {}})
    session.send(shell, "comm_msg", {"comm_id": "c", "data": {}}, buffers=buffers)
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT_S)
        if message["msg_type"] == "comm_msg":
            break
    tell("sizes", message["content"]["data"]["sizes"])
    tell("reversed", [bytes(part) for part in message["buffers"]] == [part[::-1] for part in buffers])
    client.stop_channels()
    manager.shutdown_kernel()
    manager.context.destroy(linger=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
