"""The table for a page: Markdown from the JSON of `purezmq bench`. Nothing is measured or judged here.

`python -m purezmq.cli.bench.markdown RESULT.json PAGE...` fills the pages, each between its two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.bar import FLOOR, METRICS, OURS, PEERS
from purezmq.cli.bench.report import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["fill_page", "main", "render_markdown"]

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
SOURCE_CHANGED = "**The source changed during this run: its figures mix versions and prove nothing.**"
LEGEND = (
    "A cell is the median of the rounds. *Best peer*: how many times better purezmq is than the better of the other "
    "two; below 1 it is worse. *CPU*: microseconds per message, all threads of both sides. ~ marks a doubtful value."
)


def render_markdown(results: Mapping[str, Any]) -> str:
    """Return the table and what belongs beside it.

    Args:
        results: The object of a JSON file of `purezmq bench`.

    Returns:
        Markdown: the table, how to read it, what it was measured on, and every doubt and failure.
    """
    measured = {name for case in results["cases"] for name in case["libraries"] if case["libraries"][name]}
    libraries = [name for name in (OURS, *PEERS) if name in measured]
    header = ["Case", *libraries, "raw sockets", "best peer", f"CPU {' / '.join(libraries)}"]
    rows = [table_row(case, metric, libraries) for case in results["cases"] for metric in case["metrics"]]
    aligned = [":---", *("---:" for _ in header[1:])]
    lines = [f"| {' | '.join(row)} |" for row in (header, aligned, *rows)]
    if results.get("source_changed"):
        lines = [SOURCE_CHANGED, "", *lines]
    notes = [note for case in results["cases"] for note in case_notes(case)]
    return "\n".join([*lines, "", LEGEND, "", describe_run(results), *(["", *notes] if notes else [])])


def table_row(case: Mapping[str, Any], metric: str, libraries: Sequence[str]) -> list[str]:
    """Return the cells of one metric of one case; CPU time stands beside the main metric only."""
    main_metric = metric == case["metrics"][0]
    ratio = case["ratio_to_best_peer"].get(metric)
    cpu = " / ".join(cpu_text(case, library) for library in libraries) if main_metric else ""
    return [
        f"{case['name']} {metric}",
        *(value_text(case, library, metric, main_metric=main_metric) for library in (*libraries, FLOOR)),
        "-" if ratio is None else f"{ratio:.2f}",
        "" if set(cpu) <= set("- /") else cpu,
    ]


def value_text(case: Mapping[str, Any], library: str, metric: str, *, main_metric: bool) -> str:
    """Return a library's median, or why there is none."""
    if library in case["failures"]:
        return "failed"
    column = case["libraries"].get(library, {}).get(metric)
    if column is None:
        return "-"
    doubtful = main_metric and library in case.get("doubts", {})
    return format_value(column["median"], METRICS[metric].unit) + (" ~" if doubtful else "")


def cpu_text(case: Mapping[str, Any], library: str) -> str:
    """Return the CPU time per message of both sides together."""
    values = case["libraries"].get(library, {})
    if "cpu_send_us" not in values or "cpu_receive_us" not in values:
        return "-"
    return f"{values['cpu_send_us']['median'] + values['cpu_receive_us']['median']:.3g}"


def describe_run(results: Mapping[str, Any]) -> str:
    """Return what was measured, on what and how."""
    machine, settings = results["machine"], results["settings"]
    # Ours names the libzmq whose behaviour it matches; beside the peers' it would read as one that was measured.
    versions = ", ".join(
        f"{name} {text.partition(' (')[0] if name == OURS else text}" for name, text in results["versions"].items()
    )
    connections = f", at most {settings['maximum_peers']} connections" if "maximum_peers" in settings else ""
    return (
        f"Measured on {results['date'][:10]}: {machine['processor']}, {machine['cpus']} CPUs, {machine['system']}, "
        f"{machine['python']}. {versions}. Rounds: {settings['rounds']}, of about {settings['span']} s{connections}."
    )


def case_notes(case: Mapping[str, Any]) -> list[str]:
    """Return a line for each doubt and failure of a case."""
    doubts = [f"- ~ {case['name']}, {name}: {', '.join(why)}" for name, why in case.get("doubts", {}).items()]
    failures = [f"- {case['name']}, {name} failed: {why}" for name, why in case["failures"].items()]
    return doubts + failures


def fill_page(page: str, table: str) -> str:
    """Return the page with what stands between its marks replaced.

    Raises:
        ValueError: The page has not exactly one pair of marks.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"one line {BEGIN} and below it one line {END} are needed, to tell where the table goes")
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END)[1]}"


def main(argv: Sequence[str]) -> int:
    """Fill pages from a result; `argv` is the JSON file and the pages. Returns the exit status."""
    if len(argv) < 2:
        print("usage: python -m purezmq.cli.bench.markdown RESULT.json PAGE...", file=sys.stderr)
        return 2
    results = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    table = render_markdown(results)
    for name in argv[1:]:
        path = Path(name)
        try:
            path.write_text(fill_page(path.read_text(encoding="utf-8"), table), encoding="utf-8")
        except ValueError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    if results.get("source_changed"):
        print("WARNING: purezmq's source changed during that run; the pages say so", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
