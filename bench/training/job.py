"""The job that everybody does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """The original tutorial's training, unless it is cut short to try the benchmark itself."""

    data_dir: Path
    steps: int = 10_000
    batch_size: int = 128
    learning_rate: float = 0.01

    def arguments(self, seed: int) -> list[str]:
        """The job as the peers take it."""
        return [
            f"--data-dir={self.data_dir}",
            f"--steps={self.steps}",
            f"--batch-size={self.batch_size}",
            f"--learning-rate={self.learning_rate}",
            f"--seed={seed}",
        ]
