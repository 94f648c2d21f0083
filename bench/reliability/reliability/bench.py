"""What all tests share: programs, artifacts, bodies, cores, and how long everything takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reliability import bodies, model
from reliability.load import Crowd, Load, Tally
from reliability.server import Server

# Beside each other on one machine, so that the load does not take the server's time.
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = {_CORES[0]}
LOAD_CORES = set(_CORES[1:]) or SERVER_CORES


class Bench:
    """One run of the benchmark."""

    def __init__(self, folder: Path, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.artifacts = [model.artifact(answer) for answer in (1, 2)]
        self.tutorial = self.body("tutorial", bodies.tutorial())
        self._peak: float | None = None

    def choose(self, full: Any, quick: Any) -> Any:
        """A number for a full run, or for one that tries the benchmark itself."""
        return quick if self.quick else full

    def server(self, name: str, flags: Mapping[str, str | int] = {}, **options: Any) -> Server:
        """A server with two versions, the first of them deployed, on a core of its own."""
        server = Server(self.folder / name, flags, cores=SERVER_CORES, **options)
        try:
            for artifact in self.artifacts:
                server.publish(artifact)
            server.deploy("mnist:1")
        except BaseException:
            server.kill()
            raise
        return server

    def load(self, address: tuple[str, int], seconds: float, **options: Any) -> Load:
        options.setdefault("body", self.tutorial)
        return Load(address, seconds=seconds, cores=LOAD_CORES, **options)

    def crowd(self, address: tuple[str, int], count: int, seconds: float, **options: Any) -> Crowd:
        return Crowd(address, count, seconds, cores=LOAD_CORES, **options)

    def measure(self, address: tuple[str, int], seconds: float, **options: Any) -> Tally:
        return self.load(address, seconds, **options).tally()

    def half_load(self, server: Server) -> float:
        """Half of the requests a second that a server answers at most, measured once."""
        if self._peak is None:
            self.measure(server.address, 0.5)
            self._peak = self.measure(server.address, self.choose(5, 1)).rate
        return self._peak / 2

    def body(self, name: str, content: bytes) -> Path:
        """The file with this body, for the driver."""
        path = self.folder / f"{name}.json"
        path.write_bytes(content)
        return path
