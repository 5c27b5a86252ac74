"""The PNG plot of a result: one panel per scenario and metric, one bar per library."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from purezmq.cli.bench.bar import FLOOR, METRICS
from purezmq.cli.bench.schedule import CaseResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["check_plotting", "group_panels", "save_plot"]

COLOURS = {"purezmq": "#c0392b", "pyzmq": "#2c3e50", "pyomq": "#2980b9", FLOOR: "#bdc3c7"}
COLUMNS = 3
#: Panels whose values are further apart than this get a logarithmic axis.
LOGARITHMIC_FROM = 20.0

Panel = tuple[str, str, list[CaseResult]]


def check_plotting() -> str:
    """Return why no plot can be made, or ""."""
    if importlib.util.find_spec("matplotlib"):
        return ""
    return "the plot needs matplotlib: install the bench extra (pip install 'purezmq[bench]') or give --no-plot"


def group_panels(results: Sequence[CaseResult]) -> list[Panel]:
    """Return (title, metric, cases) of every panel: cases that differ only in the last part of the name."""
    panels: dict[tuple[str, str], list[CaseResult]] = {}
    for result in results:
        for metric in result.case.metrics:
            panels.setdefault((result.case.name.rpartition("/")[0] or result.case.name, metric), []).append(result)
    return [(title, metric, cases) for (title, metric), cases in panels.items()]


def save_plot(results: Sequence[CaseResult], libraries: Sequence[str], path: Path, title: str) -> None:
    """Draw all results into the file `path`.

    Args:
        results: What to draw.
        libraries: In the order of the bars; the floor is added.
        path: A .png file.
        title: Machine and date, above the panels.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = group_panels(results)
    rows = (len(panels) + COLUMNS - 1) // COLUMNS
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(6 * COLUMNS, 3.4 * rows), squeeze=False)
    flat = list(axes.flat)
    for panel, axis in zip(panels, flat, strict=False):
        draw_panel(axis, panel, [*libraries, FLOOR])
    for axis in flat[len(panels) :]:
        axis.set_visible(False)
    figure.suptitle(title)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_panel(axis: Any, panel: Panel, libraries: Sequence[str]) -> None:
    """Draw the grouped bars of one panel; whiskers reach from the worst to the best round."""
    title, metric, cases = panel
    present = [name for name in libraries if any(case.column(name, metric) for case in cases)]
    width = 0.8 / max(1, len(present))
    heights: list[float] = []
    for index, name in enumerate(present):
        drawn = [(place, case.column(name, metric)) for place, case in enumerate(cases) if case.column(name, metric)]
        places = [place + (index - (len(present) - 1) / 2) * width for place, _ in drawn]
        medians = [cases[place].median(name, metric) or 0.0 for place, _ in drawn]
        below = [median - min(column) for median, (_, column) in zip(medians, drawn, strict=True)]
        above = [max(column) - median for median, (_, column) in zip(medians, drawn, strict=True)]
        axis.bar(places, medians, width, label=name, color=COLOURS[name], yerr=[below, above], capsize=2)
        heights += medians
    if heights and max(heights) > LOGARITHMIC_FROM * max(min(heights), 1e-9) > 0:
        axis.set_yscale("log")
    better = "higher" if METRICS[metric].higher_is_better else "lower"
    axis.set_title(f"{title}: {metric} ({METRICS[metric].unit}, {better} is better)", fontsize=9)
    axis.set_xticks(range(len(cases)), [case.case.name.rpartition("/")[2] for case in cases], fontsize=8)
    axis.grid(axis="y", alpha=0.3)
    if present:
        axis.legend(fontsize=7)
