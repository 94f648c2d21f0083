"""Where the things of this benchmark lie."""

from __future__ import annotations

from harness import paths

HERE = paths.ROOT / "bench/training"
PEERS = HERE / "peers"
REQUIREMENTS = HERE / "requirements"
RESULTS = paths.FIGURES / "training.json"
CHART = paths.FIGURES / "training.svg"
