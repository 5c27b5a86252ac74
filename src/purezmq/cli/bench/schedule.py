"""The order of runs: every case in interleaved rounds, after a calibration; what fails is noted and left out."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from purezmq.cli.bench.bar import FLOOR, METRICS, OURS, PEERS, BarResult, speed_ratio
from purezmq.cli.bench.process import WorkerFailedError, WorkerGroup
from purezmq.cli.bench.scenarios import SCENARIOS, RunPlan, Values

if TYPE_CHECKING:
    from pathlib import Path

    from purezmq.cli.bench.cases import Case

__all__ = ["CaseResult", "Settings", "choose_count", "rotate", "run_case", "run_once"]

#: Where a library is much slower than the fastest one, its run is kept below this many spans.
SLOWEST_SPANS = 4
#: Below UNLIMITED_HWM of the fan-out scenario.
MAXIMUM_COUNT = {"fan_out": 900_000}
#: A calibration shorter than this part of the span says more about starting than about speed: it is repeated.
SHORTEST_CALIBRATION = 0.4
CALIBRATION_ATTEMPTS = 4
#: Most by which the messages grow from one attempt to the next, since a short one guesses badly.
CALIBRATION_GROWTH = 20
#: Runs shorter than this many seconds, or rounds further apart than this factor, are marked as doubtful.
SHORTEST_RUN = 0.1
WIDEST_SPREAD = 1.5

#: Runs one library once and returns its values.
RunOnce = Callable[[str, RunPlan], Values]


@dataclass(frozen=True)
class Settings:
    """How long and how often is measured.

    Attributes:
        rounds: Measured runs of each library per case.
        span: Seconds that one run of the fastest library shall take.
        trip_span: Seconds of measured round trips.
        maximum_peers: Bound on the raw subscribers of the XPUB case.
        repetitions: Imports per run of the import case.
        timeout: Seconds after which a run has failed.
    """

    rounds: int = 3
    span: float = 1.0
    trip_span: float = 1.5
    maximum_peers: int = 2_000
    repetitions: int = 5
    timeout: float = 40.0

    @classmethod
    def quick(cls, rounds: int) -> Settings:
        """Return settings for a look in passing: short runs, fewer connections."""
        return cls(rounds, span=0.2, trip_span=0.3, maximum_peers=500, repetitions=3)


@dataclass
class CaseResult:
    """Everything measured for one case.

    Attributes:
        case: The case.
        runs: Library -> values of each round.
        failures: Library -> why it has no result.
        counts: Library -> messages per run.
    """

    case: Case
    runs: dict[str, list[Values]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def column(self, library: str, metric: str) -> list[float]:
        """Return the values of all rounds; empty if the library failed."""
        if library in self.failures:
            return []
        return [values[metric] for values in self.runs.get(library, []) if metric in values]

    def median(self, library: str, metric: str) -> float | None:
        """Return the median over the rounds, None if there is none."""
        column = self.column(library, metric)
        return statistics.median(column) if column else None

    def medians(self, metric: str) -> dict[str, float]:
        """Return library -> median, of those that have one."""
        pairs = ((library, self.median(library, metric)) for library in self.runs)
        return {library: value for library, value in pairs if value is not None}

    def doubts(self, library: str) -> list[str]:
        """Return why a library's figure of the main metric is to be taken with care; empty if it isn't."""
        doubts = []
        elapsed, column = self.column(library, "elapsed_s"), self.column(library, self.case.metrics[0])
        if elapsed and min(elapsed) < SHORTEST_RUN:
            doubts.append(f"ran only {min(elapsed):.2g} s")
        if column and max(column) > WIDEST_SPREAD * min(column):
            doubts.append(f"rounds from {min(column):.3g} to {max(column):.3g}")
        return doubts

    def ratio_to_best_peer(self, metric: str) -> float | None:
        """Return how many times better purezmq is than the better peer; above 1 is better."""
        medians = self.medians(metric)
        ours = medians.get(OURS)
        if ours is None:
            return None
        ratios = [speed_ratio(METRICS[metric], ours, medians[peer]) for peer in PEERS if peer in medians]
        known = [ratio for ratio in ratios if ratio is not None]
        return min(known) if known else None

    def ratio_to_floor(self, metric: str) -> float | None:
        """Return purezmq's speed as a part of the raw sockets' speed."""
        medians = self.medians(metric)
        if OURS not in medians or FLOOR not in medians:
            return None
        return speed_ratio(METRICS[metric], medians[OURS], medians[FLOOR])

    def bar_results(self) -> list[BarResult]:
        """Return the outcome of every bar of the case."""
        return [bar.check(self.medians(bar.metric)) for bar in self.case.bars]


def rotate(libraries: Sequence[str], round_number: int) -> list[str]:
    """Return the order of a round: each library comes first in turn."""
    if not libraries:
        return []
    start = round_number % len(libraries)
    return [*libraries[start:], *libraries[:start]]


def choose_count(rates: Mapping[str, float], span: float) -> int:
    """Return the messages per run: `span` seconds for the fastest, not far too long for the slowest."""
    fastest, slowest = max(rates.values()), min(rates.values())
    return max(10, int(min(fastest * span, slowest * span * SLOWEST_SPANS)))


def run_once(library: str, plan: RunPlan, timeout: float, profile_directory: Path | None = None) -> Values:
    """Run one case once for one library in fresh processes.

    Raises:
        WorkerFailedError: It failed; the text says why.
    """
    with WorkerGroup(library, timeout, profile_directory) as group:
        return SCENARIOS[plan.case.scenario](group, plan)


def run_case(
    case: Case, libraries: Sequence[str], settings: Settings, run: RunOnce | None = None
) -> Iterator[tuple[str, str, CaseResult]]:
    """Calibrate and measure one case, yielding after every run.

    Args:
        case: The case.
        libraries: Who takes part, as far as the case is for them; the floor is added where the case has one.
        settings: Lengths.
        run: Replaces the real run, for tests.

    Yields:
        What was run ("calibration", "round 1/3"), by which library, and the result so far (always the same object).
    """
    run = run or (lambda library, plan: run_once(library, plan, settings.timeout))
    libraries = [library for library in libraries if not case.libraries or library in case.libraries]
    participants = [*libraries, FLOOR] if case.has_floor else libraries
    result = CaseResult(case, {library: [] for library in participants})
    peers = min(case.peers, settings.maximum_peers) if case.scenario == "xpub" else case.peers
    span = settings.span if case.first_count else settings.trip_span

    def attempt(library: str, count: int) -> Values | None:
        try:
            return run(library, RunPlan(case, count, span, peers, settings.repetitions))
        except WorkerFailedError as error:
            result.failures[library] = str(error)
            return None

    if case.first_count:
        rates: dict[str, float] = {}
        for library in participants:
            if rate := calibrate(library, case, span, attempt):
                rates[library] = rate
            yield "calibration", library, result
        result.counts = share_counts(case, rates, span)
    for number in range(settings.rounds):
        for library in rotate(participants, number):
            if library in result.failures:
                continue
            values = attempt(library, result.counts.get(library, case.first_count))
            if values is not None:
                result.runs[library].append(values)
            yield f"round {number + 1}/{settings.rounds}", library, result


def calibrate(library: str, case: Case, span: float, attempt: Callable[[str, int], Values | None]) -> float | None:
    """Return a library's rough rate of sends, from ever longer runs until one is long enough; None if it failed."""
    count, rate = case.first_count, 0.0
    for _ in range(CALIBRATION_ATTEMPTS):
        values = attempt(library, count)
        if values is None:
            return None
        rate = values["rate"] / (case.peers if case.scenario == "fan_out" else 1)
        if values["elapsed_s"] >= span * SHORTEST_CALIBRATION:
            break
        wanted = max(rate * span / 2, count * 2)
        count = int(min(wanted, count * CALIBRATION_GROWTH, MAXIMUM_COUNT.get(case.scenario, sys.maxsize)))
    return rate


def share_counts(case: Case, rates: Mapping[str, float], span: float) -> dict[str, int]:
    """Return the messages per run: the same for all libraries, another for the raw sockets."""
    shared = {library: rate for library, rate in rates.items() if library != FLOOR}
    counts: dict[str, int] = {}
    if shared:
        count = min(choose_count(shared, span), MAXIMUM_COUNT.get(case.scenario, sys.maxsize))
        counts = dict.fromkeys(shared, count)
    if FLOOR in rates:
        counts[FLOOR] = choose_count({FLOOR: rates[FLOOR]}, span)
    return counts
