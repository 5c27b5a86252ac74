"""One process of a fuzzing run: ``python -m fuzz.child TARGET [libFuzzer's arguments]``.

With ``PUREZMQ_FUZZ_PLANT`` in the environment, that bug of `fuzz.planted` is planted first, and the folders of inputs,
which must be copies, lose those that show it.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path

import atheris

from fuzz import targets
from fuzz.checks import run_share_of
from fuzz.counting import counted
from fuzz.instrument import BranchFinder, tell_libfuzzer

__all__ = ["PLANT", "forget_what_tells", "main"]

PLANT = "PUREZMQ_FUZZ_PLANT"
_RECURSION_LIMIT = 100
"""What recurses as deep as a peer wishes shall not need a long input to show it."""

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


def main() -> None:
    """Fuzz until libFuzzer ends the process; the executions are counted beside the first folder of inputs."""
    name, *arguments = sys.argv[1:]
    bug = os.environ.get(PLANT)
    for module in targets.loaded_before(name):
        importlib.import_module(module)
    sys.meta_path.insert(0, BranchFinder("purezmq", counted=targets.COUNTED.get(name, frozenset())))
    target = targets.load_target(name)
    getattr(target, "prepare", lambda: None)()
    for seed in target.seeds():  # what is imported or made once is no input's merit, and needs a deeper stack
        target.run(seed)
    sys.setrecursionlimit(_RECURSION_LIMIT)
    if bug:
        from fuzz.planted import PLANTED

        PLANTED[bug].plant()
        forget_what_tells(target, [Path(word) for word in arguments if not word.startswith("-")])
    gc.freeze()  # what is there now stays
    gc.set_threshold(_GARBAGE_THRESHOLD)
    folder = next(Path(word) for word in arguments if not word.startswith("-")).parent
    atheris.Setup([sys.argv[0], *arguments], counted(run_share_of(target), folder))
    tell_libfuzzer()
    atheris.Fuzz()


if __name__ == "__main__":
    main()
