"""Load, and clients that are none, by the driver beside this package."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import paths
from reliability.server import PREDICT

DRIVER = paths.ROOT / "bench/reliability/driver"


def target_dir() -> Path:
    return paths.workshop("reliability")


def build() -> None:
    command = [paths.CARGO, "build", "--release", "--locked", f"--manifest-path={DRIVER / 'Cargo.toml'}"]
    subprocess.run([*command, f"--target-dir={target_dir()}"], check=True)


def program() -> Path:
    return target_dir() / "release/driver"


@dataclass(frozen=True)
class Tally:
    """What became of all requests of one load."""

    seconds: float
    retries: int
    answers: dict[str, dict[str, float]]  # by status: `n`, `p50_ms`, `p99_ms`, `max_ms`
    failures: dict[str, int]
    versions: dict[str, dict[str, int]]  # for each version, the classes that it answered with

    def n(self, status: int) -> int:
        return int(self.answers.get(str(status), {}).get("n", 0))

    def p99_ms(self, status: int = 200) -> float:
        return self.answers.get(str(status), {}).get("p99_ms", float("inf"))

    @property
    def n_failed(self) -> int:
        """Everything but an answer of 200."""
        return sum(int(kind["n"]) for status, kind in self.answers.items() if status != "200") + sum(
            self.failures.values()
        )

    @property
    def rate(self) -> float:
        """Answers of 200 a second."""
        return self.n(200) / self.seconds

    def failed_text(self) -> str:
        """`0 failed`, or how many of which kind."""
        kinds = {status: int(kind["n"]) for status, kind in self.answers.items() if status != "200"} | self.failures
        return "0 failed" if not kinds else ", ".join(f"{n} × {kind}" for kind, n in sorted(kinds.items()))


class Load:
    """A load that goes on in the background."""

    def __init__(
        self,
        address: tuple[str, int],
        body: Path,
        seconds: float,
        *,
        connections: int = 16,
        rate: float | None = None,
        encoding: str | None = None,
        cores: set[int] | None = None,
    ) -> None:
        command = [
            str(program()),
            "load",
            f"--address={address[0]}:{address[1]}",
            f"--path={PREDICT}",
            f"--body={body}",
            f"--connections={connections}",
            f"--seconds={seconds}",
        ]
        command += [f"--rate={rate}"] if rate is not None else []
        command += [f"--encoding={encoding}"] if encoding is not None else []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
        )

    def stop(self) -> None:
        """Ends it early: the driver goes on until its input ends."""
        assert self.process.stdin
        self.process.stdin.close()

    def tally(self) -> Tally:
        """Waits for the end."""
        assert self.process.stdout
        output = self.process.stdout.read()
        self.stop()
        self.process.wait()
        if self.process.returncode != 0:
            raise RuntimeError("the driver failed")
        result: dict[str, Any] = json.loads(output)
        return Tally(**result)


@dataclass(frozen=True)
class Fates:
    """What became of a crowd."""

    refused: int
    open: int  # at the end
    last_s: float  # from the start to the last connection that the server ended


class Crowd:
    """Connections in the background, one beginning each, and a byte more every second where they are to go on."""

    def __init__(
        self,
        address: tuple[str, int],
        count: int,
        seconds: float,
        *,
        pace: float,
        beginning: str = "",
        goes_on: bool = False,
        cores: set[int] | None = None,
    ) -> None:
        command = [
            str(program()),
            "crowd",
            f"--address={address[0]}:{address[1]}",
            f"--connections={count}",
            f"--pace={pace}",
            f"--seconds={seconds}",
            f"--beginning={beginning}",
            f"--goes-on={'true' if goes_on else 'false'}",
        ]

        def prepare() -> None:
            if cores:
                os.sched_setaffinity(0, cores)
            # It runs only where the load does not want to, which would otherwise wait for it and tell of long answers.
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=prepare)

    def fates(self) -> Fates:
        """Waits for the end."""
        output, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise RuntimeError("the driver failed")
        return Fates(**json.loads(output))
