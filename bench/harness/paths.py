"""Where things lie."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/benchmarks.md"
# What a full run leaves for the document.
FIGURES = ROOT / "docs/benchmarks"

# Cargo itself says where it is to whom it starts.
CARGO = os.environ.get("CARGO", "cargo")


@cache
def target() -> Path:
    """Cargo's target folder, which holds everything that can be made again."""
    command = [CARGO, "metadata", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return Path(json.loads(metadata)["target_directory"])


def workshop(benchmark: str) -> Path:
    """The part of the target folder that belongs to this benchmark."""
    return target() / f"bench-{benchmark}"
