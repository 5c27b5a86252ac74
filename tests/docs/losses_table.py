"""Writes the tables of docs/explanation/reliability.md from the rows that tests check (tests/faults/losses.py).

`python tests/docs/losses_table.py` writes them between their marks; a test fails while they are not what it writes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.faults.losses import FAULTS, LOSSES, PATTERNS  # noqa: E402 - the project's folder has to be on the path first

__all__ = ["PAGE", "make_page", "make_tables"]

PAGE = ROOT / "docs" / "explanation" / "reliability.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def make_tables() -> str:
    """One table per fault, and one of what becomes of messages while there is no peer."""
    lines: list[str] = []
    for fault, text in FAULTS.items():
        lines += [f"### {text[0].upper()}{text[1:]}", ""]
        lines += ["| Pattern | What waits in the sender's queue | What the system has taken |", "|---|---|---|"]
        lines += [
            f"| {PATTERNS[row.pattern]} | {row.queued} | {row.handed_over} |" for row in LOSSES if row.fault == fault
        ]
        lines.append("")
    lines += ["### Sent while there is no peer", "", "| Pattern | What becomes of it |", "|---|---|"]
    lines += [f"| {pattern} | {pattern.meanwhile} |" for pattern in PATTERNS.values()]
    return "\n".join([*lines, ""])


def make_page() -> str:
    """The page as it is, with the tables as they should be."""
    page = PAGE.read_text(encoding="utf-8")
    inside = f"{BEGIN}\n\n{make_tables()}\n{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: inside, page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
