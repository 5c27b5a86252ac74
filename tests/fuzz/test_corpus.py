"""The fuzz targets run every input that was worth keeping, and catch every planted bug. No fuzzer is needed here."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.planted import PLANTED
from fuzz.targets import TARGETS, load_target

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"
KEPT = [path for name in TARGETS for path in sorted((CORPUS / name).glob("*"))]


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_no_finding(name: str) -> None:
    """What a fuzzing run begins with passes."""
    seeds = list(load_target(name).seeds())
    assert seeds
    for seed in seeds:
        load_target(name).run(seed)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name[:12]}")
def test_p26_kept_input_is_no_finding(path: Path) -> None:
    """Inputs that reach every branch, and those that once were findings."""
    load_target(path.parent.name).run(path.read_bytes())


def test_every_folder_is_a_targets() -> None:
    """An input in a folder that no target has would never be run."""
    assert set() == {path.name for path in CORPUS.iterdir()} - set(TARGETS)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bug_is_caught(name: str) -> None:
    """The example of a bug passes without it, and is a finding with it."""
    bug = PLANTED[name]
    target = load_target(bug.target)
    target.run(bug.example)
    undo = bug.plant()
    try:
        with pytest.raises((AssertionError, RecursionError, IndexError)):
            target.run(bug.example)
    finally:
        undo()
    target.run(bug.example)
