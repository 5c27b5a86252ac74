"""The table for a page: Markdown from the benchmark's JSON object."""

from __future__ import annotations

import json

import pytest

from purezmq.cli.bench.cases import select_cases
from purezmq.cli.bench.markdown import fill_page, main, render_markdown
from purezmq.cli.bench.report import report_object
from purezmq.cli.bench.schedule import CaseResult

FACTS = {
    "date": "2030-01-02T03:04:05+00:00",
    "machine": {"processor": "Abacus", "cpus": 2, "system": "Linux", "python": "CPython 3.11.7"},
    "versions": {"purezmq": "0.1.0", "pyzmq": "27"},
    "settings": {"rounds": 1, "span": 0.2, "maximum_peers": 500},
    "source_changed": False,
}


def results_with(**facts: object) -> dict[str, object]:
    """Return the object of a run in which purezmq streams three times as fast as pyzmq, and pyomq fails."""
    case = select_cases("push_pull/tcp/10B")[0]
    cpu = {"cpu_send_us": 0.25, "cpu_receive_us": 0.5}
    rates = {"purezmq": 3e6, "pyzmq": 1e6, "raw": 1e8}
    runs = {library: [{"rate": rate, **cpu}] for library, rate in rates.items()}
    result = CaseResult(case, {**runs, "pyomq": []}, failures={"pyomq": "killed by signal 11"})
    return json.loads(json.dumps(report_object([result], {**FACTS, **facts})))


def test_render_markdown_has_medians_ratio_and_cpu():
    """A row holds every library's median, the ratio to the best peer and the CPU time of both sides."""
    lines = render_markdown(results_with()).splitlines()
    assert "| Case | purezmq | pyzmq | raw sockets | best peer | CPU purezmq / pyzmq |" == lines[0]
    assert "| push_pull/tcp/10B rate | 3 M/s | 1 M/s | 100 M/s | 3.00 | 0.75 / 0.75 |" == lines[2]


def test_render_markdown_names_machine_and_failures():
    """What was measured on what, and what failed, stands below the table."""
    text = render_markdown(results_with())
    assert "Measured on 2030-01-02: Abacus, 2 CPUs" in text
    assert "- push_pull/tcp/10B, pyomq failed: killed by signal 11" in text


@pytest.mark.parametrize("changed", [False, True])
def test_render_markdown_warns_of_a_source_that_changed(changed):
    """Figures that mix versions are marked as such on the page."""
    assert changed == ("prove nothing" in render_markdown(results_with(source_changed=changed)))


def test_main_twice_fills_pages_once(tmp_path):
    """What stood between the marks is replaced, the rest of the page stays."""
    result, page = tmp_path / "result.json", tmp_path / "page.md"
    result.write_text(json.dumps(results_with()))
    page.write_text("above\n<!-- bench -->\nold\n<!-- /bench -->\nbelow\n")
    assert [0, 0] == [main([str(result), str(page)]) for _ in range(2)]
    table = render_markdown(results_with())
    assert f"above\n<!-- bench -->\n\n{table}\n\n<!-- /bench -->\nbelow\n" == page.read_text()


def test_fill_page_without_marks_says_what_is_needed():
    """A page without marks is refused, not overwritten."""
    with pytest.raises(ValueError, match="one line <!-- bench -->"):
        fill_page("no marks", "table")
