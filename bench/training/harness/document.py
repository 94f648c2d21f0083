"""The part of docs/benchmarks.md that a full run writes: no figure there is typed by hand."""

from __future__ import annotations

from harness import marks, paths, table
from harness.bars import Bar
from harness.results import Results

BEGIN = "<!-- what follows is written by bench/training/run -->"
END = "<!-- end of what is written by bench/training/run -->"


def write(results: Results, bars: list[Bar]) -> None:
    """Puts the figures between the two marks, and leaves the rest as it is."""
    marks.write(BEGIN, END, _figures(results, bars))


def _figures(results: Results, bars: list[Bar]) -> str:
    chart = paths.CHART.relative_to(paths.DOCUMENT.parent)
    full = paths.RESULTS.relative_to(paths.DOCUMENT.parent)
    return "\n\n".join(
        [
            f"![The time of the steps of each contender]({chart})",
            table.markdown(results),
            table.bars_markdown(bars),
            f"{_measured_on(results)} Every run with all its figures: [{full}]({full}).",
        ]
    )


def _measured_on(results: Results) -> str:
    machine = results.machine
    versions = sorted({line.version for line in results.measured() if line.version})
    programs = ", ".join([*versions, f"Python {machine.python}", machine.rust])
    return (
        f"Measured on {machine.date} UTC, {results.rounds} rounds, on {machine.processor}: {machine.cores} cores with "
        f"{', '.join(machine.instruction_sets) or 'no vector instructions'}, {machine.memory_gb} GiB of memory, "
        f"{machine.system}; {programs}; Slipway at commit {machine.commit}."
    )
