"""Who answers: each is a process on a core of its own, started for every round."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import environments, paths, programs
from harness.environments import CannotInstall
from serving import places
from serving.model import Model

PATH = "/gateway/applications/mnist-app/predict"
STARTS_WITHIN_S = 60.0


class CannotServe(Exception):
    """Why a server has no figures."""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    port: int
    start_s: float  # from its start as a process to its first answer

    def memory_mb(self) -> float:
        """The most that lay in memory at one time."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        peak = next(line for line in status if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 / 1e6


@dataclass
class Server(ABC):
    name: str
    label: str
    version: str = field(default="", init=False)

    def prepare(self) -> None:  # noqa: B027 (most need nothing)
        """Whatever has to be installed first."""

    @abstractmethod
    def command(self, port: int) -> list[str]:
        """Starts it on this port of the local address."""

    def environment(self) -> dict[str, str]:
        """What it needs beyond its command."""
        return {}

    @contextmanager
    def running(self, core: int, body: bytes) -> Iterator[Running]:
        """Starts it on `core` and waits until it answers to `body`; ends it afterwards."""
        port = _free_port()
        started = time.perf_counter()
        process = subprocess.Popen(
            self.command(port),
            env=os.environ | self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            _wait_for_answer(process, port, body)
            yield Running(process, port, time.perf_counter() - started)
        finally:
            # Nothing is lost, and nobody waits for a drain.
            process.kill()
            process.wait()


@dataclass
class Ours(Server):
    """Our gateway, with a registry that has one application."""

    registry: Path

    def command(self, port: int) -> list[str]:
        return [programs.program("server"), f"--listen=127.0.0.1:{port}", f"--registry={self.registry}"]


@dataclass
class Fixed(Server):
    """An axum server that reads the body and always answers the same: how fast a gateway of axum can be at all."""

    def command(self, port: int) -> list[str]:
        return [programs.program("examples/fixed_reply"), f"127.0.0.1:{port}"]


@dataclass
class FastApi(Server):
    model: Model

    def prepare(self) -> None:
        python = str(self._python())
        packages = ["fastapi", "uvicorn", "orjson", "onnxruntime"]
        script = "from importlib.metadata import version as v; import sys; print(*(f'{p} {v(p)}' for p in sys.argv[1:]), sep=', ')"
        said = subprocess.run([python, "-c", script, *packages], check=True, stdout=subprocess.PIPE, text=True)
        self.version = said.stdout.strip()

    def command(self, port: int) -> list[str]:
        application = ["-m", "uvicorn", f"--app-dir={places.PEERS}", "fastapi_onnx:app"]
        quick = ["--loop=uvloop", "--http=httptools", "--no-access-log", "--log-level=warning"]
        return [str(self._python()), *application, *quick, "--host=127.0.0.1", f"--port={port}"]

    def environment(self) -> dict[str, str]:
        return {"MODEL": str(self.model.onnx)}

    def _python(self) -> Path:
        return environments.python_with(places.REQUIREMENTS, paths.workshop("serving"))


def servers(model: Model, registry: Path) -> list[Server]:
    """Everybody, in the order of the table."""
    return [
        Ours("ours", "Slipway", registry),
        Fixed("fixed", "axum, fixed reply"),
        FastApi("fastapi", "FastAPI, orjson, onnxruntime", model),
    ]


def prepare(server: Server) -> str | None:
    """Why `server` cannot take part, if so."""
    try:
        server.prepare()
    except (CannotInstall, subprocess.CalledProcessError) as reason:
        return str(reason)
    return None


def publish(model: Model, registry: Path) -> None:
    """Publishes and deploys the model in an empty registry."""
    spec = {"name": "mnist-app", "stages": [{"variants": [{"model": "mnist:1", "weight": 100}]}]}
    with subprocess.Popen(
        [programs.program("server"), f"--listen=127.0.0.1:{(port := _free_port())}", f"--registry={registry}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for_port(process, port)
            _send("POST", port, "/api/models/mnist/versions", model.artifact.read_bytes(), "application/octet-stream")
            _send("PUT", port, "/api/applications/mnist-app", json.dumps(spec).encode(), "application/json")
        finally:
            process.kill()


def _send(method: str, port: int, path: str, body: bytes, kind: str) -> None:
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data=body, method=method, headers={"content-type": kind})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for_port(process: subprocess.Popen[bytes], port: int) -> None:
    _try_until(process, lambda: socket.create_connection(("127.0.0.1", port)).close())


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, body: bytes) -> None:
    _try_until(process, lambda: _send("POST", port, PATH, body, "application/json"))


def _try_until(process: subprocess.Popen[bytes], attempt) -> None:  # type: ignore[no-untyped-def]
    """Repeats `attempt` until it succeeds; a refusal costs tens of microseconds, so the figure is not rounded up."""
    end = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            attempt()
            return
        except OSError as reason:
            if (code := process.poll()) is not None:
                raise CannotServe(f"ended with code {code}") from reason
            if time.monotonic() > end:
                raise CannotServe(f"did not answer within {STARTS_WITHIN_S:g} s: {reason}") from reason
            time.sleep(0.0005)
