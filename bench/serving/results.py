"""What a run of the benchmark found out, and how it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from harness.machine import Machine
from serving.protocols import Protocol

FORMAT = 2


@dataclass(frozen=True)
class Scenario:
    """A load."""

    name: str
    n_images: int  # in each request
    n_connections: int
    servers: tuple[str, ...]  # who is put under it
    protocol: Protocol = Protocol.TUTORIAL

    @property
    def words(self) -> str:
        images = "1 image" if self.n_images == 1 else f"{self.n_images} images"
        protocol = "" if self.protocol is Protocol.TUTORIAL else f"{self.protocol}, "
        return f"{protocol}{images}, {self.n_connections} connections"


SCENARIOS = [
    Scenario("one", 1, 16, ("ours", "fixed", "fastapi")),
    Scenario("one-64", 1, 64, ("ours", "fixed")),
    Scenario("one-256", 1, 256, ("ours", "fixed")),
    Scenario("many", 32, 16, ("ours", "fixed", "fastapi")),
    Scenario("v2-json", 1, 16, ("ours", "furnace", "triton"), Protocol.V2_JSON),
    Scenario("v2-binary", 1, 16, ("ours", "furnace", "triton"), Protocol.V2_BINARY),
    Scenario("v2-grpc", 1, 16, ("ours", "furnace", "triton"), Protocol.V2_GRPC),
]


def scenarios_of(server: str) -> list[Scenario]:
    """What a server is put under, in order."""
    return [scenario for scenario in SCENARIOS if server in scenario.servers]


@dataclass(frozen=True)
class Load:
    """What a load gave, once."""

    requests: int
    errors: int
    requests_s: float
    p50_ms: float
    p99_ms: float


@dataclass
class Line:
    """A server with what was measured of it, or with the reason why nothing was."""

    name: str
    label: str
    version: str = ""
    starts_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)  # the most, after the first load
    peaks_mb: list[float] = field(default_factory=list)  # the most, after all loads of a round
    loads: dict[str, list[Load]] = field(default_factory=dict)  # by scenario
    absent_because: str | None = None

    def requests_s(self, scenario: str) -> float | None:
        """The median."""
        return median(load.requests_s for load in loads) if (loads := self.loads.get(scenario)) else None

    def p50_ms(self, scenario: str) -> float | None:
        return median(load.p50_ms for load in loads) if (loads := self.loads.get(scenario)) else None

    def p99_ms(self, scenario: str) -> float | None:
        return median(load.p99_ms for load in loads) if (loads := self.loads.get(scenario)) else None

    def errors(self) -> int:
        return sum(load.errors for loads in self.loads.values() for load in loads)


@dataclass
class Results:
    rounds: int
    seconds: float  # of a load
    machine: Machine
    binary_mb: float  # our server
    lines: list[Line]

    def line(self, name: str) -> Line | None:
        """The server of that name, if it was measured."""
        return next((line for line in self.measured() if line.name == name), None)

    def measured(self) -> list[Line]:
        return [line for line in self.lines if line.absent_because is None]

    def absent(self) -> list[Line]:
        return [line for line in self.lines if line.absent_because is not None]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        scenarios = [asdict(scenario) for scenario in SCENARIOS]
        kept = {"format": FORMAT, "scenarios": scenarios} | asdict(self)
        path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
