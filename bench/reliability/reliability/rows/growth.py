"""Nothing grows: over many loads and unloads of versions, and over a long time of ordinary work."""

from __future__ import annotations

import time

from reliability.bench import Bench
from reliability.row import Row
from reliability.server import Server

GROWTH_MAX_MB = 2.0


def growth(bench: Bench) -> list[Row]:
    with bench.server("growth") as server:
        return [_cycles(bench, server), _time(bench, server)]


def _cycles(bench: Bench, server: Server) -> Row:
    n_warm_up, n_cycles = bench.choose((100, 500), (20, 40))

    def cycle(number: int) -> None:
        server.deploy(f"mnist:{1 + number % 2}")
        server.predict(bench.tutorial.read_bytes())

    for number in range(n_warm_up):
        cycle(number)
    before = _Standing(bench, server)
    for number in range(n_cycles):
        cycle(number)
    return _row(f"{n_cycles} load/unload cycles", before, _Standing(bench, server), "")


def _time(bench: Bench, server: Server) -> Row:
    warm_up_s, seconds = bench.choose((60, 600), (2, 5))
    rate = bench.half_load(server)
    bench.measure(server.address, warm_up_s, rate=rate)
    before = _Standing(bench, server)
    tally = bench.measure(server.address, seconds, rate=rate)
    after = _Standing(bench, server)
    text = f"; {tally.failed_text()} of {tally.n(200)}"
    row = _row(f"{seconds} s at half load ({rate:.0f} req/s)", before, after, text)
    return row if tally.n_failed == 0 else Row(row.test, row.target, row.figure, False)


class _Standing:
    """What a server holds once nothing is going on."""

    def __init__(self, bench: Bench, server: Server) -> None:
        time.sleep(bench.choose(5, 1))
        self.memory_mb = server.memory_mb()
        # A look of the server's at its registry takes a thread and a descriptor for a moment: what stays counts.
        looks = []
        for _ in range(20):
            looks.append((server.descriptors(), server.threads()))
            time.sleep(0.1)
        self.descriptors, self.threads = (min(column) for column in zip(*looks, strict=True))


def _row(test: str, before: _Standing, after: _Standing, text: str) -> Row:
    grown_mb = after.memory_mb - before.memory_mb
    descriptors, threads = after.descriptors - before.descriptors, after.threads - before.threads
    return Row(
        test,
        f"memory growth < {GROWTH_MAX_MB:.0f} MB; descriptors and threads constant",
        f"memory {grown_mb:+.2f} MB of {after.memory_mb:.1f}; descriptors {descriptors:+d}; threads {threads:+d}{text}",
        grown_mb < GROWTH_MAX_MB and descriptors <= 0 and threads <= 0,
    )
