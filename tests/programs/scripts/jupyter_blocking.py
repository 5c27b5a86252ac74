"""A front end with jupyter_client's blocking client: ``jupyter_blocking.py TRANSPORT KERNEL``."""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

from facts import library_name, tell
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

TIMEOUT_S = 20.0


def outputs(client: BlockingKernelClient, code: str, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run `code` and return its reply and everything that it published."""
    published: list[dict[str, Any]] = []
    reply = client.execute_interactive(code, timeout=TIMEOUT_S, output_hook=published.append, **options)
    return reply["content"], published


def text(published: list[dict[str, Any]]) -> str:
    """Join what went to stdout."""
    return "".join(message["content"]["text"] for message in published if message["msg_type"] == "stream")


def interrupted(manager: KernelManager, client: BlockingKernelClient) -> list[str]:
    """Interrupt a cell once it says that it runs; return its status and the name of the error.

    A kernel aborts what comes within the first moment after an error, unless it is told not to. It misses some
    interrupts that come while it publishes.
    """
    number = client.execute("import time; print('running', flush=True); time.sleep(60)", stop_on_error=False)
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT_S)
        if message["msg_type"] == "stream" and message["parent_header"].get("msg_id") == number:
            break
    for _ in range(10):
        manager.interrupt_kernel()
        while client.shell_channel.socket.poll(TIMEOUT_S * 100):
            reply = client.get_shell_msg(timeout=1)
            if reply["parent_header"]["msg_id"] == number:
                return [reply["content"]["status"], reply["content"].get("ename", "")]
    raise TimeoutError("the kernel can't be interrupted")


def comm_echo(client: BlockingKernelClient) -> Any:
    """Open a comm to a target of the kernel, which answers on iopub."""
    code = """
from comm import get_comm_manager
def opened(comm, message):
    comm.on_msg(lambda message: comm.send({"echo": message["content"]["data"]}))
get_comm_manager().register_target("echo", opened)
"""
    outputs(client, code)
    client.shell_channel.send(
        client.session.msg("comm_open", {"comm_id": "c1", "target_name": "echo", "data": {}}),
    )
    client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": "c1", "data": {"n": 7}}))
    while True:
        message = client.get_iopub_msg(timeout=TIMEOUT_S)
        if message["msg_type"] == "comm_msg":
            return message["content"]["data"]


def wait_for_beating(client: BlockingKernelClient, beating: bool) -> bool:
    """Wait until the heartbeat is as said; return whether that came in time."""
    deadline = time.monotonic() + TIMEOUT_S
    while client.hb_channel.is_beating() is not beating and time.monotonic() < deadline:
        time.sleep(0.05)
    return client.hb_channel.is_beating() is beating


def talk(manager: KernelManager, client: BlockingKernelClient) -> None:
    """Say everything that a front end says to a kernel in its life."""
    code = "import sys, zmq; print('purezmq' if zmq is sys.modules.get('purezmq') else 'zmq')"
    tell("kernel_library", text(outputs(client, code)[1]).strip())

    reply, published = outputs(client, "kept = 6 * 7; kept")
    tell("result", [reply["status"], [m["content"]["data"] for m in published if m["msg_type"] == "execute_result"]])
    tell("states", [m["content"]["execution_state"] for m in published if m["msg_type"] == "status"])

    lines = text(outputs(client, "for number in range(1000): print(number, flush=True)")[1]).split()
    tell("lines_in_order", lines == [str(number) for number in range(1000)])

    big = "print('x' * 3_000_000)"
    tell("big_output", len(text(outputs(client, big)[1])))

    reply, published = outputs(client, "1 / 0", stop_on_error=False)
    tell("error", [reply["status"], reply["ename"], [m["msg_type"] for m in published if m["msg_type"] == "error"]])

    code = "print('hello', input('who? '))"
    prompts = []

    def answer(request: dict[str, Any]) -> None:
        prompts.append(request["content"]["prompt"])
        client.input("world")

    published = outputs(client, code, allow_stdin=True, stdin_hook=answer)[1]
    tell("input", [prompts, text(published)])

    tell("comm", comm_echo(client))
    tell("interrupt", interrupted(manager, client))
    tell("after_interrupt", text(outputs(client, "print(kept)")[1]))

    client.hb_channel.time_to_dead = 0.2
    client.hb_channel.unpause()
    tell("beating", wait_for_beating(client, True))
    manager.signal_kernel(signal.SIGSTOP)
    tell("stopped", wait_for_beating(client, False))
    manager.signal_kernel(signal.SIGCONT)
    tell("beating_again", wait_for_beating(client, True))


def main(transport: str, kernel: str) -> None:
    """Start a kernel, talk to it, restart it, and shut it down."""
    manager = KernelManager(kernel_name=kernel, transport=transport)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=TIMEOUT_S)
    tell("library", library_name())
    talk(manager, client)

    manager.restart_kernel()
    client.wait_for_ready(timeout=TIMEOUT_S)
    tell("after_restart", outputs(client, "kept")[0].get("ename"))

    process = manager.provisioner.process
    client.stop_channels()
    manager.shutdown_kernel()
    tell("kernel_exit_code", process.poll())
    tell("alive_after_shutdown", manager.is_alive())
    manager.context.destroy(linger=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
