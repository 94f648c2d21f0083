"""The machine and the programs of a measurement, as far as they decide its figures."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import paths

# The instruction sets that the kernels of anybody here know of.
INSTRUCTION_SETS = {"avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "avx2": "AVX2", "fma": "FMA"}
# Share of the machine's time beyond which figures say more about others than about what is measured.
BUSY_MAX = 0.1


@dataclass(frozen=True)
class Machine:
    processor: str
    cores: int
    instruction_sets: list[str]
    memory_gb: int
    system: str
    python: str
    rust: str
    commit: str
    date: str  # UTC


def machine() -> Machine:
    """This machine, now."""
    processor = _processor()
    flags = processor.get("flags", "").split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        processor=processor.get("model name", platform.machine()),
        cores=len(os.sched_getaffinity(0)),
        instruction_sets=[name for flag, name in INSTRUCTION_SETS.items() if flag in flags],
        memory_gb=round(memory / 2**30),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        rust=_said_by("rustc", "--version").split(" (")[0],
        commit=_said_by("git", "describe", "--always", "--dirty", "--abbrev=12"),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
    )


def busy_share(during_s: float = 1.0) -> float:
    """How much of the machine's time others take, 0 to 1, while this process waits for `during_s`."""

    def busy_and_all() -> tuple[int, int]:
        # "cpu", then ticks: user, nice, system, idle, waiting for disks, …
        ticks = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)

    busy_before, all_before = busy_and_all()
    time.sleep(during_s)
    busy_after, all_after = busy_and_all()
    return (busy_after - busy_before) / max(1, all_after - all_before)


def _processor() -> dict[str, str]:
    lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _said_by(*command: str) -> str:
    outcome = subprocess.run(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return outcome.stdout.strip() or "unknown"
