"""`install_as_zmq`: a program's ``import zmq`` gets purezmq.

How names are found is in `finder`, what ``importlib.metadata`` says about pyzmq in `distribution`, how a program's
Python processes come to the same in `child_processes` and `startup`. Nothing here may load the engine.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["install_as_zmq", "is_installed_as_zmq"]


def install_as_zmq(*, child_processes: bool = False) -> None:
    """Let this process find purezmq under the name ``zmq``, every submodule included.

    ``zmq`` and ``zmq.asyncio`` are then the same module objects as ``purezmq`` and ``purezmq.asyncio``; submodules are
    imported when they are asked for. ``zmq.__version__`` and ``importlib.metadata.version("pyzmq")`` say which pyzmq is
    matched, because programs compare them; purezmq's own version stays in ``importlib.metadata.version("purezmq")``.
    A second call changes nothing.

    Args:
        child_processes: also for the Python processes that this one starts from now on, by way of PYTHONPATH.

    Raises:
        RuntimeError: the real zmq, or a part of it, is imported already.
    """
    from purezmq.install.finder import FINDER, find_foreign_modules

    foreign = find_foreign_modules()
    if foreign:
        raise RuntimeError(
            f"install_as_zmq() came too late: {foreign[0]} is imported already, from "
            f"{getattr(sys.modules[foreign[0]], '__file__', None)}; call it before anything imports zmq, "
            "or start the program by `purezmq run`"
        )
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)
    FINDER.enter_loaded_modules()
    package: Any = sys.modules["purezmq"]
    package.__version__ = package.pyzmq_version()
    if child_processes:
        from purezmq.install.child_processes import install_in_child_processes

        install_in_child_processes()


def is_installed_as_zmq() -> bool:
    """Whether ``import zmq`` gets purezmq in this process."""
    return "zmq" in sys.modules and sys.modules["zmq"] is sys.modules["purezmq"]
