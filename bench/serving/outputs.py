"""The results as table, chart and document."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from harness import bar_chart, bars, document, paths, tables
from harness.bars import Bar
from serving import places
from serving.results import SCENARIOS, Line, Results, Scenario

HEADINGS = [
    "server",
    "load",
    "requests/s",
    "images/s",
    "lowest",
    "highest",
    "p50",
    "p99",
    "first answer",
    "memory",
    "peak",
]


def text(results: Results) -> str:
    """A table with aligned columns, then who is absent and why."""
    absent = [f"{line.label}: not measured, {line.absent_because}" for line in results.absent()]
    return "\n".join([tables.text(HEADINGS, _rows(results)), *absent])


def chart(results: Results, path: Path) -> None:
    """Draws the requests with one image over 16 connections."""
    ours = results.line("ours")
    lines = [line for line in results.measured() if line.loads.get("one")]
    bars = [_bar(line, ours) for line in sorted(lines, key=lambda line: -(line.requests_s("one") or 0.0))]
    runs = "one run" if results.rounds == 1 else f"median of {results.rounds} runs, line from lowest to highest"
    conditions = f"16 connections, {runs}, one core of {results.machine.processor}"
    bar_chart.write(path, "Requests per second with one image in the tutorial's JSON", conditions, bars)


def write_document(results: Results, judged: list[Bar]) -> None:
    """Writes the figures into docs/benchmarks.md."""
    drawn = places.CHART.relative_to(paths.DOCUMENT.parent)
    full = places.RESULTS.relative_to(paths.DOCUMENT.parent)
    versions = {line.version for line in results.measured() if line.version}
    absent = [f"{line.label} was not measured: {line.absent_because}." for line in results.absent()]
    measured_on = document.measured_on(results.machine, results.rounds, versions)
    figures = [
        f"![Requests per second of each server]({drawn})",
        tables.markdown(HEADINGS, _rows(results)),
        *absent,
        bars.markdown(judged),
        f"{measured_on} Every run with all its figures: [{full}]({full}).",
    ]
    document.write("serving", "\n\n".join(figures))


def _rows(results: Results) -> list[list[str]]:
    return [
        _row(line, scenario) for scenario in SCENARIOS for line in results.measured() if line.loads.get(scenario.name)
    ]


def _row(line: Line, scenario: Scenario) -> list[str]:
    loads = line.loads[scenario.name]
    rate = line.requests_s(scenario.name) or 0.0
    return [
        line.label,
        scenario.words,
        f"{rate:,.0f}",
        f"{rate * scenario.n_images:,.0f}",
        f"{min(load.requests_s for load in loads):,.0f}",
        f"{max(load.requests_s for load in loads):,.0f}",
        f"{line.p50_ms(scenario.name):.2f} ms",
        f"{line.p99_ms(scenario.name):.2f} ms",
        f"{median(line.starts_ms):.0f} ms",
        f"{max(line.memory_mb):.1f} MB",
        f"{max(line.peaks_mb):.1f} MB",
    ]


def _bar(line: Line, ours: Line | None) -> bar_chart.Bar:
    loads = line.loads["one"]
    rate = line.requests_s("one") or 0.0
    ratio = f" · {rate / own:.2f}×" if ours and line is not ours and (own := ours.requests_s("one")) else ""
    lowest, highest = min(load.requests_s for load in loads), max(load.requests_s for load in loads)
    return bar_chart.Bar(line.label, rate, lowest, highest, f"{rate:,.0f}{ratio}", is_ours=line.name == "ours")
