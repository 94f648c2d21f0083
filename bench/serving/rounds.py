"""The measurement itself: every server once a round, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from harness import processes, programs
from serving import servers
from serving.images import Bodies
from serving.results import SCENARIOS, Line, Load, Scenario
from serving.servers import CannotServe, Running, Server


def measure(
    contenders: list[Server], bodies: Bodies, rounds: int, seconds: float, progress: TextIO = sys.stderr
) -> list[Line]:
    """All rounds; each begins with another server. Who fails once is absent with the reason."""
    cores = sorted(os.sched_getaffinity(0))
    lines = [Line(server.name, server.label, absent_because=servers.prepare(server)) for server in contenders]
    for number in range(rounds):
        first = number % len(contenders)
        by_turns = list(zip(contenders, lines, strict=True))
        for server, line in by_turns[first:] + by_turns[:first]:
            if line.absent_because is not None:
                continue
            try:
                _round(server, line, bodies, seconds, cores[0], cores[-1])
            except CannotServe as reason:
                line.absent_because = str(reason)
            one = line.requests_s("one")
            words = line.absent_because or (f"{one:,.0f} requests/s" if one else "nothing measured")
            print(f"round {number + 1} of {rounds}: {line.label}: {words}", file=progress, flush=True)
    return lines


def _round(server: Server, line: Line, bodies: Bodies, seconds: float, server_core: int, load_core: int) -> None:
    with server.running(server_core, bodies.one[0].read_bytes()) as running:
        line.version = server.version
        line.starts_ms.append(1000 * running.start_s)
        for scenario in SCENARIOS:
            if server.name in scenario.servers:
                load = _load(running, scenario, bodies, seconds, load_core)
                line.loads.setdefault(scenario.name, []).append(load)
                if scenario.name == "one":
                    line.memory_mb.append(running.memory_mb())
        line.peaks_mb.append(running.memory_mb())


def _load(running: Running, scenario: Scenario, bodies: Bodies, seconds: float, core: int) -> Load:
    files = bodies.one if scenario.n_images == 1 else bodies.many
    flags = [f"--connections={scenario.n_connections}", f"--seconds={seconds}"]
    command = [programs.program("examples/load"), f"127.0.0.1:{running.port}", *map(str, files), *flags]
    outcome = processes.run(command, {core})
    if outcome.code != 0:
        raise CannotServe(f"the load ended with code {outcome.code}: {outcome.stderr.strip()}")
    return Load(**json.loads(outcome.stdout))
