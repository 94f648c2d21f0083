"""The chart of the document: the time of the steps of each contender."""

from __future__ import annotations

from pathlib import Path

from harness import bar_chart
from harness.bar_chart import Bar
from training.results import Line, Results


def write(results: Results, path: Path) -> None:
    """Draws what was measured, fastest first."""
    lines = sorted(results.measured(), key=lambda line: line.steps_s)
    title = f"Time of {results.job.steps:,} steps of {results.job.batch_size} images"
    runs = "one run" if results.rounds == 1 else f"median of {results.rounds} runs, line from fastest to slowest"
    conditions = f"{runs}, {results.machine.cores} cores, {results.machine.processor}"
    bar_chart.write(path, title, conditions, [_bar(line, results.line("native")) for line in lines])


def _bar(line: Line, ours: Line | None) -> Bar:
    ratio = f" · {line.steps_s / ours.steps_s:.1f}×" if ours and line is not ours else ""
    figure = f"{line.steps_s:.2f} s{ratio}"
    return Bar(
        line.label, line.steps_s, line.steps_min_s, line.steps_max_s, figure, is_ours=line.name.startswith("native")
    )
