"""Which test shows the effect of which option.

A test of what an option *does* is marked ``@effect_of("TOS")``; of a context's option, ``@effect_of("Context.IPV6")``.
`test_option_effects.py` reads the marks from the sources, so that an option without a test is noticed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from purezmq.option_table import CONTEXT_OPTIONS, SOCKET_OPTIONS

__all__ = ["effect_of", "marked_options", "options_with_effect"]

_Test = TypeVar("_Test", bound=Callable[..., None])
_TESTS = Path(__file__).parents[1]


def options_with_effect(*, effective: bool = True) -> set[str]:
    """The names of the options that have their effect; with ``effective=False`` those whose note says why not."""
    return {
        prefix + spec.name
        for prefix, table in (("", SOCKET_OPTIONS), ("Context.", CONTEXT_OPTIONS))
        for spec in table.values()
        if effective != bool(spec.note)
    }


_KNOWN = options_with_effect() | options_with_effect(effective=False)


def effect_of(*names: str) -> Callable[[_Test], _Test]:
    """Mark a test that fails when one of these options has no effect."""
    unknown = set(names) - _KNOWN
    if unknown:
        text = f"no such options: {sorted(unknown)}"
        raise ValueError(text)
    return lambda test: test


def marked_options() -> dict[str, str]:
    """Every option that a test is marked with, and the name of one such test."""
    return {
        name: test.name
        for path in _TESTS.rglob("test_*.py")
        for test in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
        for name in _marks(test)
    }


def _marks(test: ast.FunctionDef) -> Iterator[str]:
    for call in test.decorator_list:
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "effect_of":
            yield from (argument.value for argument in call.args if isinstance(argument, ast.Constant))
