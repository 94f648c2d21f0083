"""The measurement itself: every contender once a round, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import sys
from typing import TextIO

from harness.environments import CannotInstall
from training.contenders import CannotRun, Contender
from training.job import Job
from training.results import Line


def measure(contenders: list[Contender], job: Job, rounds: int, progress: TextIO = sys.stderr) -> list[Line]:
    """All rounds; each begins with another contender. Who cannot be installed or run is absent with the reason."""
    lines = {contender.name: Line.of(contender) for contender in contenders}
    ready = [contender for contender in contenders if _is_ready(contender, lines[contender.name])]
    for number in range(rounds):
        first = number % len(ready) if ready else 0
        for contender in ready[first:] + ready[:first]:
            line = lines[contender.name]
            if line.absent_because is not None:
                continue
            try:
                # The round is the seed: the rounds differ in what is learnt, the contenders of a round do not.
                sample = contender.measure(job, seed=number + 1)
            except CannotRun as reason:
                # A contender that fails once has no figures: those of its other rounds would be the lucky ones.
                line.samples.clear()
                line.absent_because = str(reason)
                print(f"round {number + 1}: {line.label}: {reason}", file=progress, flush=True)
                continue
            line.samples.append(sample)
            line.version = contender.version
            words = f"round {number + 1} of {rounds}: {line.label}: {sample.steps_s:.2f} s"
            print(words, file=progress, flush=True)
    return list(lines.values())


def _is_ready(contender: Contender, line: Line) -> bool:
    try:
        contender.prepare()
    except CannotInstall as reason:
        line.absent_because = str(reason)
    return line.absent_because is None
