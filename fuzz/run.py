"""Runs targets with atheris, each in a process of its own, and says what came of it.

The process is ``python -m fuzz.child``. What it learns is kept below ``.fuzz/`` and used by the next run; what it finds
is in ``.fuzz/findings``. An input that gets a place in ``fuzz/corpus/TARGET/`` is replayed by the tests for ever;
`fuzz.keep` chooses those that are worth it.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from fuzz.counting import count_in
from fuzz.targets import COUNTED, TARGETS, load_target

__all__ = ["CORPUS", "WORK", "Report", "fuzz_target", "main", "table"]

ROOT = Path(__file__).parents[1]
CORPUS = Path(__file__).parent / "corpus"
WORK = ROOT / ".fuzz"
#: The limits of one input: seconds, and megabytes of the process.
LIMITS = ("-timeout=1", "-rss_limit_mb=512")
MAX_SIZE = 512
"""Bytes of an input: long ones take their time and reach nothing that short ones don't. A target may say less."""
#: Seconds that a child may take to start and to end.
SPARE_S = 120
PROGRESS_S = 30.0
#: Exit codes of libFuzzer.
_OUT_OF_MEMORY, _INTERRUPTED = 71, 72
_MIN_EXECUTIONS = 200_000
"""A child whose memory is full after this many has not come upon one input: it's begun anew, which the report tells."""


class Report(NamedTuple):
    """What came of one target.

    Attributes:
        target: its name.
        executions: inputs that were run.
        seconds: that it took.
        edges: branches of the library that were reached.
        finding: the last lines of the finding, or an empty text.
        in_all: inputs that were run since its folder was made, by all runs.
        restarts: how often its memory was full.
        is_complete: it was not interrupted.
    """

    target: str
    executions: int
    seconds: float
    edges: int
    finding: str
    in_all: int = 0
    restarts: int = 0
    is_complete: bool = True


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


_children: set[subprocess.Popen[bytes]] = set()
"""Those that run, to be ended with this process."""


def _run_child(command: list[str], log: Path, bug: str, timeout: float | None) -> int:
    """Run one process of a target; return its exit code."""
    environment = {**os.environ, "PUREZMQ_FUZZ_PLANT": bug, "PYTHONPATH": str(ROOT / "src")}
    with log.open("ab") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=environment)
        _children.add(child)
        try:
            return child.wait(timeout)
        finally:
            child.kill()
            child.wait()
            _children.discard(child)


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
    log = folder / "log"
    log.write_bytes(b"")
    command = [sys.executable, "-m", "fuzz.child", name, str(folder / "corpus"), str(folder / "seeds"), *LIMITS]
    command += [f"-artifact_prefix={findings}/{name}-", f"-dict={folder / 'words'}", "-print_final_stats=1"]
    command += [f"-max_len={getattr(load_target(name), 'MAX_SIZE', MAX_SIZE)}"]
    # Shorter inputs take the place of those that reach the same, but not where branches are counted: to find recursion
    # needs long ones.
    command += [f"-reduce_inputs={int(name not in COUNTED)}"]
    # Fast inputs are mutated more often than slow ones, which reach little more; a seed wants the same run each time.
    command += [f"-entropic_scale_per_exec_time={int(not seed)}"]
    start, before, restarts = time.monotonic(), count_in(work / name), 0
    while True:
        began = count_in(work / name)
        left_s = max(1, round(seconds - (time.monotonic() - start))) if seconds else 0
        left_runs = max(1, runs - (began - before)) if runs else -1
        options = [f"-max_total_time={left_s}", f"-runs={left_runs}", f"-seed={seed + restarts if seed else 0}"]
        code = _run_child(command + options, log, bug, left_s + SPARE_S if seconds else None)
        executions = count_in(work / name) - before
        if code != _OUT_OF_MEMORY or executions + before - began < _MIN_EXECUTIONS:
            break
        restarts += 1
    text = log.read_text(encoding="utf-8", errors="replace")
    is_complete = code not in (_INTERRUPTED, -signal.SIGINT, -signal.SIGTERM)
    return Report(
        name,
        executions,
        time.monotonic() - start,
        _last_number(r"cov: (\d+)", text),
        "" if code == 0 or not is_complete else f"exit code {code}, see {log}\n{_finding(text)}",
        before + executions,
        restarts,
        is_complete,
    )


def _finding(text: str) -> str:
    """The part of a child's output that tells of its finding."""
    lines = text.splitlines()
    marks = [at for at, line in enumerate(lines) if "Uncaught Python exception" in line or line.startswith("==")]
    chosen = lines[marks[0] :] if marks else lines
    return "\n".join(line for line in chosen[-60:] if not line.startswith("stat::"))


def table(reports: list[Report]) -> str:
    """Return the reports as a table for people."""
    lines = [f"{'target':22}{'executions':>12}{'per second':>12}{'in all':>13}{'edges':>7}  result"]
    for report in reports:
        rate = report.executions / report.seconds if report.seconds else 0.0
        result = "FINDING" if report.finding else "no finding"
        if not report.is_complete:
            result += ", interrupted"
        if report.restarts:
            result += f", {report.restarts} times anew with its memory full"
        counts = f"{report.executions:>12,}{rate:>12,.0f}{report.in_all:>13,}{report.edges:>7}"
        lines.append(f"{report.target:22}{counts}  {result}")
    return "\n".join(lines)


def _tell_progress(running: dict[str, int], start: float, before: dict[str, int]) -> None:
    """Print a line for each target that runs, with what it's to reach (0: anything)."""
    for name, runs in running.items():
        done = count_in(WORK / name) - before[name]
        if done:
            wanted = f" of {runs:,}" if runs else ""
            print(f"{time.monotonic() - start:7.0f} s  {name:22}{done:>12,}{wanted} executions", flush=True)


def _fuzz_all(wanted: dict[str, int], seconds: int, seed: int, jobs: int) -> list[Report]:
    """Fuzz targets, some at a time, and tell of it.

    Args:
        wanted: how many inputs each is to run, 0 for any number.
        seconds: for each target, 0 for any time.
        seed: of the mutator's randomness.
        jobs: how many at a time.

    Returns:
        What came of each that was begun.
    """
    before = {name: count_in(WORK / name) for name in wanted}
    start = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        futures = {
            pool.submit(fuzz_target, name, seconds=seconds, runs=runs, seed=seed): name for name, runs in wanted.items()
        }
        pending = set(futures)
        try:
            while pending:
                _, pending = wait(pending, PROGRESS_S, FIRST_COMPLETED)
                _tell_progress({futures[future]: wanted[futures[future]] for future in pending}, start, before)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(_children):
                child.send_signal(signal.SIGINT)
    return [future.result() for future in futures if not future.cancelled()]


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough, and the children have to be waited for
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: instead of those of the command line.

    Returns:
        The exit code: 1 when something was found, 2 when it was interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--seconds", type=int, default=0, help="for each target (60 unless a number is given)")
    parser.add_argument("--runs", type=int, default=0, help="inputs for each target")
    parser.add_argument("--in-all", type=int, default=0, help="inputs for each target together with earlier runs")
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time")
    parser.add_argument("--seed", type=int, default=0, help="of the mutator's randomness")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    seconds = options.seconds or (0 if options.runs or options.in_all else 60)
    wanted = dict.fromkeys(options.targets or TARGETS, options.runs)
    if options.in_all:
        left = {name: options.in_all - count_in(WORK / name) for name in wanted}
        wanted = {name: runs for name, runs in left.items() if runs > 0}
    signal.signal(signal.SIGTERM, _interrupt)
    reports = _fuzz_all(wanted, seconds, options.seed, options.jobs)
    for report in reports:
        if report.finding:
            print(f"--- {report.target}\n{report.finding}\n")
    print(table(reports))
    if any(report.finding for report in reports):
        return 1
    return 2 if len(reports) < len(wanted) or not all(report.is_complete for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
