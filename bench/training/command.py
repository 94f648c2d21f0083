"""The command line, and the order of a run."""

from __future__ import annotations

import argparse
import sys

from harness import bars as promises
from harness import paths, programs
from harness.machine import BUSY_MAX, busy_share, machine
from training import chart, document, places, table
from training.bars import bars
from training.contenders import Contender, contenders
from training.job import Job
from training.results import Results
from training.rounds import measure

QUICK_STEPS = 200


def main() -> int:
    """Exit code 0 if every promise holds, or if a part was measured; 1 if a promise does not hold."""
    everybody = contenders()
    options = _options(everybody)
    chosen = [contender for contender in everybody if not options.only or contender.name in options.only]
    programs.build(optimized=not options.quick)
    data_dir = programs.mnist(options.source)
    job = Job(data_dir, steps=QUICK_STEPS) if options.quick else Job(data_dir)
    rounds = 1 if options.quick else options.rounds
    if (share := busy_share()) > BUSY_MAX:
        print(f"warning: other programs take {100 * share:.0f} % of this machine", file=sys.stderr)
    workshop = paths.workshop("training")
    results = Results(job, rounds, machine(), measure(chosen, job, rounds))

    print(f"\n{table.text(results)}\n")
    if options.quick or options.only:
        results.write(workshop / "results.json")
        chart.write(results, workshop / "chart.svg")
        print(f"a part of the benchmark, kept in {workshop}; the document is left as it is")
        return 0 if not results.absent() else 1
    judged = bars(results)
    print(promises.text(judged))
    results.write(places.RESULTS)
    chart.write(results, places.CHART)
    document.write(results, judged)
    return 0 if all(bar.holds for bar in judged) else 1


def _options(everybody: list[Contender]) -> argparse.Namespace:
    names = [contender.name for contender in everybody]
    parser = argparse.ArgumentParser(
        prog="bench/training/run",
        description="Measures our training against its peers, all on the original tutorial's 10,000 steps. "
        "A full run writes docs/benchmarks.md; its figures are worth something on a machine that does nothing else.",
    )
    parser.add_argument("--rounds", type=_count, default=5, metavar="N", help="runs of each contender (default 5)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"one round of {QUICK_STEPS} steps, by programs that are not optimized: tries the benchmark itself",
    )
    parser.add_argument(
        "--only", type=lambda text: _names(text, names), metavar="A,B", help=f"these alone, of {', '.join(names)}"
    )
    parser.add_argument("--source", metavar="DIR|URL", help="where `mnist-data download` takes the images from")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("expected a whole number from 1 to 100")
    return int(text)


def _names(text: str, known: list[str]) -> set[str]:
    chosen = set(text.split(","))
    if unknown := chosen.difference(known):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return chosen
