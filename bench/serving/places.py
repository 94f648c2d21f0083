"""Where the things of this benchmark lie."""

from __future__ import annotations

from harness import paths

HERE = paths.ROOT / "bench/serving"
PEERS = HERE / "peers"
REQUIREMENTS = HERE / "requirements"
RESULTS = paths.FIGURES / "serving.json"
CHART = paths.FIGURES / "serving.svg"
