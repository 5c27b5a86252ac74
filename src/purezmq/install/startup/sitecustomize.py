"""Python imports this when it starts under `purezmq run`: ``import zmq`` will get purezmq.

It imports nothing of purezmq itself until the program does, takes its own folder off ``sys.path``, and runs the
``sitecustomize`` that it hides. Every Python 3 that a program starts reads this file, so it must stay simple.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from purezmq.install.finder import AliasFinder

__all__ = ["StartupFinder", "run_hidden_sitecustomize"]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(os.path.dirname(_FOLDER))
_OLDEST_PYTHON = (3, 11)


class StartupFinder:
    """Stands in for purezmq's finder until the program asks for zmq (or purezmq, or pyzmq's version)."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the purezmq that `purezmq run` belongs to, and zmq in it."""
        if fullname == "purezmq":
            from importlib.util import spec_from_file_location

            return spec_from_file_location(
                fullname, os.path.join(_PACKAGE, "__init__.py"), submodule_search_locations=[_PACKAGE]
            )
        if fullname == "zmq" or fullname.startswith("zmq."):
            finder = self._install()
            sys.modules.pop(fullname, None)  # or the import system would run the package again
            return finder.find_spec(fullname, path, target)
        return None

    def find_distributions(self, context: Any = None) -> Iterable[Any]:
        """Tell ``importlib.metadata`` which pyzmq is matched."""
        name = getattr(context, "name", None)
        if sys.version_info < _OLDEST_PYTHON or (name is not None and name.lower() != "pyzmq"):
            return []
        return self._install().find_distributions(context)

    def _install(self) -> AliasFinder:
        if sys.version_info < _OLDEST_PYTHON:
            raise ImportError(
                "purezmq run: {} is Python {}.{}, purezmq needs {}.{} or newer".format(
                    sys.executable, *sys.version_info[:2], *_OLDEST_PYTHON
                )
            )
        from purezmq.install import install_as_zmq
        from purezmq.install.finder import FINDER

        install_as_zmq()
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        return FINDER


def run_hidden_sitecustomize() -> None:
    """Run the ``sitecustomize`` that Python would have found without this folder, if there is one."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _FOLDER]
    sys.path_importer_cache.pop(_FOLDER, None)
    sys.meta_path.insert(0, StartupFinder())
    run_hidden_sitecustomize()
