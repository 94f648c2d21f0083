"""What every peer shares: the images, the order in which a run sees them, and how it says what it measured."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_CLASSES = 10
HIDDEN_UNITS = (256, 64)


@dataclass(frozen=True)
class Job:
    """What is trained: the same for every contender."""

    data_dir: Path
    steps: int
    batch_size: int
    learning_rate: float
    seed: int
    variant: str


@dataclass(frozen=True)
class Images:
    """Pixels from 0 to 1, scaled before any clock runs."""

    pixels: NDArray[np.float32]  # [n_images, 784]
    labels: NDArray[np.int32]  # [n_images]


def parse_job() -> Job:
    """The job as the harness gives it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--variant", default="")
    return Job(**vars(parser.parse_args()))


def load(data_dir: Path, name: str) -> Images:
    """The images `train` or `t10k`, from their IDX files, whose headers have 16 and 8 bytes."""
    pixels = np.fromfile(data_dir / f"{name}-images-idx3-ubyte", dtype=np.uint8, offset=16)
    labels = np.fromfile(data_dir / f"{name}-labels-idx1-ubyte", dtype=np.uint8, offset=8)
    scaled = pixels.reshape(len(labels), -1) / np.float32(255)
    return Images(scaled, labels.astype(np.int32))


def shuffled_rows(n_images: int, job: Job) -> NDArray[np.int32]:
    """The numbers of the images of every batch: each epoch in an order of its own, what fills no batch left out."""
    random = np.random.default_rng(job.seed)
    batches_per_epoch = n_images // job.batch_size
    n_epochs = -(-job.steps // batches_per_epoch)
    epochs = [random.permutation(n_images)[: batches_per_epoch * job.batch_size] for _ in range(n_epochs)]
    rows = np.concatenate(epochs).reshape(-1, job.batch_size)
    return rows[: job.steps].astype(np.int32)  # [steps, batch_size]


def report(*, steps_s: float, preparation_s: float, accuracy: float, **details: Any) -> None:
    """Prints the one line that the harness reads.

    `preparation_s` is the time of compiling or of building a graph, which no step waits for again.
    """
    measured = {"steps_s": steps_s, "preparation_s": preparation_s, "accuracy": accuracy}
    print(json.dumps(measured | details), flush=True)


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))
