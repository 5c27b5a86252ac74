"""One process of a fuzzing run: ``python -m fuzz.child TARGET [libFuzzer's arguments]``.

With ``PUREZMQ_FUZZ_PLANT`` in the environment, that bug of `fuzz.planted` is planted first, and the folders of inputs,
which must be copies, lose those that show it.
"""

from __future__ import annotations

import gc
import importlib
import mmap
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import atheris

from fuzz import targets
from fuzz.checks import share_of
from fuzz.instrument import BranchFinder, tell_libfuzzer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PLANT", "counted", "forget_what_tells", "main", "run_share_of"]

PLANT = "PUREZMQ_FUZZ_PLANT"
_RECURSION_LIMIT = 100
"""What recurses as deep as a peer wishes shall not need a long input to show it."""

_COUNTER_SIZE = 8
_GARBAGE_THRESHOLD = 20_000
"""An execution makes few cycles, and hundreds of objects."""


def forget_what_tells(target: targets.Target, folders: list[Path]) -> None:
    """Remove the inputs that show a planted bug as they are: it's to be found, not remembered.

    Args:
        target: whose inputs they are.
        folders: copies made for this run.
    """
    for path in [path for folder in folders for path in folder.iterdir()]:
        try:
            target.run(path.read_bytes())
        except Exception:  # whatever a bug does
            path.unlink()


def run_share_of(target: Any) -> Callable[[bytes], None]:
    """Return what runs an input and makes the share of the checks that the input chooses, see `fuzz.checks`.

    Args:
        target: that has checks to choose from, or not.
    """
    run: Callable[..., None] = target.run
    at: int | None = getattr(target, "CHOICE_AT", None)
    if at is None:
        return run
    chosen = at
    shares = [share_of(number) for number in range(256)]

    def run_share(data: bytes) -> None:
        if len(data) > chosen:
            run(data, shares[data[chosen]])

    return run_share


def counted(run: Callable[[bytes], None], path: Path) -> Callable[[bytes], None]:
    """Return what runs an input and counts it in a file's memory, which outlives whatever ends this process.

    Args:
        run: runs an input.
        path: of the file, which may have a number from earlier runs.
    """
    if not path.exists():
        path.write_bytes(bytes(_COUNTER_SIZE))
    with path.open("r+b") as file:
        counter = memoryview(mmap.mmap(file.fileno(), _COUNTER_SIZE)).cast("Q")

    def run_counted(data: bytes) -> None:
        counter[0] += 1
        run(data)

    return run_counted


def main() -> None:
    """Fuzz until libFuzzer ends the process; the executions are counted beside the first folder of inputs."""
    name, *arguments = sys.argv[1:]
    for module in targets.loaded_before(name):
        importlib.import_module(module)
    finder = BranchFinder("purezmq")
    sys.meta_path.insert(0, finder)
    target = targets.load_target(name)
    bug = os.environ.get(PLANT)
    if bug:
        from fuzz.planted import PLANTED

        PLANTED[bug].plant()
        forget_what_tells(target, [Path(word) for word in arguments if not word.startswith("-")])
    getattr(target, "prepare", lambda: None)()
    gc.freeze()  # what is there now stays
    gc.set_threshold(_GARBAGE_THRESHOLD)
    sys.setrecursionlimit(_RECURSION_LIMIT)
    folder = next(Path(word) for word in arguments if not word.startswith("-")).parent
    atheris.Setup([sys.argv[0], *arguments], counted(run_share_of(target), folder / "executions"))
    tell_libfuzzer()
    atheris.Fuzz()


if __name__ == "__main__":
    main()
