"""Metrics and the bars they are held to: pure arithmetic, no processes, no printing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FLOOR", "METRICS", "OURS", "PEERS", "Bar", "BarResult", "Metric", "speed_ratio"]

#: The library under test, the libraries it is compared with, and the raw sockets below all of them.
OURS = "purezmq"
PEERS = ("pyzmq", "pyomq")
FLOOR = "raw"


@dataclass(frozen=True)
class Metric:
    """One measured quantity: its unit, its scale for print and which direction is better."""

    name: str
    unit: str
    higher_is_better: bool


METRICS = {
    metric.name: metric
    for metric in (
        Metric("rate", "/s", higher_is_better=True),
        Metric("p50_us", "us", higher_is_better=False),
        Metric("p99_us", "us", higher_is_better=False),
        Metric("kb_per_connection", "kB", higher_is_better=False),
        Metric("fan_out_ms", "ms", higher_is_better=False),
        Metric("import_ms", "ms", higher_is_better=False),
        Metric("swap_in", "of file I/O", higher_is_better=True),
        Metric("swap_out", "of file I/O", higher_is_better=True),
        Metric("rate_in", "/s", higher_is_better=True),
        Metric("rate_out", "/s", higher_is_better=True),
    )
}


def speed_ratio(metric: Metric, ours: float, other: float) -> float | None:
    """Return how many times better `ours` is than `other`: above 1 is better, for every metric."""
    numerator, denominator = (ours, other) if metric.higher_is_better else (other, ours)
    return numerator / denominator if denominator > 0 else None


@dataclass(frozen=True)
class BarResult:
    """Outcome of one bar: `met` is None when a value that it needs is missing."""

    bar: Bar
    value: float | None
    met: bool | None

    def __str__(self) -> str:
        """Return the text of the table's column, such as `1.5x best: ok (1.62)`."""
        if self.met is None or self.value is None:
            return f"{self.bar}: -"
        return f"{self.bar}: {'ok' if self.met else 'MISSED'} ({self.value:.3g})"


@dataclass(frozen=True)
class Bar:
    """A limit on one metric of purezmq.

    Attributes:
        metric: Name of the metric that is held to the bar.
        against: "best" (the better of the peers), a library's name, "raw", or "" for an absolute limit.
        limit: Of purezmq's value divided by the reference's (or of the value itself when absolute).
            A lower limit if a higher value of the metric is better, else an upper one.
    """

    metric: str
    against: str
    limit: float

    def __str__(self) -> str:
        """Return the bar in words of the table."""
        sign = ">=" if METRICS[self.metric].higher_is_better else "<="
        if not self.against:
            return f"{sign}{self.limit:g} {METRICS[self.metric].unit}"
        return f"{sign}{self.limit:g}x {self.against}"

    def check(self, values: Mapping[str, float]) -> BarResult:
        """Return the result for the medians `values` (library's name -> value of this bar's metric)."""
        ours = values.get(OURS)
        reference = self._reference(values)
        if ours is None or not reference:
            return BarResult(self, None, None)
        value = ours / reference
        better = METRICS[self.metric].higher_is_better
        return BarResult(self, value, value >= self.limit if better else value <= self.limit)

    def _reference(self, values: Mapping[str, float]) -> float | None:
        if not self.against:
            return 1.0
        if self.against != "best":
            return values.get(self.against)
        peers = [values[peer] for peer in PEERS if peer in values]
        if not peers:
            return None
        return max(peers) if METRICS[self.metric].higher_is_better else min(peers)
