"""The parts of docs/benchmarks.md that full runs write: no figure there is typed by hand."""

from __future__ import annotations

from harness import paths
from harness.machine import Machine


def marks(benchmark: str) -> tuple[str, str]:
    """Between these stands what a benchmark writes."""
    run = f"bench/{benchmark}/run"
    return f"<!-- what follows is written by {run} -->", f"<!-- end of what is written by {run} -->"


def write(benchmark: str, figures: str) -> None:
    """Puts the figures between the two marks, and leaves the rest as it is."""
    begin, end = marks(benchmark)
    text = paths.DOCUMENT.read_text()
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{paths.DOCUMENT} has lost the marks `{begin}` and `{end}`")
    paths.DOCUMENT.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}")


def measured_on(machine: Machine, rounds: int, versions: set[str]) -> str:
    """When, where and with what."""
    programs = ", ".join([*sorted(versions), f"Python {machine.python}", machine.rust])
    return (
        f"Measured on {machine.date} UTC, {rounds} rounds, on {machine.processor}: {machine.cores} cores with "
        f"{', '.join(machine.instruction_sets) or 'no vector instructions'}, {machine.memory_gb} GiB of memory, "
        f"{machine.system}; {programs}; Slipway at commit {machine.commit}."
    )
