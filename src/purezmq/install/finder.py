"""The finder of the import system that maps ``zmq.X`` to ``purezmq.X``: two names, one module object.

It must stand before the finder of paths, which would load a second copy of a submodule from purezmq's folder.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import CodeType, ModuleType
    from typing import Any

__all__ = ["FINDER", "AliasFinder", "AliasLoader", "find_foreign_modules"]

_OWN = "purezmq"
_ALIAS = "zmq"


def _is_alias(name: str) -> bool:
    return name == _ALIAS or name.startswith(_ALIAS + ".")


def _own_name(name: str) -> str:
    return _OWN + name.removeprefix(_ALIAS)


def find_foreign_modules() -> list[str]:
    """Return the names under ``zmq`` that are imported and are not purezmq's modules."""
    return [
        name
        for name, module in sorted(sys.modules.items())
        if _is_alias(name) and module is not None and module is not sys.modules.get(_own_name(name))
    ]


class AliasLoader:
    """Hands out the module that purezmq's own loader made, and what tools ask a loader for.

    Args:
        own_spec: the spec of the module under purezmq's name.
    """

    def __init__(self, own_spec: ModuleSpec) -> None:
        self._own_spec = own_spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the module under purezmq's name."""
        return import_module(self._own_spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Undo the one thing that the import system changed: the spec stays purezmq's, so `reload` works."""
        module.__spec__ = self._own_spec

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the module, for ``python -m zmq.X``."""
        code: CodeType | None = self._own("get_code")
        return code

    def get_source(self, fullname: str) -> str | None:
        """The text of the module."""
        source: str | None = self._own("get_source")
        return source

    def get_filename(self, fullname: str) -> str:
        """The path of the module's file."""
        filename: str = self._own("get_filename")
        return filename

    def is_package(self, fullname: str) -> bool:
        """Whether it has submodules."""
        return self._own_spec.submodule_search_locations is not None

    def _own(self, method: str) -> Any:
        return getattr(self._own_spec.loader, method)(self._own_spec.name)


class AliasFinder:
    """Finds ``zmq`` and everything below it; other names are none of its business."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of ``zmq.X``, or None where purezmq has no module X."""
        if not _is_alias(fullname):
            return None
        try:
            own = find_spec(_own_name(fullname))
        except ModuleNotFoundError:
            return None
        if own is None:
            return None
        loader: Any = AliasLoader(own)
        spec = ModuleSpec(fullname, loader, origin=own.origin)
        spec.submodule_search_locations = own.submodule_search_locations
        spec.has_location = own.has_location
        spec.cached = own.cached
        return spec

    def find_distributions(self, context: Any = None) -> Iterable[Any]:
        """Tell ``importlib.metadata`` which pyzmq is matched."""
        name = getattr(context, "name", None)
        if name is not None and name.lower() != "pyzmq":
            return []
        from purezmq.install.distribution import MatchedPyzmq

        return [MatchedPyzmq()]

    def enter_loaded_modules(self) -> None:
        """Give the modules that are imported already their second name."""
        for name, module in list(sys.modules.items()):
            if name == _OWN or name.startswith(_OWN + "."):
                sys.modules[_ALIAS + name.removeprefix(_OWN)] = module


#: The one finder of the process.
FINDER = AliasFinder()
