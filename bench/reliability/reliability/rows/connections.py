"""More connections than there may be."""

from __future__ import annotations

import time

from reliability.bench import Bench
from reliability.crowd import Crowd
from reliability.row import Row
from reliability.rows.slow import lacking

BACK_MAX_S = 30.0
# None may be closed for its silence while others are still being opened.
SILENT_MS = 120_000
# Descriptors beside those of connections may come and go: the registry is looked at every second.
OTHERS = 4


def connections(bench: Bench) -> list[Row]:
    count = bench.choose(10_000, 1_000)
    cap = count // 2
    with bench.server("connections", {"--connections-max": cap, "--header-timeout-ms": SILENT_MS}) as server:
        start = server.descriptors()
        crowd = Crowd(server.address, count)
        crowd.watch(2)
        most = server.descriptors() - start
        crowd.leave()
        left_at = time.monotonic()
        while server.descriptors() > start + OTHERS and time.monotonic() < left_at + BACK_MAX_S:
            time.sleep(0.05)
        back_s = time.monotonic() - left_at
        left = server.descriptors() - start
        tally = bench.measure(server.address, 1, rate=500)
        lacks = server.lacks
    return [
        Row(
            f"{count} connections, {cap} allowed",
            f"cap held; descriptors back within {BACK_MAX_S:.0f} s",
            f"{most} at most; {max(left, 0)} left after {back_s:.1f} s; then {tally.failed_text()} of {tally.n(200)}"
            + lacking(lacks),
            cap * 0.9 <= most <= cap + OTHERS and left <= OTHERS and tally.n_failed == 0,
        )
    ]
