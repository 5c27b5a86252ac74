"""pyzmq's ``zmq.utils``, name by name; nothing else may live here."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from purezmq.utils import interop, jsonapi, z85

__all__ = ["interop", "jsonapi", "z85"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        """Import what ``import zmq`` alone makes reachable in pyzmq."""
        if name in __all__:
            return importlib.import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
