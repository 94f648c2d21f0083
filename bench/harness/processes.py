"""Runs a program on some cores, and says how long it took and how much memory it had at most."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Outcome:
    """A process that has ended."""

    code: int
    stdout: str
    stderr: str
    wall_s: float
    memory_mb: float  # the most that lay in memory at one time


def cores(count: int) -> set[int]:
    """The first `count` cores of those that this process may use."""
    return set(sorted(os.sched_getaffinity(0))[:count])


def run(command: list[str], on_cores: set[int]) -> Outcome:
    """Runs `command` to its end on `on_cores`, as `taskset` would."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            preexec_fn=lambda: os.sched_setaffinity(0, on_cores),
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)

        # Linux counts ru_maxrss in units of 1024 bytes.
        memory_mb = usage.ru_maxrss * 1024 / 1e6
        return Outcome(process.returncode, _text(stdout), _text(stderr), wall_s, memory_mb)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
