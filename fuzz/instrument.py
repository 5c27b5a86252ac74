"""Tells libFuzzer which branches of the library an input takes, at the cost of one assignment per branch.

Atheris calls a function of C++ at each branch and each comparison, which took up to three quarters of an execution.
Here the compiled code sets a byte of a table at each branch, and libFuzzer is given the table itself, by the interface
that compilers have for it (``__sanitizer_cov_8bit_counters_init``). Where the branches are is found out by atheris.

Comparisons aren't told: what libFuzzer would learn from them stands in ``TOKENS`` of the targets.
"""

from __future__ import annotations

import ctypes
import importlib
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import TYPE_CHECKING, Any

from atheris import instrument_bytecode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["BranchFinder", "count_branches", "tell_libfuzzer"]

_MAX_BRANCHES = 1 << 14
_HITS = bytearray(_MAX_BRANCHES)
"""A byte for each branch: how often it was taken, or 1. Its memory is libFuzzer's as well: it never grows."""
_NEXT = bytes((*range(1, 256), 255))
"""What follows a count, which doesn't go beyond a byte."""
_NEXT_OF_LOOP = bytes(min(count + 1, 32) for count in range(256))
"""The same where only a loop is counted: there, hundreds tell nothing that dozens don't, and take ten times as long."""
_PROBE_STACK = 3
_TOLD: list[Any] = []
"""What libFuzzer has addresses of must stay."""


class _Probes(instrument_bytecode.Instrumentor):  # type: ignore[misc]  # atheris has no types
    """Puts ``_HITS[number] = 1`` at the beginning of each block of a function.

    Where a loop begins again it's ``_HITS[number] = _NEXT_OF_LOOP[_HITS[number]]``: that there are many of something is
    worth knowing, and to know it there is enough mostly. To know it everywhere costs a third of the rate.
    """

    used = 0
    counts_all = False
    counted: frozenset[str] = frozenset()

    def _generate_trace_branch_invocation(self, copyfrom_instruction: Any) -> list[Any]:
        number = _Probes.used
        _Probes.used += 1
        assert number < _MAX_BRANCHES
        place = [("LOAD_CONST", self._get_const(_HITS)), ("LOAD_CONST", self._get_const(number))]
        value = [("LOAD_CONST", self._get_const(1))]
        if self.counts_all or any("BACKWARD" in referer.mnemonic for referer in copyfrom_instruction.referers):
            take = ("BINARY_SUBSCR", None)
            following = _NEXT if self.counts_all else _NEXT_OF_LOOP
            value = [("LOAD_CONST", self._get_const(following)), *place, take, take]
        return [
            instrument_bytecode._generate_instruction(name, argument, copyfrom_instruction)
            for name, argument in (*value, *place, ("STORE_SUBSCR", None))
        ]


def _with_probes(code: CodeType) -> CodeType:
    """Return code that notes its branches; comprehensions belong to the branch they are in."""
    probes = _Probes(code)
    probes.counts_all = code.co_name in _Probes.counted
    probes.trace_control_flow()
    for index, constant in enumerate(probes.consts):
        if isinstance(constant, CodeType) and (constant.co_name == "<lambda>" or constant.co_name[0] != "<"):
            probes.consts[index] = _with_probes(constant)
    changed: CodeType = probes.to_code()
    return changed.replace(co_stacksize=code.co_stacksize + _PROBE_STACK)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        code = super().get_code(fullname)
        return None if code is None else _with_probes(code)


class BranchFinder(MetaPathFinder):
    """Finds the modules of a package, and has their branches noted.

    Args:
        package: its name; what is imported already stays as it is.
        counted: functions each of whose branches is counted, and not only where a loop begins again.
    """

    def __init__(self, package: str, *, counted: frozenset[str]) -> None:
        self._package = package
        _Probes.counted = counted

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `MetaPathFinder`."""
        if fullname.partition(".")[0] != self._package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def count_branches() -> int:
    """Return how many branches were found."""
    return _Probes.used


def tell_libfuzzer() -> None:
    """Give libFuzzer the table. To be called between atheris' ``Setup`` and ``Fuzz``, when all is imported."""
    count = count_branches()
    library = ctypes.CDLL(str(importlib.import_module("atheris.core_with_libfuzzer").__file__))
    table = (ctypes.c_ubyte * _MAX_BRANCHES).from_buffer(_HITS)
    # A counter wants an address of code and its kind, which would be for people: the number does.
    places = (ctypes.c_size_t * (2 * count))(*(word for number in range(count) for word in (number + 1, 0)))
    _TOLD.extend((library, table, places))
    start, places_start = ctypes.addressof(table), ctypes.addressof(places)
    library["__sanitizer_cov_8bit_counters_init"](ctypes.c_void_p(start), ctypes.c_void_p(start + count))
    library["__sanitizer_cov_pcs_init"](
        ctypes.c_void_p(places_start), ctypes.c_void_p(places_start + ctypes.sizeof(places))
    )
