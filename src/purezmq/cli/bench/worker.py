"""One worker process of the benchmark: `python -m purezmq.cli.bench.worker --lib NAME --role ROLE ...`.

Imports the library by its name, plays the role and reports in JSON lines on stdout. The roles themselves are in
roles.py, async_roles.py, curve_roles.py and swap_roles.py (through a library) and raw.py (plain sockets).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.profiler import Profiler

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MODULES", "Control", "main"]

#: Library's name in reports -> module to import.
MODULES = {"purezmq": "purezmq", "pyzmq": "zmq", "pyomq": "pyomq"}


class Control:
    """A role's line to the parent.

    Args:
        finish: Ends the process in an orderly way; called when the parent closes the line.
    """

    def __init__(self, finish: Callable[[], None]) -> None:
        self._finish = finish

    def report(self, **fields: Any) -> None:
        """Send one report to the parent."""
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()

    def wait(self) -> str:
        """Wait for the parent's next command word; the process ends when there will be none."""
        line = sys.stdin.readline()
        if not line:
            self._finish()
        return line.strip()

    def serve_cpu_samples(self) -> None:
        """Answer every command with the process's CPU seconds, in a thread, for roles that never return."""

        def serve() -> None:
            while self.wait():
                self.report(cpu=time.process_time())

        threading.Thread(target=serve, daemon=True).start()


def raise_file_limit() -> None:
    """Allow as many descriptors as the system lets us have."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def find_role(library: str, name: str) -> Callable[[dict[str, Any], Control], None]:
    """Return the role `name`, bound to the imported library if it uses one."""
    if library == "raw":
        from purezmq.cli.bench import raw

        return raw.ROLES[name]
    from purezmq.cli.bench import async_roles, curve_roles, roles, swap_roles

    known = {**roles.ROLES, **async_roles.ROLES, **curve_roles.ROLES, **swap_roles.ROLES}
    role, module = known[name], importlib.import_module(MODULES[library])
    return lambda options, control: role(module, options, control)


def main(argv: list[str]) -> int:
    """Play one role.

    Args:
        argv: Arguments without the program's name.

    Returns:
        0; failures are reported to the parent and give 1.
    """
    parser = argparse.ArgumentParser(prog="worker")
    parser.add_argument("--lib", required=True, choices=[*MODULES, "raw"])
    parser.add_argument("--role", required=True)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--profile", type=Path)
    arguments = parser.parse_args(argv)
    profiler = Profiler(arguments.profile) if arguments.profile else None

    def finish(code: int = 0) -> None:
        if profiler is not None:
            profiler.dump()
        sys.stdout.flush()
        os._exit(code)  # no shutdown of the library: it isn't measured and may not hang the benchmark

    control = Control(finish)
    try:
        raise_file_limit()
        role = find_role(arguments.lib, arguments.role)
        if profiler is not None:
            profiler.start()
        role(arguments.options, control)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is this run's result
        control.report(error=f"{type(error).__name__}: {error}")
        finish(1)
    finish()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
