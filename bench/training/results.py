"""What a run of the benchmark found out, and how it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from harness.machine import Machine
from training.contenders import Contender, Sample
from training.job import Job

FORMAT = 1


@dataclass
class Line:
    """A contender with what was measured of it, or with the reason why nothing was."""

    name: str
    label: str
    cores: int
    version: str = ""
    samples: list[Sample] = field(default_factory=list)
    absent_because: str | None = None

    @classmethod
    def of(cls, contender: Contender) -> Line:
        return cls(contender.name, contender.label, contender.cores)

    @property
    def steps_s(self) -> float:
        """The median."""
        return median(sample.steps_s for sample in self.samples)

    @property
    def steps_min_s(self) -> float:
        return min(sample.steps_s for sample in self.samples)

    @property
    def steps_max_s(self) -> float:
        return max(sample.steps_s for sample in self.samples)

    @property
    def preparation_s(self) -> float:
        return median(sample.preparation_s for sample in self.samples)

    @property
    def wall_s(self) -> float:
        return median(sample.wall_s for sample in self.samples)

    @property
    def beside_steps_s(self) -> float:
        """What the whole program takes beyond its steps: the median of the runs' own differences."""
        return median(sample.wall_s - sample.steps_s for sample in self.samples)

    @property
    def memory_mb(self) -> float:
        """The most of any run."""
        return max(sample.memory_mb for sample in self.samples)

    @property
    def accuracy(self) -> float:
        return median(sample.accuracy for sample in self.samples)


@dataclass
class Results:
    """Everything that the table, the chart and the document say."""

    job: Job
    rounds: int
    machine: Machine
    lines: list[Line]

    def line(self, name: str) -> Line | None:
        """The contender of that name, if it took part and was measured."""
        found = (line for line in self.lines if line.name == name and line.samples)
        return next(found, None)

    def measured(self) -> list[Line]:
        return [line for line in self.lines if line.samples]

    def absent(self) -> list[Line]:
        return [line for line in self.lines if line.absent_because is not None]

    def write(self, path: Path) -> None:
        job = {key: value for key, value in asdict(self.job).items() if key != "data_dir"}
        lines = [asdict(line) for line in self.lines]
        document = {"format": FORMAT, "job": job, "rounds": self.rounds, "machine": asdict(self.machine)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document | {"contenders": lines}, indent=2, ensure_ascii=False) + "\n")
