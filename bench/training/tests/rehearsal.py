"""Results without a measurement."""

from __future__ import annotations

from pathlib import Path

from harness.machine import Machine
from training.contenders import Sample
from training.job import Job
from training.results import Line, Results

MACHINE = Machine("Abacus", 2, ["AVX2"], 8, "Linux 6", "3.11.7", "rustc 1.95.0", "0123456789ab", "2026-11-24 03:00")


def sample(steps_s: float, wall_s: float | None = None, memory_mb: float = 100.0) -> Sample:
    return Sample(steps_s, 0.0, steps_s + 0.5 if wall_s is None else wall_s, memory_mb, accuracy=0.975)


def results(**samples: list[Sample]) -> Results:
    """Results of these contenders; a name's underscores stand for hyphens."""
    lines = []
    for name, measured in samples.items():
        name = name.replace("_", "-")
        lines.append(Line(name, f"the {name}", 2, samples=measured))
    return Results(Job(Path("images")), rounds=1, machine=MACHINE, lines=lines)
