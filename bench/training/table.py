"""The results as tables: for a terminal and for the document."""

from __future__ import annotations

from harness import tables
from training.results import Line, Results

HEADINGS = [
    "contender",
    "cores",
    "steps",
    "fastest",
    "slowest",
    "ratio",
    "whole program",
    "compiling",
    "memory",
    "accuracy",
]


def rows(results: Results) -> list[list[str]]:
    """A row for each contender that was measured; all times in seconds."""
    ours = results.line("native")
    return [_row(line, ours) for line in results.measured()]


def text(results: Results) -> str:
    """A table with aligned columns, then who is absent and why."""
    absent = [f"{line.label}: not measured, {line.absent_because}" for line in results.absent()]
    return "\n".join([tables.text(HEADINGS, rows(results)), *absent])


def markdown(results: Results) -> str:
    """The same for the document."""
    absent = [f"- {line.label} was not measured: {line.absent_because}" for line in results.absent()]
    return "\n".join([tables.markdown(HEADINGS, rows(results)), "", *absent]).rstrip()


def _row(line: Line, ours: Line | None) -> list[str]:
    return [
        line.label,
        str(line.cores),
        f"{line.steps_s:.2f} s",
        f"{line.steps_min_s:.2f} s",
        f"{line.steps_max_s:.2f} s",
        f"{line.steps_s / ours.steps_s:.2f}" if ours else "–",
        f"{line.wall_s:.2f} s",
        f"{line.preparation_s:.1f} s" if line.preparation_s else "–",
        f"{line.memory_mb:.0f} MB",
        f"{100 * line.accuracy:.2f} %",
    ]
