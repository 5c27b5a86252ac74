"""Chooses, of what a target has learned, the few small inputs that together reach all it has reached.

``python -m fuzz.keep TARGET ...`` puts them into ``fuzz/corpus/TARGET/``, where the tests replay them; what is there
stays. Files are named after their content.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from typing import TYPE_CHECKING, Any

from fuzz.run import CORPUS, WORK
from fuzz.targets import TARGETS, load_target

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz.targets import Target

__all__ = ["main", "reached"]

#: Longer inputs are not worth their place.
MAX_SIZE = 1024
_PACKAGE = "/purezmq/"


def reached(target: Target, data: bytes) -> set[tuple[str, int, int]]:
    """Return the steps from line to line that an input makes in the library.

    Args:
        target: what to run.
        data: the input.

    Returns:
        File, line and next line of each step.
    """
    steps: set[tuple[str, int, int]] = set()

    def trace(frame: Any, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if _PACKAGE not in name:
            return None
        last = 0

        def step(frame: Any, event: str, argument: object) -> Any:
            nonlocal last
            if event == "line":
                steps.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    sys.settrace(trace)
    try:
        target.run(data)
    finally:
        sys.settrace(None)
    return steps


def _inputs(folder: Path) -> list[bytes]:
    texts = [path.read_bytes() for path in folder.glob("*")] if folder.is_dir() else []
    return sorted((text for text in texts if len(text) <= MAX_SIZE), key=len)


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: instead of those of the command line.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m fuzz.keep", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    for name in parser.parse_args(arguments).targets or TARGETS:
        target, known = load_target(name), set()
        for data in [*target.seeds(), *_inputs(CORPUS / name)]:
            known |= reached(target, data)
        kept = 0
        for data in _inputs(WORK / name / "corpus"):
            steps = reached(target, data)
            if steps <= known:
                continue
            known |= steps
            folder = CORPUS / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
            kept += 1
        print(f"{name:22} {kept} more inputs are kept, {len(known)} steps are reached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
