"""Runs targets with atheris, each in a process of its own, and says what came of it.

The process is ``python -m fuzz.child``. What it learns is kept below ``.fuzz/`` and used by the next run; what it finds
is in ``.fuzz/findings``. An input that gets a place in ``fuzz/corpus/TARGET/`` is replayed by the tests for ever;
`fuzz.keep` chooses those that are worth it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fuzz.targets import TARGETS, load_target

__all__ = ["CORPUS", "Report", "fuzz_target", "main", "table"]

ROOT = Path(__file__).parents[1]
CORPUS = Path(__file__).parent / "corpus"
WORK = ROOT / ".fuzz"
#: The limits of one input: bytes, seconds, and megabytes of the process.
LIMITS = ("-max_len=65536", "-timeout=1", "-rss_limit_mb=512")
#: Seconds that a child may take to start and to end.
SPARE_S = 120


class Report(NamedTuple):
    """What came of one target.

    Attributes:
        target: its name.
        executions: inputs that were run.
        seconds: that it took.
        edges: branches of the library that were reached.
        finding: the last lines of the finding, or an empty text.
    """

    target: str
    executions: int
    seconds: float
    edges: int
    finding: str


def _last_number(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def _write_inputs(name: str, folder: Path) -> None:
    """Write the seeds of a target, and its words for the mutator."""
    target = load_target(name)
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    (folder / "corpus").mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:04}").write_bytes(seed)
    for path in (CORPUS / name).glob("*"):
        (seeds / path.name).write_bytes(path.read_bytes())
    words = ("".join(f"\\x{byte:02x}" for byte in token) for token in getattr(target, "TOKENS", ()))
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words), encoding="ascii")


def fuzz_target(
    name: str, *, seconds: int = 0, runs: int = 0, seed: int = 0, work: Path = WORK, bug: str = ""
) -> Report:
    """Fuzz one target until the time or the number of runs is over, or something is found.

    Args:
        name: of the target.
        seconds: how long, 0 for any time.
        runs: how many inputs, 0 for any number.
        seed: of the mutator's randomness, 0 for another one each time.
        work: folder of what the target has learned.
        bug: planted first, see `fuzz.planted`; then `work` must be a fresh folder.

    Returns:
        What came of it.
    """
    folder = work / name
    _write_inputs(name, folder)
    findings = work / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fuzz.child", name, str(folder / "corpus"), str(folder / "seeds"), *LIMITS]
    command += [f"-artifact_prefix={findings}/{name}-", f"-dict={folder / 'words'}", "-print_final_stats=1"]
    command += [f"-max_total_time={seconds}", f"-runs={runs or -1}", f"-seed={seed}"]
    start = time.monotonic()
    log = folder / "log"
    with log.open("wb") as output:
        code = subprocess.run(
            command,
            stdout=output,
            stderr=output,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PUREZMQ_FUZZ_PLANT": bug, "PYTHONPATH": str(ROOT / "src")},
            timeout=seconds + SPARE_S if seconds else None,
        ).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    return Report(
        name,
        _last_number(r"stat::number_of_executed_units:\s+(\d+)", text) or _last_number(r"^#(\d+)", text),
        time.monotonic() - start,
        _last_number(r"cov: (\d+)", text),
        "" if code == 0 else f"exit code {code}, see {log}\n{_finding(text)}",
    )


def _finding(text: str) -> str:
    """The part of a child's output that tells of its finding."""
    lines = text.splitlines()
    marks = [at for at, line in enumerate(lines) if "Uncaught Python exception" in line or line.startswith("==")]
    chosen = lines[marks[0] :] if marks else lines
    return "\n".join(line for line in chosen[-60:] if not line.startswith("stat::"))


def table(reports: list[Report]) -> str:
    """Return the reports as a table for people."""
    lines = [f"{'target':22}{'executions':>12}{'per second':>12}{'edges':>7}  result"]
    for report in reports:
        rate = report.executions / report.seconds if report.seconds else 0.0
        result = "FINDING" if report.finding else "no finding"
        lines.append(f"{report.target:22}{report.executions:>12,}{rate:>12,.0f}{report.edges:>7}  {result}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: instead of those of the command line.

    Returns:
        The exit code: 1 when something was found.
    """
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--seconds", type=int, default=0, help="for each target (60 unless --runs is given)")
    parser.add_argument("--runs", type=int, default=0, help="inputs for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time")
    parser.add_argument("--seed", type=int, default=0, help="of the mutator's randomness")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    seconds = options.seconds or (0 if options.runs else 60)
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = [
            pool.submit(fuzz_target, name, seconds=seconds, runs=options.runs, seed=options.seed)
            for name in options.targets or TARGETS
        ]
        reports = [future.result() for future in futures]
    for report in reports:
        if report.finding:
            print(f"--- {report.target}\n{report.finding}\n")
    print(table(reports))
    return int(any(report.finding for report in reports))


if __name__ == "__main__":
    sys.exit(main())
