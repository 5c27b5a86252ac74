"""How the Python processes that a program starts find purezmq as zmq, too: a folder in front of PYTHONPATH.

Python imports a module named ``sitecustomize`` when it starts; `startup` has one. Processes that ignore the environment
(``python -I``, ``-E``), skip the module site (``-S``) or are started with a PYTHONPATH of their own are out of reach.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STARTUP_FOLDER", "install_in_child_processes", "make_child_environment"]

#: The folder that holds nothing but our ``sitecustomize``.
STARTUP_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "startup")


def make_child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `environment` in which Python finds purezmq as zmq."""
    old = environment.get("PYTHONPATH", "")
    rest = [folder for folder in old.split(os.pathsep) if folder != STARTUP_FOLDER] if old else []
    return {**environment, "PYTHONPATH": os.pathsep.join([STARTUP_FOLDER, *rest])}


def install_in_child_processes() -> None:
    """Change this process's environment, which its children inherit."""
    os.environ.update(make_child_environment(os.environ))
