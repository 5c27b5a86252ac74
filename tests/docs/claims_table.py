"""Writes docs/reference/adversity.md: what holds against hostile peers and in bad situations, and the tests of it.

`python tests/docs/claims_table.py` writes the page; a test fails while it isn't what would be written. Tests are found
by the numbers in their names; what each number stands for is said in `claims`.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.docs.claims import CLAIMS, NOT_HERE  # noqa: E402 - the project's folder has to be on the path first

__all__ = ["PAGE", "find_tests", "make_page"]

PAGE = ROOT / "docs" / "reference" / "adversity.md"

_NUMBER = re.compile(r"(?<![a-z0-9])[vp]\d\d(?![0-9])")

HEAD = """\
# Under attack and in trouble

Written by `python tests/docs/claims_table.py` from the names of the tests; a test checks it.

Each row is held by the tests beside it, which run with all others. V rows are attacks and faults that have brought
down messaging libraries before; P rows are situations that every network meets.
"""

TABLE_HEAD = """\
| Number | What holds | Tests |
|---|---|---|"""


@cache
def find_tests() -> dict[str, list[str]]:
    """The tests of each number, as ``file::name``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                for number in _NUMBER.findall(node.name.replace("_", " ")):
                    found.setdefault(number.upper(), []).append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return found


def make_page() -> str:
    """The page's text."""
    tests = find_tests()
    lines = [HEAD]
    for kind, title in (("V", "Attacks and faults"), ("P", "Situations")):
        lines += [f"## {title}", "", TABLE_HEAD]
        for number, claim in CLAIMS.items():
            if number.startswith(kind) and number not in NOT_HERE:
                names = "<br>".join(f"`{test.rpartition('/')[2]}`" for test in tests.get(number, []))
                lines.append(f"| {number} | {claim} | {names} |")
        lines.append("")
    lines += ["## Not in this version", "", "| Number | What it is about | Why not |", "|---|---|---|"]
    lines += [f"| {number} | {CLAIMS[number]} | {why} |" for number, why in NOT_HERE.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(make_page())
    print(f"written: {PAGE.relative_to(ROOT)}")
