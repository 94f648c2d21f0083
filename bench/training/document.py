"""The part of docs/benchmarks.md that a full run writes."""

from __future__ import annotations

from harness import bars, document, paths
from harness.bars import Bar
from training import places, table
from training.results import Results


def write(results: Results, judged: list[Bar]) -> None:
    """Writes the figures into the document."""
    document.write("training", _figures(results, judged))


def _figures(results: Results, judged: list[Bar]) -> str:
    chart = places.CHART.relative_to(paths.DOCUMENT.parent)
    full = places.RESULTS.relative_to(paths.DOCUMENT.parent)
    versions = {line.version for line in results.measured() if line.version}
    measured_on = document.measured_on(results.machine, results.rounds, versions)
    return "\n\n".join(
        [
            f"![The time of the steps of each contender]({chart})",
            table.markdown(results),
            bars.markdown(judged),
            f"{measured_on} Every run with all its figures: [{full}]({full}).",
        ]
    )
