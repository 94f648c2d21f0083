"""Who takes part, and what a run of each one measures."""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from harness import environments, paths, processes, programs
from training import places
from training.job import Job


@dataclass(frozen=True)
class Sample:
    """What one run of one contender measured."""

    steps_s: float  # the steps alone: data loaded, everything compiled
    preparation_s: float  # compiling, or building a graph
    wall_s: float  # the whole program, from its start to its end
    memory_mb: float  # the most that lay in memory at one time
    accuracy: float  # 0 to 1, on the 10,000 test images


class CannotRun(Exception):
    """Why a contender has no figures."""


@dataclass
class Contender(ABC):
    """One line of the table."""

    name: str  # for `--only`
    label: str
    cores: int
    version: str = field(default="", init=False)  # known once it has run

    @abstractmethod
    def prepare(self) -> None:
        """Whatever has to be installed first."""

    @abstractmethod
    def measure(self, job: Job, seed: int) -> Sample:
        """One run."""

    def _run(self, command: list[str]) -> processes.Outcome:
        outcome = processes.run(command, processes.cores(self.cores))
        if outcome.code != 0:
            raise CannotRun(f"ended with code {outcome.code}: {_reason(outcome.stderr)}")
        return outcome


@dataclass
class Ours(Contender):
    """Our trainer with a recipe, which is the job, and some flags."""

    flags: list[str]
    recipe: str = "tutorial"

    def prepare(self) -> None:
        """Nothing: the trainer has been built."""

    def measure(self, job: Job, seed: int) -> Sample:
        trainer = programs.program("trainer")
        with tempfile.TemporaryDirectory() as models_dir:
            places = ["--no-download", f"--data-dir={job.data_dir}", f"--models-dir={models_dir}"]
            training = [f"--recipe={self.recipe}", f"--steps={job.steps}", f"--seed={seed}"]
            outcome = self._run([trainer, *places, *training, *self.flags])
            report = json.loads((Path(models_dir) / "mnist.report.json").read_text())
        if report["training"]["batch_size"] != job.batch_size:
            raise CannotRun(f"the recipe {self.recipe} does another job than the peers")
        clean = report["training"]["clean"]
        return Sample(
            steps_s=report["training_ms"] / 1000,
            preparation_s=0.0,
            wall_s=outcome.wall_s,
            memory_mb=outcome.memory_mb,
            accuracy=clean["correct"] / clean["total"],
        )


@dataclass
class Peer(Contender):
    """A script in `peers/`, with the environment of its requirements."""

    script: str
    requirements: str
    variant: str = ""

    def prepare(self) -> None:
        self._python()

    def measure(self, job: Job, seed: int) -> Sample:
        python = self._python()
        script = places.PEERS / self.script
        outcome = self._run([str(python), str(script), *job.arguments(seed), f"--variant={self.variant}"])
        measured = json.loads(outcome.stdout.strip().splitlines()[-1])
        self.version = measured["version"]
        return Sample(
            steps_s=measured["steps_s"],
            preparation_s=measured["preparation_s"],
            wall_s=outcome.wall_s,
            memory_mb=outcome.memory_mb,
            accuracy=measured["accuracy"],
        )

    def _python(self) -> Path:
        return environments.python_with(places.REQUIREMENTS / f"{self.requirements}.txt", paths.workshop("training"))


def contenders() -> list[Contender]:
    """Everybody, in the order of the table."""
    return [
        Ours("native", "Slipway, native", 2, flags=[]),
        Ours("native-avx2", "Slipway, native, AVX2 only", 2, flags=["--instruction-set=avx2"]),
        Ours("native-1", "Slipway, native, one core", 1, flags=["--threads=1"]),
        Peer("jax", "JAX, lax.scan", 2, script="jax_scan.py", requirements="jax"),
        Peer("jax-1", "JAX, lax.scan, one core", 1, script="jax_scan.py", requirements="jax"),
        Peer("torch-eager", "PyTorch, eager", 2, script="torch_adam.py", requirements="torch", variant="eager"),
        Peer(
            "torch-compiled", "PyTorch, compiled", 2, script="torch_adam.py", requirements="torch", variant="compiled"
        ),
        Peer("tensorflow", "TensorFlow, Estimator", 2, script="tensorflow_tutorial.py", requirements="tensorflow"),
        Ours("flex", "Slipway, burn flex", 2, flags=["--device=flex"]),
        Ours("ndarray", "Slipway, burn ndarray", 2, flags=["--device=ndarray"]),
        Ours("native-default", "Slipway, native, default recipe", 2, flags=[], recipe="default"),
    ]


def _reason(stderr: str) -> str:
    """The line of a program's complaint that says most: our programs begin with it, a Python trace ends with it."""
    lines = stderr.strip().splitlines() or ["said nothing"]
    return next((line for line in lines if line.startswith("error: ")), lines[-1])
