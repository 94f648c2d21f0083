"""Where things lie."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "bench/training/peers"
REQUIREMENTS = ROOT / "bench/training/requirements"
DOCUMENT = ROOT / "docs/benchmarks.md"
# What a full run leaves for the document.
RESULTS = ROOT / "docs/benchmarks/training.json"
CHART = ROOT / "docs/benchmarks/training.svg"

# Cargo itself says where it is to whom it starts.
CARGO = os.environ.get("CARGO", "cargo")


@cache
def target() -> Path:
    """Cargo's target folder, which holds everything that can be made again."""
    command = [CARGO, "metadata", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return Path(json.loads(metadata)["target_directory"])


def workshop() -> Path:
    """The part of the target folder that belongs to this benchmark."""
    return target() / "bench-training"
