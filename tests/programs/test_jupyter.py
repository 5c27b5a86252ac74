"""Jupyter's front ends (jupyter_client) and its kernel (ipykernel), each on purezmq or on pyzmq, unmodified.

What they use of pyzmq, beyond sockets, options and pollers: `zmq.sugar.socket.Socket` without importing zmq.sugar,
`zmq.asyncio.{Context, Socket, Poller}`, `zmq.Socket.shadow(socket.underlying)`, `Context._socket_class`,
`zmq.eventloop.zmqstream.ZMQStream` (in the loops of several threads, `flush(POLLOUT)`, `on_recv(copy=False)`),
`zmq.device(QUEUE, s, s)` until ETERM or ENOTSOCK, `zmq.MessageTracker()`, `zmq.Message` as a buffer, `zmq.select`,
`zmq.has("curve")`, `zmq.utils.jsonapi`, ROUTER_HANDOVER, XPUB, STREAM, and inproc PUSH/PULL and PAIR between threads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.programs.launching import MIXES, SCRIPTS, Stage, python_command
from tests.support.library import LIBRARY

# (library of the front end, library of the kernel, transport)
CASES = [(*mix, "tcp") for mix in MIXES] + [(LIBRARY, LIBRARY, "ipc")]


def case_name(case: tuple[str, ...]) -> str:
    """Name a case for pytest."""
    return "-".join(case)


def jupyter_variables(stage: Stage) -> dict[str, str]:
    """Return the environment that keeps everything Jupyter writes inside the stage."""
    names = ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")
    folders = {name: str(stage.folder / name[-11:].lower()) for name in names}
    # The debugger's warning about frozen modules goes to stderr of each kernel.
    return {**folders, "JUPYTER_PLATFORM_DIRS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def kernel_name(stage: Stage, front: str, kernel: str) -> str:
    """Return the name of a kernel on library `kernel`: Jupyter's own one where the front end's library is the same."""
    if front == kernel:
        return "python3"
    folder = Path(jupyter_variables(stage)["JUPYTER_DATA_DIR"]) / "kernels" / "peer"
    folder.mkdir(parents=True)
    spec = {
        "argv": [*python_command(kernel), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "peer",
        "language": "python",
        "metadata": {"debugger": False},
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    return "peer"


@pytest.fixture(scope="module", params=CASES, ids=case_name)
def case(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """Library of the front end, library of the kernel, transport."""
    return request.param


@pytest.fixture(scope="module")
def facts(case: tuple[str, str, str]) -> Iterator[dict[str, Any]]:
    """What the front end with the blocking client found out, in one life of one kernel."""
    front, kernel, transport = case
    with Stage() as stage:
        name = kernel_name(stage, front, kernel)
        program = stage.start(front, SCRIPTS / "jupyter_blocking.py", transport, name, **jupyter_variables(stage))
        facts = program.check()
        stage.wait_until_empty()
        yield facts


def test_front_end_and_kernel_run_on_the_chosen_libraries(facts, case):
    """The front end and the kernel that it starts use the library that they were started with."""
    assert [facts["library"], facts["kernel_library"]] == list(case[:2])


def test_kernel_executing_a_cell_returns_its_result(facts):
    """A cell's value is published, between the states busy and idle, and its reply says ok."""
    assert facts["result"] == ["ok", [{"text/plain": "42"}]]
    assert facts["states"] == ["busy", "idle"]


def test_kernel_output_of_1000_lines_arrives_in_order(facts):
    """Lines that are flushed one by one arrive complete and in order."""
    assert facts["lines_in_order"] is True


def test_kernel_output_of_megabytes_arrives_whole(facts):
    """A message of three megabytes comes through the kernel's threads whole."""
    assert facts["big_output"] == 3_000_001


def test_kernel_error_is_replied_and_published(facts):
    """An exception reaches the front end on the shell channel and on iopub."""
    assert facts["error"] == ["error", "ZeroDivisionError", ["error"]]


def test_kernel_input_request_is_answered(facts):
    """A cell that calls input() asks the front end and goes on with the answer."""
    assert facts["input"] == [["who? "], "hello world\n"]


def test_kernel_comm_echoes_message(facts):
    """A comm opened by the front end gets its message answered."""
    assert facts["comm"] == {"echo": {"n": 7}}


def test_kernel_interrupt_ends_the_running_cell_only(facts):
    """An interrupt ends the cell with KeyboardInterrupt, and the kernel keeps its variables."""
    assert facts["interrupt"] == ["error", "KeyboardInterrupt"]
    assert facts["after_interrupt"] == "42\n"


def test_kernel_heartbeat_follows_the_process(facts):
    """The heartbeat beats, stops with a stopped process, and beats again when that goes on."""
    assert [facts["beating"], facts["stopped"], facts["beating_again"]] == [True, True, True]


def test_kernel_restart_forgets_variables(facts):
    """After a restart the same client talks to a fresh kernel."""
    assert facts["after_restart"] == "NameError"


def test_kernel_shutdown_ends_the_process_by_itself(facts):
    """The kernel process ends with exit code 0 on the shutdown request, and no process is left."""
    assert facts["kernel_exit_code"] == 0
    assert facts["alive_after_shutdown"] is False


@pytest.mark.parametrize(("front", "kernel", "transport"), CASES[1:], ids=map(case_name, CASES[1:]))
def test_async_clients_share_a_kernel(stage, front, kernel, transport):
    """Two asyncio clients of one kernel each see their own replies, and both everything that is published."""
    name = kernel_name(stage, front, kernel)
    program = stage.start(front, SCRIPTS / "jupyter_async.py", transport, name, **jupyter_variables(stage))
    facts = program.check()
    stage.wait_until_empty()
    assert facts == {
        "libraries": [front, kernel],
        "replies": [[index * 100 + number for number in range(20)] for index in range(2)],
        "both_saw_all_results": True,
        "interrupt": ["error", "KeyboardInterrupt"],
        "timeout": "Empty",
        "after_restart": "NameError",
        "kernel_exit_code": 0,
    }


@pytest.mark.parametrize(("front", "kernel"), MIXES)
def test_stream_clients_get_every_message(stage, front, kernel):
    """Clients that read through a ZMQStream, in a thread and in a tornado loop, get every message in order."""
    name = kernel_name(stage, front, kernel)
    program = stage.start(front, SCRIPTS / "jupyter_streams.py", name, **jupyter_variables(stage))
    facts = program.check()
    stage.wait_until_empty()
    assert facts == {
        "libraries": [front, kernel],
        "threaded_lines_in_order": True,
        "threaded_status": "ok",
        "ioloop_lines_in_order": True,
        "heartbeat_stream": ["ping"],
        "kernel_exit_code": 0,
    }


def test_notebook_is_executed(stage):
    """nbclient executes a notebook: outputs, an error that is allowed, and a display update."""
    facts = stage.start(LIBRARY, SCRIPTS / "notebook.py", **jupyter_variables(stage)).check()
    stage.wait_until_empty()
    assert facts == {
        "library": LIBRARY,
        "kernel_library": LIBRARY,
        "outputs": [["stream"], ["execute_result"], ["error"], ["display_data"], ["stream"]],
        "numbers": [1, 2, 3, 4, 5],
    }


def test_kernel_started_by_hand_is_joined_by_its_connection_file(stage):
    """``purezmq run -m ipykernel_launcher`` makes a kernel that ``jupyter run`` of another process uses."""
    variables = jupyter_variables(stage)
    connection = stage.folder / "kernel.json"
    kernel = stage.start(LIBRARY, "-m", "ipykernel_launcher", "-f", connection, **variables)
    kernel.wait_for("kernel.json", "out")
    script = stage.folder / "cell.py"
    script.write_text("import sys\nprint('from the cell', 6 * 7)\n")
    front = stage.start(LIBRARY, "-m", "jupyter_client.runapp", "--existing", connection, script, **variables)
    front.wait_for("from the cell 42")
    assert front.finish() == 0, front.report()
    kernel.process.terminate()
    kernel.finish()
