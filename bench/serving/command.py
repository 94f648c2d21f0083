"""The command line, and the order of a run."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from harness import bars as promises
from harness import paths, programs
from harness.machine import BUSY_MAX, busy_share, machine
from serving import model, outputs, places, servers
from serving.bars import bars
from serving.questions import Questions
from serving.results import Results
from serving.rounds import measure

QUICK_SECONDS = 0.3


def main() -> int:
    """Exit code 0 if every promise holds, or if a part was measured and answered; 1 if not."""
    options = _options()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("one core serves and another one asks, so two are needed")
    programs.build("load", "fixed_reply", optimized=not options.quick)
    workshop = paths.workshop("serving")
    data_dir = programs.mnist(options.source)
    questions = Questions.of(data_dir, workshop / "bodies")
    served = model.make(data_dir, workshop / "models")
    registry = workshop / "registry"
    shutil.rmtree(registry, ignore_errors=True)
    servers.publish(served, registry)
    if (share := busy_share()) > BUSY_MAX:
        print(f"warning: other programs take {100 * share:.0f} % of this machine", file=sys.stderr)

    rounds, seconds = (1, QUICK_SECONDS) if options.quick else (options.rounds, options.seconds)
    chosen = options.only or (servers.QUICK if options.quick else servers.NAMES)
    contenders = [server for server in servers.servers(served, registry) if server.name in chosen]
    lines = measure(contenders, questions, rounds, seconds)
    binary_mb = Path(programs.program("server")).stat().st_size / 1e6
    results = Results(rounds, seconds, machine(), binary_mb, lines)
    judged = bars(results)
    print(f"\n{outputs.text(results)}\n")
    if not options.quick:
        print(promises.text(judged))
    if options.quick or options.only:
        results.write(workshop / "results.json")
        outputs.chart(results, workshop / "chart.svg")
        print(f"a part of the benchmark, kept in {workshop}; the document is left as it is")
        return 0 if not results.absent() and not any(line.errors() for line in lines) else 1
    results.write(places.RESULTS)
    outputs.chart(results, places.CHART)
    outputs.write_document(results, judged)
    return 0 if all(bar.holds for bar in judged) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/serving/run",
        description="Measures our gateway against its peers: the server on one core, the load on another. "
        "A full run writes docs/benchmarks.md; its figures are worth something on a machine that does nothing else.",
    )
    parser.add_argument("--rounds", type=int, choices=range(1, 101), default=5, metavar="N", help="default 5")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="of each load (default 3)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round of short loads on programs that are not optimized, without peers that take minutes to build: "
        "tries the benchmark itself",
    )
    parser.add_argument("--only", type=_names, metavar="A,B", help=f"these alone, of {', '.join(servers.NAMES)}")
    parser.add_argument("--source", metavar="DIR|URL", help="where `mnist-data download` takes the images from")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen).difference(servers.NAMES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(servers.NAMES)}")
    return chosen
