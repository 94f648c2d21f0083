"""The command line, and the order of a run."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from harness import document, paths, programs
from harness.machine import Machine, busy_share, machine
from reliability import load
from reliability.bench import Bench
from reliability.crowd import allow_descriptors
from reliability.row import Row
from reliability.rows.clock import clock
from reliability.rows.connections import connections
from reliability.rows.disk import disk
from reliability.rows.growth import growth
from reliability.rows.hostile import hostile
from reliability.rows.limits import limits
from reliability.rows.overload import overload
from reliability.rows.reader import reader
from reliability.rows.resets import resets
from reliability.rows.restarts import restarts
from reliability.rows.slow import slow
from reliability.rows.swaps import swaps

FORMAT = 1
RESULTS = paths.FIGURES / "reliability.json"
HEADINGS = ["test", "target", "measured", "verdict"]
# Share of the machine's time beyond which latencies say more about the others than about the server.
BUSY_MAX = 0.1

TESTS: dict[str, Callable[[Bench], list[Row]]] = {
    "swaps": swaps,
    "restarts": restarts,
    "overload": overload,
    "slow": slow,
    "connections": connections,
    "resets": resets,
    "limits": limits,
    "hostile": hostile,
    "reader": reader,
    "growth": growth,
    "disk": disk,
    "clock": clock,
}


def main() -> int:
    """Exit code 0 if everything holds; for a quick run, if everything could be tried."""
    options = _options()
    programs.build(optimized=not options.quick)
    load.build()
    allow_descriptors()
    _give_way()
    if (share := busy_share()) > BUSY_MAX:
        print(f"warning: other programs take {100 * share:.0f} % of this machine", file=sys.stderr)
    rows: list[Row] = []
    n_broken = 0
    with tempfile.TemporaryDirectory(prefix="slipway-reliability-") as folder:
        bench = Bench(Path(folder), options.quick)
        for name in options.only or TESTS:
            started = time.monotonic()
            try:
                of_test = TESTS[name](bench)
            except Exception as error:
                traceback.print_exc()
                of_test = [Row(name, "the test comes to its end", f"{type(error).__name__}: {error}", False)]
                n_broken += 1
            rows += of_test
            for row in of_test:
                print(f"{row.verdict.upper():8}{row.test}\n        {row.target}\n        {row.figure}")
            print(f"        (after {time.monotonic() - started:.0f} s)", flush=True)
    if options.quick:
        return 0 if n_broken == 0 else 1
    if not options.only:
        _write(rows, machine())
    return 0 if all(row.holds is not False for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/reliability/run",
        description="Holds the server against overload, hostile clients, restarts and full disks. A full run takes "
        "about half an hour and writes docs/benchmarks.md; latencies are worth something on a machine that does "
        "nothing else.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="fewer and shorter of everything, with a server that is not optimized: tries the benchmark itself",
    )
    parser.add_argument("--only", type=_names, metavar="A,B", help=f"these alone, of {', '.join(TESTS)}")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := set(chosen).difference(TESTS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(TESTS)}")
    return chosen


def _give_way() -> None:
    """Makes this program, which plays thousands of clients, run only where neither the driver nor the server wants to: a
    driver that waits for its core would tell of long answers. What this program starts is not concerned."""
    os.sched_setscheduler(0, os.SCHED_IDLE | os.SCHED_RESET_ON_FORK, os.sched_param(0))


def _write(rows: list[Row], found_on: Machine) -> None:
    kept = {"format": FORMAT, "machine": asdict(found_on), "rows": [asdict(row) for row in rows]}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    document.write("reliability", table(rows, found_on))


def table(rows: list[Row], found_on: Machine) -> str:
    """The table for the document."""
    cells = [HEADINGS, ["---"] * len(HEADINGS), *([row.test, row.target, row.figure, row.verdict] for row in rows)]
    lines = [f"| {' | '.join(line)} |" for line in cells]
    return "\n".join(lines) + (
        f"\n\nMeasured on {found_on.date} UTC at commit {found_on.commit}, on {found_on.processor}: {found_on.cores} "
        f"cores, {found_on.system}."
    )
