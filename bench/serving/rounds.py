"""The measurement itself: every server once a round, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

from harness import processes, programs
from serving import servers
from serving.protocols import Protocol
from serving.questions import Question, Questions, likeliest
from serving.results import Line, Load, Scenario, scenarios_of
from serving.servers import CannotServe, Running, Server


def measure(
    contenders: list[Server], questions: Questions, rounds: int, seconds: float, progress: TextIO = sys.stderr
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
                _round(server, line, questions, seconds, cores[0], cores[-1])
            except CannotServe as reason:
                line.absent_because = str(reason)
            rates = [f"{line.requests_s(name):,.0f}" for name in line.loads]
            words = line.absent_because or f"{', '.join(rates)} requests/s"
            print(f"round {number + 1} of {rounds}: {line.label}: {words}", file=progress, flush=True)
    return lines


def _round(server: Server, line: Line, questions: Questions, seconds: float, server_core: int, load_core: int) -> None:
    scenarios = scenarios_of(server.name)
    asked = [questions.ask(scenario.protocol, server.names, scenario.n_images) for scenario in scenarios]
    with server.running(server_core, asked[0]) as running:
        found, expected = likeliest(running.first_answer), questions.labels[0]
        if found != expected:
            raise CannotServe(f"takes the first image for {found} instead of {expected}")
        line.version = server.version
        line.starts_ms.append(1000 * running.start_s)
        for index, (scenario, question) in enumerate(zip(scenarios, asked, strict=True)):
            load = _load(running, scenario, question, seconds, load_core)
            line.loads.setdefault(scenario.name, []).append(load)
            if index == 0:
                line.memory_mb.append(running.memory_mb())
        line.peaks_mb.append(running.memory_mb())


def _load(running: Running, scenario: Scenario, question: Question, seconds: float, core: int) -> Load:
    port = running.grpc_port if scenario.protocol is Protocol.V2_GRPC else running.port
    flags = [f"--form={question.form}", f"--path={question.path}", *(f"--header={line}" for line in question.headers)]
    flags += [f"--connections={scenario.n_connections}", f"--seconds={seconds}"]
    command = [programs.example("load"), f"127.0.0.1:{port}", *map(str, question.bodies), *flags]
    outcome = processes.run(command, {core})
    if outcome.code != 0:
        raise CannotServe(f"the load ended with code {outcome.code}: {outcome.stderr.strip()}")
    return Load(**json.loads(outcome.stdout))
