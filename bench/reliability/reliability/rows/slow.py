"""Clients that send too slowly, or nothing at all."""

from __future__ import annotations

import time

from reliability.bench import Bench
from reliability.crowd import Crowd
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
        limit_s = max(HEADER_MS, BODY_MS) / 1000 + GRACE_S
        load = bench.load(server.address, limit_s + 2, rate=RATE)
        senders = Crowd(server.address, count, HEAD.encode() + b"{", goes_on=True)
        silent = Crowd(server.address, count)
        started = time.monotonic()
        while (senders.open or silent.open) and time.monotonic() < started + limit_s:
            senders.watch(0.1)
            silent.watch(0.1)
        took_s = time.monotonic() - started
        left = [len(senders.open), len(silent.open)]
        tally = load.tally()
        senders.leave()
        silent.leave()
        lacks = server.lacks
    slower = tally.p99_ms() / baseline.p99_ms()
    refused = senders.n_refused + silent.n_refused
    return [
        Row(
            f"{count} slow senders and {count} silent sockets",
            f"all closed within {limit_s:.0f} s; p99 of others < 2 × baseline",
            f"{left[0]} senders and {left[1]} silent ones open after {took_s:.1f} s, {refused} refused; others: "
            f"{tally.failed_text()} of {tally.n(200)}, p99 {tally.p99_ms():.2f} ms, {slower:.2f} × baseline"
            + lacking(lacks),
            left == [0, 0] and refused == 0 and tally.n_failed == 0 and slower < 2,
        )
    ]


def lacking(flags: list[str]) -> str:
    return f" (the server has no {', '.join(f'`{flag}`' for flag in flags)})" if flags else ""
