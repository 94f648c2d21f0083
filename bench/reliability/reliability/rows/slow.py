"""Clients that send too slowly, or nothing at all."""

from __future__ import annotations

from reliability.bench import Bench
from reliability.beside import N_ROUNDS, SLOWER_MAX, Beside, ordinary_rate
from reliability.load import Fates, Tally
from reliability.row import Row
from reliability.server import PREDICT, Server

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
    # Both crowds come within a second, and what comes last has its time-out before it too.
    limit_s = 1 + max(HEADER_MS, BODY_MS) / 1000 + GRACE_S

    def beside(server: Server, crowded: Server) -> tuple[Tally, list[Fates]]:
        load = bench.load(server.address, limit_s + 1, rate=ordinary_rate(bench, server))
        senders = bench.crowd(crowded.address, count, limit_s, pace=count, beginning=HEAD + "{", goes_on=True)
        silent = bench.crowd(crowded.address, count, limit_s, pace=count)
        fates = [senders.fates(), silent.fates()]
        return load.tally(), fates

    rounds, fates, lacks = [], list[Fates](), list[str]()
    for number in range(bench.choose(N_ROUNDS, 1)):
        # New ones each round: a server that has had so many connections before does not show what the first cost.
        with bench.server(f"slow-{number}", FLAGS) as server, bench.server(f"elsewhere-{number}", FLAGS) as elsewhere:
            # The crowd takes the load's time whatever server it is at.
            baseline, _ = beside(server, elsewhere)
            tried, ends = beside(server, server)
            rounds.append((baseline, tried))
            fates += ends
            lacks = server.lacks
    others = Beside(rounds)
    n_senders, n_silent = (max(fate.open for fate in fates[start::2]) for start in (0, 1))
    refused = sum(fate.refused for fate in fates)
    return [
        Row(
            f"{count} slow senders and {count} silent sockets, which come within a second",
            f"all closed within {limit_s:.0f} s; p99 of others < {SLOWER_MAX:.0f} × baseline, with the same crowd at "
            "another server",
            f"{n_senders} senders and {n_silent} silent ones open at the end, the last closed after "
            f"{max(fate.last_s for fate in fates):.1f} s, {refused} refused; {others.text()}" + lacking(lacks),
            n_senders == n_silent == refused == 0 and others.holds,
        )
    ]


def lacking(flags: list[str]) -> str:
    return f" (the server has no {', '.join(f'`{flag}`' for flag in flags)})" if flags else ""
