"""Clients that send too slowly, or nothing at all."""

from __future__ import annotations

from reliability.bench import Bench
from reliability.row import Row
from reliability.server import PREDICT

RATE = 1000.0
HEADER_MS = 2000
BODY_MS = 3000
# Beyond the time-outs, for what a busy machine takes.
GRACE_S = 3.0
FLAGS = {
    "--header-timeout-ms": HEADER_MS,
    "--body-timeout-ms": BODY_MS,
    "--idle-timeout-ms": HEADER_MS,
    "--requests-in-flight-max": 4096,
}
HEAD = f"POST {PREDICT} HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\nContent-Length: 6000\r\n\r\n"


def slow(bench: Bench) -> list[Row]:
    count = bench.choose(1000, 200)
    with bench.server("slow", FLAGS) as server:
        baseline = bench.measure(server.address, bench.choose(10, 2), rate=RATE)
        # Both crowds come within a second, and what comes last has its time-out before it too.
        limit_s = 1 + max(HEADER_MS, BODY_MS) / 1000 + GRACE_S
        load = bench.load(server.address, limit_s + 1, rate=RATE)
        senders = bench.crowd(server.address, count, limit_s, pace=count, beginning=HEAD + "{", goes_on=True)
        silent = bench.crowd(server.address, count, limit_s, pace=count)
        fates = [senders.fates(), silent.fates()]
        tally = load.tally()
        lacks = server.lacks
    slower = tally.p99_ms() / baseline.p99_ms()
    left = [fate.open for fate in fates]
    refused = sum(fate.refused for fate in fates)
    return [
        Row(
            f"{count} slow senders and {count} silent sockets, which come within a second",
            f"all closed within {limit_s:.0f} s; p99 of others < 2 × baseline",
            f"{left[0]} senders and {left[1]} silent ones open at the end, the last closed after "
            f"{max(fate.last_s for fate in fates):.1f} s, {refused} refused; others: {tally.failed_text()} of "
            f"{tally.n(200)}, p99 {tally.p99_ms():.2f} ms, {slower:.2f} × baseline" + lacking(lacks),
            left == [0, 0] and refused == 0 and tally.n_failed == 0 and slower < 2,
        )
    ]


def lacking(flags: list[str]) -> str:
    return f" (the server has no {', '.join(f'`{flag}`' for flag in flags)})" if flags else ""
