"""Versions are swapped while requests are answered."""

from __future__ import annotations

import time

from reliability.bench import Bench
from reliability.load import Tally
from reliability.row import Row


def swaps(bench: Bench) -> list[Row]:
    n_swaps = bench.choose(200, 20)
    seconds = bench.choose(20.0, 2.0)
    with bench.server("swaps") as server:
        rate = bench.half_load(server)
        quiet = bench.measure(server.address, bench.choose(10, 2), rate=rate)
        load = bench.load(server.address, seconds, rate=rate)
        started = time.monotonic()
        for swap in range(n_swaps):
            time.sleep(max(0.0, started + swap * seconds / n_swaps - time.monotonic()))
            server.deploy(f"mnist:{2 - swap % 2}")
        took_s = time.monotonic() - started
        tally = load.tally()
    slower = tally.p99_ms() / quiet.p99_ms()
    mixed = _mixed(tally)
    in_time = took_s <= seconds * 1.05
    return [
        Row(
            f"{n_swaps} version swaps at half load ({rate:.0f} req/s)",
            "0 failed; p99 ≤ 2 × quiet; each answer from one version",
            f"{tally.failed_text()} of {tally.n(200)}; p99 {tally.p99_ms():.2f} ms, {slower:.2f} × quiet; {mixed} mixed"
            + ("" if in_time else f"; the swaps took {took_s:.0f} s, not {seconds:.0f}"),
            tally.n_failed == 0 and slower <= 2 and mixed == 0 and len(tally.versions) == 2 and in_time,
        )
    ]


def _mixed(tally: Tally) -> int:
    """Answers whose class is not the one of the version that they name: version N always answers N."""
    return sum(
        n
        for version, classes in tally.versions.items()
        for answer, n in classes.items()
        if version != f"mnist:{answer}"
    )
