"""Writes docs/reference/options.md: every option of sockets and contexts, and every setting that has no number.

`python tests/docs/options_table.py` writes the page; a test fails while it isn't what would be written. Types, defaults
and ranges are looked up in the library; what each one does stands in `option_effects`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from purezmq import SocketType
from purezmq.option_table import CONTEXT_OPTIONS, SOCKET_OPTIONS, OptionSpec
from purezmq.options import SocketOptions
from purezmq.sockets.limit_settings import LimitSettings
from purezmq.sockets.queue_settings import QueueSettings

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.docs.option_effects import (  # noqa: E402 - the project's folder has to be on the path first
    AT_ONCE,
    CONTEXT_EFFECTS,
    CONTEXT_WHEN,
    NEXT_CALL,
    SETTINGS,
    SOCKET_EFFECTS,
    UNITS,
)

__all__ = ["PAGE", "find_differences", "make_page", "make_row", "setting_names"]

PAGE = ROOT / "docs" / "reference" / "options.md"

HEAD = """\
# Options and settings

Written by `python tests/docs/options_table.py` from the library's own table; a test checks it.

Set an option by `socket.setsockopt(zmq.SNDHWM, 10)`, as an attribute (`socket.sndhwm = 10`), or as a keyword of
`context.socket(zmq.PUB, sndhwm=10)`. Names and numbers are libzmq's. A value that is out of range raises `ZMQError` with
EINVAL, and the text says what is allowed. `context.setsockopt(...)` makes a default for the sockets that are made later.

| Column | Says |
|---|---|
| Access | rw: read and set; r: read only; w: set only |
| Acts | **at once**, on connections that exist, too; on **later connections**: endpoints that are bound or connected after it was set; **next call** |
| Sockets | the types that take it |
"""  # noqa: E501 - rows of a table can't be broken

SETTINGS_HEAD = """\
These have names and no numbers: attributes of the socket, and keywords of `context.socket()`. `max_bytes` is an
attribute of the context. [Tune queues](../how-to/tune-queues.md) says which of them to use for what.

| Setting | Type | Unit | Default | Range | Sockets | Acts | What it does |
|---|---|---|---|---|---|---|---|"""

CONTEXT_TEXT = "By `context.set(zmq.IO_THREADS, 2)`, or as attributes."

TABLE_HEAD = """\
| Option | Type | Unit | Access | Default | Range | Sockets | Acts | What it does |
|---|---|---|---|---|---|---|---|---|"""

_HINT_UNIT = re.compile(r"(milliseconds|microseconds|seconds|bytes|kilobytes|kilobits per second)(?:[,;] (.*))?$")
_POWERS = {2**31 - 1: "2^31-1", -(2**31): "-2^31"}


def setting_names() -> set[str]:
    """The settings that sockets and contexts have."""
    queues = {name for name, value in vars(QueueSettings).items() if isinstance(value, property)}
    limits = {name for name, value in vars(LimitSettings).items() if hasattr(value, "__set__")}
    return queues | limits | {"ipc_mode", "max_bytes"}


def find_differences() -> dict[str, set[str]]:
    """Options and settings without a line, and lines without an option or setting."""
    lines = [name for section in SOCKET_EFFECTS.values() for name in section]
    settings = {setting.name for setting in SETTINGS}
    sockets = {spec.name for spec in SOCKET_OPTIONS.values()}
    contexts = {spec.name for spec in CONTEXT_OPTIONS.values()}
    return {
        "sockets": sockets.symmetric_difference(lines),
        "contexts": contexts.symmetric_difference(CONTEXT_EFFECTS),
        "settings": setting_names().symmetric_difference(settings),
        "twice": {name for name in lines if lines.count(name) > 1},
        "others": (AT_ONCE | NEXT_CALL | UNITS.keys()) - sockets - contexts,
        "when": {spec.name for spec in CONTEXT_OPTIONS.values() if spec.writable and not spec.note} ^ set(CONTEXT_WHEN),
    }


def find_unit(spec: OptionSpec) -> tuple[str, str]:
    """The unit of an option, and what its hint says besides."""
    found = _HINT_UNIT.match(spec.hint)
    if found is not None:
        return found[1], found[2] or ""
    return UNITS.get(spec.name, ""), spec.hint


def describe_range(spec: OptionSpec) -> str:
    """Which values the option accepts, and what special ones mean."""
    if not spec.writable:
        return ""
    low, high = spec.minimum, spec.maximum
    if spec.kind == "bytes":
        text = f"{low or 0}..{high} bytes" if high is not None else "at least 1 byte" if low else "any"
    elif spec.kind == "bool":
        text = "0, 1" if high == 1 else "0, not 0"
    elif high is not None:
        text = f"{low}..{high}"
    else:
        text = "any" if low is None else f">= {low}"
    rest = find_unit(spec)[1]
    return f"{text}; {rest}" if rest else text


def describe_default(spec: OptionSpec) -> str:
    """The value of a new socket or context; nothing for what is asked of the socket."""
    if spec.computed or (not spec.readable and not spec.default):
        return ""
    if spec.kind == "bytes":
        return repr(spec.default) if spec.default else "empty"
    return _POWERS.get(int(spec.default), str(spec.default))


def find_when(spec: OptionSpec) -> str:
    """When an option of a socket takes effect."""
    if not spec.writable or spec.note:
        return ""
    if spec.name in NEXT_CALL:
        return "next call"
    return "at once" if spec.live or spec.name in AT_ONCE else "later connections"


def describe_sockets(spec: OptionSpec) -> str:
    """The types of socket that take an option."""
    if spec.applies_to is None:
        return "all"
    return ", ".join(SocketType(number).name for number in sorted(spec.applies_to))


def make_row(spec: OptionSpec, sockets: str, when: str, effect: str) -> str:
    """The row of one option."""
    note = f" (no effect: {spec.note})" if spec.note else ""
    access = "r" * spec.readable + "w" * spec.writable
    cells = (
        f"`{spec.name}`", spec.kind, find_unit(spec)[0], access, describe_default(spec), describe_range(spec), sockets,
        when, effect + note,
    )  # fmt: skip
    return _join(cells)


def _join(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def setting_rows() -> list[str]:
    """The rows of the settings without numbers."""
    rows = []
    for setting in SETTINGS:
        default = 0 if setting.name == "max_bytes" else getattr(SocketOptions, setting.name)
        text = {"": "the type's own", None: "None", 0o600: "0o600", 2**30: "2^30 (1 GiB)"}.get(default, str(default))
        text = "empty" if setting.name == "swap_dir" else text
        cells = (f"`{setting.name}`", setting.type, setting.unit, text, setting.range, setting.sockets, setting.when)
        rows.append(_join((*cells, setting.effect)))
    return rows


def make_page() -> str:
    """The whole page."""
    lines = [HEAD, "## Settings of queues and limits on peers", "", SETTINGS_HEAD, *setting_rows()]
    specs = {spec.name: spec for spec in SOCKET_OPTIONS.values()}
    for title, effects in SOCKET_EFFECTS.items():
        lines += ["", f"## {title}", "", TABLE_HEAD]
        lines += [
            make_row(specs[name], describe_sockets(specs[name]), find_when(specs[name]), effect)
            for name, effect in effects.items()
        ]
    lines += [
        "",
        "## Options of contexts",
        "",
        "By `context.set(zmq.IO_THREADS, 2)`, or as attributes.",
        "",
        TABLE_HEAD,
    ]
    lines += [
        make_row(spec, "the context", CONTEXT_WHEN.get(spec.name, ""), CONTEXT_EFFECTS[spec.name])
        for spec in CONTEXT_OPTIONS.values()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
    print(
        f"{PAGE.relative_to(ROOT)}: {len(SOCKET_OPTIONS) + len(CONTEXT_OPTIONS) + len(SETTINGS)} options and settings"
    )
