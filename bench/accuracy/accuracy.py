"""Trains by each recipe with several seeds and holds the accuracies on the test images against what is promised."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import document, paths, programs
from harness.machine import Machine, machine

FORMAT = 1
RESULTS = paths.FIGURES / "accuracy.json"


@dataclass(frozen=True)
class Recipe:
    """A recipe and what every seed must reach with it, as a share of all test images."""

    name: str
    clean_min: float
    noisy_min: float


@dataclass(frozen=True)
class Score:
    """What one training run reached."""

    recipe: str
    seed: int
    clean: float  # 0 to 1
    noisy: float
    steps_s: float

    def keeps(self, recipe: Recipe) -> bool:
        return self.clean >= recipe.clean_min and self.noisy >= recipe.noisy_min


# The tutorial's recipe promises nothing: it shows where the others come from.
RECIPES = [Recipe("tutorial", 0.0, 0.0), Recipe("default", 0.989, 0.975), Recipe("best", 0.992, 0.983)]


def main() -> int:
    """Exit code 0 if every seed keeps what its recipe promises, else 1."""
    options = _options()
    programs.build()
    data_dir = programs.mnist(options.source)
    scores = []
    for recipe in RECIPES:
        for seed in range(1, options.seeds + 1):
            scores.append(_train(recipe.name, seed, data_dir))
            print(_line(scores[-1], recipe), flush=True)
    if options.seeds == SEEDS:
        _write(scores, machine())
    return 0 if all(score.keeps(_recipe(score)) for score in scores) else 1


SEEDS = 3


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/accuracy/run",
        description="Trains by each recipe and measures the accuracy on all test images, clean and noisy. "
        f"With {SEEDS} seeds, it writes docs/benchmarks.md. Other programs may run meanwhile: figures do not depend on it.",
    )
    parser.add_argument("--seeds", type=int, choices=range(1, 101), default=SEEDS, metavar="N", help="default 3")
    parser.add_argument("--source", metavar="DIR|URL", help="where `mnist-data download` takes the images from")
    return parser.parse_args()


def _train(recipe: str, seed: int, data_dir: Path) -> Score:
    trainer = programs.program("trainer")
    with tempfile.TemporaryDirectory() as models_dir:
        arguments = [f"--recipe={recipe}", f"--seed={seed}", f"--data-dir={data_dir}", f"--models-dir={models_dir}"]
        subprocess.run([trainer, "--no-download", *arguments], check=True, capture_output=True)
        report = json.loads((Path(models_dir) / "mnist.report.json").read_text())
    return score(recipe, seed, report)


def score(recipe: str, seed: int, report: dict[str, object]) -> Score:
    """What a training report says."""
    training = report["training"]

    def share(images: str) -> float:
        return float(training[images]["correct"] / training[images]["total"])

    return Score(recipe, seed, share("clean"), share("noisy"), report["training_ms"] / 1000)


def _recipe(score: Score) -> Recipe:
    return next(recipe for recipe in RECIPES if recipe.name == score.recipe)


def _line(score: Score, recipe: Recipe) -> str:
    verdict = "PASS" if score.keeps(recipe) else "FAIL"
    return (
        f"{verdict}  {score.recipe:8}  seed {score.seed}  clean {_percent(score.clean)}  "
        f"noisy {_percent(score.noisy)}  steps {score.steps_s:.1f} s"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _write(scores: list[Score], found_on: Machine) -> None:
    kept = {"format": FORMAT, "machine": asdict(found_on), "scores": [asdict(score) for score in scores]}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    document.write("accuracy", figures(scores, found_on))


def figures(scores: list[Score], found_on: Machine) -> str:
    """The table for the document."""
    lines = ["| recipe | seed | clean | noisy | promised | kept |", "|---|---:|---:|---:|---|---|"]
    for measured in scores:
        recipe = _recipe(measured)
        promised = f"{_percent(recipe.clean_min)} and {_percent(recipe.noisy_min)}" if recipe.clean_min else "–"
        kept = "–" if not recipe.clean_min else "yes" if measured.keeps(recipe) else "no"
        cells = [recipe.name, str(measured.seed), _percent(measured.clean), _percent(measured.noisy), promised, kept]
        lines.append(f"| {' | '.join(cells)} |")
    full = RESULTS.relative_to(paths.DOCUMENT.parent)
    return "\n".join(lines) + f"\n\nMeasured on {found_on.date} UTC at commit {found_on.commit}. All figures: [{full}]({full})."
