"""`purezmq bench`: purezmq side by side with pyzmq, pyomq and raw sockets, in one run.

This file reads the arguments and drives the rest: cases.py says what is measured, schedule.py in which order,
scenarios.py how, report.py and plot.py what is shown. No measurement happens in this process.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purezmq.cli.bench.cases import Case
    from purezmq.cli.bench.schedule import CaseResult, Settings

__all__ = ["run"]

LIBRARIES = ("purezmq", "pyzmq", "pyomq")
ALIASES = {"zmq": "pyzmq"}


def run(argv: list[str]) -> int:
    """Run the benchmark.

    Args:
        argv: Arguments without the program's name.

    Returns:
        0 if everything asked for was measured (missed bars are reported, not an error), 2 for wrong arguments or
        a missing plot library, 1 if no library could be used.
    """
    from purezmq.cli.bench.cases import select_cases
    from purezmq.cli.bench.plot import check_plotting

    arguments = parse_arguments(argv)
    cases = select_cases(arguments.profile or arguments.cases)
    if not cases:
        print(f"no case matches {arguments.profile or arguments.cases!r}; --list names them all", file=sys.stderr)
        return 2
    if arguments.list:
        print("\n".join(case.name for case in cases))
        return 0
    settings = choose_settings(arguments)
    if arguments.profile:
        return profile_cases(cases, settings)
    reason = "" if arguments.no_plot else check_plotting()
    if reason:
        print(reason, file=sys.stderr)
        return 2
    return measure_and_report(arguments, cases, settings)


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """Return the parsed arguments; exits with 2 and a text when they are wrong."""
    parser = argparse.ArgumentParser(prog="purezmq bench", description="Measure purezmq beside pyzmq and pyomq.")
    parser.add_argument("--cases", default="*", metavar="GLOB", help="cases to run; several separated by commas")
    parser.add_argument("--libs", default=",".join(LIBRARIES), help="libraries, separated by commas")
    parser.add_argument("--rounds", type=int, help="measured runs per library and case (default 3; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="short runs, fewer connections")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"), metavar="DIR")
    parser.add_argument("--no-plot", action="store_true", help="write no PNG (matplotlib isn't needed then)")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and stop")
    parser.add_argument("--profile", metavar="CASE", help="run purezmq's side of a case under cProfile and stop")
    arguments = parser.parse_args(argv)
    names = [ALIASES.get(name, name) for name in arguments.libs.split(",")]
    unknown = [name for name in names if name not in LIBRARIES]
    if unknown:
        parser.error(f"--libs: unknown {', '.join(unknown)}; known are {', '.join(LIBRARIES)}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error(f"--rounds: {arguments.rounds} given, at least 1 is needed")
    arguments.libs = names
    return arguments


def choose_settings(arguments: argparse.Namespace) -> Settings:
    """Return how long and how often to measure."""
    from purezmq.cli.bench.schedule import Settings

    if arguments.quick:
        return Settings.quick(arguments.rounds or 1)
    return Settings(arguments.rounds or Settings.rounds)


def measure_and_report(arguments: argparse.Namespace, cases: Sequence[Case], settings: Settings) -> int:
    """Measure, print the table, write JSON and PNG."""
    from purezmq.cli.bench.machine import describe_machine, probe_library, source_fingerprint
    from purezmq.cli.bench.plot import save_plot
    from purezmq.cli.bench.report import format_table, missed_bars, report_object

    versions, libraries = {}, []
    for name in arguments.libs:
        version, reason = probe_library(name)
        versions[name] = version or f"not usable: {reason}"
        print(f"{name}: {versions[name]}")
        if version:
            libraries.append(name)
    if not libraries:
        print("no library to measure; install the bench extra: pip install 'purezmq[bench]'", file=sys.stderr)
        return 1
    machine, date = describe_machine(), dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    source = source_fingerprint()
    results = measure(cases, libraries, settings)
    changed = source != source_fingerprint()
    print(format_table(results, libraries))
    if changed:
        print("WARNING: purezmq's source changed during the run: its figures mix versions and prove nothing")
    missed = missed_bars(results)
    print(f"bars missed: {len(missed)}" + "".join(f"\n  {text}" for text in missed))
    facts: dict[str, object] = {"date": date, "machine": machine, "versions": versions, "settings": vars(settings)}
    facts |= {"source": source, "source_changed": changed}
    arguments.output.mkdir(parents=True, exist_ok=True)
    stem = arguments.output / f"bench-{date.replace(':', '').partition('+')[0]}"
    path = stem.with_suffix(".json")
    path.write_text(json.dumps(report_object(results, facts), indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}")
    if not arguments.no_plot:
        title = f"{machine['processor']}, {machine['cpus']} CPUs, {machine['python']}, {date}"
        save_plot(results, libraries, stem.with_suffix(".png"), title)
        print(f"written: {stem.with_suffix('.png')}")
    return 0


def measure(cases: Sequence[Case], libraries: Sequence[str], settings: Settings) -> list[CaseResult]:
    """Run every case, with a line of progress after each run."""
    from purezmq.cli.bench.bar import METRICS
    from purezmq.cli.bench.report import format_value
    from purezmq.cli.bench.schedule import run_case

    results: list[CaseResult] = []
    start = time.monotonic()
    for number, case in enumerate(cases, 1):
        metric = METRICS[case.metrics[0]]
        for step, library, result in run_case(case, libraries, settings):
            runs = result.runs[library]
            text = format_value(runs[-1][metric.name], metric.unit) if runs else ""
            if library in result.failures:
                text = f"failed: {result.failures[library]}"
            elapsed = time.monotonic() - start
            left = elapsed / (number - 1) * (len(cases) - number + 1) if number > 1 else None
            ends = "" if left is None else f", about {left:.0f} s left"
            show_progress(f"[{number}/{len(cases)}] {case.name}  {step}  {library}  {text}  ({elapsed:.0f} s{ends})")
        results.append(result)
    show_progress("", last=True)
    return results


def show_progress(text: str, *, last: bool = False) -> None:
    """Overwrite the line of progress on a terminal; elsewhere print one line each."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="" if not last else "\n", flush=True)
    elif text:
        print(text, flush=True)


def profile_cases(cases: Sequence[Case], settings: Settings) -> int:
    """Run purezmq alone, every worker under cProfile, and print where the time goes."""
    from purezmq.cli.bench.process import WorkerFailedError
    from purezmq.cli.bench.profiler import print_profiles
    from purezmq.cli.bench.scenarios import RunPlan
    from purezmq.cli.bench.schedule import run_once

    code = 0
    for case in cases:
        peers = min(case.peers, settings.maximum_peers)
        plan = RunPlan(case, case.first_count, settings.trip_span, peers, settings.repetitions)
        print(f"{case.name} with purezmq under cProfile")
        with tempfile.TemporaryDirectory(prefix="purezmq-profile-") as name:
            try:
                print(run_once("purezmq", plan, settings.timeout, Path(name)))
            except WorkerFailedError as error:
                print(f"failed: {error}", file=sys.stderr)
                code = 1
            print_profiles(Path(name))
    return code
