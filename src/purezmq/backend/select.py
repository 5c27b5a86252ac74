"""pyzmq's ``zmq.backend.select``: the names that a backend has, looked up in a module."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["public_api", "select_backend"]

#: What pyzmq expects of a backend.
public_api = [
    "Context",
    "Socket",
    "Frame",
    "Message",
    "proxy",
    "proxy_steerable",
    "zmq_poll",
    "strerror",
    "zmq_errno",
    "has",
    "curve_keypair",
    "curve_public",
    "zmq_version_info",
    "IPC_PATH_MAX_LEN",
    "PYZMQ_DRAFT_API",
]


def select_backend(name: str) -> dict[str, Any]:
    """Import a backend.

    Args:
        name: a module's name, such as ``"purezmq.backend"``, the only one here.

    Returns:
        The names of `public_api` and ``monitored_queue``, and what the module has under them.

    Raises:
        ImportError: there is no such module.
        AttributeError: it lacks one of the names.
    """
    module = import_module(name)
    return {key: getattr(module, key) for key in ["monitored_queue", *public_api]}
