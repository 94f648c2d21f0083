"""The results as tables: for a terminal and for the document."""

from __future__ import annotations

from harness.bars import Bar
from harness.results import Line, Results

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
    table = [HEADINGS, *rows(results)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(_aligned(row, widths)) for row in table]
    lines += [f"{line.label}: not measured, {line.absent_because}" for line in results.absent()]
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """The same for the document."""
    alignment = ["---"] + ["---:"] * (len(HEADINGS) - 1)
    lines = ["| " + " | ".join(row) + " |" for row in [HEADINGS, alignment, *rows(results)]]
    lines += ["", *(f"- {line.label} was not measured: {line.absent_because}" for line in results.absent())]
    return "\n".join(lines).rstrip()


def bars_text(bars: list[Bar]) -> str:
    """A line for each promise."""
    return "\n".join(f"{'PASS' if bar.holds else 'FAIL'}  {bar.words}: {bar.figure}" for bar in bars)


def bars_markdown(bars: list[Bar]) -> str:
    """The same for the document."""
    lines = ["| promise | measured | holds |", "|---|---:|---|"]
    lines += [f"| {bar.words} | {bar.figure} | {'yes' if bar.holds else 'no'} |" for bar in bars]
    return "\n".join(lines)


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    label, *figures = row
    return [label.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True))]


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
