"""Writes docs/reference/compatibility.md: an installed pyzmq, name by name, against purezmq.

`python tests/compat/compatibility_table.py` writes the page; a test fails while it isn't what would be written.
What looking can't find out stands in `compatibility_notes`.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import inspect
import io
import pkgutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from inspect import getattr_static
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import zmq as pyzmq

import purezmq
from purezmq.option_table import CONTEXT_OPTIONS, SOCKET_OPTIONS

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.compat.compatibility_notes import (  # noqa: E402 - the project's folder has to be on the path first
    LATER_MODULES,
    LATER_OPTIONS,
    MODULE_NOTES,
    NOTES,
    OPTION_NOTES,
)

__all__ = ["PAGE", "Row", "make_page", "make_sections", "unused_notes"]

PAGE = ROOT / "docs" / "reference" / "compatibility.md"

#: Names that programs use and that are not in pyzmq's lists.
UNLISTED = {"zmq": ["get_library_dirs"]}
#: Names of the standard library and private ones that slipped into pyzmq's lists.
ACCIDENTAL = {"Enum", "IntEnum", "IntFlag", "_FINISHED_TRACKER", "TYPE_CHECKING", "annotations"}

HEAD = """\
# Compatibility with pyzmq

Written by `python tests/compat/compatibility_table.py`, which looks at an installed pyzmq 27; a test checks it.
What pyzmq offers, name by name and option by option, and what became of it here.
Names that begin with an underscore are left out.

| Word | Meaning |
|---|---|
| same | there, under the same name, with the same parameters at the same places |
| better | likewise, and does more or fails less; the note says where |
| not applicable | makes sense with C only; there, as far as that helps a program, with a clear error otherwise |
| later | not there yet; belongs to the subject that is named |
"""


class Row(NamedTuple):
    """What became of some names."""

    names: str
    count: int
    status: str
    note: str


_used: set[str] = set()


def unused_notes() -> set[str]:
    """Notes that no row needed; to be asked for after `make_page`."""
    everything = {*NOTES, *MODULE_NOTES, *LATER_MODULES, *LATER_OPTIONS, *OPTION_NOTES}
    return everything - _used


def find_modules() -> list[str]:
    """pyzmq's modules, without its tests and what is private."""
    names = [info.name for info in pkgutil.walk_packages(pyzmq.__path__, "zmq.", onerror=lambda _: None)]
    return ["zmq", *(name for name in sorted(names) if not _is_left_out(name))]


def _is_left_out(name: str) -> bool:
    inside = any(name.startswith(module + ".") for module in MODULE_NOTES)
    private = any(part.startswith("_") for part in name.split(".") if part != "__main__")
    return inside or private or ".tests" in name


def load(name: str) -> ModuleType | None:
    """Import a module; None if it can't be."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            return None


def public_names(module: ModuleType) -> list[str]:
    """What a module offers: its __all__, else what was made in it."""
    if hasattr(module, "__all__"):
        return sorted({*module.__all__, *UNLISTED.get(module.__name__, ())} - ACCIDENTAL)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in ACCIDENTAL
        and not inspect.ismodule(value)
        and (getattr(value, "__module__", None) == module.__name__ or (name.isupper() and not callable(value)))
    )


def public_members(cls: type) -> list[str]:
    """Names of methods and attributes that pyzmq wrote."""
    names = set()
    for ancestor in cls.__mro__:
        if ancestor.__module__.partition(".")[0] == "zmq":
            names |= {name for name in vars(ancestor) if not name.startswith("_")}
    return sorted(names)


def parameters(function: Any) -> list[inspect.Parameter] | None:
    """Parameters without self; None where they can't be read."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [parameter for name, parameter in signature.parameters.items() if name not in {"self", "cls", "_cls"}]


def compare_parameters(theirs: Any, ours: Any) -> tuple[list[str], list[str], list[str]]:
    """Parameters that are missing here, those that are new, and those at the same place with another name."""
    their, our = parameters(theirs), parameters(ours)
    if their is None or our is None:
        return [], [], []
    variable = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    named = {p.name for p in our}
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in our)
    takes_more = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in our)
    missing, renamed = [], []
    for place, parameter in enumerate(their):
        if parameter.kind in variable or parameter.name in named or takes_any:
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY and (takes_more or place < len(our)):
            continue
        if place < len(our) and _is_renamed(parameter, our[place]):
            renamed.append(f"`{parameter.name}` is named `{our[place].name}`")
        else:
            missing.append(parameter.name)
    known = {p.name for p in their}
    if renamed:
        known |= {p.name for p in our}
    loose = any(p.kind in variable for p in their) or any(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in their)
    extra = [] if loose else [p.name for p in our if p.name not in known and p.kind not in variable]
    return missing, extra, renamed


def _is_renamed(theirs: inspect.Parameter, ours: inspect.Parameter) -> bool:
    """Whether two parameters at one place differ by name only; both are required, so callers give them by place."""
    required = theirs.default is ours.default is inspect.Parameter.empty
    return required and theirs.kind is ours.kind is not inspect.Parameter.KEYWORD_ONLY


def judge(key: str, theirs: Any, ours: Any) -> tuple[str, str]:
    """Status and note of one thing that both have."""
    missing, extra, notes = compare_parameters(theirs, ours) if callable(theirs) and callable(ours) else ([], [], [])
    if missing:
        return "missing", f"parameters {', '.join(missing)}"
    if key in NOTES:
        _used.add(key)
        return NOTES[key]
    notes += ["also " + ", ".join(f"`{name}=`" for name in extra)] if extra else []
    return "same", "; ".join(notes)


def _absent(key: str) -> tuple[str, str]:
    if key in NOTES and NOTES[key][0] == "not applicable":
        _used.add(key)
        return NOTES[key]
    return "missing", ""


def compare_class(key: str, theirs: type, ours: type) -> Iterator[tuple[str, str, str]]:
    """A class and its members: name, status, note."""
    name = key.rpartition(".")[2]
    if issubclass(theirs, enum.Enum):
        gone = [
            member
            for member, value in theirs.__members__.items()
            if member not in ours.__members__ or int(value) != int(ours.__members__[member])
        ]
        text = f"all {len(theirs.__members__)} members, with their numbers"
        yield (name, "missing", f"members {', '.join(gone)}") if gone else (name, "same", text)
        return
    yield (name, *judge(key, theirs, ours))
    base = getattr(pyzmq, name, None)
    inherits = inspect.isclass(base) and base is not theirs and issubclass(theirs, base)
    inherited = 0
    for member in public_members(theirs):
        member_key = f"{key}.{member}"
        same_as_base = inherits and getattr_static(theirs, member) is getattr_static(base, member, None)
        if same_as_base and hasattr(ours, member):
            inherited += 1
            continue
        has = hasattr(ours, member)
        verdict = judge(member_key, getattr(theirs, member), getattr(ours, member)) if has else _absent(member_key)
        yield (f"{name}.{member}", *verdict)
    if inherited:
        yield (f"{name}.*", "same", f"the {inherited} members that it has from `zmq.{name}`")


def compare_module(name: str) -> list[Row]:
    """The rows of one module."""
    theirs = load(name)
    if name in LATER_MODULES:
        _used.add(name)
        count = len(public_names(theirs)) if theirs else 0
        return [Row(f"all {count} names", count, f"later: {LATER_MODULES[name]}", "")]
    if name in MODULE_NOTES:
        _used.add(name)
        return [Row("the module", 1, *MODULE_NOTES[name])]
    if theirs is None:
        raise ImportError(f"pyzmq's {name} can't be imported here; the test extra has what it needs")
    ours = load("purezmq" + name.removeprefix("zmq"))
    names = public_names(theirs)
    if ours is None:
        return [Row("the module", max(len(names), 1), "missing", "")]
    found: list[tuple[str, str, str]] = []
    repeated = []
    numbers = []
    for one in names:
        value = getattr(theirs, one)
        key = f"{name}.{one}"
        if not hasattr(ours, one):
            found.append((one, *_absent(key)))
        elif isinstance(value, enum.Enum):
            numbers.append(one)
            if int(value) != int(getattr(ours, one)):
                found.append((one, "missing", "another number"))
        elif name != "zmq" and one in pyzmq.__all__ and value is getattr(pyzmq, one):
            repeated.append(one)
        elif inspect.isclass(value):
            found += compare_class(key, value, getattr(ours, one))
        else:
            found.append((one, *judge(key, value, getattr(ours, one))))
    rows = _group(found)
    if numbers:
        rows.append(Row(f"all {len(numbers)} constants that are members of those", len(numbers), "same", ""))
    if repeated:
        rows.append(Row(f"the {len(repeated)} names of `zmq` that it repeats", len(repeated), "same", ""))
    return rows or [Row("the module", 1, "same", "")]


def _group(found: list[tuple[str, str, str]]) -> list[Row]:
    """One row for all that need no note, by class; one row for each of the others."""
    plain: dict[str, list[str]] = {}
    rows = []
    for name, status, note in found:
        if status == "same" and not note:
            plain.setdefault(name.partition(".")[0] if "." in name else "", []).append(name)
        else:
            rows.append(Row(f"`{name}`", 1, status, note))
    grouped = []
    for owner, names in plain.items():
        short = [name.partition(".")[2] if owner else name for name in names]
        text = ", ".join(f"`{name}`" for name in short)
        grouped.append(Row(f"`{owner}`: {text}" if owner else text, len(names), "same", ""))
    return grouped + rows


def compare_options() -> list[Row]:
    """Every option of contexts and sockets."""
    rows = []
    for members, table in (
        (pyzmq.ContextOption.__members__, CONTEXT_OPTIONS),
        (pyzmq.SocketOption.__members__, SOCKET_OPTIONS),
    ):
        specs = {spec.number: spec for spec in table.values()}
        for name, number in members.items():
            # BLOCKY is a context's, wherever pyzmq lists it.
            spec = specs.get(int(number)) or (CONTEXT_OPTIONS.get(int(number)) if name == "BLOCKY" else None)
            status, note = "same", ""
            if spec is None:
                status = "missing"
            elif name in LATER_OPTIONS:
                _used.add(name)
                status = f"later: {LATER_OPTIONS[name]}"
            elif spec.note:
                status, note = "not applicable", spec.note
            elif name in OPTION_NOTES:
                _used.add(name)
                status, note = OPTION_NOTES[name]
            rows.append(Row(f"`{name}`", 1, status, note))
    return rows


def make_sections() -> dict[str, list[Row]]:
    """The rows of every section, by its title."""
    _used.clear()
    sections = {f"`{name}`": compare_module(name) for name in find_modules()}
    sections["Options of contexts and sockets"] = compare_options()
    return sections


def make_page() -> str:
    """The whole page."""
    sections = make_sections()
    totals: Counter[str] = Counter()
    for rows in sections.values():
        for row in rows:
            totals[row.status] += row.count
    lines = [HEAD, "| Status | Names |", "|---|---:|"]
    lines += [f"| {status} | {totals[status]} |" for status in sorted(totals, key=lambda one: (-totals[one], one))]
    for title, rows in sections.items():
        lines += ["", f"## {title}", "", "| Name | Here | Note |", "|---|---|---|"]
        lines += [f"| {row.names} | {row.status} | {row.note.replace('|', chr(92) + '|')} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: compared purezmq {purezmq.__version__} with pyzmq {pyzmq.__version__}")
