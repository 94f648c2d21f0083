"""Who answers: each is a process on a core of its own, started for every round."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

from harness import environments, paths, programs
from harness.environments import CannotInstall
from serving import places
from serving.model import Model
from serving.questions import Names, Question

STARTS_WITHIN_S = 60.0
FURNACE = places.PEERS / "furnace"
TRITON = places.PEERS / "triton"

NAMES = ("ours", "fixed", "fastapi", "furnace", "triton")
QUICK = ("ours", "fixed", "fastapi")  # who is there within a minute

OURS = Names("mnist-app", "imgs", (28, 28), "probabilities")

T = TypeVar("T")


class CannotServe(Exception):
    """Why a server has no figures."""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    port: int
    grpc_port: int
    start_s: float  # from its start as a process to its first answer
    first_answer: bytes

    def memory_mb(self) -> float:
        """The most that lay in memory at one time, of it and of every process that it started."""
        folders = [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
        return sum(_peak_mb(folder) for folder in folders if _session(folder) == self.process.pid)


@dataclass
class Server(ABC):
    name: str
    label: str
    version: str = field(default="", init=False)
    names: ClassVar[Names] = OURS
    has_grpc_port: ClassVar[bool] = False  # beside the one for HTTP

    def prepare(self) -> None:  # noqa: B027 (most need nothing)
        """Whatever has to be installed first."""

    @abstractmethod
    def command(self, port: int, grpc_port: int) -> list[str]:
        """Starts it on these ports of the local address."""

    def environment(self) -> dict[str, str]:
        """What it needs beyond its command."""
        return {}

    @contextmanager
    def running(self, core: int, first: Question) -> Iterator[Running]:
        """Starts it on `core` and waits until it answers to `first`; ends it afterwards."""
        port = _free_port()
        grpc_port = _free_port() if self.has_grpc_port else port
        started = time.perf_counter()
        process = subprocess.Popen(
            self.command(port, grpc_port),
            env=os.environ | self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            start_new_session=True,
        )
        try:
            answer = _wait_for_answer(process, port, first)
            yield Running(process, port, grpc_port, time.perf_counter() - started, answer)
        finally:
            # Nothing is lost, and nobody waits for a drain. One that has ended leaves no group behind.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass
class Ours(Server):
    """Our gateway, with a registry that has one application."""

    registry: Path

    def command(self, port: int, grpc_port: int) -> list[str]:
        return [programs.program("server"), f"--listen=127.0.0.1:{port}", f"--registry={self.registry}"]


@dataclass
class Fixed(Server):
    """An axum server that reads the body and always answers the same: how fast a gateway of axum can be at all."""

    def command(self, port: int, grpc_port: int) -> list[str]:
        return [programs.example("fixed_reply"), f"127.0.0.1:{port}"]


@dataclass
class FastApi(Server):
    model: Model

    def prepare(self) -> None:
        self.version = _versions(self._python(), "fastapi", "uvicorn", "orjson", "onnxruntime")

    def command(self, port: int, grpc_port: int) -> list[str]:
        application = ["-m", "uvicorn", f"--app-dir={places.PEERS}", "fastapi_onnx:app"]
        quick = ["--loop=uvloop", "--http=httptools", "--no-access-log", "--log-level=warning"]
        return [str(self._python()), *application, *quick, "--host=127.0.0.1", f"--port={port}"]

    def environment(self) -> dict[str, str]:
        return {"MODEL": str(self.model.onnx)}

    def _python(self) -> Path:
        return environments.python_with(places.REQUIREMENTS / "fastapi.txt", paths.workshop("serving"))


@dataclass
class Furnace(Server):
    """A server on burn, in Rust as ours is, built as it is released."""

    model: Model
    version = "furnace-server 0.16.2"
    names = Names("mnist", "input", (784,), "output")
    has_grpc_port = True

    def prepare(self) -> None:
        print("building furnace …", file=sys.stderr, flush=True)
        command = [paths.CARGO, "build", "--release", "--locked", f"--manifest-path={FURNACE / 'Cargo.toml'}"]
        outcome = subprocess.run([*command, f"--target-dir={self._target()}"], stderr=subprocess.PIPE, text=True)
        if outcome.returncode != 0:
            last = outcome.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise CannotInstall(f"`cargo build` failed: {last[0]}")

    def command(self, port: int, grpc_port: int) -> list[str]:
        return [str(self._target() / "release/furnace-peer"), str(self.model.artifact), str(port), str(grpc_port)]

    def _target(self) -> Path:
        return paths.workshop("serving") / "furnace"


@dataclass
class Triton(Server):
    """The server of NVIDIA, on processors alone. Its package on PyPI has no backend but that of Python."""

    model: Model
    names = Names("mnist-app", "imgs", (28, 28), "probabilities")
    has_grpc_port = True

    def prepare(self) -> None:
        self.version = _versions(self._python(), "nvidia-pytriton", "onnxruntime")
        # What runs a model's Python lies in the package once for each version of it, and is to lie beside the backend.
        stub = self._folder() / "python_backend_stubs" / environments.PYTHON / "triton_python_backend_stub"
        try:
            shutil.copy2(stub, self._folder() / "backends/python")
        except OSError as reason:
            raise CannotInstall(str(reason)) from reason

    def command(self, port: int, grpc_port: int) -> list[str]:
        places_of_it = [f"--model-repository={TRITON}", f"--backend-directory={self._folder() / 'backends'}"]
        http = ["--http-address=127.0.0.1", f"--http-port={port}"]
        grpc = ["--grpc-address=127.0.0.1", f"--grpc-port={grpc_port}"]
        return [str(self._folder() / "bin/tritonserver"), *places_of_it, *http, *grpc, "--allow-metrics=false"]

    def environment(self) -> dict[str, str]:
        path = f"{self._python().parent}:{os.environ['PATH']}"
        return {"MODEL": str(self.model.onnx), "PATH": path, "PYTHONPATH": str(self._packages())}

    def _folder(self) -> Path:
        return self._packages() / "pytriton/tritonserver"

    def _packages(self) -> Path:
        return self._python().parents[1] / f"lib/python{environments.PYTHON}/site-packages"

    def _python(self) -> Path:
        return environments.python_with(places.REQUIREMENTS / "triton.txt", paths.workshop("serving"))


def servers(model: Model, registry: Path) -> list[Server]:
    """Everybody, in the order of the table."""
    return [
        Ours("ours", "Slipway", registry),
        Fixed("fixed", "axum, fixed reply"),
        FastApi("fastapi", "FastAPI, orjson, onnxruntime", model),
        Furnace("furnace", "Furnace, burn", model),
        Triton("triton", "Triton, Python backend, onnxruntime", model),
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


def _send(method: str, port: int, path: str, body: bytes, kind: str) -> bytes:
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data=body, method=method, headers={"content-type": kind})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for_port(process: subprocess.Popen[bytes], port: int) -> None:
    _try_until(process, lambda: socket.create_connection(("127.0.0.1", port)).close())


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, question: Question) -> bytes:
    body = question.bodies[0].read_bytes()
    return _try_until(process, lambda: _send("POST", port, question.path, body, "application/json"))


def _try_until(process: subprocess.Popen[bytes], attempt: Callable[[], T]) -> T:
    """Repeats `attempt` until it succeeds; a refusal costs tens of microseconds, so the figure is not rounded up."""
    end = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            return attempt()
        except OSError as reason:
            if (code := process.poll()) is not None:
                raise CannotServe(f"ended with code {code}") from reason
            if time.monotonic() > end:
                raise CannotServe(f"did not answer within {STARTS_WITHIN_S:g} s: {reason}") from reason
            time.sleep(0.0005)


def _versions(python: Path, *packages: str) -> str:
    script = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    said = subprocess.run([str(python), "-c", script, *packages], check=True, stdout=subprocess.PIPE, text=True)
    return ", ".join(map(" ".join, zip(packages, said.stdout.split(), strict=True)))


def _session(process: Path) -> int | None:
    """Of a folder in `/proc`; none where the process has ended."""
    try:
        # Behind the name, which may hold anything: state, parent, group, session.
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return None


def _peak_mb(process: Path) -> float:
    try:
        status = (process / "status").read_text().splitlines()
    except OSError:
        return 0.0
    peak = next((line for line in status if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(peak.split()[1]) * 1024 / 1e6
