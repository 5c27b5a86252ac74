"""The report: the table for the terminal and the object for the JSON file."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.bar import FLOOR, METRICS, OURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from purezmq.cli.bench.schedule import CaseResult

__all__ = ["format_table", "format_value", "missed_bars", "report_object"]


def format_value(value: float, unit: str) -> str:
    """Return a value with three digits and its unit, such as "1.25 M/s"."""
    if unit == "/s":
        for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if value >= limit:
                return f"{value / limit:.3g} {prefix}/s"
    return f"{value:.4g} {unit}" if unit == "/s" or value >= 100 else f"{value:.3g} {unit}"


def format_table(results: Sequence[CaseResult], libraries: Sequence[str]) -> str:
    """Return the table of all results, the reasons of failures below it.

    A library's cell is its median; "cpu" columns are CPU microseconds per message of sender + receiver.
    """
    libraries = [*libraries, FLOOR]
    header = ["case", *libraries, *(f"cpu {name}" for name in libraries[:-1]), "best peer", "raw", "bars"]
    rows = [table_row(result, metric, libraries) for result in results for metric in result.case.metrics]
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    lines = [format_row(row, widths) for row in (header, ["-" * width for width in widths], *rows)]
    lines.append(
        "cpu: us per message, sender + receiver (all threads); best peer, raw: times better than that (>1); ~ doubtful"
    )
    lines += [
        f"~ {result.case.name}: {library} {', '.join(doubts)}"
        for result in results
        for library in libraries
        if (doubts := result.doubts(library))
    ]
    lines += [
        f"{result.case.name}: {library} failed: {reason}"
        for result in results
        for library, reason in result.failures.items()
    ]
    return "\n".join(lines)


def format_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return one line: first and last cell to the left, figures to the right."""
    last = len(cells) - 1
    aligned = (
        cell.ljust(width) if index in (0, last) else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()


def table_row(result: CaseResult, metric_name: str, libraries: Sequence[str]) -> list[str]:
    """Return the cells of one metric of one case."""
    metric = METRICS[metric_name]
    main = metric_name == result.case.metrics[0]
    name = result.case.name if main else f"  {metric.name}"
    ratios = (result.ratio_to_best_peer(metric_name), result.ratio_to_floor(metric_name))
    bars = "; ".join(str(bar) for bar in result.bar_results() if bar.bar.metric == metric_name)
    return [
        name,
        *(value_cell(result, library, metric_name) for library in libraries),
        *(cpu_cell(result, library) if main else "" for library in libraries[:-1]),
        *("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        bars,
    ]


def value_cell(result: CaseResult, library: str, metric: str) -> str:
    """Return a library's median, or why there is none."""
    if library in result.failures:
        return "failed"
    value = result.median(library, metric)
    if value is None:
        return "-"
    doubtful = metric == result.case.metrics[0] and result.doubts(library)
    return format_value(value, METRICS[metric].unit) + (" ~" if doubtful else "")


def cpu_cell(result: CaseResult, library: str) -> str:
    """Return the CPU time per message of both sides."""
    send, receive = result.median(library, "cpu_send_us"), result.median(library, "cpu_receive_us")
    return "-" if send is None or receive is None else f"{send:.3g}+{receive:.3g}"


def missed_bars(results: Sequence[CaseResult]) -> list[str]:
    """Return every bar that was measured and missed, named by its case."""
    return [
        f"{result.case.name} {bar.bar.metric} {bar}"
        for result in results
        for bar in result.bar_results()
        if bar.met is False
    ]


def report_object(results: Sequence[CaseResult], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole result as an object for JSON: `facts` (machine, versions, date), then every run."""
    return {**facts, "cases": [case_object(result) for result in results]}


def case_object(result: CaseResult) -> dict[str, Any]:
    """Return one case's part of the JSON object."""
    names = sorted({name for runs in result.runs.values() for values in runs for name in values})
    libraries = {
        library: {name: summary(result.column(library, name)) for name in names if result.column(library, name)}
        for library in result.runs
    }
    return {
        "name": result.case.name,
        "metrics": list(result.case.metrics),
        "counts": result.counts,
        "libraries": libraries,
        "failures": result.failures,
        "doubts": {library: doubts for library in result.runs if (doubts := result.doubts(library))},
        "ratio_to_best_peer": {name: result.ratio_to_best_peer(name) for name in result.case.metrics},
        "ratio_to_raw": {name: result.ratio_to_floor(name) for name in result.case.metrics},
        "bars": [
            {"bar": str(bar.bar), "metric": bar.bar.metric, "library": OURS, "value": bar.value, "met": bar.met}
            for bar in result.bar_results()
        ],
    }


def summary(column: Sequence[float]) -> dict[str, Any]:
    """Return the median, the extremes and all values."""
    return {
        "median": statistics.median(column),
        "minimum": min(column),
        "maximum": max(column),
        "runs": list(column),
    }
