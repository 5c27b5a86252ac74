"""What one run of a scene found, and the table of all of them. Nothing here knows sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Result", "format_table"]

_COLUMNS = ("pattern", "transport", "messages", "msg/s", "p50 us", "p99 us", "result")
_LEFT_ALIGNED = frozenset(("pattern", "transport", "result"))


@dataclass
class Result:
    """Counts of one scene over one transport.

    Attributes:
        pattern: The scene's name.
        transport: `tcp`, `ipc` or `inproc`.
        messages: Messages that arrived and were right, on all sides together.
        wrong: Messages that arrived and were not those that were sent, or not in their order.
        lost: Messages that were sent and did not arrive.
        seconds: How long the messages flowed.
        round_trips: Seconds from a request to its reply, one per exchange; empty for one-way patterns.
        failure: Why the scene could not be played to its end; empty when it was.
    """

    pattern: str
    transport: str
    messages: int = 0
    wrong: int = 0
    lost: int = 0
    seconds: float = 0.0
    round_trips: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def is_right(self) -> bool:
        """True when messages flowed, and each one arrived, once and unchanged."""
        return not (self.failure or self.wrong or self.lost) and self.messages > 0

    @property
    def verdict(self) -> str:
        """`ok`, or what went wrong."""
        if self.failure:
            return f"FAILED: {self.failure}"
        if self.is_right:
            return "ok"
        return f"FAILED: {self.lost:,} lost, {self.wrong:,} wrong"

    def count(self, *, right: int, expected: int, wrong: int = 0) -> None:
        """Add what one receiver saw.

        Args:
            right: Messages that it got and found right.
            expected: Messages that it should have got.
            wrong: Messages that it got and found wrong.
        """
        self.messages += right
        self.wrong += wrong + max(0, right - expected)
        self.lost += max(0, expected - right - wrong)


def _format_percentiles(round_trips: Sequence[float]) -> tuple[str, str]:
    if len(round_trips) < 2:
        return "-", "-"
    cuts = quantiles(round_trips, n=100)
    return f"{cuts[49] * 1e6:,.1f}", f"{cuts[98] * 1e6:,.1f}"


def _format_row(result: Result) -> tuple[str, ...]:
    rate = f"{result.messages / result.seconds:,.0f}" if result.seconds else "-"
    p50, p99 = _format_percentiles(result.round_trips)
    return result.pattern, result.transport, f"{result.messages:,}", rate, p50, p99, result.verdict


def format_table(results: Sequence[Result]) -> str:
    """Return the table of `results`, a line each, with a heading and without a newline at the end."""
    rows = [_COLUMNS, *map(_format_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(
            cell.ljust(width) if name in _LEFT_ALIGNED else cell.rjust(width)
            for name, cell, width in zip(_COLUMNS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
